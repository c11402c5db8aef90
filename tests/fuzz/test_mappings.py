"""Os mapeamentos diante de qualquer JSON: lê-se ou diz-se que campo não se lê, e tudo é salvo ou recusado inteiro."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fuzz.documents import ANYTHING, documents
from tests.support.postgres import create_database, drop_database

from bling_collector.db.connection.database import close, create_engine, parse_url
from bling_collector.db.embedded.postgres import EmbeddedServer
from bling_collector.etl.listing import diff
from bling_collector.etl.resource import Resource
from bling_collector.etl.save import Item, Saved, save
from bling_collector.payload import UnreadableError, digest, dumps
from bling_collector.streams.cadastros.contatos import CONTATOS
from bling_collector.streams.cadastros.formas_pagamento import FORMAS_PAGAMENTO
from bling_collector.streams.notas.nfe import NFE
from bling_collector.streams.produtos.categorias_produto import CATEGORIAS_PRODUTO
from bling_collector.streams.produtos.produtos import PRODUTOS

PATHS = {
    NFE.name: (NFE, "/nfe/{idNotaFiscal}"),
    CONTATOS.name: (CONTATOS, "/contatos/{idContato}"),
    PRODUTOS.name: (PRODUTOS, "/produtos"),
    FORMAS_PAGAMENTO.name: (FORMAS_PAGAMENTO, "/formas-pagamentos"),
    CATEGORIAS_PRODUTO.name: (CATEGORIAS_PRODUTO, "/categorias/produtos"),
}
NOW = datetime(2026, 2, 20, 12, tzinfo=UTC)
IDS = st.one_of(st.integers(1, 2**63 - 1), st.sampled_from([0, -1, 2**63, 10**30]))
"""O cliente garante que o id é o inteiro que se pediu, e mais nada."""
CALM = settings(
    max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
MANY = settings(CALM, max_examples=3000)


@dataclass
class Database:
    """O banco destes testes, num laço que dura mais que um exemplo."""

    runner: asyncio.Runner
    engine: AsyncEngine


@pytest.fixture(scope="module")
def database(postgres: EmbeddedServer, migrated_template: str) -> Iterator[Database]:
    with asyncio.Runner() as runner:
        url = runner.run(create_database(postgres, migrated_template))
        engine = create_engine(parse_url(url))
        yield Database(runner, engine)
        runner.run(close(engine))
        runner.run(drop_database(postgres, url))


def _mapped(stream: Resource, document: dict[str, Any]) -> None:
    with suppress(UnreadableError):
        for table, rows in stream.rows(document).items():
            for row in rows:
                assert row.keys() <= set(table.c.keys())
            assert isinstance(dumps(rows), str)
    stream.is_final(document)
    stream.day(document)
    if stream.emitted is not None:
        assert isinstance(stream.emitted.group(document), str)


async def _saved_whole_or_not_at_all(engine: AsyncEngine, stream: Resource, batch: list[dict[str, Any]]) -> None:
    async with engine.connect() as connection:  # sem COMMIT: cada exemplo começa num banco vazio
        outcome = await save(connection, stream, [Item(document) for document in batch], NOW)
        assert len(outcome.saved) + len(outcome.refused) == len(batch)
        held = set((await connection.execute(text(f"SELECT id FROM {stream.table.name}"))).scalars())
        assert held == {item.document["id"] for item in outcome.saved}
        for child in stream.children:
            query = f"SELECT {child.parent}, count(*) FROM {child.table.name} GROUP BY 1"
            children = {row[0]: row[1] for row in await connection.execute(text(query))}
            assert children == _expected(stream, child.table.name, outcome)
        assert await connection.scalar(text("SELECT 1")) == 1


def _expected(stream: Resource, child: str, outcome: Saved) -> dict[int, int]:
    latest = {item.document["id"]: item.document for item in outcome.saved}
    counts = {
        id_: len(rows)
        for id_, document in latest.items()
        for table, rows in stream.rows(document).items()
        if table.name == child
    }
    return {id_: count for id_, count in counts.items() if count}


def _try_mapping(name: str, how: settings) -> None:
    stream, path = PATHS[name]

    @how
    @given(documents(path))
    def maps(document: dict[str, Any]) -> None:
        _mapped(stream, document)

    maps()


def _try_saving(name: str, database: Database, how: settings) -> None:
    stream, path = PATHS[name]

    @how
    @given(st.lists(st.tuples(IDS, documents(path)), max_size=6))
    def saves(pairs: list[tuple[int, dict[str, Any]]]) -> None:
        batch = [document | {"id": id_} for id_, document in pairs]
        database.runner.run(_saved_whole_or_not_at_all(database.engine, stream, batch))

    saves()


@pytest.mark.parametrize("name", PATHS)
def test_any_document_is_mapped(name: str) -> None:
    _try_mapping(name, CALM)


@pytest.mark.parametrize("name", PATHS)
def test_any_document_is_saved_whole_or_refused_whole(name: str, database: Database) -> None:
    _try_saving(name, database, CALM)


@pytest.mark.slow
@pytest.mark.parametrize("name", PATHS)
def test_many_more_documents(name: str, database: Database) -> None:
    _try_mapping(name, MANY)
    _try_saving(name, database, settings(MANY, max_examples=1000))


@CALM
@given(st.lists(st.dictionaries(st.text(max_size=5), ANYTHING), max_size=4))
def test_any_row_of_a_listing_is_compared(rows: list[dict[str, Any]]) -> None:
    listed = [row | {"id": place} for place, row in enumerate(rows, start=1)]
    wanted = diff(listed, {1: digest(listed[0])} if listed else {}, NFE)
    assert wanted.keys() >= {row["id"] for row in listed[1:]}
