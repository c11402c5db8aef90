"""O titular dos dados (LGPD, art. 18): o que se tem dele, e apagar o que a lei não manda guardar."""

import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, Table, select, text

from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.models import contatos
from bling_collector.db.resources import erasure
from bling_collector.db.resources.documentos import of_notas as documentos_of
from bling_collector.db.resources.erasure import Personal, Titular
from bling_collector.errors import CollectorError
from bling_collector.etl.resource import Document, Person, Resource
from bling_collector.etl.save import rebuild
from bling_collector.insight.account.empresa import load_empresa
from bling_collector.insight.notas.nota import load_nota
from bling_collector.payload import Row
from bling_collector.payload import documento as read_documento
from bling_collector.streams.cadastros.contatos import CONTATOS
from bling_collector.streams.nameless import nameless_changes, nameless_texts
from bling_collector.streams.notas.nfe import NFE
from bling_collector.streams.notas.nfe_entrada import NFE_ENTRADA
from bling_collector.streams.notas.xml import unpacked
from bling_collector.streams.registry import RESOURCES
from bling_collector.traces import Traces
from bling_collector.words import plural

log = logging.getLogger(__name__)

BATCH = 500
_APART = (NFE.name, CONTATOS.name)
"""Os recursos que a exportação mostra à sua maneira."""


class UnknownContatoError(CollectorError):
    """O banco não tem este contato, nem nada que o cite."""

    http_status = 404
    exit_code = 2
    title = "Contato desconhecido"


@dataclass(frozen=True)
class Erasure:
    """O que foi apagado."""

    contatos: list[int]
    notas: list[int]
    restam: list[int]
    """Notas em que o documento ainda aparece."""
    registros: dict[str, list[int]]
    """Dos outros recursos que falam de pessoas, os ids dos que eram dela."""
    documentos: list[str]
    """As chaves das notas dela de que se guarda o XML, que fica: a lei manda guardá-lo, e tirar-lhe algo desfaria a
    assinatura."""


@dataclass(frozen=True)
class _Passage:
    """Uma mudança que o histórico anota de um registro que foi, ou é, da pessoa."""

    row: RowMapping
    sides: frozenset[int]
    """0, o que era antes da mudança; 1, o que ficou: de que lado o registro era dela."""
    declared: Person | None
    """O que o recurso do registro diz das pessoas dele."""

    def hers(self, person: Titular, traces: Traces) -> Row:
        """A mudança, só no que diz desta pessoa: o lado de outro fica vazio."""
        changes = self.row["mudancas"]
        both: list[Document] = [{name: values[side] for name, values in changes.items()} for side in (0, 1)]
        if self.declared is not None:
            both = [self.declared.only_of(side, person.contatos) for side in both]
        return {
            name: [
                said[name] if side in self.sides or traces.cites(said[name]) else None for side, said in enumerate(both)
            ]
            for name in changes
        }


async def load_person(engine: AsyncEngine, contato_id: int, resources: Sequence[Resource] = RESOURCES) -> Titular:
    """Quem é: os contatos com o mesmo documento e os registros que os citam. UnknownContatoError se não há."""
    async with engine.connect() as connection:
        return await _person(connection, resources, contato_id)


async def names_of(engine: AsyncEngine, person: Titular) -> list[str]:
    """Os nomes por que a pessoa é conhecida aqui, até três; nenhum se já foram apagados."""
    async with engine.connect() as connection:
        return await erasure.names(connection, person)


async def export_person(
    engine: AsyncEngine, contato_id: int, now: datetime, resources: Sequence[Resource] = RESOURCES
) -> Row:
    """Tudo o que o banco tem da pessoa: os contatos, as notas inteiras, o histórico de uns e de outras e o que deles
    falta buscar (`pendencias`). `registros`, se há algum, é o que os outros recursos têm dela.

    `documentos`, se há algum, são os XML das notas dela, inteiros.

    `passagens` é o que ficou no histórico de registros que já foram dela e hoje são de outros; `citacoes`, os pedaços
    do JSON de outros em que aparece o documento dela, ou o id do contato; `restam`, os ids das notas de outros em que o
    documento aparece. De um registro de vários, só o que é dela.
    """
    async with engine.connect() as connection:
        person = await _person(connection, resources, contato_id)
        found = await connection.execute(select(contatos).where(contatos.c.id.in_(person.contatos)))
        cadastros = [dict(row) for row in found.mappings()]
        stored = await erasure.documents(connection, NFE.table, person.notas)
        changes = await erasure.history(connection, contatos.name, person.contatos)
        pending = await erasure.pending(connection, person)
        restam = await erasure.still_citing(connection, person.documento, person.notas) if person.documento else []
        passages, traces = await _traces(connection, person, resources)
        registros = await _records(connection, person, resources, traces)
        documentos = await _documents(connection, person)
        noted = await _history(connection, person, resources, NFE.table, traces)
        citacoes = [
            {"tabela": resource.table.name, "id": row["id"], "trechos": trechos}
            async for resource, rows in _citing(connection, person, passages, resources)
            for row in rows
            if (trechos := list(traces.excerpts(row["detalhe"])))
        ]
    details = {row["id"]: row["detalhe"] for row in stored}
    notas = [
        (await load_nota(engine, nota)).whole | {"detalhe": details.get(nota), "historico": noted.get(nota, [])}
        for nota in person.notas
    ]
    return {
        "exportado_em": now,
        "empresa": await load_empresa(engine),
        "apagado_em": person.apagado_em,
        "contatos": cadastros,
        "notas": notas,
        "historico": [{k: row[k] for k in ("registro_id", "quando", "run_id", "mudancas")} for row in changes],
        "passagens": [_theirs(passage, traces, person) for passage in passages],
        "citacoes": citacoes,
        "pendencias": [dict(row) for row in pending],
        "restam": restam,
    } | {name: said for name, said in (("registros", registros), ("documentos", documentos)) if said}


async def erase_person(
    engine: AsyncEngine, contato_id: int, now: datetime, resources: Sequence[Resource] = RESOURCES
) -> Erasure:
    """Apaga quem a pessoa é, em todas as tabelas, numa transação; valores, datas, números e chaves ficam.

    Também no que hoje é de outros: o histórico dos registros que já foram dela, e o documento e o contato onde quer que
    apareçam.

    Lembra que apagou: o que vier dela numa coleta, numa conferência ou num reprocessamento vem sem a pessoa. Pode ser
    repetido. UnknownContatoError se o banco nunca a teve.
    """
    async with engine.begin() as connection:
        await erasure.lock(connection)
        person = await _person(connection, resources, contato_id)
        await _erase(connection, person, now, resources)
        restam = await erasure.still_citing(connection, person.documento) if person.documento else []
        kept = [each["chave_acesso"] for each in await _documents(connection, person)]
    log.info("Dados do contato %d apagados: %s.", contato_id, plural(len(person.notas), "nota", "notas"))
    return Erasure(person.contatos, person.notas, restam, person.others, kept)


async def erase_again(engine: AsyncEngine, now: datetime, resources: Sequence[Resource] = RESOURCES) -> int:
    """Apaga outra vez, num banco que voltou de uma cópia, quem ele se lembra de ter apagado; devolve quantos contatos.

    Numa transação, e pode ser repetido.
    """
    places = _places(resources)
    async with engine.begin() as connection:
        await erasure.lock(connection)
        rows = await erasure.remembered(connection)
        ids = [id_ for table, id_, _ in rows if table == contatos.name]
        for place in places:
            if place.contato_id is None:
                continue
            for id_ in [id_ for table, id_, _ in rows if table == place.table.name]:
                whose = (await erasure.owner(connection, place, id_)).get("documento")
                records = {each: [id_] if each is place else [] for each in places}
                await _erase(
                    connection, Titular(records, erasure.identifying(read_documento(whose)), None), now, resources
                )
        for id_ in ids:
            person = await erasure.find_person(connection, places, _tables(resources), id_)
            if person is not None:
                await _erase(connection, person, now, resources)
    return len(ids)


def _places(resources: Sequence[Resource]) -> list[Personal]:
    return [resource.personal for resource in resources if resource.personal is not None]


def _tables(resources: Sequence[Resource]) -> list[Table]:
    """As que guardam o JSON do Bling."""
    return [resource.table for resource in resources if "detalhe" in resource.table.c]


async def _person(connection: AsyncConnection, resources: Sequence[Resource], contato_id: int) -> Titular:
    person = await erasure.find_person(connection, _places(resources), _tables(resources), contato_id)
    if person is None:
        raise UnknownContatoError(f"Este banco não tem o contato {contato_id}, nem nada que o cite.")
    return person


async def _records(
    connection: AsyncConnection, person: Titular, resources: Sequence[Resource], traces: Traces
) -> dict[str, list[Row]]:
    """Recurso → os registros dele que são da pessoa, cada um com as linhas das tabelas filhas e o histórico; do que é
    de vários, só o que é dela."""
    found: dict[str, list[Row]] = {}
    for resource in resources:
        ids, told = person.of(resource.table), resource.person
        if resource.name in _APART or told is None or not ids:
            continue
        parts = [*(child.table.name for child in resource.children), "historico"]
        records = {
            row["id"]: row | {name: [] for name in parts} for row in await _rows(connection, resource.table, "id", ids)
        }
        for record in records.values():
            record["detalhe"] = record["detalhe"] and told.only_of(record["detalhe"], person.contatos)
        for child in resource.children:
            owner = told.contato_id if told.contato_id is not None and told.contato_id.table is child.table else None
            for row in await _rows(connection, child.table, child.parent, ids, child.ours):
                if owner is None or row[owner.name] in person.contatos:
                    records[row[child.parent]][child.table.name].append(row)
        for id_, changes in (await _history(connection, person, resources, resource.table, traces)).items():
            records[id_]["historico"] = changes
        found[resource.name] = list(records.values())
    return found


async def _documents(connection: AsyncConnection, person: Titular) -> list[Row]:
    """Os XML das notas dela, de saída e de entrada."""
    found: dict[str, Row] = {}
    for table in (NFE.table, NFE_ENTRADA.table):
        for row in await documentos_of(connection, table, person.of(table)):
            xml = unpacked(row.conteudo).decode("utf-8", "replace")
            found[row.id] = {"chave_acesso": row.id, "lido_em": row.lido_em, "sha256": row.sha256, "xml": xml}
    return list(found.values())


async def _history(
    connection: AsyncConnection, person: Titular, resources: Sequence[Resource], table: Table, traces: Traces
) -> dict[int, list[Row]]:
    """O histórico dos registros da pessoa nesta tabela, só no que diz dela: o de quando eram de outro não se mostra."""
    found: dict[int, list[RowMapping]] = {}
    for row in await erasure.history(connection, table.name, person.of(table)):
        found.setdefault(row["registro_id"], []).append(row)
    return {
        id_: [
            {"quando": each.row["quando"], "run_id": each.row["run_id"], "mudancas": each.hers(person, traces)}
            for each in reversed(await _passages(connection, person, resources, table.name, rows))
        ]
        for id_, rows in found.items()
    }


async def _rows(
    connection: AsyncConnection, table: Table, column: str, ids: Sequence[int], ours: str = "true"
) -> list[Row]:
    kept = [each for each in table.c if each.name != "resumo_lista"]
    hers = select(*kept).where(table.c[column].in_(ids), text(ours))
    rows = await connection.execute(hers.order_by(*table.primary_key))
    return [dict(row) for row in rows.mappings()]


async def _erase(connection: AsyncConnection, person: Titular, now: datetime, resources: Sequence[Resource]) -> None:
    told = {resource.table.name: resource for resource in resources}
    await erasure.remember(connection, person, now)
    passages, traces = await _traces(connection, person, resources)
    await erasure.clear_columns(connection, person)
    for resource in resources:
        ids = person.of(resource.table)
        for start in range(0, len(ids), BATCH):
            await _erase_records(connection, resource, ids[start : start + BATCH], person, traces)
    for passage in passages:
        changes = passage.row["mudancas"]
        bare = nameless_changes(told.get(passage.row["tabela"]), changes, person.contatos, passage.sides)
        await _rewrite_history(connection, passage.row, traces.without(bare))
    hers = {(passage.row["tabela"], passage.row["registro_id"]) for passage in passages if passage.sides}
    async for resource, rows in _citing(connection, person, passages, resources):
        left = []
        for row in rows:
            cleaned = traces.without(row["detalhe"])
            if (resource.table.name, row["id"]) in hers:
                cleaned = nameless_texts(resource, cleaned)
            if cleaned != row["detalhe"]:
                left.append((cleaned, row["extraido_em"]))
        if left:
            await rebuild(connection, resource, left)
    if person.documento is not None:
        await erasure.forget_in_texts(connection, person.documento)


async def _erase_records(
    connection: AsyncConnection, resource: Resource, ids: Sequence[int], person: Titular, traces: Traces
) -> None:
    """Refaz os registros, que se lembra de ter apagado, sem a pessoa; e o histórico deles."""
    told = resource.person
    assert told is not None, resource.name
    stored = await erasure.documents(connection, resource.table, ids)
    bare = [traces.in_texts.without(told.without(row["detalhe"], person.contatos)) for row in stored]
    await rebuild(
        connection, resource, [(document, row["extraido_em"]) for document, row in zip(bare, stored, strict=True)]
    )
    if resource.after_save is not None:  # também os que não têm documento de que os refazer
        await resource.after_save(connection, ids)
    for row in await erasure.history(connection, resource.table.name, ids):
        kept = nameless_changes(resource, row["mudancas"], person.contatos)
        await _rewrite_history(connection, row, traces.in_texts.without(kept))


async def _rewrite_history(connection: AsyncConnection, row: RowMapping, changes: Row) -> None:
    if changes != row["mudancas"]:
        await erasure.rewrite_history(connection, row["id"], changes)


async def _traces(
    connection: AsyncConnection, person: Titular, resources: Sequence[Resource]
) -> tuple[list[_Passage], Traces]:
    """O que o histórico de outros registros diz da pessoa, e por onde se reconhece o que é dela."""
    found: list[_Passage] = []
    names = await erasure.names_of(connection, person)
    called = {place.table.name: place.name_columns for place in person.records}
    for table, id_ in await erasure.changed_hands(connection, person):
        rows = await erasure.history(connection, table, [id_])
        found += await _passages(connection, person, resources, table, rows)
    for passage in found:
        changes = passage.row["mudancas"]
        columns = [column for column in called.get(passage.row["tabela"], []) if column in changes]
        names |= {changes[column][side] for column in columns for side in passage.sides}
    written = erasure.written(person.documento) if person.documento is not None else None
    return found, Traces.of(person.contatos, written, names)


async def _passages(
    connection: AsyncConnection,
    person: Titular,
    resources: Sequence[Resource],
    table: str,
    rows: Sequence[RowMapping],
) -> list[_Passage]:
    """As mudanças de um registro (`rows`, em ordem), da mais nova à mais velha, e de que lados ele era da pessoa."""
    place = next((place for place in person.records if place.table.name == table), None)
    declared = next((resource.person for resource in resources if resource.table.name == table), None)
    if place is None or declared is None:
        return [_Passage(row, frozenset(), None) for row in reversed(rows)]
    id_ = rows[0]["registro_id"]
    held = await erasure.owner(connection, place, id_)
    if place.contato_id is None or declared.within is not None:  # de quem é não está numa coluna
        held["contatos"] = set(person.contatos) if id_ in person.of(place.table) else set()
    found = []
    for row in reversed(rows):
        changes = row["mudancas"]
        sides = set()
        for side in (1, 0):  # do presente para trás: o que uma mudança deixou é o que a seguinte encontrou
            told = {name: changes[column][side] for name, column in place.owner_columns.items() if column in changes}
            other = "contato_id" in told and told["contato_id"] != held.get("contato_id")
            if other and "documento" not in place.owner_columns:  # o histórico não diz o que ele tinha
                held.pop("documento", None)
            held |= told
            if declared.within is not None and declared.within in changes:
                held["contatos"] = declared.contatos({declared.within: changes[declared.within][side]})
            if _is_hers(held, person):
                sides.add(side)
        found.append(_Passage(row, frozenset(sides), declared))
    return found


def _is_hers(held: Row, person: Titular) -> bool:
    """Se um registro, com este dono, é da pessoa."""
    whose = read_documento(held.get("documento"))
    owners = held.get("contatos", set()) | {held.get("contato_id")}
    return (whose is not None and whose == person.documento) or not owners.isdisjoint(person.contatos)


async def _citing(
    connection: AsyncConnection, person: Titular, passages: list[_Passage], resources: Sequence[Resource]
) -> AsyncIterator[tuple[Resource, list[RowMapping]]]:
    """O JSON de outros em que a pessoa pode estar, aos lotes: o que traz o documento ou o contato, e o dos registros
    que já foram dela, em que o nome pode ter ficado na etiqueta de entrega."""
    found = await erasure.citing(connection, person, _tables(resources))
    for resource in resources:
        passed = {
            each.row["registro_id"] for each in passages if each.sides and each.row["tabela"] == resource.table.name
        }
        ids = sorted(passed.union(found.get(resource.table, ())))
        for start in range(0, len(ids), BATCH):
            yield resource, await erasure.documents(connection, resource.table, ids[start : start + BATCH])


def _theirs(passage: _Passage, traces: Traces, person: Titular) -> Row:
    said = {name: passage.row[name] for name in ("tabela", "registro_id", "quando")}
    return said | {"mudancas": passage.hers(person, traces)}
