"""O que uma execução gasta, contado e não cronometrado: requisições, comandos ao banco, linhas escritas, conexões."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.collecting import rows
from tests.support.counting import Counted
from tests.support.fakes import FakeClock

from bling_collector.etl.save import Item, save
from bling_collector.streams.notas.nfe import NFE
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

START = date(2021, 1, 1)
DAY = 86_400.0
DATA = ("nfe_cabecalho", "nfe_itens", "nfe_pagamentos", "nfe_busca", "contatos", "produtos", "categorias_produto")


@pytest.mark.bling(scale=0.05, uneven_pages=False)
async def test_a_load_asks_once_for_each_thing_and_writes_in_batches(account: Account, bling: Bling) -> None:
    counted = Counted(account.engine)
    bling.counters.reset()
    result = await account.pipeline.run_full(START)
    assert result.status == "success"
    notes = result.stats["nfes"]
    assert bling.counters.requests["/nfe/{id}"] <= notes + 1, "uma por nota; e mais uma de que se duvidou"
    assert bling.counters.requests["/contatos/{id}"] <= result.stats["contatos"] + 3
    # O resto são as páginas, os lotes de SKUs, os cadastros pequenos e as sondas.
    floor = notes + result.stats["contatos"]
    assert bling.counters.total - bling.counters.token_calls <= floor + 80
    assert counted.total <= 3.5 * notes, counted.by_word
    assert await rows(account.engine, "SELECT * FROM dias_por_somar") == [], "a execução soma o que mudou"


@pytest.mark.bling(scale=0.02)
@pytest.mark.loaded(START)
async def test_a_run_with_nothing_new_writes_no_row_of_data(account: Account, bling: Bling, clock: FakeClock) -> None:
    clock.advance(DAY)
    before = await _versions(account.engine)
    bling.counters.reset()
    assert (await account.pipeline.run()).status == "success"
    assert await _versions(account.engine) == before
    assert bling.counters.total <= 20


@pytest.mark.bling(scale=0.02)
@pytest.mark.loaded(START)
async def test_fifty_notes_take_the_statements_of_one(account: Account, clock: FakeClock) -> None:
    kept = await rows(account.engine, "SELECT detalhe FROM nfe_cabecalho ORDER BY id LIMIT 50")
    # Outras situações, para que todas se gravem.
    notes = [Item({**detalhe, "situacao": 7}, "outra") for (detalhe,) in kept]
    counted, taken = Counted(account.engine), []
    for batch in (notes[:1], notes[1:]):
        before = counted.total
        async with account.engine.begin() as connection:
            outcome = await save(connection, NFE, batch, clock.now())
            assert len(outcome.updated) == len(batch)
            assert NFE.after_save is not None
            await NFE.after_save(connection, outcome.updated)
        taken.append(counted.total - before)
    assert len(notes) > 40
    assert taken[0] == taken[1] <= 14, counted.by_word


async def _versions(engine: AsyncEngine) -> dict[str, list[tuple[Any, ...]]]:
    """De cada tabela de dados, a versão de cada linha: muda se alguém a escreveu, ainda que igual."""
    return {table: await rows(engine, f"SELECT ctid::text, xmin::text FROM {table} ORDER BY 1") for table in DATA}
