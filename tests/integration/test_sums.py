"""As somas de cada dia: somadas ou por somar, e mude quem mudar, o que se lê é o que as linhas dão."""

import asyncio
from datetime import date
from random import Random
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.bench.many_notes import fill
from tests.support.collecting import rows, scalar, until
from tests.support.ordering import orders_of_notes
from tests.support.proving import execute

from bling_collector.db import schema
from bling_collector.db.sums import NOTAS, PEDIDOS, VENDAS, Sums, fold
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

EVER = {"inicio": date(1, 1, 1), "fim": date(9999, 12, 31)}
ALL = (NOTAS, VENDAS, PEDIDOS)
DAYS = """(
    SELECT DISTINCT data_emissao::date AS dia FROM nfe_cabecalho WHERE data_emissao IS NOT NULL
    UNION SELECT DISTINCT data FROM pedidos_venda WHERE data IS NOT NULL) AS d"""
MARKED = "SELECT count(*) FROM dias_por_somar"
# De uma nota ou pedido qualquer, ou de uns dias: o que a coleta, uma pessoa e uma migração podem fazer.
CHANGES = (
    "UPDATE nfe_cabecalho SET total_nota = total_nota + 0.01 WHERE id % 7 = :n % 7",
    "UPDATE nfe_cabecalho SET situacao = 2 WHERE id % 11 = :n % 11 AND situacao = 6",
    "UPDATE nfe_cabecalho SET situacao = NULL, tipo = 0 WHERE id % 31 = :n % 31",
    "UPDATE nfe_cabecalho SET data_emissao = data_emissao + interval '31 days' WHERE id % 13 = :n % 13",
    "UPDATE nfe_cabecalho SET data_emissao = NULL WHERE id % 41 = :n % 41",
    "UPDATE nfe_cabecalho SET data_emissao = '2024-02-29 23:59:59' WHERE data_emissao IS NULL",
    "UPDATE nfe_cabecalho SET excluida_em = now() WHERE id % 19 = :n % 19",
    "UPDATE nfe_cabecalho SET excluida_em = NULL WHERE id % 17 = :n % 17",
    "UPDATE nfe_cabecalho SET contato_uf = NULL, resumo_lista = '' WHERE id % 23 = :n % 23",
    "UPDATE nfe_cabecalho SET resumo_lista = 'x' WHERE id % 29 = :n % 29",
    "DELETE FROM nfe_cabecalho WHERE id % 37 = :n % 37",
    "INSERT INTO nfe_cabecalho (id, situacao, data_emissao, total_nota, tipo) VALUES (:n, 6, '2023-05-05', 9.9, 1)"
    " ON CONFLICT (id) DO UPDATE SET total_nota = EXCLUDED.total_nota",
    "UPDATE pedidos_venda SET total = 1.005, data = data - 1 WHERE id % 7 = :n % 7",
    "UPDATE pedidos_venda SET situacao_id = 12 WHERE id % 5 = :n % 5",
    "UPDATE pedidos_venda SET excluida_em = now(), data = NULL WHERE id % 43 = :n % 43",
    "DELETE FROM pedidos_venda WHERE id % 3 = :n % 3",
    "TRUNCATE nfe_cabecalho CASCADE; INSERT INTO nfe_cabecalho (id, situacao, data_emissao, total_nota, tipo)"
    " SELECT n, 6, date '2024-01-01' + n, n, 1 FROM generate_series(1, 300) AS n",
    "TRUNCATE pedidos_venda CASCADE; INSERT INTO pedidos_venda (id, situacao_id, data, total)"
    " SELECT n, 9, date '2024-01-01' + n, n FROM generate_series(1, 300) AS n",
    "INSERT INTO cfops_da_empresa (cfop, operacao) VALUES ('6949', 'venda'), ('6101', 'remessa'), ('5999', 'venda')"
    " ON CONFLICT (cfop) DO NOTHING",
    "UPDATE cfops_da_empresa SET operacao = 'outra' WHERE cfop = '6949'",
    "DELETE FROM cfops_da_empresa WHERE cfop = '6101'",
    "TRUNCATE cfops_da_empresa",
    "UPDATE cfops SET operacao = 'remessa' WHERE cfop = '6101'",
)


@pytest.fixture
async def sold(engine: AsyncEngine) -> AsyncEngine:
    """Um banco com notas e pedidos de cinco anos, por somar; sem itens, que não entram na conta."""
    await fill(engine, 150)
    await orders_of_notes(engine)
    await execute(engine, "TRUNCATE nfe_itens, nfe_pagamentos, pedidos_venda_itens, pedidos_venda_parcelas")
    return engine


async def summed(connection: AsyncConnection, of: Sums) -> list[tuple[Any, ...]]:
    found = await connection.execute(text(f"SELECT * FROM {of.by_day} AS s"), EVER)
    return sorted((tuple(row) for row in found), key=repr)


async def counted(connection: AsyncConnection, of: Sums) -> list[tuple[Any, ...]]:
    """O mesmo, só das linhas."""
    found = await connection.execute(text(of.of(DAYS)))
    return sorted((tuple(row) for row in found), key=repr)


async def assert_the_sums_are_right(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        for each in ALL:
            found = await summed(connection, each)
            assert found == await counted(connection, each), each.table
            assert found


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
async def test_whatever_changes_and_whenever_it_is_summed(sold: AsyncEngine, seed: int) -> None:
    chance = Random(seed)
    await assert_the_sums_are_right(sold)
    for statement in chance.sample(CHANGES, len(CHANGES)):
        async with sold.begin() as connection:
            for each in statement.split("; "):
                await connection.execute(text(each), {"n": chance.randrange(1000)} if ":n" in each else {})
        await assert_the_sums_are_right(sold)
        if chance.random() < 0.4:
            await fold(sold)
            assert await scalar(sold, MARKED) == 0
            await assert_the_sums_are_right(sold)
    await fold(sold)
    await assert_the_sums_are_right(sold)
    assert (await rows(sold, f"SELECT count(*) FROM {VENDAS.table}"))[0][0] > 20, "nada se somou"


async def test_what_another_transaction_changes_meanwhile_is_not_lost(sold: AsyncEngine) -> None:
    """Quem muda uma nota não espera por quem soma; e o que confirma depois de somado é lido das notas."""
    async with sold.connect() as writer:
        await writer.execute(text("UPDATE nfe_cabecalho SET total_nota = 1 WHERE id % 2 = 0"))
        await fold(sold)
        assert await scalar(sold, MARKED) == 0
        await assert_the_sums_are_right(sold)
        await writer.commit()
    assert await scalar(sold, MARKED) > 0
    await assert_the_sums_are_right(sold)


async def test_a_day_changed_between_two_steps_of_summing_stays_to_be_summed(sold: AsyncEngine) -> None:
    """Tirada a anotação e antes da soma, outro muda o mesmo dia: a soma de antes não fica por verdade."""
    async with sold.connect() as busy:
        await busy.execute(text(f"LOCK TABLE {VENDAS.table} IN SHARE MODE"))
        folding = asyncio.create_task(fold(sold))
        await until(lambda: rows(sold, "SELECT 1 FROM pg_locks WHERE NOT granted"))
        await execute(sold, "UPDATE nfe_cabecalho SET total_nota = 7, situacao = 5")
    await folding
    await assert_the_sums_are_right(sold)
    await fold(sold)
    await assert_the_sums_are_right(sold)


@pytest.mark.parametrize("sums", ALL, ids=lambda sums: sums.table)
async def test_what_is_not_summed_yet_is_read_once_whatever_the_planner_believes(sold: AsyncEngine, sums: Sums) -> None:
    """Antes da primeira estatística o PostgreSQL crê que há um dia por somar; uma releitura de tudo por dia que há, com
    cem mil notas, não acaba em dois minutos."""
    async with sold.connect() as connection:
        for setting in ("enable_hashjoin", "enable_mergejoin"):
            await connection.execute(text(f"SET {setting} = off"))
        found = await connection.execute(
            text(f"EXPLAIN (ANALYZE, FORMAT JSON) SELECT count(*) FROM {sums.by_day} AS s"), EVER
        )
        scans = [node for node in nodes(found.scalar_one()[0]["Plan"]) if node.get("Relation Name") == sums.source]
    assert scans
    assert {scan["Actual Loops"] for scan in scans} == {1}


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for inner in plan.get("Plans", []) for node in nodes(inner))]


@pytest.mark.loaded(date(2026, 1, 1))
async def test_a_run_ends_well_though_the_days_cannot_be_summed(
    account: Account, bling: Bling, caplog: pytest.LogCaptureFixture
) -> None:
    bling.issue_note()
    await execute(account.engine, "ALTER TABLE vendas_por_dia RENAME TO outra")
    assert (await account.pipeline.run()).status == "success"
    assert await scalar(account.engine, "SELECT status FROM etl_controle ORDER BY id DESC LIMIT 1") == "success"
    assert await scalar(account.engine, MARKED) > 0
    assert "ficam por somar" in caplog.text


async def test_nothing_changed_writes_nothing(sold: AsyncEngine) -> None:
    await fold(sold)
    before = await rows(sold, "SELECT xmin::text, * FROM vendas_por_dia")
    await execute(sold, "UPDATE nfe_cabecalho SET total_nota = 0 WHERE id = -1")
    await fold(sold)
    assert await rows(sold, "SELECT xmin::text, * FROM vendas_por_dia") == before


async def test_a_change_made_from_another_schema_is_noted_in_that_of_the_table(sold: AsyncEngine) -> None:
    """De uma ferramenta de banco, com o `search_path` de outra empresa."""
    await fold(sold)
    await execute(
        sold,
        "CREATE SCHEMA outra",
        "CREATE TABLE outra.dias_por_somar (tabela text, dia date)",
        "SET search_path = outra",
        "UPDATE public.nfe_cabecalho SET situacao = 2",
        "SET search_path = public",
    )
    assert await scalar(sold, "SELECT count(*) FROM outra.dias_por_somar") == 0
    assert await scalar(sold, MARKED) > 0
    await assert_the_sums_are_right(sold)


async def test_a_database_that_had_notes_before_the_sums(empty_engine: AsyncEngine) -> None:
    async with empty_engine.begin() as connection:
        await connection.run_sync(schema.migrate, "0038")
    await fill(empty_engine, 100)
    await orders_of_notes(empty_engine)
    await schema.upgrade(empty_engine)
    await assert_the_sums_are_right(empty_engine)
    await fold(empty_engine)
    await assert_the_sums_are_right(empty_engine)


async def test_what_the_empresa_says_is_a_sale_is_so_at_once_on_every_day(sold: AsyncEngine) -> None:
    await fold(sold)
    assert await scalar(sold, MARKED) == 0
    await execute(sold, "INSERT INTO cfops_da_empresa (cfop, operacao) VALUES ('6949', 'venda')")
    by_view = "SELECT sum(valor) FROM vw_faturamento_dia"
    by_sums = f"SELECT round(sum(valor), 2) FROM {VENDAS.by_day} AS s WHERE valida AND operacao = 'venda'"
    for after in (None, fold):
        if after is not None:
            await after(sold)
            assert await scalar(sold, MARKED) == 0
        async with sold.connect() as connection:
            assert await connection.scalar(text(by_sums), EVER) == await connection.scalar(text(by_view))
