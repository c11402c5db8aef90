"""Os lançamentos de caixa, sob cada leitura do que os documentos não sabem."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.variants import one_now

from bling_collector.payload import measured
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.payload import Json

START = date(2025, 6, 1)
DAY = 86_400.0
READINGS: list[dict[str, Any]] = [
    {},
    {"bare_details_in_envelope": True},
    {"cash_page_size": 7},
    {"money_has_float_noise": True},
]
pytestmark = [pytest.mark.bling(scale=0.02), pytest.mark.collector(recursos=("caixas",))]
_COLUMNS = "id, data, competencia, valor, situacao, conta_id, contato_id, categoria_id, origem_id, origem_tipo"


def _signed(entry: Json) -> Decimal:
    valor: Decimal = entry["valor"]
    return -valor if entry["debCred"] == "D" else valor


async def assert_equals_the_entries(account: Account, bling: Bling) -> None:
    """Cada lançamento desde o começo, os excluídos também, é o do Bling; e não há outro."""
    expected = {id_: each for id_, each in bling.cash_entries.items() if each["data"] >= START.isoformat()}
    found = await rows(
        account.engine, f"SELECT {_COLUMNS} FROM caixas_lancamentos WHERE excluida_em IS NULL ORDER BY id"
    )
    said = "SELECT id, descricao FROM caixas_lancamentos WHERE excluida_em IS NULL ORDER BY id"
    assert await rows(account.engine, said) == [(id_, each["descricao"]) for id_, each in sorted(expected.items())]
    assert found == [
        (
            id_,
            *(date.fromisoformat(each[name]) for name in ("data", "competencia")),
            measured(_signed(each)),
            each["situacao"],
            *(each[name]["id"] or None for name in ("contaFinanceira", "contato", "categoria", "origem")),
            each["origem"]["tipo"],
        )
        for id_, each in sorted(expected.items())
    ]


@pytest.mark.parametrize("reading", one_now(READINGS), ids=lambda reading: next(iter(reading), "como se leu"))
async def test_the_load_equals_bling_and_what_changes_is_seen(
    account: Account, bling: Bling, clock: FakeClock, reading: dict[str, Any]
) -> None:
    bling.configure(**reading)
    conta = bling.add_account(valor=Decimal("49.90"))
    bling.settle_accounts("receber", conta)
    result = await account.pipeline.run_full(START)
    assert result.status == "success", result.message
    await assert_equals_the_entries(account, bling)
    assert await scalar(account.engine, "SELECT count(*) FROM caixas_lancamentos WHERE situacao = 'E'")
    clock.advance(DAY)
    recent = max(bling.cash_entries)
    bling.edit_cash_entry(recent, valor=Decimal("12.34"))
    bling.settle_accounts("pagar", bling.add_account("pagar"))
    bling.reopen_account("receber", conta)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_entries(account, bling)
    assert await scalar(account.engine, "SELECT situacao FROM caixas_lancamentos WHERE id = :id", id=recent) == "E"
    assert (await account.pipeline.reconcile()).status == "success"


@pytest.mark.slow
async def test_one_month_is_asked_at_a_time_and_without_a_page_size(
    account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    choose = bling.faults.choose

    def watched(method: str, path: str, *more: str) -> Any:
        if path == "/caixas":
            asked.append(more[0])
        return choose(method, path, *more)

    monkeypatch.setattr(bling.faults, "choose", watched)
    await account.pipeline.run_full(START)
    assert asked
    assert not any("limite" in query for query in asked)
    for query in asked:
        said = dict(pair.split("=") for pair in query.split("&"))
        first, last = (date.fromisoformat(said[name]) for name in ("dataInicial", "dataFinal"))
        assert (last - first).days <= 33
    assert {dict(pair.split("=") for pair in query.split("&"))["situacao"] for query in asked} == {"R", "E"}


@pytest.mark.slow
async def test_the_sign_is_the_one_of_the_listing(account: Account) -> None:
    await account.pipeline.run_full(START)
    total = "SELECT sum(valor) FROM caixas_lancamentos WHERE detalhe ->> 'debCred' = :side"
    assert await scalar(account.engine, total, side="D") < 0 < await scalar(account.engine, total, side="C")


@pytest.mark.slow
async def test_a_hand_made_entry_that_changes_categoria_is_seen(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    """Nem a categoria nem a competência se veem na listagem."""
    by_hand = max(
        id_ for id_, each in bling.cash_entries.items() if each["situacao"] == "R" and not each["origem"]["id"]
    )
    await account.pipeline.run_full(START)
    other = {"id": 14_700_002, "descricao": "Compras"}
    bling.edit_cash_entry(by_hand, categoria=other, competencia="2026-01-01")
    clock.advance(7 * DAY)  # na sua semana
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_entries(account, bling)
    assert (
        await scalar(account.engine, "SELECT categoria_id FROM caixas_lancamentos WHERE id = :id", id=by_hand)
        == other["id"]
    )


@pytest.mark.slow
@pytest.mark.parametrize("situacao", ["H", "N"])
async def test_what_no_listing_shows_is_not_deleted(
    account: Account, bling: Bling, clock: FakeClock, situacao: str
) -> None:
    await account.pipeline.run_full(START)
    hidden = max(id_ for id_, each in bling.cash_entries.items() if each["situacao"] == "R")
    bling.edit_cash_entry(hidden, situacao=situacao)
    for _ in range(2):
        clock.advance(DAY)
        assert (await account.pipeline.run()).status == "success"
        await assert_equals_the_entries(account, bling)
    assert (await account.pipeline.reconcile()).status == "success"
    bling.edit_cash_entry(hidden, situacao="R")
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_entries(account, bling)


@pytest.mark.slow
async def test_a_deleted_one_without_a_detail_is_what_the_listing_says_and_what_was_known(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    never, once = sorted(id_ for id_, each in bling.cash_entries.items() if each["data"] >= START.isoformat())[-2:]
    bling.edit_cash_entry(never, situacao="E")
    bling.edit_cash_entry(once, situacao="R")
    bling.fail(rf"^/caixas/{never}$", "body", status=404, body='{"error": {"type": "RESOURCE_NOT_FOUND"}}')
    result = await account.pipeline.run_full(START)
    assert result.status == "success", result.message
    clock.advance(DAY)
    bling.delete_cash_entry(once)
    bling.fail(rf"^/caixas/{once}$", "body", status=404, body='{"error": {"type": "RESOURCE_NOT_FOUND"}}')
    for _ in range(2):
        result = await account.pipeline.run()
        assert result.status == "success", result.message
        clock.advance(DAY)
    found = await rows(
        account.engine,
        """SELECT id, situacao, valor, competencia, categoria_id FROM caixas_lancamentos
           WHERE id IN (:never, :once) ORDER BY id""",
        never=never,
        once=once,
    )
    entries = bling.cash_entries
    assert found == [
        (never, "E", measured(_signed(entries[never])), None, None),  # o que só o detalhe dizia
        (
            *(once, "E", measured(_signed(entries[once])), date.fromisoformat(entries[once]["competencia"])),
            entries[once]["categoria"]["id"] or None,
        ),
    ]


@pytest.mark.slow
async def test_the_descricao_stays_when_an_entry_is_read_without_the_listing(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    """Só a listagem a diz."""
    await account.pipeline.run_full(START)
    entry = max(bling.cash_entries)
    bling.edit_cash_entry(entry, observacoes="Outra")
    assert await account.pipeline.sync("caixa", entry) == "atualizado"
    await assert_equals_the_entries(account, bling)
    bling.edit_cash_entry(entry, descricao="Mudou")
    bling.fail(rf"^/caixas/{entry}$", "server_error")
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "partial"
    bling.faults.clear()
    assert (await account.pipeline.retry()).status == "success"
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_entries(account, bling)


async def test_one_entry_alone_is_created_and_updated(account: Account, bling: Bling) -> None:
    entry = max(bling.cash_entries)
    assert await account.pipeline.sync("caixa", entry) == "criado"
    bling.delete_cash_entry(entry)
    assert await account.pipeline.sync("caixa", entry) == "atualizado"
    assert await scalar(account.engine, "SELECT situacao FROM caixas_lancamentos") == "E"


@pytest.mark.slow
async def test_of_many_windows_a_day_rereads_a_sixth(account: Account, bling: Bling, clock: FakeClock) -> None:
    """As que se leem ao lado umas das outras contam todas; e quem não executa todos os dias relê de uma vez a parte dos
    que passaram."""
    await account.pipeline.run_full(date(2024, 3, 1))
    clock.advance(DAY)
    checked = "SELECT count(*) FROM conferencias WHERE recurso = 'caixas' AND conferida_em > :since"
    for _ in range(2):
        since = clock.now()
        assert (await account.pipeline.run()).status == "success"
        assert 0 < await scalar(account.engine, checked, since=since) <= 4 + 2, "de 24 meses; e os dois de todo dia"
        clock.advance(DAY)
    clock.advance(3 * DAY)
    since = clock.now()
    assert (await account.pipeline.run()).status == "success"
    assert 8 < await scalar(account.engine, checked, since=since) <= 4 * 4 + 2
    clock.advance(8 * DAY)
    since = clock.now()
    assert (await account.pipeline.run()).status == "success"
    assert await scalar(account.engine, checked, since=since) >= 24
