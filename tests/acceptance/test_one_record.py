"""Um registro que o Bling nunca dá custa esse registro, e mais nada: o resto é coletado, e o que falta tem nome."""

import re
from datetime import date, datetime, timedelta

import pytest
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.truth import assert_equals_truth

from bling_collector.errors import BlingResourceDownError
from bling_collector.etl import narrowing
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.faults import FaultKind

START = date(2021, 1, 1)
TODAY = date(2026, 2, 20)


def notes_of(bling: Bling) -> list[int]:
    """Os ids das notas de saída, da mais nova à mais antiga."""
    return [note["id"] for note in bling.notebook.newest_first() if note["tipo"] == 1]


def day_of(bling: Bling, id_: int) -> date:
    return date.fromisoformat(bling.notes[id_]["dataEmissao"][:10])


def spoil(bling: Bling, path: str, id_: int, kind: FaultKind = "server_error", **rule: object) -> int:
    """Falha toda página de `path` que traz o registro."""
    return bling.fail(f"^{path}$", kind, contains=rf'"id":{id_}[,}}]', **rule)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("server_error", {}),
        ("body", {"status": 403, "body": "<html>negado</html>"}),
        *(
            pytest.param(kind, rule, marks=pytest.mark.slow)
            for kind, rule in [
                ("bad_gateway", {}),
                ("cut", {}),
                ("drop", {}),
                ("body", {"status": 422, "body": '{"error": {"type": "X", "description": "não"}}'}),
                ("body", {"status": 200, "body": "<html>manutenção</html>"}),
            ]
        ),
    ],
)
async def test_a_nota_spoils_its_page_of_the_listing(
    account: Account, bling: Bling, clock: FakeClock, kind: FaultKind, rule: dict[str, object]
) -> None:
    bad = notes_of(bling)[17]
    day = day_of(bling, bad)
    fault = spoil(bling, "/nfe", bad, kind, **rule)
    result = await account.pipeline.run_full(START)
    assert (result.status, result.error) == ("partial", None)
    assert f"{day:%d/%m/%Y}" in (result.message or "")
    assert result.data_referencia == day - timedelta(days=1)
    assert await rows(account.engine, "SELECT recurso, data_inicio, data_fim FROM janelas_devidas") == [
        ("nfe", day, day)
    ]
    await assert_equals_truth(account.engine, bling, without=[bad])
    for _ in range(2):
        clock.advance(86400)
        bling.counters.reset()
        bling.issue_note()
        result = await account.pipeline.run()
        assert (result.status, result.error) == ("partial", None)
        assert bling.counters.requests["/nfe"] < 200
        assert await rows(account.engine, "SELECT data_inicio, data_fim FROM janelas_devidas") == [(day, day)]
        await assert_equals_truth(account.engine, bling, without=[bad])
    bling.faults.remove(fault)
    assert (await account.pipeline.run()).status == "success"
    assert await scalar(account.engine, "SELECT count(*) FROM janelas_devidas") == 0
    await assert_equals_truth(account.engine, bling)


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("body", {"status": 403, "body": "<html>negado</html>"}),
        pytest.param("server_error", {}, marks=pytest.mark.slow),
        pytest.param(
            "body", {"status": 400, "body": '{"error": {"type": "VALIDATION_ERROR"}}'}, marks=pytest.mark.slow
        ),
    ],
)
async def test_a_sku_spoils_its_batch(account: Account, bling: Bling, kind: FaultKind, rule: dict[str, object]) -> None:
    sku = next(line["codigo"] for id_ in notes_of(bling) for line in bling.notes[id_]["itens"] if line["codigo"])
    known = {entry["codigo"] for entry in bling.products.values()}
    fault = bling.fail("^/produtos$", kind, query=rf"codigos\[\]={re.escape(sku)}(&|$)", **rule)
    result = await account.pipeline.run_full(START)
    assert (result.status, result.error) == ("partial", None)
    assert await rows(account.engine, "SELECT recurso, recurso_id FROM pendencias") == [("produtos", sku)]
    cited = await scalar(account.engine, "SELECT array_agg(DISTINCT codigo_produto) FROM nfe_itens")
    stored = await scalar(account.engine, "SELECT array_agg(DISTINCT codigo) FROM produtos WHERE detalhe IS NOT NULL")
    assert set(stored) == (set(cited) & known) - {sku}
    bling.faults.remove(fault)
    assert (await account.pipeline.run()).status == "success"
    assert await scalar(account.engine, "SELECT count(*) FROM pendencias") == 0
    await assert_equals_truth(account.engine, bling)


@pytest.mark.bling(repeat_previous_row=False)
@pytest.mark.slow
async def test_a_produto_that_spoils_the_listing_does_not_take_its_twin(account: Account, bling: Bling) -> None:
    sku = next(line["codigo"] for id_ in notes_of(bling) for line in bling.notes[id_]["itens"] if line["codigo"])
    twin = bling.add_product(sku)
    fault = spoil(bling, "/produtos", twin)
    result = await account.pipeline.run_full(START)
    assert (result.status, result.error) == ("partial", None)
    assert await rows(account.engine, "SELECT recurso, recurso_id FROM pendencias") == [("produtos", sku)]
    assert await scalar(account.engine, "SELECT count(*) FROM produtos WHERE codigo = :sku", sku=sku) >= 1
    bling.faults.remove(fault)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.loaded(START)
@pytest.mark.parametrize(
    ("path", "name"),
    [("/contatos", "contatos"), pytest.param("/produtos", "produtos", marks=pytest.mark.slow)],
)
async def test_a_changed_record_spoils_the_listing_of_changes(
    account: Account, bling: Bling, clock: FakeClock, path: str, name: str
) -> None:
    register = bling.company.contacts if name == "contatos" else bling.company.products
    edit = bling.edit_contact if name == "contatos" else bling.edit_product
    stored = [
        id_ for (id_,) in await rows(account.engine, f"SELECT id FROM {name} WHERE detalhe IS NOT NULL ORDER BY 1")
    ]
    bad, *others = stored[3:7]
    for id_ in (*others, bad):
        clock.advance(3600)
        assert id_ in register.entries
        edit(id_, nome=f"Mudado {id_}")
    clock.advance(86400)
    fault = spoil(bling, path, bad)
    for _ in range(3):
        clock.advance(86400)
        bling.counters.reset()
        result = await account.pipeline.run()
        assert (result.status, result.error) == ("partial", None)
        owed = await rows(account.engine, "SELECT recurso, data_fim - data_inicio FROM janelas_devidas")
        assert owed == [(name, 0)]
        changed = await rows(account.engine, f"SELECT id FROM {name} WHERE nome LIKE 'Mudado %' ORDER BY 1")
        assert [id_ for (id_,) in changed] == others
        assert bling.counters.requests[path] < 150
    bling.faults.remove(fault)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
async def test_a_forma_and_a_categoria_that_spoil_listings_come_by_detail(account: Account, bling: Bling) -> None:
    forma = next(p["formaPagamento"]["id"] for n in bling.notes.values() if n["tipo"] == 1 for p in n["parcelas"])
    categoria = next(p["categoria"]["id"] for p in bling.products.values() if p["categoria"]["id"])
    spoil(bling, "/formas-pagamentos", forma)
    spoil(bling, "/categorias/produtos", categoria)
    assert (await account.pipeline.run_full(START)).status == "success"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, '{"error": {"type": "invalid_token", "description": "não"}}'),
        *(
            pytest.param(status, body, marks=pytest.mark.slow)
            for status, body in [
                (403, '{"error": {"type": "FORBIDDEN", "description": "não"}}'),
                (429, "<html>negado</html>"),
                (400, '{"error": {"type": "VALIDATION_ERROR", "description": "não"}}'),
                (403, "<html>negado</html>"),
                (500, '{"error": {"type": "SERVER_ERROR", "description": "não"}}'),
                (200, '{"data": [1]}'),
            ]
        ),
    ],
)
async def test_a_nota_and_a_contato_that_bling_always_refuses_are_owed(
    account: Account, bling: Bling, status: int, body: str
) -> None:
    note = notes_of(bling)[0]
    contact = next(
        bling.notes[id_]["contato"]["id"] for id_ in notes_of(bling)[1:] if bling.notes[id_]["contato"]["id"]
    )
    bling.fail(rf"^/(nfe/{note}|contatos/{contact})$", "body", status=status, body=body)
    result = await account.pipeline.run_full(START)
    assert (result.status, result.error) == ("partial", None)
    owed = await rows(account.engine, "SELECT recurso, recurso_id FROM pendencias ORDER BY 1")
    assert owed == [("contatos", str(contact)), ("nfe", str(note))]
    assert await scalar(account.engine, "SELECT pausada_ate FROM limites_bling") is None
    assert await scalar(account.engine, "SELECT count(*) FROM nfe_cabecalho") == len(notes_of(bling)) - 1
    assert await scalar(account.engine, "SELECT count(*) FROM contatos WHERE detalhe IS NOT NULL") > 5


@pytest.mark.slow
@pytest.mark.bling(repeat_previous_row=False)
@pytest.mark.collector(api_page_size=20)
async def test_thirty_notas_of_the_same_second_and_one_that_does_not_come(account: Account, bling: Bling) -> None:
    moment = datetime.fromisoformat("2026-02-19T10:30:15")
    bad = [bling.issue_note(emitted_at=moment) for _ in range(30)][12]
    fault = spoil(bling, "/nfe", bad)
    result = await account.pipeline.run(date(2026, 2, 1), TODAY)
    assert (result.status, result.error) == ("partial", None)
    stored = await scalar(
        account.engine, "SELECT count(*) FROM nfe_cabecalho WHERE data_emissao = :moment", moment=moment
    )
    assert stored == 29
    bling.faults.remove(fault)
    assert (await account.pipeline.run()).status == "success"
    assert await scalar(account.engine, "SELECT count(*) FROM nfe_cabecalho WHERE id = :bad", bad=bad) == 1


@pytest.mark.loaded(START)
@pytest.mark.slow
async def test_an_old_stored_nota_is_not_deleted_and_does_not_hold_the_rereading(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    bad = notes_of(bling)[-3]
    day = day_of(bling, bad)
    bling.edit_note(bad, situacao=2 if bling.notes[bad]["situacao"] != 2 else 6)
    fault = spoil(bling, "/nfe", bad)
    result = await account.pipeline.reconcile()
    assert (result.status, result.found.ids) == ("partial", {})
    assert f"{day:%d/%m/%Y}" in (result.message or "")
    assert (await account.pipeline.reconcile(repair=True)).status == "partial"
    stored = await scalar(account.engine, "SELECT situacao FROM nfe_cabecalho WHERE id = :bad", bad=bad)
    assert stored == bling.notes[bad]["situacao"], "o detalhe, que responde, não foi relido"
    start, left = clock.now(), list[int]()
    for _ in range(3):
        clock.advance(86400)
        bling.counters.reset()
        result = await account.pipeline.run()
        assert (result.status, result.error) == ("partial", None)
        assert bling.counters.requests["/nfe"] < 120
        left += (
            await rows(account.engine, "SELECT count(*) FROM conferencias WHERE conferida_em < :start", start=start)
        )[0]
    assert left == sorted(set(left), reverse=True), "a releitura da história parou"
    assert await rows(account.engine, "SELECT data_inicio, data_fim FROM janelas_devidas") == [(day, day)]
    assert await scalar(account.engine, "SELECT count(*) FROM nfe_cabecalho WHERE excluida_em IS NOT NULL") == 0
    bling.faults.remove(fault)
    result = await account.pipeline.run()
    assert (result.status, result.data_referencia) == ("success", TODAY + timedelta(days=3))
    assert await scalar(account.engine, "SELECT count(*) FROM janelas_devidas") == 0


@pytest.mark.slow
async def test_a_listing_of_notas_that_is_down_is_not_a_row_that_spoils_it(account: Account, bling: Bling) -> None:
    """Nada se estreita: a testemunha falha como ela. E o que não depende das notas é coletado."""
    assert (await account.pipeline.run()).status == "success"
    contact = await scalar(account.engine, "SELECT min(id) FROM contatos WHERE detalhe IS NOT NULL")
    bling.edit_contact(contact, nome="Outro nome")
    bling.fail("^/nfe$")
    bling.counters.reset()
    result = await account.pipeline.run()
    assert isinstance(result.error, BlingResourceDownError)
    assert bling.counters.requests["/nfe"] < 20
    assert await scalar(account.engine, "SELECT nome FROM contatos WHERE id = :id", id=contact) == "Outro nome"


@pytest.mark.slow
async def test_a_listing_that_never_comes_does_not_take_the_other(account: Account, bling: Bling) -> None:
    """As canceladas não vêm, seja qual for o dia: não há linha que o explique, e nada se estreita."""
    cancelled = [id_ for id_ in notes_of(bling) if bling.notes[id_]["situacao"] == 2]
    fault = bling.fail("^/nfe$", query="situacao=2(&|$)")
    result = await account.pipeline.run_full(START)
    assert (result.status, result.error) == ("partial", None)
    assert bling.counters.requests["/nfe"] < 150
    await assert_equals_truth(account.engine, bling, without=cancelled)
    bling.faults.remove(fault)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
async def test_few_notas_failing_while_the_detail_is_down_are_not_owed(account: Account, bling: Bling) -> None:
    """A testemunha, e não a conta: três falhas são um recurso fora do ar, ou três registros."""
    assert (await account.pipeline.run()).status == "success"
    new = [bling.issue_note() for _ in range(3)]
    fault = bling.fail(r"^/nfe/\d+$")
    assert isinstance((await account.pipeline.run()).error, BlingResourceDownError)
    assert await scalar(account.engine, "SELECT count(*) FROM pendencias") == 0
    bling.faults.remove(fault)
    newest = await scalar(account.engine, "SELECT max(id) FROM nfe_cabecalho")
    bling.fail(rf"^/nfe/({newest}|{new[0]}|{new[1]})$")
    result = await account.pipeline.run()
    assert (result.status, result.error) == ("partial", None)
    owed = await rows(account.engine, "SELECT recurso_id FROM pendencias ORDER BY 1")
    assert owed == [(str(new[0]),), (str(new[1]),)]
    assert await scalar(account.engine, "SELECT count(*) FROM nfe_cabecalho WHERE id = :id", id=new[2]) == 1


@pytest.mark.slow
async def test_many_bad_notas_cost_little_per_run_and_end_as_all_that_is_owed(
    account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(narrowing, "MOST_REFUSED", 100)
    bad = notes_of(bling)[4::9][:4]
    for id_ in bad:
        spoil(bling, "/nfe", id_)
    days = sorted({(day_of(bling, id_), day_of(bling, id_)) for id_ in bad})
    await account.pipeline.run_full(START)
    for _ in range(10):
        if await rows(account.engine, "SELECT data_inicio, data_fim FROM janelas_devidas ORDER BY 1") == days:
            break
        before = bling.counters.statuses[500]
        await account.pipeline.run()
        assert bling.counters.statuses[500] - before < 150
    assert await rows(account.engine, "SELECT data_inicio, data_fim FROM janelas_devidas ORDER BY 1") == days
    await assert_equals_truth(account.engine, bling, without=bad)


@pytest.mark.slow
async def test_a_detail_that_redirects_elsewhere_costs_only_its_nota(account: Account, bling: Bling) -> None:
    """Se o Bling todo mudasse, as outras também mandariam para lá, e a execução pararia na hora."""
    bad = notes_of(bling)[5]
    bling.fail(f"^/nfe/{bad}$", "body", status=302, location="https://portal.example/entrar")
    result = await account.pipeline.run_full(START)
    assert (result.status, result.error) == ("partial", None)
    assert await rows(account.engine, "SELECT recurso, recurso_id FROM pendencias") == [("nfe", str(bad))]
    await assert_equals_truth(account.engine, bling, without=[bad])
