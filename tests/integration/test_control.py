"""O estado do ETL no banco: execuções, dívidas, pendências, e o que falta aos dados."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.support.collecting import rows

from bling_collector.db import control, proof
from bling_collector.db.control import Bookmark, Owed, Pendencia
from bling_collector.db.models import nfe_pagamentos, produtos
from bling_collector.db.resources import parcelas, produtos_skus, repository
from bling_collector.errors import RunInProgressError
from bling_collector.streams.cadastros.formas_pagamento import FORMAS_PAGAMENTO
from bling_collector.streams.produtos.produtos import PRODUTOS

NOW = datetime(2026, 2, 20, 12, tzinfo=UTC)
DAY = date(2026, 2, 20)


@pytest.fixture
async def connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with engine.connect() as connection:
        yield connection


async def _run(connection: AsyncConnection, status: str, reference: date | None, tipo: str = "run") -> int:
    run_id = await control.open_run(connection, tipo=tipo, inicio=DAY, fim=DAY, now=NOW)
    await control.update_run(connection, run_id, status=status, data_referencia=reference)
    return run_id


async def test_the_mark_is_the_newest_day_of_the_finished_runs(connection: AsyncConnection) -> None:
    assert await control.bookmark(connection, NOW) == Bookmark()
    await _run(connection, "success", DAY - timedelta(days=3))
    await _run(connection, "partial", DAY - timedelta(days=1))
    await _run(connection, "error", DAY - timedelta(days=2))
    await _run(connection, "running", DAY)
    assert await control.bookmark(connection, NOW) == Bookmark(DAY - timedelta(days=1))


async def test_a_run_taken_for_dead_writes_no_more(connection: AsyncConnection) -> None:
    run_id = await control.open_run(connection, tipo="run", inicio=DAY, fim=DAY, now=NOW)
    await control.update_run(connection, run_id, fase="Notas", feitos=3)
    assert await control.close_dead_runs(connection, NOW) == 1
    assert await control.close_dead_runs(connection, NOW) == 0
    with pytest.raises(RunInProgressError, match=f"execução {run_id} perdeu"):
        await control.update_run(connection, run_id, feitos=4)


async def test_the_owed_windows_come_newest_first_and_are_paid_one_by_one(connection: AsyncConnection) -> None:
    old, new = Owed(date(2021, 1, 1), date(2021, 12, 31)), Owed(date(2022, 1, 1), date(2022, 3, 1))
    await control.set_owed(connection, "nfe", [old])
    await control.set_owed(connection, "nfe", [old, new])
    await control.set_owed(connection, "nfce", [old])
    assert await control.owed(connection, "nfe") == [new, old]
    await control.note_window_error(connection, "nfe", old, "caiu\x00")
    await control.pay(connection, "nfe", new)
    assert await control.owed(connection, "nfe") == [old]
    assert await control.owed(connection, "nfce") == [old]
    debts = await control.debts(connection)
    assert (debts.janelas, debts.pendencias) == (2, 0)
    assert (await control.debts_of(connection, "nfe")).primeiro_dia == old.inicio


async def test_a_failure_counts_its_attempts_and_keeps_its_day(connection: AsyncConnection) -> None:
    later = NOW + timedelta(hours=1)
    await control.add_pendencias(connection, [Pendencia("nfe", "7", "erro um", DAY)], NOW)
    await control.add_pendencias(
        connection, [Pendencia("nfe", "7", "dois \x00\ud800"), Pendencia("contatos", "7", "x")], later
    )
    await control.add_pendencias(connection, [], later)
    found = await connection.exec_driver_sql(
        "SELECT recurso, erro, tentativas, data_emissao, desde, tentada_em FROM pendencias ORDER BY 1 DESC"
    )
    assert [tuple(row) for row in found] == [
        ("nfe", "dois \ufffd", 2, DAY, NOW, later),
        ("contatos", "x", 1, None, later, later),
    ]
    assert (await control.debts_of(connection, "nfe")).primeiro_dia == DAY
    assert await control.pending(connection, "nfe", before=later, now=later) == []
    (due,) = await control.pending(
        connection, "nfe", before=later + timedelta(seconds=1), now=later + timedelta(seconds=1)
    )
    assert (due.recurso_id, due.data_emissao) == ("7", DAY)
    await control.settle(connection, "nfe", ["7", "8"])
    await control.settle(connection, "nfe", [])
    assert (await control.debts(connection)).pendencias == 1


async def test_the_checkpoint_moves(connection: AsyncConnection) -> None:
    assert await control.checkpoint(connection, "contatos") is None
    await control.move_checkpoint(connection, "contatos", NOW)
    await control.move_checkpoint(connection, "contatos", NOW + timedelta(days=1))
    assert await control.checkpoint(connection, "contatos") == NOW + timedelta(days=1)


async def _produto(connection: AsyncConnection, id_: int, codigo: str | None, situacao: str = "A") -> None:
    await connection.execute(insert(produtos).values(id=id_, codigo=codigo, situacao=situacao, detalhe={}))
    await produtos_skus.after_produtos(connection, [id_])


async def _preferred(connection: AsyncConnection) -> dict[str, int]:
    found = await connection.exec_driver_sql("SELECT codigo, id FROM produtos WHERE preferido")
    return {row.codigo: row.id for row in found}


async def test_the_preferred_is_the_living_then_the_active_then_the_newest(connection: AsyncConnection) -> None:
    await _produto(connection, 1, "X")
    assert await _preferred(connection) == {"X": 1}
    await _produto(connection, 2, "X")
    assert await _preferred(connection) == {"X": 2}
    await _produto(connection, 3, "X", situacao="I")
    assert await _preferred(connection) == {"X": 2}
    await _produto(connection, 4, None)
    assert await produtos_skus.skus_in_doubt(connection) == ["X"]
    await proof.mark_gone(connection, PRODUTOS.kept, [2], NOW, None)
    await produtos_skus.mark_exclusao_seen(connection, ["X"], NOW)
    await produtos_skus.prefer_produtos(connection, ["X"])
    assert await _preferred(connection) == {"X": 1}
    assert await produtos_skus.skus_in_doubt(connection) == []


async def test_one_that_changes_sku_leaves_another_preferred_in_its_place(connection: AsyncConnection) -> None:
    for id_, codigo in ((1, "X"), (2, "X"), (3, "Y")):
        await _produto(connection, id_, codigo)
    await connection.exec_driver_sql("UPDATE produtos SET codigo = 'Y', preferido = false WHERE id = 2")
    await produtos_skus.after_produtos(connection, [2])
    assert await _preferred(connection) == {"X": 1, "Y": 3}


async def test_what_is_missing_comes_from_the_database(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.exec_driver_sql("INSERT INTO nfe_cabecalho (id) VALUES (1)")
        await connection.exec_driver_sql(
            "INSERT INTO nfe_itens (nfe_id, codigo_produto) VALUES (1, 'A'), (1, 'B'), (1, 'C'), (1, NULL), (1, NULL)"
        )
        await connection.exec_driver_sql(
            "INSERT INTO produtos (id, codigo, detalhe) VALUES (1, 'A', '{}'), (2, 'B', NULL)"
        )
        await produtos_skus.mark_unknown_skus(connection, ["C"], NOW)
        week = timedelta(days=7)
        assert await produtos_skus.skus_without_produto(connection, NOW) == ["B"]
        assert await produtos_skus.skus_without_produto(connection, NOW + week) == ["B", "C"]
        await produtos_skus.mark_known_skus(connection, {"C"})
        assert await produtos_skus.skus_without_produto(connection, NOW) == ["B", "C"]
        await connection.exec_driver_sql(
            "INSERT INTO nfe_pagamentos (nfe_id, forma_pagamento_id) VALUES (1, 5), (1, 6), (1, NULL)"
        )
        formas, citing = FORMAS_PAGAMENTO.table, [nfe_pagamentos.c.forma_pagamento_id]
        assert await repository.lacking(connection, formas, "formas_pagamento", citing, 10) == [5, 6]
        await repository.mark_not_found(connection, formas, [6], NOW)
        assert await repository.lacking(connection, formas, "formas_pagamento", citing, 10) == [5]
        await connection.exec_driver_sql("INSERT INTO formas_pagamento (id, tipo_pagamento) VALUES (5, 17)")
        assert await parcelas.fill_tipo_pagamento(connection, nfe_pagamentos, [2]) == 0
        assert await parcelas.fill_tipo_pagamento(connection, nfe_pagamentos) == 1
        assert await parcelas.fill_tipo_pagamento(connection, nfe_pagamentos) == 0
    assert await rows(engine, "SELECT tipo_pagamento FROM nfe_pagamentos ORDER BY id") == [(17,), (None,), (None,)]
