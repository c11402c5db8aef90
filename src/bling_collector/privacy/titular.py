"""O titular dos dados (LGPD, art. 18): o que se tem dele, e apagar o que a lei não manda guardar."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, Table, select, text

from bling_collector.db.core import AsyncConnection, AsyncEngine
from bling_collector.db.models import contatos
from bling_collector.db.resources import erasure
from bling_collector.db.resources.documentos import of_notas as documentos_of
from bling_collector.db.resources.erasure import Person, Personal
from bling_collector.errors import CollectorError
from bling_collector.etl.resource import Resource
from bling_collector.etl.save import rebuild
from bling_collector.insight.empresa import load_empresa
from bling_collector.insight.notas.nota import load_nota
from bling_collector.payload import Row
from bling_collector.payload import documento as read_documento
from bling_collector.streams.cadastros.contatos import CONTATOS
from bling_collector.streams.nameless import Traces, nameless_changes, nameless_texts, without_traces
from bling_collector.streams.notas.nfe import NFE
from bling_collector.streams.notas.nfe_entrada import NFE_ENTRADA
from bling_collector.streams.notas.xml import unpacked
from bling_collector.streams.registry import RESOURCES
from bling_collector.words import plural

log = logging.getLogger(__name__)

BATCH = 500
_NAME = 5
"""Letras de um nome que já se procura no que é de outros."""
_APART = (NFE.name, CONTATOS.name)
"""Os recursos que a exportação mostra à sua maneira."""


class UnknownContatoError(CollectorError):
    """O banco não tem este contato, nem nota que o cite."""

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
    """O que o histórico de um registro que hoje é de outro diz da pessoa."""

    row: RowMapping
    sides: frozenset[int]
    """0, o que era antes da mudança; 1, o que ficou: de que lado o registro era dela."""


async def load_person(engine: AsyncEngine, contato_id: int, resources: Sequence[Resource] = RESOURCES) -> Person:
    """Quem é: os contatos com o mesmo documento e os registros que os citam. UnknownContatoError se não há."""
    async with engine.connect() as connection:
        return await _person(connection, resources, contato_id)


async def names_of(engine: AsyncEngine, person: Person) -> list[str]:
    """Os nomes por que a pessoa é conhecida aqui, até três; nenhum se já foram apagados."""
    async with engine.connect() as connection:
        return await erasure.names(connection, person)


async def export_person(
    engine: AsyncEngine, contato_id: int, now: datetime, resources: Sequence[Resource] = RESOURCES
) -> Row:
    """Tudo o que o banco tem da pessoa: os contatos, as notas inteiras, o histórico de uns e de outras e o que deles
    falta buscar (`pendencias`). `registros`, se há algum, é o que os outros recursos têm dela.

    `documentos`, se há algum, são os XML das notas dela, inteiros.

    `passagens` é o que ficou no histórico de registros que já foram dela e hoje são de outros; `citacoes`, os
    pedaços do JSON de outros em que o documento dela aparece; `restam`, os ids das notas de outros em que ele
    aparece.
    """
    async with engine.connect() as connection:
        person = await _person(connection, resources, contato_id)
        rows = await connection.execute(select(contatos).where(contatos.c.id.in_(person.contatos)))
        cadastros = [dict(row) for row in rows.mappings()]
        stored = await erasure.documents(connection, NFE.table, person.notas)
        changes = await erasure.history(connection, contatos.name, person.contatos)
        pending = await erasure.pending(connection, person)
        restam = await erasure.still_citing(connection, person.documento, person.notas) if person.documento else []
        registros = await _records(connection, person, resources)
        documentos = await _documents(connection, person)
        passages, traces = await _traces(connection, person)
        citing = await _citing(connection, person, passages)
    details = {row["id"]: row["detalhe"] for row in stored}
    notas = [(await load_nota(engine, nota)).whole | {"detalhe": details.get(nota)} for nota in person.notas]
    return {
        "exportado_em": now,
        "empresa": await load_empresa(engine),
        "apagado_em": person.apagado_em,
        "contatos": cadastros,
        "notas": notas,
        "historico": [{k: row[k] for k in ("registro_id", "quando", "run_id", "mudancas")} for row in changes],
        "passagens": [_theirs(passage, traces) for passage in passages],
        "citacoes": [
            {"tabela": table.name, "id": row["id"], "trechos": trechos}
            for table, row in citing
            if traces is not None and (trechos := list(traces.excerpts(row["detalhe"])))
        ],
        "pendencias": [dict(row) for row in pending],
        "restam": restam,
    } | {name: said for name, said in (("registros", registros), ("documentos", documentos)) if said}


async def erase_person(
    engine: AsyncEngine, contato_id: int, now: datetime, resources: Sequence[Resource] = RESOURCES
) -> Erasure:
    """Apaga quem a pessoa é, em todas as tabelas, numa transação; valores, datas, números e chaves ficam.

    Também no que hoje é de outros: o histórico dos registros que já foram dela, e o documento onde quer que apareça.

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
                await _erase(connection, Person(records, read_documento(whose), None), now, resources)
        for id_ in ids:
            if (person := await erasure.find_person(connection, places, id_)) is not None:
                await _erase(connection, person, now, resources)
    return len(ids)


def _places(resources: Sequence[Resource]) -> list[Personal]:
    return [resource.personal for resource in resources if resource.personal is not None]


async def _person(connection: AsyncConnection, resources: Sequence[Resource], contato_id: int) -> Person:
    person = await erasure.find_person(connection, _places(resources), contato_id)
    if person is None:
        raise UnknownContatoError(f"Este banco não tem o contato {contato_id}, nem nota que o cite.")
    return person


async def _records(connection: AsyncConnection, person: Person, resources: Sequence[Resource]) -> dict[str, list[Row]]:
    """Recurso → os registros dele que são da pessoa, cada um com as linhas das tabelas filhas e o histórico."""
    found: dict[str, list[Row]] = {}
    for resource in resources:
        ids = person.of(resource.table)
        if resource.name in _APART or not ids:
            continue
        parts = [child.table.name for child in resource.children] + ["historico"]
        records = {
            row["id"]: row | {name: [] for name in parts} for row in await _rows(connection, resource.table, "id", ids)
        }
        for child in resource.children:
            for row in await _rows(connection, child.table, child.parent, ids, child.ours):
                records[row[child.parent]][child.table.name].append(row)
        for change in await erasure.history(connection, resource.table.name, ids):
            said = {name: change[name] for name in ("quando", "run_id", "mudancas")}
            records[change["registro_id"]]["historico"].append(said)
        found[resource.name] = list(records.values())
    return found


async def _documents(connection: AsyncConnection, person: Person) -> list[Row]:
    """Os XML das notas dela, de saída e de entrada."""
    found: dict[str, Row] = {}
    for table in (NFE.table, NFE_ENTRADA.table):
        for row in await documentos_of(connection, table, person.of(table)):
            xml = unpacked(row.conteudo).decode("utf-8", "replace")
            found[row.id] = {"chave_acesso": row.id, "lido_em": row.lido_em, "sha256": row.sha256, "xml": xml}
    return list(found.values())


async def _rows(
    connection: AsyncConnection, table: Table, column: str, ids: Sequence[int], ours: str = "true"
) -> list[Row]:
    kept = [each for each in table.c if each.name != "resumo_lista"]
    hers = select(*kept).where(table.c[column].in_(ids), text(ours))
    rows = await connection.execute(hers.order_by(*table.primary_key))
    return [dict(row) for row in rows.mappings()]


async def _erase(connection: AsyncConnection, person: Person, now: datetime, resources: Sequence[Resource]) -> None:
    told = {resource.table.name: resource for resource in resources if resource.person is not None}
    await erasure.remember(connection, person, now)
    passages, traces = await _traces(connection, person)
    citing = await _citing(connection, person, passages)
    await erasure.clear_columns(connection, person)
    for resource in told.values():
        ids = person.of(resource.table)
        for start in range(0, len(ids), BATCH):
            await _erase_records(connection, resource, ids[start : start + BATCH])
    for passage in passages:
        left: Row = nameless_changes(told.get(passage.row["tabela"]), passage.row["mudancas"], passage.sides)
        if traces is not None:
            left = without_traces(left, traces)
        await erasure.rewrite_history(connection, passage.row["id"], left)
    if traces is None:
        return
    hers = {(passage.row["tabela"], passage.row["registro_id"]) for passage in passages if passage.sides}
    for table, row in citing:
        cleaned = without_traces(row["detalhe"], traces)
        if table.name in told:
            if (table.name, row["id"]) in hers:
                cleaned = nameless_texts(told[table.name], cleaned)
            await rebuild(connection, told[table.name], [(cleaned, row["extraido_em"])])
        else:
            await erasure.rewrite_document(connection, table, row["id"], cleaned)
    if person.documento is not None:
        await erasure.forget_in_texts(connection, person.documento)


async def _erase_records(connection: AsyncConnection, resource: Resource, ids: Sequence[int]) -> None:
    """Refaz os registros, que se lembra de ter apagado, sem a pessoa; e o histórico deles."""
    stored = await erasure.documents(connection, resource.table, ids)
    await rebuild(connection, resource, [(row["detalhe"], row["extraido_em"]) for row in stored])
    if resource.after_save is not None:  # também os que não têm documento de que os refazer
        await resource.after_save(connection, ids)
    for row in await erasure.history(connection, resource.table.name, ids):
        kept = nameless_changes(resource, row["mudancas"])
        if kept != row["mudancas"]:
            await erasure.rewrite_history(connection, row["id"], kept)


async def _traces(connection: AsyncConnection, person: Person) -> tuple[list[_Passage], Traces | None]:
    """O que o histórico de outros registros diz da pessoa, e por onde se reconhece o que é dela; None sem documento."""
    passages: list[_Passage] = []
    names = await erasure.names_of(connection, person)
    places = {place.table.name: place for place in person.records}
    for table, id_ in await erasure.changed_hands(connection, person):
        place = places.get(table)
        held = await erasure.owner(connection, place, id_) if place is not None else {}
        owner, called = (place.owner_columns, place.name_columns) if place is not None else ({}, [])
        for row in reversed(await erasure.history(connection, table, [id_])):
            changes = row["mudancas"]
            sides = set()
            for side in (1, 0):  # do presente para trás: o que uma mudança deixou é o que a seguinte encontrou
                held |= {name: changes[column][side] for name, column in owner.items() if column in changes}
                if _is_hers(held, person):
                    sides.add(side)
                    names |= {changes[column][side] for column in called if column in changes}
            passages.append(_Passage(row, frozenset(sides)))
    if person.documento is None:
        return passages, None
    long_enough = frozenset(name.strip().casefold() for name in names if name and len(name.strip()) >= _NAME)
    return passages, Traces(erasure.written(person.documento), long_enough)


def _is_hers(held: Row, person: Person) -> bool:
    """Se um registro, com este dono, é da pessoa."""
    whose = read_documento(held.get("documento"))
    return (whose is not None and whose == person.documento) or held.get("contato_id") in person.contatos


async def _citing(
    connection: AsyncConnection, person: Person, passages: list[_Passage]
) -> list[tuple[Table, RowMapping]]:
    """O JSON de outros em que a pessoa pode estar: o que traz o documento, e o dos registros que já foram dela, em que
    o nome pode ter ficado na etiqueta de entrega."""
    found = {(table, row["id"]): row for table, row in await erasure.documents_citing(connection, person)}
    tables = {place.table.name: place.table for place in person.records}
    for passage in passages:
        table, id_ = tables.get(passage.row["tabela"]), passage.row["registro_id"]
        if passage.sides and table is not None and (table, id_) not in found:
            found |= {(table, row["id"]): row for row in await erasure.documents(connection, table, [id_])}
    return [(table, row) for (table, _), row in found.items()]


def _theirs(passage: _Passage, traces: Traces | None) -> Row:
    """Da passagem, só o que diz desta pessoa: o lado de outro fica vazio."""
    sides = passage.sides
    changes = {
        column: [
            value if side in sides or (traces and traces.cites(value)) else None for side, value in enumerate(both)
        ]
        for column, both in passage.row["mudancas"].items()
    }
    return {name: passage.row[name] for name in ("tabela", "registro_id", "quando")} | {"mudancas": changes}
