"""A conferência: o que mudou no Bling pelas costas do coletor, com qualquer idade, é achado exatamente e reparado."""

import random
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.support.collecting import at_request, rows, scalar
from tests.support.fakes import FakeClock
from tests.support.proving import (
    DAY,
    START,
    TODAY,
    assert_equals_the_living,
    at,
    by_month,
    conferencias,
    execute,
    outgoing,
    snapshot,
    twin,
)
from tests.support.truth import assert_equals_truth
from tests.support.variants import one_now

from bling_collector.errors import UsageError
from bling_collector.insight.proof.reconciliation import load_reconciliation
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.company.invoices.lines import line_of

EDGES = [
    at("2021-01-01 00:00:00"),
    at("2021-12-31 23:59:59"),
    at("2022-01-01 00:00:00"),
    at("2024-02-29 23:59:59"),
    at("2024-03-01 00:00:00"),
    at("2025-02-28 23:59:59"),
    at("2025-03-01 00:00:00"),
    at("2026-01-31 23:59:59"),
    at("2026-02-20 00:00:00"),
]
"""O primeiro e o último segundo de meses e anos, e as bordas das janelas em que a história é lida."""


class Behind:
    """Mudanças de todo tipo em notas de todas as idades, e o que uma conferência deve dizer delas."""

    def __init__(self, bling: Bling) -> None:
        """O que já havia antes da carga."""
        self.bling = bling
        self.pending = [bling.issue_note(situacao=1, emitted_at=moment) for moment in (EDGES[1], EDGES[4], EDGES[7])]
        model = outgoing(bling, 6)[-1]
        self.doomed = [twin(bling, model, emitted_at=moment) for moment in EDGES]
        self.doomed_pending = twin(bling, model, emitted_at=EDGES[2], situacao=1)
        self.faltavam: set[int] = set()
        self.mudaram: set[int] = set()
        self.sumiram: set[int] = set()
        self.invisible: set[int] = set()

    def happen(self) -> None:
        bling, living = self.bling, [i for i in outgoing(self.bling, 6) if i not in self.doomed]
        cancelled = [living[0], living[len(living) // 2], living[-1]]
        for id_ in cancelled:
            bling.cancel_note(id_)
        edited = [living[1], living[len(living) // 2 + 1], living[-2]]
        for id_ in edited:
            bling.edit_note(id_, dataOperacao="2026-02-19 10:00:00")
        moves = {
            living[2]: "2025-07-01 00:00:00",
            living[-3]: "2021-12-31 23:59:59",
            living[len(living) // 2 + 2]: "2022-01-01 00:00:00",
        }
        for id_, moment in moves.items():
            bling.edit_note(id_, dataEmissao=moment)
        for id_ in self.pending:
            line = line_of(codigo=f"X{id_}", descricao="Peça", quantidade=3, valor=Decimal("7.77"))
            bling.edit_note(id_, itens=[line], valorNota=Decimal("23.31"), parcelas=[])
        for id_ in (*self.doomed, self.doomed_pending):
            bling.delete_note(id_)
        issued = [bling.issue_note(emitted_at=moment, situacao=s) for moment in EDGES for s in (6, 2)]
        self.faltavam |= {*issued}
        self.mudaram |= {*cancelled, *edited, *moves}
        self.invisible |= {*self.pending}
        self.sumiram |= {*self.doomed, self.doomed_pending}

    def ids(self, *, repair: bool) -> dict[str, list[int]]:
        """O que uma edição de nota pendente mudou só se vê ao buscá-la."""
        changed = self.mudaram | self.invisible if repair else self.mudaram
        return {"faltavam": sorted(self.faltavam), "mudaram": sorted(changed), "sumiram": sorted(self.sumiram)}


@pytest.fixture
def behind(changed: Behind) -> Behind:
    """A história já carregada, e então tudo acontece no Bling."""
    changed.happen()
    return changed


@pytest.mark.loaded(START, before=Behind)
async def test_all_that_changed_is_found_and_repaired_exactly(account: Account, bling: Bling, behind: Behind) -> None:
    result = await account.pipeline.reconcile(repair=True)
    assert (result.status, result.exit_code, result.message) == ("success", 0, None)
    assert result.found.ids == behind.ids(repair=True)
    again = await account.pipeline.reconcile()
    assert (again.status, again.exit_code, again.found.ids) == ("success", 0, {})
    assert await scalar(account.engine, "SELECT sum(reparadas) FROM conferencias") == 0, "não havia mais o que reparar"
    await assert_equals_the_living(account.engine, bling, deleted=behind.sumiram)


@pytest.mark.slow
@pytest.mark.loaded(START, before=Behind)
async def test_without_repair_nothing_changes_and_what_differs_is_said(
    account: Account, bling: Bling, behind: Behind
) -> None:
    before = await snapshot(account.engine)
    bling.counters.reset()
    result = await account.pipeline.reconcile()
    assert (result.status, result.exit_code) == ("partial", 1)
    assert result.found.ids == behind.ids(repair=False)
    assert await snapshot(account.engine) == before
    assert set(bling.counters.requests) == {"/nfe", "/empresas/me/dados-basicos"}, "só listou"
    assert "18 faltam aqui" in str(result.message)
    assert "10 só existem aqui" in str(result.message)
    stored = await conferencias(account.engine)
    assert {id_ for row in stored.values() for id_ in row["faltam"]} >= behind.faltavam
    assert {id_ for row in stored.values() for id_ in row["sobram"]} >= behind.sumiram
    situation = await load_reconciliation(account.engine)
    assert not situation.igual
    assert situation.no_bling == len(outgoing(bling))


@pytest.mark.slow
@pytest.mark.loaded(START, before=Behind)
async def test_the_reconciliation_keeps_both_sides_of_each_month(
    account: Account, bling: Bling, behind: Behind
) -> None:
    result = await account.pipeline.reconcile(repair=True)
    stored = await conferencias(account.engine)
    months = [f"{year}-{month:02}" for year in range(2021, 2027) for month in range(1, 13)]
    assert list(stored) == months[: months.index("2026-02") + 1]
    truth = by_month(bling)
    for month, row in stored.items():
        assert row["no_bling"] == row["no_banco"] == truth.get(month, {}), month
        assert (row["faltam"], row["sobram"], row["diferem"], row["run_id"]) == ([], [], [], result.run_id)
    assert stored["2026-02"]["data_fim"] == TODAY.isoformat()
    assert sum(row["reparadas"] for row in stored.values()) == sum(map(len, behind.ids(repair=True).values()))
    situation = await load_reconciliation(account.engine)
    assert situation.igual
    assert situation.por_conferir == []
    assert situation.no_bling == situation.no_banco == len(outgoing(bling))
    oldest = await scalar(account.engine, "SELECT min(conferida_em) FROM conferencias")
    assert situation.completo_em == oldest


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 8))])
@pytest.mark.slow
async def test_random_changes_are_found_and_repaired(account: Account, bling: Bling, seed: int) -> None:
    rng = random.Random(seed)
    model = outgoing(bling, 6)[-1]
    spare = [
        twin(bling, model, emitted_at=at(f"{rng.randrange(2021, 2026)}-{rng.randrange(1, 13):02}-05 08:00:00"))
        for _ in range(8)
    ]
    await account.pipeline.run_full(START)
    expected: dict[str, set[int]] = {"faltavam": set(), "mudaram": set(), "sumiram": set()}
    for id_ in spare:
        bling.delete_note(id_)
        expected["sumiram"].add(id_)
    for id_ in rng.sample(outgoing(bling, 6), 15):
        change: dict[str, Any] = rng.choice(
            [{"situacao": 2}, {"situacao": 5}, {"loja": {"id": 9, "numero": "9"}}, {"dataEmissao": _moment(rng)}]
        )
        bling.edit_note(id_, **change)
        expected["mudaram"].add(id_)
    for _ in range(10):
        expected["faltavam"].add(bling.issue_note(emitted_at=at(_moment(rng)), situacao=rng.choice([2, 5, 6, 9])))
    for repair in (False, True):
        result = await account.pipeline.reconcile(repair=repair)
        assert {kind: set(ids) for kind, ids in result.found.ids.items()} == expected
    assert (await account.pipeline.reconcile()).found.ids == {}
    await assert_equals_the_living(account.engine, bling, deleted=expected["sumiram"])


def _moment(rng: random.Random) -> str:
    day = date(rng.randrange(2021, 2026), rng.randrange(1, 13), rng.choice([1, 15, 28]))
    return f"{day} {rng.choice(['00:00:00', '12:30:00', '23:59:59'])}"


@pytest.mark.slow
async def test_what_the_database_has_wrong_is_repaired_though_the_listing_is_the_same(
    account: Account, bling: Bling
) -> None:
    """Uma mão no banco, ou um defeito nosso: a linha da listagem é a de sempre, e o que se conta já não é o dela."""
    await account.pipeline.run_full(START)
    cancelled, moved, lost, *_ = outgoing(bling, 6)
    await execute(
        account.engine,
        f"UPDATE nfe_cabecalho SET situacao = 2 WHERE id = {cancelled}",
        f"UPDATE nfe_cabecalho SET data_emissao = data_emissao + interval '70 days' WHERE id = {moved}",
        *(f"DELETE FROM {child} WHERE nfe_id = {lost}" for child in ("nfe_itens", "nfe_pagamentos")),
        f"DELETE FROM nfe_cabecalho WHERE id = {lost}",
    )
    assert (await account.pipeline.reconcile()).status == "partial"
    assert (await account.pipeline.reconcile(repair=True)).status == "success"
    await assert_equals_truth(account.engine, bling)
    assert (await account.pipeline.reconcile()).status == "success"


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_a_period_repairs_only_the_period(account: Account, bling: Bling) -> None:
    inside = bling.issue_note(emitted_at=at("2023-05-31 23:59:59"))
    outside = bling.issue_note(emitted_at=at("2023-06-01 00:00:00"))
    before = await conferencias(account.engine)
    result = await account.pipeline.reconcile(date(2023, 5, 1), date(2023, 5, 31), repair=True)
    assert result.found.ids == {"faltavam": [inside]}
    await assert_equals_truth(account.engine, bling, without=[outside])
    after = await conferencias(account.engine)
    assert [month for month in after if after[month] != before[month]] == ["2023-05"]
    assert after["2023-05"]["reparadas"] == 1


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_part_of_a_month_does_not_check_the_month(account: Account, bling: Bling) -> None:
    before = await conferencias(account.engine)
    bling.issue_note(emitted_at=at("2023-05-20 10:00:00"))
    result = await account.pipeline.reconcile(date(2023, 5, 2), date(2023, 5, 31))
    assert (result.status, len(result.found.faltavam)) == ("partial", 1)
    assert await conferencias(account.engine) == before


@pytest.mark.slow
@pytest.mark.loaded(date(2024, 1, 1))
async def test_reconciling_before_the_start_does_not_widen_the_history(account: Account, bling: Bling) -> None:
    """Só olhar não faz com que as execuções diárias passem a coletar o que ninguém pediu."""
    assert (await account.pipeline.reconcile(START, date(2021, 12, 31))).status == "partial"
    await account.pipeline.reprocess(date(2000, 1, 1))
    result = await account.pipeline.reconcile()
    assert (result.status, result.found.ids) == ("success", {})
    situation = await load_reconciliation(account.engine)
    assert situation.meses[0].mes == date(2024, 1, 1)
    assert situation.por_conferir == []


@pytest.mark.slow
async def test_a_run_with_dates_collects_only_the_dates(account: Account, bling: Bling) -> None:
    """Como o manual antigo mandava carregar: um ano de cada vez."""
    result = await account.pipeline.run(START, date(2021, 12, 31))
    assert result.status == "success"
    years = await rows(account.engine, "SELECT DISTINCT extract(year FROM data_emissao)::int FROM nfe_cabecalho")
    assert years == [(2021,)]


@pytest.mark.slow
async def test_impossible_requests_are_refused_and_change_nothing(account: Account, bling: Bling) -> None:
    for inicio in (date(2027, 1, 1), None):
        with pytest.raises(UsageError, match="Ainda não há o que conferir"):
            await account.pipeline.reconcile(inicio)
    assert await rows(account.engine, "SELECT 1 FROM etl_controle") == []
    await account.pipeline.run_full(date(2026, 1, 1))
    runs = await scalar(account.engine, "SELECT count(*) FROM etl_controle")
    for inicio, fim in ((date(2026, 3, 1), None), (date(2026, 2, 2), date(2026, 2, 1)), (None, date(2020, 1, 1))):
        with pytest.raises(UsageError, match=r"futuro|antes"):
            await account.pipeline.reconcile(inicio, fim, repair=True)
    assert await scalar(account.engine, "SELECT count(*) FROM etl_controle") == runs


@pytest.mark.slow
@pytest.mark.bling(scale=1.0)
async def test_2926_of_2926_notas_cost_36_to_60_requests(account: Account, bling: Bling) -> None:
    dashboard = {2021: 147, 2022: 186, 2023: 402, 2024: 820, 2025: 1200, 2026: 171}
    assert (await account.pipeline.run_full(START)).status == "success"
    bling.counters.reset()
    assert (await account.pipeline.run()).status == "success"
    assert bling.counters.total <= 9, dict(bling.counters.requests)
    for repair in (False, True):
        bling.counters.reset()
        result = await account.pipeline.reconcile(repair=repair)
        assert (result.status, result.found.ids) == ("success", {})
        notes = bling.counters.requests["/nfe"]
        assert 36 <= notes <= 60, dict(bling.counters.requests)
        # A empresa, e com o reparo também os cadastros: as suas listagens, e nenhum detalhe do que não mudou.
        assert bling.counters.total - notes <= (60 if repair else 1), dict(bling.counters.requests)
        assert result.requisicoes == bling.counters.total
    situation = await load_reconciliation(account.engine)
    assert (situation.igual, situation.no_banco, situation.no_bling) == (True, 2926, 2926)
    years = dict.fromkeys(dashboard, 0)
    for month in situation.meses:
        years[month.mes.year] += month.no_banco.total
    assert years == dashboard


@pytest.mark.bling(scale=0.01, note_filters_are_ignored=True)
@pytest.mark.collector(recursos=("nfe", "nfce", "contatos", "produtos", "categorias_produto", "formas_pagamento"))
@pytest.mark.slow
async def test_a_period_that_bling_does_not_read_is_read_here(account: Account, bling: Bling) -> None:
    assert (await account.pipeline.run_full(START)).status == "success"
    await assert_equals_truth(account.engine, bling)
    asked = [count for path, count in bling.counters.details.items() if path.startswith(("/nfe/", "/nfce/"))]
    assert (max(asked), len(asked)) == (1, len(outgoing(bling)) + len(bling.coupons))
    found = await account.pipeline.reconcile()
    assert (found.status, found.found.ids) == ("success", {})


@pytest.mark.parametrize("looks", one_now([True, False]))
@pytest.mark.loaded(START)
async def test_looking_often_does_not_put_off_the_weekly_repair(
    account: Account, bling: Bling, clock: FakeClock, looks: bool
) -> None:
    """Uma cancelada há muito, e uma rejeitada que se editou sem que a linha da listagem o mostre."""
    cancelled, rejected = outgoing(bling, 6)[0], outgoing(bling, 4)[0]
    bling.cancel_note(cancelled)
    line = line_of(codigo="XX", descricao="Peça", quantidade=3, valor=Decimal("7.77"))
    bling.edit_note(rejected, itens=[line], valorNota=Decimal("23.31"), parcelas=[])
    clock.advance(6 * DAY)
    for _ in range(6):
        clock.advance(DAY)
        if looks:
            await account.pipeline.reconcile()
        await account.pipeline.run()
    await assert_equals_truth(account.engine, bling)


@pytest.mark.collector(api_page_size=5)
@pytest.mark.bling(uneven_pages=False)
@pytest.mark.parametrize("number", one_now([3, 4]))
async def test_a_list_that_moves_while_it_is_looked_at_hides_no_living_one(
    account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    await account.pipeline.run_full(date(2025, 1, 1))
    newest = outgoing(bling, 6)[-1]
    at_request(bling, monkeypatch, "^/nfe$", number, lambda: bling.cancel_note(newest))
    result = await account.pipeline.reconcile()
    assert set(result.found.ids) <= {"mudaram"}, result.found.ids
    assert [each for each in (await conferencias(account.engine)).values() if each["sobram"]] == []


@pytest.mark.parametrize("value", one_now([None, ""]))
@pytest.mark.loaded(START)
async def test_a_nota_without_a_situation_is_equal_on_both_sides(account: Account, bling: Bling, value: object) -> None:
    bling.edit_note(outgoing(bling, 6)[-1], situacao=value)
    await account.pipeline.reconcile(repair=True)
    result = await account.pipeline.reconcile(repair=True)
    assert (result.status, result.found.ids) == ("success", {})


@pytest.mark.slow
@pytest.mark.collector(recursos=("pedidos_venda",))
@pytest.mark.loaded(START)
async def test_a_pedido_without_a_situation_is_equal_on_both_sides(account: Account, bling: Bling) -> None:
    bling.edit_order(max(bling.orders), situacao={"id": 0, "valor": 0})
    await account.pipeline.reconcile(repair=True)
    result = await account.pipeline.reconcile(repair=True)
    assert (result.status, result.found.ids) == ("success", {})


@pytest.mark.loaded(START)
async def test_rows_changed_by_hand_that_make_up_for_each_other_are_seen(account: Account, bling: Bling) -> None:
    """Duas trocam de situação e duas de dia, no mesmo mês: as contagens são as mesmas, e cada nota não."""
    cancelled = outgoing(bling, 2)[-1]
    days = {id_: bling.notes[id_]["dataEmissao"][:10] for id_ in (cancelled, *outgoing(bling, 6))}
    issued = next(id_ for id_, day in days.items() if id_ != cancelled and day[:7] == days[cancelled][:7])
    moved = next(id_ for id_, day in days.items() if id_ not in {issued, cancelled} and not day.endswith("-01"))
    await execute(
        account.engine,
        f"UPDATE nfe_cabecalho SET situacao = 2 WHERE id = {issued}",
        f"UPDATE nfe_cabecalho SET situacao = 6 WHERE id = {cancelled}",
        f"UPDATE nfe_cabecalho SET data_emissao = '{days[moved][:7]}-01' WHERE id = {moved}",
    )
    looked = await account.pipeline.reconcile()
    assert looked.exit_code == 1
    assert set(looked.found.ids["mudaram"]) == {issued, cancelled, moved}
    assert not (await load_reconciliation(account.engine)).igual
    assert (await account.pipeline.reconcile(repair=True)).exit_code == 0
    await assert_equals_truth(account.engine, bling)
