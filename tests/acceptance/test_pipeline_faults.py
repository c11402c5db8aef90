"""O Bling que falha: nada se perde, o que falta fica devido, e o fim da execução diz a verdade."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, get_args

import pytest
from tests.support.collecting import at_request, rows, scalar
from tests.support.fakes import FakeClock
from tests.support.truth import assert_equals_truth
from tests.support.variants import one_now

from bling_collector.api.pace import FAILURES_IN_A_ROW, SUSPECTS
from bling_collector.db.control import DIED
from bling_collector.runs.request import INTERRUPTED
from bling_collector.workplace.account import Account
from bling_simulator.answers import invalid
from bling_simulator.api.dispatch import RESOURCES
from bling_simulator.api.query import Query
from bling_simulator.bling import Bling
from bling_simulator.company.invoices.lines import line_of
from bling_simulator.company.invoices.ugly import UNKNOWN_SKU
from bling_simulator.faults import FaultKind

START = date(2021, 1, 1)
TODAY = date(2026, 2, 20)
API = "^/(?!oauth)"


def notes_of(bling: Bling) -> list[int]:
    """Os ids das notas de saída, da mais nova à mais antiga."""
    return [note["id"] for note in bling.notebook.newest_first() if note["tipo"] == 1]


@pytest.mark.slow
async def test_six_percent_of_bad_answers_lose_nothing(account: Account, bling: Bling) -> None:
    kinds: list[FaultKind] = ["server_error", "bad_gateway", "empty", "null", "cut", "error_with_200"]
    for kind in kinds:
        bling.fail(API, kind, probability=0.01)
    first = await account.pipeline.run_full(START)
    assert bling.counters.faults > 0
    if first.status != "success":
        bling.faults.clear()
        assert first.exit_code == 1
        first = await account.pipeline.run()
    assert (first.status, first.message) == ("success", None)
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.parametrize("kind", one_now([k for k in get_args(FaultKind) if k not in ("hang", "hold", "body")]))
async def test_each_passing_fault_is_overcome_by_trying_again(account: Account, bling: Bling, kind: FaultKind) -> None:
    for path in ("^/nfe$", r"^/nfe/\d+$", r"^/contatos/\d+$", "^/produtos$", "^/formas-pagamentos$"):
        bling.fail(path, kind, times=2)
    result = await account.pipeline.run()
    assert (result.status, result.message) == ("success", None)
    assert bling.counters.faults >= 8


@pytest.mark.parametrize("kind", one_now(["bad_gateway", "drop", "server_error"]))
async def test_bling_down_is_an_error_and_the_window_is_owed_to_the_next_run(
    account: Account, bling: Bling, kind: FaultKind
) -> None:
    bling.fail(API, kind)
    result = await account.pipeline.run_full(START)
    assert (result.status, result.exit_code, result.data_referencia) == ("error", 1, None)
    owed = await rows(account.engine, "SELECT data_inicio, data_fim, erro FROM janelas_devidas ORDER BY 1")
    assert (owed[0][0], owed[-1][1]) == (START, TODAY)
    assert owed[-1][2], "a janela não diz por que é devida"
    assert await scalar(account.engine, "SELECT count(*) FROM pendencias") == 0
    bling.faults.clear()
    result = await account.pipeline.run()
    assert (result.status, result.data_referencia) == ("success", TODAY)
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
async def test_bling_falling_amid_details_keeps_what_came_and_owes_the_rest(
    account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_request(bling, monkeypatch, r"^/nfe/\d+$", 20, lambda: bling.fail(API, "bad_gateway"))
    result = await account.pipeline.run_full(START)
    assert (result.status, result.exit_code) == ("partial", 1)
    stored = await scalar(account.engine, "SELECT count(*) FROM nfe_cabecalho")
    assert 0 < stored < len(notes_of(bling))
    assert await scalar(account.engine, "SELECT count(*) FROM pendencias") == 0, "é o Bling que caiu, não as notas"
    bling.faults.clear()
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
async def test_a_nota_that_always_fails_holds_the_mark_until_it_heals(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    bad = notes_of(bling)[3]
    day = date.fromisoformat(bling.notes[bad]["dataEmissao"][:10])
    rule = bling.fail(rf"^/nfe/{bad}$")
    result = await account.pipeline.run_full(START)
    assert (result.status, result.exit_code) == ("partial", 1)
    assert result.data_referencia == day - timedelta(days=1)
    await assert_equals_truth(account.engine, bling, without=[bad])
    for attempts in (1, 2, 3):
        stored = await rows(account.engine, "SELECT recurso, recurso_id, data_emissao, tentativas FROM pendencias")
        assert stored == [("nfe", str(bad), day, attempts)]
        clock.advance(86400)
        bling.issue_note()
        result = await account.pipeline.run()
        assert (result.status, result.data_referencia) == ("partial", day - timedelta(days=1))
    bling.faults.remove(rule)
    result = await account.pipeline.run()
    assert (result.status, result.data_referencia) == ("success", TODAY + timedelta(days=3))
    assert await scalar(account.engine, "SELECT count(*) FROM pendencias") == 0
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
async def test_a_run_of_another_period_also_tries_what_is_owed(account: Account, bling: Bling) -> None:
    bad = notes_of(bling)[0]
    rule = bling.fail(rf"^/nfe/{bad}$")
    await account.pipeline.run()
    bling.faults.remove(rule)
    result = await account.pipeline.run(date(2021, 5, 1), date(2021, 5, 2))
    assert result.status == "success"
    assert await scalar(account.engine, "SELECT count(*) FROM nfe_cabecalho WHERE id = :id", id=bad) == 1


@pytest.mark.slow
async def test_twenty_notas_that_always_fail_do_not_stop_the_others(account: Account, bling: Bling) -> None:
    bad = notes_of(bling)[:20]
    bling.fail(rf"^/nfe/({'|'.join(map(str, bad))})$")
    result = await account.pipeline.run_full(START)
    assert result.status == "partial"
    assert {int(id_) for (id_,) in await rows(account.engine, "SELECT recurso_id FROM pendencias")} == set(bad)
    await assert_equals_truth(account.engine, bling, without=bad)


@pytest.mark.loaded(START)
@pytest.mark.slow
@pytest.mark.bling(scale=0.06)
async def test_many_old_failures_do_not_stop_the_rest(account: Account, bling: Bling) -> None:
    """Numa execução sem nota nova nenhuma nota responde; a listagem, que respondeu, é a testemunha."""
    old = [id_ for id_ in notes_of(bling) if str(bling.notes[id_]["dataEmissao"]) < "2025-06"]
    assert len(old) > FAILURES_IN_A_ROW
    for id_ in old:
        bling.edit_note(id_, situacao=2 if bling.notes[id_]["situacao"] != 2 else 6)
    bling.fail(rf"^/nfe/({'|'.join(map(str, old))})$")
    assert (await account.pipeline.reconcile(repair=True)).status == "partial"
    bling.counters.reset()
    result = await account.pipeline.run()
    assert (result.status, result.error) == ("partial", None)
    assert await scalar(account.engine, "SELECT count(*) FROM pendencias") == len(old)
    assert bling.counters.requests["/produtos"] > 0, "o que vem depois das pendências também é feito"


@pytest.mark.slow
async def test_a_whole_year_of_failing_notas_is_not_a_bling_that_fell(account: Account, bling: Bling) -> None:
    """Nem um disjuntor abre: uma nota que já respondeu, perguntada de novo, diz que o Bling atende."""
    bad = [id_ for id_ in notes_of(bling) if str(bling.notes[id_]["dataEmissao"]).startswith("2024")]
    assert len(bad) > SUSPECTS
    bling.fail(rf"^/nfe/({'|'.join(map(str, bad))})$")
    result = await account.pipeline.run_full(START)
    assert result.status == "partial"
    assert result.error is None
    assert await scalar(account.engine, "SELECT pausada_ate FROM limites_bling") is None
    assert {int(id_) for (id_,) in await rows(account.engine, "SELECT recurso_id FROM pendencias")} == set(bad)
    await assert_equals_truth(account.engine, bling, without=bad)


HUGE_SKU = "".join(chr(0x4E00 + 7 * place) for place in range(2800))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("oddity", "reason"),
    one_now(
        [
            ({"serie": 3_000_000_000}, "serie veio como «3000000000»"),
            (
                {"itens": [line_of(codigo=HUGE_SKU, descricao="Maior que um índice", quantidade=1, valor=Decimal(1))]},
                "o banco recusou",
            ),
            (
                {"contato": {"id": 2**63 - 1, "nome": "x", "endereco": None}, "finalidade": 2**40},
                "finalidade veio como «",
            ),
        ]
    ),
    ids=["numero-grande-demais", "sku-grande-demais", "dois-defeitos"],
)
async def test_a_nota_that_does_not_fit_the_database_does_not_take_the_others(
    account: Account, bling: Bling, oddity: dict[str, object], reason: str
) -> None:
    bad = notes_of(bling)[7]
    before = dict(bling.notes[bad])
    bling.edit_note(bad, **oddity)
    result = await account.pipeline.run_full(START)
    assert result.status == "partial"
    stored = await rows(account.engine, "SELECT recurso_id, erro FROM pendencias")
    assert [id_ for id_, _ in stored] == [str(bad)]
    assert reason in stored[0][1]
    await assert_equals_truth(account.engine, bling, without=[bad])
    bling.edit_note(bad, **{field: before[field] for field in oddity})
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
async def test_the_daily_quota_ends_midway_and_the_next_day_pays(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    bling.configure(requests_per_day=40)
    result = await account.pipeline.run_full(START)
    assert (result.status, result.exit_code) == ("partial", 1)
    assert "cota" in (result.message or "")
    assert bling.counters.too_many_requests < 70, "insistiu depois de saber que a cota acabou"
    assert await scalar(account.engine, "SELECT count(*) FROM janelas_devidas") > 0
    clock.advance(86400)
    bling.configure(requests_per_day=120_000)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_truth(account.engine, bling)


async def test_a_token_that_expires_midway_is_renewed_once(
    account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_request(bling, monkeypatch, r"^/nfe/\d+$", 20, bling.expire_access_tokens)
    bling.counters.reset()
    result = await account.pipeline.run_full(START)
    assert (result.status, bling.counters.token_calls) == ("success", 1)
    assert bling.counters.statuses[401] > 0
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
async def test_an_authorisation_revoked_midway_asks_for_another_and_nothing_is_lost(
    account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_request(bling, monkeypatch, r"^/nfe/\d+$", 20, bling.revoke_all)
    result = await account.pipeline.run_full(START)
    assert result.exit_code == 3
    assert result.status in ("partial", "error")
    assert await scalar(account.engine, "SELECT count(*) FROM janelas_devidas") > 0
    assert await scalar(account.engine, "SELECT count(*) FROM pendencias") == 0


@pytest.mark.slow
@pytest.mark.parametrize(("path", "table"), one_now([("/contatos", "contatos"), ("/produtos", "produtos")]))
async def test_a_missing_scope_is_said_and_the_rest_goes_on(
    account: Account, bling: Bling, path: str, table: str
) -> None:
    bling.configure(missing_scopes=frozenset({path}))
    result = await account.pipeline.run_full(START)
    assert (result.status, result.exit_code) == ("partial", 1)
    assert path in (result.message or "")
    assert "escopo" in (result.message or "")
    assert await scalar(account.engine, "SELECT count(*) FROM nfe_cabecalho") == len(notes_of(bling))
    assert await scalar(account.engine, f"SELECT count(detalhe) FROM {table}") == 0
    bling.configure(missing_scopes=frozenset())
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
async def test_a_contato_that_always_fails_counts_one_attempt_per_run(account: Account, bling: Bling) -> None:
    contact = bling.add_contact()
    bling.issue_note(contact_id=contact)
    rule = bling.fail(rf"^/contatos/{contact}$")
    for attempts in (1, 2, 3):
        assert (await account.pipeline.run()).status == "partial"
        assert await rows(account.engine, "SELECT recurso, tentativas FROM pendencias") == [("contatos", attempts)]
    bling.faults.remove(rule)
    assert (await account.pipeline.run()).status == "success"
    assert await scalar(account.engine, "SELECT detalhe IS NOT NULL FROM contatos WHERE id = :id", id=contact)


@pytest.mark.slow
@pytest.mark.bling(most_array_values=4)
async def test_a_bling_that_takes_few_codigos_at_a_time_gives_the_same_produtos(account: Account, bling: Bling) -> None:
    """Quantos `codigos[]` cabem num pedido não está documentado."""
    sold = {line["codigo"] for id_ in notes_of(bling) for line in bling.notes[id_]["itens"]} - {"", UNKNOWN_SKU}
    for sku in sorted(sold)[:9]:
        bling.delete_product(bling.add_product(sku))
    result = await account.pipeline.run_full(START)
    assert (result.status, result.message) == ("success", None)
    assert await scalar(account.engine, "SELECT count(*) FROM produtos WHERE excluida_em IS NOT NULL") >= 9
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
async def test_a_sku_that_bling_refuses_does_not_take_the_others(
    account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O Bling responde 400 a todo lote que traz o SKU; os outros chegam, e ele fica pendente."""
    bad = next(line["codigo"] for id_ in notes_of(bling) for line in bling.notes[id_]["itens"] if line["codigo"])
    original = RESOURCES["/produtos"]

    def picky(asked: Bling, query: Query) -> list[dict[str, Any]]:
        if bad in query.many("codigos[]"):
            raise invalid("codigos", "O código é inválido.")
        return original.list(asked, query)

    with monkeypatch.context() as patch:
        patch.setitem(RESOURCES, "/produtos", replace(original, list=picky))
        assert (await account.pipeline.run_full(START)).status == "partial"
    assert await rows(account.engine, "SELECT recurso, recurso_id FROM pendencias") == [("produtos", bad)]
    skus = {line["codigo"] for id_ in notes_of(bling) for line in bling.notes[id_]["itens"]} - {"", bad, UNKNOWN_SKU}
    assert {sku for (sku,) in await rows(account.engine, "SELECT codigo FROM produtos")} == skus
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
async def test_a_request_to_stop_saves_what_came_and_loses_nothing(
    account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pattern, number in (("^/nfe$", 4), (r"^/nfe/\d+$", 15), (r"^/contatos/\d+$", 5), ("^/produtos$", 1)):
        stop = asyncio.Event()
        with monkeypatch.context() as patch:
            at_request(bling, patch, pattern, number, stop.set)
            result = await account.pipeline.run_full(START, stop=stop)
        assert (result.status, result.exit_code) == ("partial", 1)
        assert INTERRUPTED.rstrip(".") in (result.message or "")
    assert await scalar(account.engine, "SELECT count(*) FROM pendencias") == 0
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.parametrize("path", one_now(["^/nfe$", "^/produtos$", "^/formas-pagamentos$", "^/categorias/produtos$"]))
async def test_a_request_to_stop_does_not_wait_for_a_listing_to_be_retried(
    account: Account, bling: Bling, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """O relógio fica parado na espera entre duas tentativas, e é nela que chega o pedido."""
    stop = asyncio.Event()

    async def asked_to_stop(seconds: float) -> None:
        if seconds:
            stop.set()
            await asyncio.Event().wait()

    monkeypatch.setattr(clock, "sleep", asked_to_stop)
    rule = bling.fail(path)
    async with asyncio.timeout(120):
        result = await account.pipeline.run_full(START, stop=stop)
    assert (result.status, result.message and INTERRUPTED.rstrip(".") in result.message) == ("partial", True)
    monkeypatch.undo()
    bling.faults.remove(rule)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_truth(account.engine, bling)


async def test_a_cancelled_run_is_not_left_running(
    account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = asyncio.create_task(account.pipeline.run_full(START))
    at_request(bling, monkeypatch, r"^/nfe/\d+$", 20, task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await rows(account.engine, "SELECT status, fim IS NOT NULL FROM etl_controle") == [("error", True)]
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
async def test_a_run_that_died_is_marked_by_the_next(account: Account) -> None:
    async with account.engine.begin() as connection:
        await connection.exec_driver_sql("INSERT INTO etl_controle (status, inicio) VALUES ('running', now())")
    await account.pipeline.run()
    stored = await rows(account.engine, "SELECT status, erro_mensagem FROM etl_controle ORDER BY id")
    assert stored[0] == ("error", DIED)
    assert stored[1] == ("success", None)
