"""As notas de entrada: as linhas sempre; os detalhes, de quem os pede pelo nome."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.variants import one_now

from bling_collector.db.models import nfe_entrada_cabecalho
from bling_collector.db.resources import repository
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

START = date(2025, 1, 1)
DAY = 86_400.0
READINGS: list[dict[str, Any]] = [{}, {"default_hides_all_but_authorised": True}]
pytestmark = [pytest.mark.bling(scale=0.02), pytest.mark.collector(recursos=("nfe_entrada",))]


def living(bling: Bling) -> dict[int, Any]:
    """As notas de entrada do Bling desde o começo, em ordem."""
    return {
        id_: each
        for id_, each in sorted(bling.notes.items())
        if each["tipo"] == 0 and each["dataEmissao"] >= START.isoformat()
    }


async def assert_equals_the_entries(account: Account, bling: Bling, *, detailed: bool) -> None:
    """Cada nota de entrada viva é a do Bling, com os itens e os totais se se pedem os detalhes; e não há outra."""
    expected = living(bling)
    assert await rows(
        account.engine,
        "SELECT id, numero, serie, situacao, contato_id, total_nota FROM nfe_entrada_cabecalho "
        "WHERE excluida_em IS NULL ORDER BY id",
    ) == [
        (
            id_,
            each["numero"],
            each["serie"] if each["chaveAcesso"] else None,
            each["situacao"],
            each["contato"]["id"] or None,
            each["valorNota"] if detailed else None,
        )
        for id_, each in expected.items()
    ]
    assert await rows(
        account.engine,
        "SELECT nfe_id, sum(valor_total) FROM nfe_entrada_itens JOIN nfe_entrada_cabecalho c ON c.id = nfe_id "
        "WHERE excluida_em IS NULL GROUP BY 1 ORDER BY 1",
    ) == ([(id_, sum(line["valorTotal"] for line in each["itens"])) for id_, each in expected.items()] * detailed)


def _at(clock: FakeClock, days_ago: int) -> datetime:
    return (clock.now() - timedelta(days=days_ago)).replace(tzinfo=None, microsecond=0)


@pytest.mark.slow
@pytest.mark.parametrize("reading", one_now(READINGS), ids=lambda reading: next(iter(reading), "como se leu"))
async def test_the_load_equals_bling_and_what_changes_is_seen(
    account: Account, bling: Bling, clock: FakeClock, reading: dict[str, Any]
) -> None:
    bling.configure(**reading)
    cancelled, deleted, draft = (
        bling.issue_note(tipo=0, situacao=situacao, emitted_at=_at(clock, 20)) for situacao in (7, 7, 1)
    )
    result = await account.pipeline.run_full(START)
    assert result.status == "success", result.message
    await assert_equals_the_entries(account, bling, detailed=True)
    bling.issue_note(tipo=0, situacao=7, emitted_at=_at(clock, 40))  # importada agora, emitida há muito
    bling.cancel_note(cancelled)
    bling.delete_note(deleted)
    bling.edit_note(draft, situacao=6, valorNota=bling.notes[draft]["valorNota"] + 1)
    clock.advance(DAY)
    result = await account.pipeline.run()
    assert result.status == "success", result.message
    await assert_equals_the_entries(account, bling, detailed=True)
    assert await scalar(
        account.engine, "SELECT excluida_em IS NOT NULL FROM nfe_entrada_cabecalho WHERE id = :id", id=deleted
    )
    clock.advance(DAY)
    bling.counters.reset()
    assert (await account.pipeline.run()).status == "success"
    assert bling.counters.details == {}, "o que não mudou não se pede outra vez"
    assert (await account.pipeline.reconcile()).status == "success"
    assert await scalar(account.engine, "SELECT count(*) FROM nfe_cabecalho") == 0


@pytest.mark.collector(recursos=("todos",))
@pytest.mark.slow
async def test_asking_for_all_brings_the_rows_and_no_detail(account: Account, bling: Bling, clock: FakeClock) -> None:
    bling.issue_note(tipo=0, situacao=7, emitted_at=_at(clock, 2))
    result = await account.pipeline.run_full(START)
    assert result.status == "success", result.message
    await assert_equals_the_entries(account, bling, detailed=False)
    assert not {f"/nfe/{id_}" for id_ in living(bling)} & bling.counters.details.keys()
    await _only(account, "nfe_entrada").run()
    await assert_equals_the_entries(account, bling, detailed=True)


@pytest.mark.collector(recursos=("nfe_entrada", "contatos"))
async def test_one_alone_is_fetched_with_its_detail(account: Account, bling: Bling, clock: FakeClock) -> None:
    id_ = bling.issue_note(tipo=0, situacao=7, emitted_at=_at(clock, 2))
    assert await account.pipeline.sync("nfe_entrada", id_) == "criado"
    assert bling.counters.details[f"/nfe/{id_}"] == 1
    assert await scalar(account.engine, "SELECT count(*) FROM nfe_entrada_itens") == len(bling.notes[id_]["itens"])
    assert await scalar(account.engine, "SELECT total_nota FROM nfe_entrada_cabecalho") == bling.notes[id_]["valorNota"]
    assert await account.pipeline.sync("nfe_entrada", id_) == "igual"
    outgoing = next(id_ for id_, each in bling.notes.items() if each["tipo"] == 1)
    with pytest.raises(Exception, match="não é de entrada"):
        await account.pipeline.sync("nfe_entrada", outgoing)


async def test_one_whose_row_was_forgotten_waits_for_the_listing(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    """A que mudou de data e nenhuma listagem desta execução mostra: não há por que pedir o detalhe outra vez."""
    id_ = bling.issue_note(tipo=0, situacao=7, emitted_at=_at(clock, 200))
    assert (await account.pipeline.run_full(START)).status == "success"
    async with account.engine.begin() as connection:
        await repository.forget_listed(connection, nfe_entrada_cabecalho, [id_])
    bling.counters.reset()
    clock.advance(DAY)
    result = await account.pipeline.run()
    assert result.status == "success", result.message
    assert bling.counters.details[f"/nfe/{id_}"] == 0
    assert (await account.pipeline.reconcile(repair=True)).status == "success"
    assert bling.counters.details[f"/nfe/{id_}"] <= 1
    await assert_equals_the_entries(account, bling, detailed=True)


def _only(account: Account, *names: str) -> Any:
    from dataclasses import replace

    return type(account.pipeline)(
        account.engine, account.client, account.oauth, account.clock, replace(account.settings, recursos=names), None
    )
