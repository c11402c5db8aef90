"""O coletor inteiro diante do simulador, em soquetes: o banco fica igual ao Bling, com poucas requisições."""

from datetime import date, datetime, timedelta
from math import ceil

import pytest
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.truth import assert_equals_truth

from bling_collector.errors import UsageError
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

START = date(2021, 1, 1)
TODAY = date(2026, 2, 20)


async def test_a_historic_load_equals_bling(account: Account, bling: Bling) -> None:
    result = await account.pipeline.run_full(START)
    assert (result.status, result.message, result.exit_code) == ("success", None, 0)
    assert result.data_referencia == TODAY
    assert result.stats["nfes"] == sum(1 for note in bling.notes.values() if note["tipo"] == 1)
    assert max(bling.counters.details.values()) == 1, "um detalhe foi pedido duas vezes"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.bling(scale=0.06, default_hides_zero_stock=True)
async def test_a_default_that_hides_zero_stock_hides_no_produto(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    assert (await account.pipeline.run_full(START)).status == "success"
    await assert_equals_truth(account.engine, bling)
    ours = {id_ for (id_,) in await rows(account.engine, "SELECT id FROM produtos")}
    hidden = next(id_ for id_ in ours if bling.products[id_]["estoque"]["saldoVirtualTotal"] == 0)
    clock.advance(3600)
    bling.edit_product(hidden, nome="Nome novo de um produto sem saldo")
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.bling(scale=0.06, default_hides_all_but_authorised=True)
@pytest.mark.slow
async def test_a_default_that_shows_only_the_authorised_hides_no_other(account: Account, bling: Bling) -> None:
    others = {note["situacao"] for note in bling.notes.values() if note["tipo"] == 1}
    assert others >= {1, 2, 5, 6}
    assert (await account.pipeline.run_full(START)).status == "success"
    await assert_equals_truth(account.engine, bling)
    for situacao in (1, 3, 4, 5, 7, 8, 9, 10, 11):
        bling.issue_note(situacao=situacao)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.bling(default_hides_all_but_authorised=True, also_authorised=frozenset({5}))
async def test_a_default_of_only_5_and_6_is_found_by_probing_another_situacao(account: Account, bling: Bling) -> None:
    for year in range(2021, 2026):
        for situacao in (1, 4, 9):
            bling.issue_note(situacao=situacao, emitted_at=datetime(year, 9, 10, 9, 0))  # noqa: DTZ001 — hora de Brasília
    assert (await account.pipeline.run_full(START)).status == "success"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.bling(repeat_previous_row=False, uneven_pages=False, token_type_lowercase=True, always_jwt=True)
async def test_without_quirks_and_with_a_jwt_the_result_is_the_same(account: Account, bling: Bling) -> None:
    assert (await account.pipeline.run_full(START)).status == "success"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.bling(deleted_detail_answers_200=True)
@pytest.mark.slow
async def test_the_deleted_that_still_answer_have_a_detail(account: Account, bling: Bling) -> None:
    assert (await account.pipeline.run_full(START)).status == "success"
    assert await scalar(account.engine, "SELECT count(*) FROM contatos WHERE detalhe IS NULL") == 0
    assert await scalar(account.engine, "SELECT count(*) FROM contatos WHERE situacao = 'E'") > 0


@pytest.mark.slow
@pytest.mark.collector(api_page_size=7)
async def test_small_pages_lose_no_nota(account: Account, bling: Bling) -> None:
    assert (await account.pipeline.run_full(START)).status == "success"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.bling(volumes={})
async def test_an_empty_account_is_a_success(account: Account) -> None:
    result = await account.pipeline.run_full(START)
    assert (result.status, result.stats) == ("success", {"nfes": 0, "contatos": 0, "produtos": 0})
    assert result.data_referencia == TODAY


async def test_runs_with_nothing_new_make_few_requests(account: Account, bling: Bling, clock: FakeClock) -> None:
    # O que ainda não é final é relido a cada vez, e com razão: aqui não há nada assim.
    for note in [n for n in bling.notes.values() if n["situacao"] not in (2, 5, 6)]:
        bling.edit_note(note["id"], situacao=6)
    await account.pipeline.run_full(START)
    for wait, most in ((900, 8), (86_400, 14)):  # noutro dia, com o token novo e a parte da história que é dele
        clock.advance(wait)
        bling.counters.reset()
        result = await account.pipeline.run()
        assert (result.status, result.stats["nfes"]) == ("success", 0)
        assert bling.counters.total <= most, bling.counters.requests
        assert result.requisicoes == bling.counters.total - bling.counters.token_calls
        await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.bling(scale=1.0)
async def test_at_real_scale_the_requests_are_within_two_percent_of_the_least(account: Account, bling: Bling) -> None:
    result = await account.pipeline.run_full(START)
    assert result.status == "success"
    notes = [note for note in bling.notes.values() if note["tipo"] == 1]
    contacts = {note["contato"]["id"] for note in notes} - {0}
    skus = {line["codigo"] for note in notes for line in note["itens"]} - {""}
    floor = len(notes) + len(contacts) + ceil(len(notes) / 100) + ceil(len(skus) / 100)
    assert result.requisicoes <= floor * 1.02, (result.requisicoes, floor, bling.counters.requests)
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
async def test_a_past_period_brings_only_its_notas_and_does_not_move_the_mark(account: Account, bling: Bling) -> None:
    await account.pipeline.run(TODAY - timedelta(days=10), TODAY)
    before = await scalar(account.engine, "SELECT max(data_referencia) FROM etl_controle")
    assert before == TODAY
    result = await account.pipeline.run(date(2023, 1, 1), date(2023, 12, 31))
    assert (result.status, result.data_referencia) == ("success", TODAY)
    years = {
        year for (year,) in await rows(account.engine, "SELECT extract(year FROM data_emissao) FROM nfe_cabecalho")
    }
    assert years == {2023, 2026}
    expected = sum(1 for n in bling.notes.values() if n["tipo"] == 1 and n["dataEmissao"].startswith("2023"))
    assert result.stats["nfes"] == expected


@pytest.mark.slow
async def test_the_edges_of_the_period_come_in_whole(account: Account, bling: Bling) -> None:
    """Um período de um dia traz a primeira e a última nota possíveis dele, e nenhuma dos vizinhos."""
    moments = ("2025-03-09 23:59:59", "2025-03-10 00:00:00", "2025-03-10 23:59:59", "2025-03-11 00:00:00")
    ids = [bling.issue_note(emitted_at=datetime.fromisoformat(moment)) for moment in moments]
    await account.pipeline.run(date(2025, 3, 10), date(2025, 3, 10))
    found = {id_ for (id_,) in await rows(account.engine, "SELECT id FROM nfe_cabecalho")}
    assert found >= set(ids[1:3])
    assert not found & {ids[0], ids[3]}


@pytest.mark.slow
async def test_the_first_daily_run_covers_yesterday_and_the_lookback(account: Account, bling: Bling) -> None:
    result = await account.pipeline.run()
    assert result.status == "success"
    period = await rows(account.engine, "SELECT tipo, data_inicio, data_fim FROM etl_controle")
    assert period == [("run", TODAY - timedelta(days=31), TODAY)]


@pytest.mark.slow
async def test_the_mark_follows_the_days(account: Account, bling: Bling, clock: FakeClock) -> None:
    await account.pipeline.run()
    clock.advance(3 * 86400)
    new = bling.issue_note()
    result = await account.pipeline.run()
    assert (result.status, result.data_referencia) == ("success", TODAY + timedelta(days=3))
    assert await scalar(account.engine, "SELECT count(*) FROM nfe_cabecalho WHERE id = :id", id=new) == 1


@pytest.mark.parametrize(
    ("inicio", "fim"),
    [(date(2027, 1, 1), None), (date(2025, 2, 1), date(2025, 1, 31)), (date(1999, 12, 31), None)],
)
async def test_an_impossible_period_changes_nothing(
    account: Account, bling: Bling, inicio: date, fim: date | None
) -> None:
    bling.counters.reset()
    with pytest.raises(UsageError):
        await account.pipeline.run(inicio, fim)
    assert await scalar(account.engine, "SELECT count(*) FROM etl_controle") == 0
    assert bling.counters.requests.keys() <= {"/empresas/me/dados-basicos"}, "só se pergunta que dia é"
