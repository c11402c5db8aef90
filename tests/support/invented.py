"""Recursos inventados, que o Bling simulado passa a atender: têm as maneiras de ler do motor por as declararem."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, DateTime, MetaData, Numeric, Table, Text
from sqlalchemy.schema import CreateTable

from bling_collector.api.transport import counting
from bling_collector.db.models.base import kept
from bling_collector.etl.context import RunContext
from bling_collector.etl.resource import Resource
from bling_collector.payload import Fields, Json
from bling_collector.runs.collection import collect
from bling_collector.runs.request import RunRequest, Watch
from bling_collector.workplace.account import Account
from bling_simulator.api import dispatch
from bling_simulator.api.dispatch import RESOURCES as SIMULATED
from bling_simulator.api.query import Query
from bling_simulator.api.resource import Resource as Simulated
from bling_simulator.bling import Bling

AVISOS = Table(
    "avisos",
    MetaData(),
    Column("id", Text, primary_key=True),
    Column("titulo", Text),
    Column("situacao", Text),
    *kept("o aviso"),
)
MODULOS = Table("modulos", MetaData(), Column("id", BigInteger, primary_key=True), Column("nome", Text), *kept("x"))
CAMPOS = Table(
    "campos",
    MetaData(),
    Column("id", BigInteger, primary_key=True),
    Column("modulo_id", BigInteger),
    Column("nome", Text),
    *kept("x"),
)
SALDOS = Table(
    "saldos",
    MetaData(),
    Column("lido_em", DateTime(timezone=True), primary_key=True),
    Column("produto_id", BigInteger, primary_key=True),
    Column("saldo", Numeric),
)


def resource(path: str, table: Table, rows: Any, **how: Any) -> Resource:
    name = table.name
    return Resource(name, name, name, f"um_{name}", name, path, table, rows, **how)


def aviso(document: Any) -> Any:
    read = Fields(document)
    row = {"id": read.text("id"), "titulo": read.text("titulo"), "situacao": read.text("situacao"), "detalhe": document}
    return {AVISOS: [row]}


def served(
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    records: dict[Any, Json],
    shown: Any = None,
    row: Callable[[Json], Json] = dict,
) -> None:
    """O Bling simulado passa a atender também neste caminho."""

    def listed(bling: Bling, query: Query) -> list[Json]:
        return [row for row in records.values() if shown is None or shown(row, query)]

    def nothing(*_: Any) -> None:
        """Nenhum destes testes muda nem exclui por aqui."""

    made = Simulated(path, listed, row, lambda bling, id_: records.get(id_), edit=nothing, delete=nothing)
    monkeypatch.setitem(SIMULATED, path, made)
    monkeypatch.setitem(dispatch._DETAILS, path, made)


async def create_tables(account: Account) -> None:
    async with account.engine.begin() as connection:
        for table in (AVISOS, MODULOS, CAMPOS, SALDOS):
            await connection.execute(CreateTable(table))


async def run(account: Account, *resources: Resource, watch: Watch | None = None, **how: Any) -> RunContext:
    """O que uma execução faz destes recursos, sem as janelas dos outros."""
    with counting() as requests:
        ctx = account.pipeline._context(None, watch or Watch(), requests, resources=resources, **how)
        await account.oauth.get_valid_access_token()
        assert await collect(ctx, RunRequest("run"), {}) is None
    return ctx
