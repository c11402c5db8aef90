"""O que o Bling diz não ter (404) e tem: pergunta-se outra vez, e nada se perde por uma resposta."""

from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import text
from tests.conformance.test_every_resource import ALL, START, assert_equals_bling, documents
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.invented import MODULOS, create_tables, resource, run, served

from bling_collector.etl.resource import Document, Rows, Whole
from bling_collector.etl.strategies import again
from bling_collector.payload import Fields, Json
from bling_collector.streams.registry import RESOURCES
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

HOUR: Final = 3_600.0
DAY: Final = 24 * HOUR
GONE: Final = '{"error": {"type": "RESOURCE_NOT_FOUND", "message": "x", "description": "O recurso não existe"}}'
NAMES: Final = "SELECT id, nome FROM modulos ORDER BY id"
RESOURCE: Final = {each.name: each for each in RESOURCES}
small = pytest.mark.bling(scale=0.005)


def modulo(document: Document) -> Rows:
    read = Fields(document)
    return {MODULOS: [{"id": read.id("id"), "nome": read.text("nome"), "detalhe": document}]}


CITED = "SELECT * FROM (VALUES (1), (2)) AS v (id)"
UNLISTED = resource("/modulos", MODULOS, modulo, listed=False, besides=CITED)
LISTED = resource("/modulos", MODULOS, modulo, whole=Whole())


def asked(bling: Bling) -> int:
    """Quantos se pediram pelo id desde a última vez que se disse."""
    found = bling.counters.requests["/modulos/{id}"]
    bling.counters.reset()
    return found


async def asked_in_a_week(account: Account, bling: Bling, clock: FakeClock, *resources: Any) -> int:
    asked(bling)
    for _ in range(7):
        clock.advance(DAY)
        await run(account, *resources)
    return asked(bling)


@pytest.fixture
async def records(account: Account, monkeypatch: pytest.MonkeyPatch) -> dict[Any, Json]:
    """Os módulos que o Bling tem: nenhum, por enquanto."""
    await create_tables(account)
    found: dict[Any, Json] = {}
    served(monkeypatch, "/modulos", found, row=lambda each: {name: each[name] for name in ("id", "nome")})
    return found


@small
async def test_what_is_cited_is_asked_again_until_it_is_there(
    account: Account, bling: Bling, clock: FakeClock, records: dict[Any, Json]
) -> None:
    async with account.engine.begin() as connection:  # de um já se sabe o que quem o cita diz dele
        await connection.execute(
            text("INSERT INTO modulos (id, nome, extraido_em) VALUES (2, 'dito', :before)"),
            {"before": clock.now() - timedelta(hours=1)},
        )
    await run(account, UNLISTED)
    assert asked(bling) == 2
    records[1] = {"id": 1, "nome": "M1"}
    clock.advance(DAY)
    await run(account, UNLISTED)
    assert asked(bling) == 2, "um 404 sozinho não prova nada"
    assert await rows(account.engine, NAMES) == [(1, "M1"), (2, "dito")]
    clock.advance(HOUR)
    await run(account, UNLISTED)
    assert asked(bling) == 0, "confirmado, espera a semana"
    records[2] = {"id": 2, "nome": "M2"}
    assert await asked_in_a_week(account, bling, clock, UNLISTED) == 1
    assert await rows(account.engine, NAMES) == [(1, "M1"), (2, "M2")]


@small
async def test_what_nobody_cites_any_more_is_not_asked_again(
    account: Account, bling: Bling, clock: FakeClock, records: dict[Any, Json]
) -> None:
    await run(account, UNLISTED)
    asked(bling)
    only_the_first = resource("/modulos", MODULOS, modulo, listed=False, besides="SELECT 1")
    clock.advance(DAY)
    await run(account, only_the_first)
    assert asked(bling) == 1


@small
async def test_what_came_to_be_excluded_and_is_cited_may_come_back(
    account: Account, bling: Bling, clock: FakeClock, records: dict[Any, Json]
) -> None:
    records |= {id_: {"id": id_, "nome": f"M{id_}"} for id_ in (1, 2)}
    opened = resource("/modulos", MODULOS, modulo, listed=False, besides=CITED, open="true")
    await run(account, opened)
    gone = records.pop(1)
    for _ in range(2):
        clock.advance(HOUR)
        await run(account, opened)
    alive = "SELECT id FROM modulos WHERE excluida_em IS NULL ORDER BY id"
    assert await rows(account.engine, alive) == [(2,)]
    records[1] = gone | {"nome": "outro"}
    await asked_in_a_week(account, bling, clock, opened)
    assert await rows(account.engine, alive) == [(1,), (2,)]
    assert await rows(account.engine, NAMES) == [(1, "outro"), (2, "M2")]


@small
async def test_a_listed_one_whose_detail_is_denied_is_asked_again(
    account: Account, bling: Bling, clock: FakeClock, records: dict[Any, Json]
) -> None:
    records |= {id_: {"id": id_, "nome": f"M{id_}", "mais": "x"} for id_ in (1, 2)}
    bling.fail("^/modulos/1$", "body", status=404, body=GONE, times=1)
    glitch = bling.fail("^/modulos/2$", "body", status=404, body=GONE)
    whole = "SELECT id, detalhe ? 'mais' FROM modulos ORDER BY id"
    await run(account, LISTED)
    assert await rows(account.engine, whole) == [(1, False), (2, False)], "o que se tem é a linha"
    clock.advance(DAY)
    await run(account, LISTED)
    assert await rows(account.engine, whole) == [(1, True), (2, False)]
    asked(bling)
    clock.advance(HOUR)
    await run(account, LISTED)
    assert asked(bling) == 0, "confirmado, espera a semana"
    assert await scalar(account.engine, "SELECT count(*) FROM modulos WHERE excluida_em IS NULL") == 2
    bling.faults.remove(glitch)
    assert await asked_in_a_week(account, bling, clock, LISTED) == 1
    assert await rows(account.engine, whole) == [(1, True), (2, True)]


@small
async def test_a_repair_asks_for_all_of_them(
    account: Account, bling: Bling, clock: FakeClock, records: dict[Any, Json]
) -> None:
    records[1] = {"id": 1, "nome": "M1"}
    async with account.engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO modulos (id, extraido_em, nao_encontrado_em) VALUES (1, :now - interval '9 days', :now)"),
            {"now": clock.now()},
        )
    clock.advance(60)
    await run(account, UNLISTED, everything=True)
    assert await rows(account.engine, NAMES) == [(1, "M1"), (2, None)]


@small
async def test_many_have_their_turn(
    account: Account, bling: Bling, clock: FakeClock, records: dict[Any, Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(again, "MOST_OPEN", 3)
    many = resource("/modulos", MODULOS, modulo, listed=False, besides="SELECT generate_series(1, 8)")
    await run(account, many)
    asked(bling)
    for expected, later in ((3, DAY), (3, HOUR), (2, HOUR), (0, HOUR)):
        clock.advance(later)
        await run(account, many)
        assert asked(bling) == expected


@pytest.mark.slow
@pytest.mark.bling(scale=0.02)
@pytest.mark.collector(recursos=ALL, extraction_lookback_days=10)
async def test_one_404_in_the_first_load_loses_nothing(account: Account, bling: Bling, clock: FakeClock) -> None:
    """De cada recurso que se pede pelo id, três; e o XML de uma nota. Dos que a linha dá por excluídos, nenhum: o 404
    só diz o mesmo."""
    denied: dict[str, list[Any]] = {}
    for each in RESOURCES:
        if each.alone and each.detail and each.name != "documentos":
            found = documents(bling, each).items()
            ids = [id_ for id_, one in found if (each.day(one) or START) >= START and not each.says_gone(one)]
            denied[each.name] = ids[-3:]
    for name, ids in denied.items():
        for id_ in ids:
            bling.fail(f"^{RESOURCE[name].asked_at}/{id_}$", "body", status=404, body=GONE, times=1)
    bling.fail("^/nfe/documento/", "body", status=404, body=GONE, times=1)
    await account.pipeline.run_full(START)
    for _ in range(8):  # há o que se lista uma vez por semana
        clock.advance(DAY)
        result = await account.pipeline.run()
    assert result.status == "success"
    wrong = []
    for each in RESOURCES:
        try:
            if each.name != "documentos":
                await assert_equals_bling(account, bling, each)
            if each.name in denied:
                lost = f"SELECT id FROM {each.table.name} WHERE id = ANY(:ids) AND detalhe IS NULL"
                assert await rows(account.engine, lost, ids=denied[each.name]) == []
        except AssertionError as error:
            wrong.append(f"{each.name}: {str(error)[:600]}")
    assert not wrong, "\n".join(wrong)
    assert await scalar(account.engine, "SELECT count(*) FROM nfe_documentos WHERE conteudo IS NULL") == 0
