"""O titular dos dados (LGPD, art. 18): o que se tem dele, e apagar o que a lei não manda guardar."""

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, select

from bling_collector.db.core import AsyncConnection, AsyncEngine
from bling_collector.db.models import contatos, nfe_cabecalho
from bling_collector.db.resources import erasure, repository
from bling_collector.db.resources.erasure import Person
from bling_collector.errors import CollectorError
from bling_collector.etl.resource import Resource
from bling_collector.etl.save import rebuild
from bling_collector.insight.empresa import load_empresa
from bling_collector.insight.nota import load_nota
from bling_collector.payload import Row
from bling_collector.payload import documento as read_documento
from bling_collector.streams.contatos import CONTATOS
from bling_collector.streams.nameless import (
    PERSONAL_OF_CONTATO,
    PERSONAL_OF_NOTA,
    Traces,
    nameless_changes,
    nameless_lines,
    nameless_sides,
    without_traces,
)
from bling_collector.streams.nfe import NFE
from bling_collector.streams.registry import RESOURCES
from bling_collector.words import plural

log = logging.getLogger(__name__)

BATCH = 500
_OWNER = ("contato_id", "contato_documento", "documento")
"""As colunas que dizem de quem um registro é."""
_NAME = 5
"""Letras de um nome que já se procura no que é de outros."""
_REBUILT: dict[str, Resource] = {resource.table.name: resource for resource in RESOURCES if resource.person is not None}
"""Os recursos cujas linhas são refeitas do JSON."""


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


@dataclass(frozen=True)
class _Passage:
    """O que o histórico de um registro que hoje é de outro diz da pessoa."""

    row: RowMapping
    sides: frozenset[int]
    """0, o que era antes da mudança; 1, o que ficou: de que lado o registro era dela."""


async def load_person(engine: AsyncEngine, contato_id: int) -> Person:
    """Quem é: os contatos com o mesmo documento e as notas que os citam. UnknownContatoError se não há."""
    async with engine.connect() as connection:
        return await _person(connection, contato_id)


async def names_of(engine: AsyncEngine, person: Person) -> list[str]:
    """Os nomes por que a pessoa é conhecida aqui, até três; nenhum se já foram apagados."""
    async with engine.connect() as connection:
        return await erasure.names(connection, person)


async def export_person(engine: AsyncEngine, contato_id: int, now: datetime) -> Row:
    """Tudo o que o banco tem da pessoa: os contatos, as notas inteiras, o histórico de uns e de outras e o que deles
    falta buscar (`pendencias`).

    `passagens` é o que ficou no histórico de registros que já foram dela e hoje são de outros; `citacoes`, os pedaços
    do JSON de outros em que o documento dela aparece; `restam`, os ids das notas de outros em que ele aparece.
    """
    async with engine.connect() as connection:
        person = await _person(connection, contato_id)
        rows = await connection.execute(select(contatos).where(contatos.c.id.in_(person.contatos)))
        cadastros = [dict(row) for row in rows.mappings()]
        stored = await erasure.documents(connection, NFE.table.name, person.notas)
        changes = await erasure.history(connection, contatos.name, person.contatos)
        pending = await erasure.pending(connection, person)
        restam = await erasure.still_citing(connection, person.documento, person.notas) if person.documento else []
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
            {"tabela": table, "id": row["id"], "trechos": trechos}
            for table, row in citing
            if traces is not None and (trechos := list(traces.excerpts(row["detalhe"])))
        ],
        "pendencias": [dict(row) for row in pending],
        "restam": restam,
    }


async def erase_person(engine: AsyncEngine, contato_id: int, now: datetime) -> Erasure:
    """Apaga quem a pessoa é, em todas as tabelas, numa transação; valores, datas, números e chaves ficam.

    Também no que hoje é de outros: o histórico dos registros que já foram dela, e o documento onde quer que apareça.

    Lembra que apagou: o que vier dela numa coleta, numa conferência ou num reprocessamento vem sem a pessoa. Pode ser
    repetido. UnknownContatoError se o banco nunca a teve.
    """
    async with engine.begin() as connection:
        await erasure.lock(connection)
        person = await _person(connection, contato_id)
        await _erase(connection, person, now)
        restam = await erasure.still_citing(connection, person.documento) if person.documento else []
    log.info("Dados do contato %d apagados: %s.", contato_id, plural(len(person.notas), "nota", "notas"))
    return Erasure(person.contatos, person.notas, restam)


async def erase_again(engine: AsyncEngine, now: datetime) -> int:
    """Apaga outra vez, num banco que voltou de uma cópia, quem ele se lembra de ter apagado; devolve quantos contatos.

    Numa transação, e pode ser repetido.
    """
    async with engine.begin() as connection:
        await erasure.lock(connection)
        rows = await erasure.remembered(connection)
        ids = [id_ for table, id_, _ in rows if table == contatos.name]
        loose = [id_ for table, id_, _ in rows if table == nfe_cabecalho.name]
        for id_ in loose:
            whose = (await erasure.owner(connection, nfe_cabecalho.name, id_)).get("contato_documento")
            await _erase(connection, Person([], [id_], read_documento(whose), None), now)
        for id_ in ids:
            if (person := await erasure.find_person(connection, id_)) is not None:
                await _erase(connection, person, now)
    return len(ids)


async def _person(connection: AsyncConnection, contato_id: int) -> Person:
    person = await erasure.find_person(connection, contato_id)
    if person is None:
        raise UnknownContatoError(f"Este banco não tem o contato {contato_id}, nem nota que o cite.")
    return person


async def _erase(connection: AsyncConnection, person: Person, now: datetime) -> None:
    await erasure.remember(connection, person, now)
    passages, traces = await _traces(connection, person)
    citing = await _citing(connection, person, passages)
    await erasure.clear_columns(connection, person, PERSONAL_OF_NOTA, PERSONAL_OF_CONTATO)
    for resource, ids in ((NFE, person.notas), (CONTATOS, person.contatos)):
        for start in range(0, len(ids), BATCH):
            portion = ids[start : start + BATCH]
            # Quem se lembra de ter apagado é refeito sem a pessoa.
            stored = await erasure.documents(connection, resource.table.name, portion)
            await rebuild(connection, resource, [(row["detalhe"], row["extraido_em"]) for row in stored])
            for row in await erasure.history(connection, resource.table.name, portion):
                kept = nameless_changes(resource.table.name, row["mudancas"])
                if kept != row["mudancas"]:
                    await erasure.rewrite_history(connection, row["id"], kept)
    await repository.fill_tipo_pagamento(connection, person.notas)
    hers = {(passage.row["tabela"], passage.row["registro_id"]) for passage in passages if passage.sides}
    for passage in passages:
        table, changes = passage.row["tabela"], passage.row["mudancas"]
        left: Row = nameless_sides(table, changes, passage.sides)
        if traces is not None:
            left = without_traces(left, traces)
        await erasure.rewrite_history(connection, passage.row["id"], left)
    if traces is None:
        return
    for table, row in citing:
        cleaned = without_traces(row["detalhe"], traces)
        if table == NFE.table.name and (table, row["id"]) in hers:  # os textos livres podem ser do tempo dela
            cleaned |= {key: nameless_lines(key, cleaned.get(key)) for key in ("itens", "parcelas")}
        if table in _REBUILT:
            await rebuild(connection, _REBUILT[table], [(cleaned, row["extraido_em"])])
        else:
            await erasure.rewrite_document(connection, table, row["id"], cleaned)
    if person.documento is not None:
        await erasure.forget_in_texts(connection, person.documento)


async def _traces(connection: AsyncConnection, person: Person) -> tuple[list[_Passage], Traces | None]:
    """O que o histórico de outros registros diz da pessoa, e por onde se reconhece o que é dela; None sem documento."""
    passages: list[_Passage] = []
    names = await erasure.names_of(connection, person)
    for table, id_ in await erasure.changed_hands(connection, person):
        held = await erasure.owner(connection, table, id_)
        for row in reversed(await erasure.history(connection, table, [id_])):
            changes = row["mudancas"]
            sides = set()
            for side in (1, 0):  # do presente para trás: o que uma mudança deixou é o que a seguinte encontrou
                held |= {column: values[side] for column, values in changes.items() if column in _OWNER}
                if _is_hers(held, person):
                    sides.add(side)
                    names |= {changes[c][side] for c in ("contato_nome", "nome", "fantasia") if changes.get(c)}
            passages.append(_Passage(row, frozenset(sides)))
    if person.documento is None:
        return passages, None
    long_enough = frozenset(name.strip().casefold() for name in names if name and len(name.strip()) >= _NAME)
    return passages, Traces(erasure.written(person.documento), long_enough)


def _is_hers(held: Row, person: Person) -> bool:
    """Se um registro, com este dono, é da pessoa."""
    whose = read_documento(held.get("contato_documento") or held.get("documento"))
    return (whose is not None and whose == person.documento) or held.get("contato_id") in person.contatos


async def _citing(
    connection: AsyncConnection, person: Person, passages: list[_Passage]
) -> list[tuple[str, RowMapping]]:
    """O JSON de outros em que a pessoa pode estar: o que traz o documento, e o das notas que já foram dela, em que o
    nome pode ter ficado na etiqueta de entrega."""
    found = {(table, row["id"]): row for table, row in await erasure.documents_citing(connection, person)}
    for passage in passages:
        table, id_ = passage.row["tabela"], passage.row["registro_id"]
        if passage.sides and table in _REBUILT and (table, id_) not in found:
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
