"""O que muda no Bling entre uma execução e outra, e no meio de uma."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from tests.support.collecting import at_request, rows, scalar
from tests.support.fakes import FakeClock
from tests.support.truth import assert_equals_truth
from tests.support.variants import one_now

from bling_collector.etl.strategies import again
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.company.invoices.lines import line_of

START = date(2021, 1, 1)


def newest(bling: Bling, situacao: int = 6) -> int:
    """O id da nota de saída mais nova nesta situação."""
    return next(int(n["id"]) for n in bling.notebook.newest_first() if n["tipo"] == 1 and n["situacao"] == situacao)


@pytest.mark.loaded(START)
async def test_a_nota_cancelled_weeks_later_is_seen_by_the_daily_run(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    note = bling.issue_note()
    await account.pipeline.run()
    clock.advance(21 * 86400)
    await account.pipeline.run()
    bling.cancel_note(note)
    clock.advance(86400)
    assert (await account.pipeline.run()).status == "success"
    assert await scalar(account.engine, "SELECT situacao FROM nfe_cabecalho WHERE id = :id", id=note) == 2
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
async def test_a_pending_nota_edited_unseen_by_the_list_is_read_again(account: Account, bling: Bling) -> None:
    note = bling.issue_note(situacao=1)
    await account.pipeline.run()
    line = line_of(codigo="NOVO", descricao="Outra peça", quantidade=3, valor=Decimal("7.77"))
    bling.edit_note(note, itens=[line], valorNota=Decimal("23.31"), parcelas=[])
    assert (await account.pipeline.run()).status == "success"
    stored = await rows(
        account.engine, "SELECT codigo_produto, quantidade, valor_total FROM nfe_itens WHERE nfe_id = :id", id=note
    )
    assert stored == [("NOVO", Decimal(3), Decimal("23.31"))]
    assert await rows(account.engine, "SELECT 1 FROM nfe_pagamentos WHERE nfe_id = :id", id=note) == []
    assert await scalar(account.engine, "SELECT total_nota FROM nfe_cabecalho WHERE id = :id", id=note) == Decimal(
        "23.31"
    )


@pytest.mark.slow
async def test_the_authorisation_and_the_printed_danfe_appear(account: Account, bling: Bling) -> None:
    note = bling.issue_note(situacao=1)
    await account.pipeline.run()
    for situacao in (5, 6):
        bling.edit_note(note, situacao=situacao)
        await account.pipeline.run()
        stored = await rows(
            account.engine,
            "SELECT situacao, chave_acesso IS NOT NULL, link_xml IS NOT NULL FROM nfe_cabecalho WHERE id = :id",
            id=note,
        )
        assert stored == [(situacao, True, True)]


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_a_final_nota_that_did_not_change_is_not_asked_for_again(account: Account, bling: Bling) -> None:
    bling.counters.reset()
    await account.pipeline.run_full(START)
    final = {n["id"] for n in bling.notes.values() if n["situacao"] in (2, 5, 6, 9)}
    assert not [path for path in bling.counters.details if path.startswith("/nfe/") and int(path[5:]) in final]


@pytest.mark.slow
async def test_a_nota_deleted_between_list_and_detail_is_no_error(
    account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch
) -> None:
    doomed = bling.issue_note(situacao=1)
    at_request(bling, monkeypatch, r"^/nfe/\d+$", 1, lambda: bling.delete_note(doomed))
    result = await account.pipeline.run_full(START)
    assert (result.status, result.message) == ("success", None)
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_a_pending_nota_deleted_after_collection_is_marked(account: Account, bling: Bling) -> None:
    contact = next(n["contato"]["id"] for n in bling.notebook.newest_first() if n["contato"]["id"] and n["tipo"] == 1)
    doomed = bling.issue_note(situacao=1, contact_id=contact, lines=[])
    moved = bling.issue_note(situacao=4, contact_id=contact, lines=[])
    await account.pipeline.run()
    await assert_equals_truth(account.engine, bling)
    bling.delete_note(doomed)
    bling.edit_note(moved, dataEmissao="2025-06-01 10:00:00")  # fora da janela, mas ainda existe
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_truth(account.engine, bling)


async def test_a_nota_that_bling_no_longer_shows_is_marked(account: Account, bling: Bling) -> None:
    """Se uma nota some do Bling, o banco a guarda, com a hora em que deixou de ser encontrada."""
    note = bling.issue_note()
    await account.pipeline.run()
    bling.delete_note(note)
    assert (await account.pipeline.run()).status == "success"
    gone = "SELECT excluida_em IS NOT NULL FROM nfe_cabecalho WHERE id = :id"
    assert await rows(account.engine, gone, id=note) == [(True,)]


@pytest.mark.slow
@pytest.mark.bling(repeat_previous_row=False, uneven_pages=False, scale=0.05)
@pytest.mark.collector(api_page_size=10)
@pytest.mark.parametrize("page", one_now([4, 2]))
async def test_a_cancellation_during_the_listing_opens_no_hole(
    account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """A nota cancelada sai da lista; as seguintes sobem uma posição, e uma passa entre as páginas sem ser vista."""
    at_request(bling, monkeypatch, "^/nfe$", page, lambda: bling.cancel_note(newest(bling)))
    bling.counters.reset()
    result = await account.pipeline.run(date(2025, 2, 21), date(2026, 2, 20))
    assert result.status == "success"
    in_period = {n["id"] for n in bling.notes.values() if n["tipo"] == 1 and n["dataEmissao"] >= "2025-02-21"}
    assert {id_ for (id_,) in await rows(account.engine, "SELECT id FROM nfe_cabecalho")} == in_period
    plain = len(in_period) // 10 + 4
    assert bling.counters.requests["/nfe"] > plain, "o buraco não chegou a existir: a janela foi lida uma vez só"


@pytest.mark.slow
@pytest.mark.bling(repeat_previous_row=False, uneven_pages=False, scale=0.05)
@pytest.mark.collector(api_page_size=10)
@pytest.mark.parametrize("number", one_now([3, 2, 4, 5, 6, 7]))
async def test_a_deletion_during_the_listing_opens_no_hole(
    account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    doomed = bling.issue_note(situacao=1)
    at_request(bling, monkeypatch, "^/nfe$", number, lambda: bling.delete_note(doomed))
    result = await account.pipeline.run_full(START)
    assert (result.status, result.message) == ("success", None)
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.bling(repeat_previous_row=False, uneven_pages=False)
@pytest.mark.collector(api_page_size=10)
async def test_a_nota_issued_during_the_listing_repeats_a_row_and_loses_none(
    account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_request(bling, monkeypatch, "^/nfe$", 3, bling.issue_note)
    assert (await account.pipeline.run_full(START)).status == "success"
    await account.pipeline.run()
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_a_changed_contato_is_read_again_and_a_new_one_is_fetched(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    contact = next(
        n["contato"]["id"]
        for n in bling.notes.values()
        if n["contato"]["id"] and not bling.company.contacts.entries[n["contato"]["id"]].deleted and n["tipo"] == 1
    )
    clock.advance(3600)
    bling.edit_contact(contact, email="novo@exemplo.example", nome="Razão Nova Ltda")
    fresh = bling.add_contact("E")
    bling.issue_note(contact_id=fresh)
    bling.counters.reset()
    result = await account.pipeline.run()
    assert (result.status, result.stats["contatos"]) == ("success", 1)
    assert {path for path in bling.counters.details if path.startswith("/contatos/")} == {
        f"/contatos/{contact}",
        f"/contatos/{fresh}",
    }
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_a_deleted_contato_is_not_asked_for_for_ever(account: Account, bling: Bling) -> None:
    assert await scalar(account.engine, "SELECT count(*) FROM contatos WHERE nao_encontrado_em IS NOT NULL") > 0
    bling.counters.reset()
    await account.pipeline.run()
    assert bling.counters.requests["/contatos/{id}"] == 0


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_a_changed_produto_is_read_again_with_its_new_categoria(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    ids = {id_ for (id_,) in await rows(account.engine, "SELECT id FROM produtos WHERE preferido")}
    product = next(
        p for id_, p in bling.products.items() if id_ in ids and not bling.company.products.entries[id_].deleted
    )
    other = next(c for c in bling.company.categories if c != product["categoria"]["id"])
    clock.advance(3600)
    bling.edit_product(product["id"], preco=Decimal("1234.56"), categoria={"id": other})
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_a_produto_that_takes_the_sku_of_another(account: Account, bling: Bling, clock: FakeClock) -> None:
    """Os dois eram preferidos; o que mudou de SKU deixa o seu e disputa o do outro."""
    found = await rows(account.engine, "SELECT id, codigo FROM produtos WHERE preferido ORDER BY id")
    alive = [(id_, sku) for id_, sku in found if not bling.company.products.entries[id_].deleted]
    (first, sku_one), (second, sku_two) = alive[0], alive[1]
    clock.advance(3600)
    bling.edit_product(first, codigo=sku_two)
    bling.edit_product(second, codigo=sku_one)
    result = await account.pipeline.run()
    assert (result.status, result.message) == ("success", None)
    await assert_equals_truth(account.engine, bling)
    clock.advance(3600)
    bling.edit_product(first, codigo=sku_one, situacao="A")
    result = await account.pipeline.run()
    assert (result.status, result.message) == ("success", None)
    preferred = dict(
        await rows(
            account.engine,
            "SELECT codigo, id FROM produtos WHERE preferido AND codigo IN (:a, :b)",
            a=sku_one,
            b=sku_two,
        )
    )
    assert preferred[sku_one] == max(first, second)
    assert await scalar(account.engine, "SELECT count(*) FROM pendencias") == 0


@pytest.mark.slow
async def test_an_unknown_sku_is_asked_for_once_a_week(account: Account, bling: Bling, clock: FakeClock) -> None:
    bling.issue_note(lines=[line_of(codigo="SÓ-NA-NOTA", descricao="Peça", quantidade=1, valor=Decimal("1.00"))])
    await account.pipeline.run()
    assert await scalar(account.engine, "SELECT count(*) FROM produtos_desconhecidos WHERE codigo = 'SÓ-NA-NOTA'") == 1
    bling.counters.reset()
    await account.pipeline.run()
    assert bling.counters.requests["/produtos"] == 1, "só os alterados"
    product = bling.add_product("SÓ-NA-NOTA")
    clock.advance(8 * 86400)
    await account.pipeline.run()
    assert await rows(account.engine, "SELECT codigo, preferido FROM produtos WHERE id = :id", id=product) == [
        ("SÓ-NA-NOTA", True)
    ]
    assert await scalar(account.engine, "SELECT count(*) FROM produtos_desconhecidos WHERE codigo = 'SÓ-NA-NOTA'") == 0


@pytest.mark.slow
async def test_a_new_forma_pagamento_fills_in_the_codigo_fiscal(account: Account, bling: Bling) -> None:
    await account.pipeline.run()
    forma = {
        **next(iter(bling.company.payment_methods.values())),
        "id": 99_000_001,
        "tipoPagamento": 17,
        "descricao": "PIX novo",
    }
    bling.company.payment_methods[99_000_001] = forma
    parcel = {
        "data": "2026-03-20",
        "valor": Decimal("10.00"),
        "observacoes": "",
        "caut": "",
        "formaPagamento": {"id": 99_000_001},
    }
    gone = {**parcel, "formaPagamento": {"id": 99_000_002}}
    note = bling.issue_note(parcelas=[parcel, gone])
    assert (await account.pipeline.run()).status == "success"
    stored = await rows(
        account.engine,
        "SELECT numero_parcela, tipo_pagamento, forma_pagamento_id FROM nfe_pagamentos WHERE nfe_id = :id ORDER BY 1",
        id=note,
    )
    assert stored == [(1, 17, 99_000_001), (2, None, 99_000_002)]
    bling.counters.reset()
    await account.pipeline.run()
    assert bling.counters.requests["/formas-pagamentos"] == 0, "a forma que o Bling não conhece não é pedida sempre"
    assert bling.counters.requests["/formas-pagamentos/{id}"] == 0


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_an_old_cancelled_nota_not_reread_is_seen_only_by_the_load(account: Account, bling: Bling) -> None:
    """O que a releitura garante, e o que não: a carga historica é que vê o que é mais velho que ela."""
    old = next(
        n["id"] for n in bling.notes.values() if n["tipo"] == 1 and n["situacao"] == 6 and n["dataEmissao"] < "2025-12"
    )
    bling.cancel_note(old)
    await account.pipeline.run()
    assert await scalar(account.engine, "SELECT situacao FROM nfe_cabecalho WHERE id = :id", id=old) == 6
    result = await account.pipeline.run_full(START)
    assert (result.status, result.data_referencia) == ("success", date(2026, 2, 20))
    await assert_equals_truth(account.engine, bling)
    assert timedelta(days=30).days == account.settings.extraction_lookback_days


@pytest.mark.slow
@pytest.mark.bling(default_hides_all_but_authorised=True)
async def test_learning_that_the_listing_hides_some_rereads_the_history(account: Account, bling: Bling) -> None:
    """Enquanto só havia o que a listagem mostra e uma rejeitada, que a sonda não pede, nada o dizia."""
    for note in [n for n in bling.notes.values() if n["situacao"] not in (2, 6)]:
        bling.edit_note(note["id"], situacao=6)
    rejected = bling.issue_note(situacao=4, emitted_at=datetime.fromisoformat("2025-06-10 09:00:00"))
    await account.pipeline.run_full(START)
    bling.issue_note(situacao=5)
    result = await account.pipeline.run()
    assert (result.status, result.message) == ("success", None)
    assert await rows(account.engine, "SELECT situacao FROM nfe_cabecalho WHERE id = :id", id=rejected) == [(4,)]
    assert await scalar(account.engine, "SELECT count(*) FROM janelas_devidas") == 0
    await assert_equals_truth(account.engine, bling)


OLD = datetime.fromisoformat("2025-06-10 09:00:00")
"""Muito antes da releitura diária."""


@pytest.mark.slow
async def test_an_old_pending_nota_is_read_again_every_day(account: Account, bling: Bling) -> None:
    edited, authorised, deleted, untouched = (bling.issue_note(situacao=1, emitted_at=OLD, lines=[]) for _ in range(4))
    await account.pipeline.run_full(START)
    bling.counters.reset()
    await account.pipeline.run()
    quiet = bling.counters.requests["/nfe"]
    line = line_of(codigo="NOVO", descricao="Outra peça", quantidade=3, valor=Decimal("7.77"))
    bling.edit_note(edited, itens=[line], valorNota=Decimal("23.31"))
    bling.edit_note(authorised, situacao=6)
    bling.delete_note(deleted)
    assert (await account.pipeline.run()).status == "success"
    stored = await rows(
        account.engine,
        "SELECT id, situacao, total_nota, excluida_em IS NOT NULL FROM nfe_cabecalho WHERE id = ANY(:ids) ORDER BY id",
        ids=[edited, authorised, deleted],
    )
    assert [(id_, situacao, gone) for id_, situacao, _, gone in stored] == [
        (edited, 1, False),
        (authorised, 6, False),
        (deleted, 1, True),
    ]
    assert stored[0][2] == Decimal("23.31")
    bling.counters.reset()
    await account.pipeline.run()
    asked = {
        path for path in bling.counters.details if path in {f"/nfe/{id_}" for id_ in (edited, authorised, untouched)}
    }
    assert asked == {f"/nfe/{edited}", f"/nfe/{untouched}"}, "a autorizada é final"
    assert bling.counters.requests["/nfe"] == quiet, "nada mudou: nenhum outro dia é listado"
    result = await account.pipeline.reconcile()
    assert (result.status, result.found.counts) == ("success", {})


@pytest.mark.slow
async def test_rereading_old_pending_notas_has_a_limit(
    account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch
) -> None:
    for note in [n for n in bling.notes.values() if n["situacao"] not in (2, 6)]:
        bling.edit_note(note["id"], situacao=6)
    notes = [bling.issue_note(situacao=1, emitted_at=OLD + timedelta(days=day), lines=[]) for day in range(5)]
    await account.pipeline.run_full(START)
    monkeypatch.setattr(again, "MOST_OPEN", 2)
    bling.counters.reset()
    assert (await account.pipeline.run()).status == "success"
    assert {path for path in bling.counters.details if path.startswith("/nfe/")} == {f"/nfe/{n}" for n in notes[3:]}
