"""O que existe e listagem nenhuma mostra: um recurso inventado, cuja listagem nada mostra."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from tests.support.collecting import at_request, rows, scalar
from tests.support.fakes import FakeClock
from tests.support.invented import MODULOS, create_tables, resource, run, served

from bling_collector.db import control
from bling_collector.db.control import PARKED_AFTER, Pendencia
from bling_collector.etl.resource import Document, Rows, Whole, may_be_hidden
from bling_collector.etl.strategies import again
from bling_collector.payload import Fields, Json
from bling_collector.runs.request import Watch
from bling_collector.together import Stopped
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

HOUR = 3_600.0
"""Para a semana de nenhum acabar entre duas execuções."""
pytestmark = [pytest.mark.bling(scale=0.005)]


def modulo(document: Document) -> Rows:
    read = Fields(document)
    return {MODULOS: [{"id": read.id("id"), "nome": read.text("nome"), "detalhe": document}]}


MODULE = resource("/modulos", MODULOS, modulo, listable=may_be_hidden, whole=Whole())


@pytest.fixture
async def held(account: Account, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> dict[Any, Json]:
    """Cinco módulos, que o banco tem e se leram há um mês."""
    await create_tables(account)
    return await keep(account, clock, monkeypatch, 5)


async def keep(
    account: Account, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, count: int, resumo: str = ""
) -> dict[Any, Json]:
    records = {id_: {"id": id_, "nome": f"M{id_}"} for id_ in range(1, count + 1)}
    served(monkeypatch, "/modulos", records, lambda row, query: False)
    async with account.engine.begin() as connection:
        await connection.execute(
            text("""
                INSERT INTO modulos (id, nome, detalhe, resumo_lista, extraido_em)
                SELECT id, '', '{}', :resumo, CAST(:now AS timestamptz) - interval '30 days'
                FROM generate_series(1, :count) id"""),
            {"count": count, "resumo": resumo, "now": clock.now()},
        )
    return records


def asked(bling: Bling) -> int:
    """Quantos se pediram pelo id desde a última vez que se disse."""
    found = bling.counters.requests["/modulos/{id}"]
    bling.counters.reset()
    return found


async def test_only_what_was_read_is_noted_as_read(
    account: Account, bling: Bling, clock: FakeClock, held: dict[Any, Json]
) -> None:
    held[2]["nome"] = ["não", "se", "lê"]
    parked = [Pendencia("modulos", "3", "falha")]
    async with account.engine.begin() as connection:
        for _ in range(PARKED_AFTER):
            await control.add_pendencias(connection, parked, clock.now())
        await connection.execute(text("UPDATE modulos SET nao_encontrado_em = extraido_em WHERE id IN (2, 3)"))
    await run(account, MODULE)
    noted = "SELECT id FROM modulos WHERE {} ORDER BY id"
    assert await rows(account.engine, noted.format("nome = ''")) == [(2,), (3,)]
    since = clock.now() - timedelta(days=1)
    assert await rows(account.engine, noted.format("extraido_em < :since"), since=since) == [(2,), (3,)]
    assert await rows(account.engine, noted.format("nao_encontrado_em IS NOT NULL")) == [(2,), (3,)]
    held[2]["nome"] = "M2"
    clock.advance(HOUR)
    asked(bling)
    await run(account, MODULE)
    assert asked(bling) == 1, "uma vez, como o que ficou pendente; e o estacionado, nenhuma"
    assert await scalar(account.engine, "SELECT nome FROM modulos WHERE id = 2") == "M2"


async def test_what_is_not_believed_deleted_lets_the_others_have_their_turn(
    account: Account, bling: Bling, clock: FakeClock, held: dict[Any, Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(again, "MOST_OPEN", 3)
    for id_ in (1, 2, 3):
        del held[id_]
    for turn in range(4):
        ctx = await run(account, MODULE)
        assert ("modulos" in ctx.unlikely) == (turn > 0)
        assert asked(bling) == (5 if turn == 1 else 3)
        clock.advance(HOUR)
    late = "SELECT count(*) FROM modulos WHERE id IN (4, 5) AND nome = ''"
    assert await scalar(account.engine, late) == 0, "os outros tiveram a sua vez"
    assert await scalar(account.engine, "SELECT count(*) FROM modulos WHERE excluida_em IS NOT NULL") == 0


async def test_what_a_stop_interrupts_keeps_what_was_already_found_out(
    account: Account, bling: Bling, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create_tables(account)
    await keep(account, clock, monkeypatch, 300, resumo="a linha que já não está na listagem")
    watch = Watch()
    at_request(bling, monkeypatch, r"^/modulos/\d+$", 110, watch.stop.set)
    with pytest.raises(Stopped):
        await run(account, MODULE, watch=watch)
    known = await scalar(account.engine, "SELECT count(*) FROM modulos WHERE resumo_lista = '' AND nome <> ''")
    assert 100 <= known < 300
    bling.counters.reset()
    clock.advance(HOUR)
    await run(account, MODULE)
    assert asked(bling) == 300 - known
