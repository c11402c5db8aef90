"""Um objeto só: buscado e salvo pelo mesmo caminho, também no meio de uma execução."""

import asyncio
from decimal import Decimal

import pytest
from tests.support.collecting import at_request, rows, scalar
from tests.support.proving import START, count, outgoing, snapshot

from bling_collector.errors import BlingUnavailableError, CollectorError, UsageError
from bling_collector.etl.strategies.again import UnknownObjectError
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling


async def test_a_nota_is_created_left_alone_and_updated(account: Account, bling: Bling) -> None:
    note = next(i for i in outgoing(bling, 6) if bling.notes[i]["parcelas"])
    bling.counters.reset()
    assert await account.pipeline.sync("nfe", note) == "criado"
    assert bling.counters.requests["/nfe/{id}"] == 1
    assert await count(account.engine, "nfe_cabecalho") == 1
    forma = bling.notes[note]["parcelas"][0]["formaPagamento"]["id"]
    fiscal = bling.company.payment_methods[forma]["tipoPagamento"]
    paid = await rows(account.engine, "SELECT tipo_pagamento, forma_pagamento_id, valor FROM nfe_pagamentos")
    assert paid[0] == (fiscal, forma, bling.notes[note]["parcelas"][0]["valor"])
    assert await account.pipeline.sync("nfe", note) == "igual"
    bling.cancel_note(note)
    assert await account.pipeline.sync("nfe", note) == "atualizado"
    assert await rows(account.engine, "SELECT run_id, mudancas FROM historico") == [(None, {"situacao": [6, 2]})]
    assert await count(account.engine, "etl_controle") == 0, "não é uma execução"


@pytest.mark.loaded(START)
async def test_what_was_fetched_by_hand_is_not_taken_for_changed(account: Account, bling: Bling) -> None:
    new, changed, dead = bling.issue_note(), outgoing(bling, 6)[0], bling.issue_note(situacao=2)
    bling.edit_note(changed, dataOperacao="2026-02-19 10:00:00")
    for id_ in (new, changed, dead):
        await account.pipeline.sync("nfe", id_)
    result = await account.pipeline.reconcile()
    assert (result.status, result.found.ids) == ("success", {})


@pytest.mark.collector(recursos=("todos",))
@pytest.mark.slow
async def test_what_was_fetched_by_hand_and_changed_back_changes_back_here_too(account: Account, bling: Bling) -> None:
    """Entre duas leituras da listagem, que é a mesma nas duas, um `sync` viu outra coisa."""
    path = "/depositos"
    chosen, entry = next(iter(bling.dimensions[path].entries.items()))
    before = entry.detail["descricao"]
    await account.pipeline.run()
    bling.edit_dimension(path, chosen, descricao="Outra")
    assert await account.pipeline.sync("deposito", chosen) == "atualizado"
    bling.edit_dimension(path, chosen, descricao=before)
    await account.pipeline.run()
    assert await scalar(account.engine, f"SELECT descricao FROM depositos WHERE id = {chosen}") == before


@pytest.mark.slow
async def test_a_nota_that_changes_between_the_readings_is_seen_later(
    account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O detalhe chegou antes da mudança e a listagem depois: a impressão dela não vale para ele."""
    note = bling.issue_note()
    at_request(bling, monkeypatch, "^/nfe$", 1, lambda: bling.edit_note(note, situacao=5))
    assert await account.pipeline.sync("nfe", note) == "criado"
    await account.pipeline.run()
    assert await scalar(account.engine, "SELECT situacao FROM nfe_cabecalho WHERE id = :id", id=note) == 5


async def test_a_contato_is_created_left_alone_and_updated(account: Account, bling: Bling) -> None:
    person = bling.add_contact(email="a@exemplo.com.br")
    assert await account.pipeline.sync("contato", person) == "criado"
    assert await account.pipeline.sync("contatos", person) == "igual", "o nome que se vê também serve"
    bling.edit_contact(person, email="b@exemplo.com.br")
    assert await account.pipeline.sync("contato", person) == "atualizado"
    assert await rows(account.engine, "SELECT email FROM contatos") == [("b@exemplo.com.br",)]


async def test_a_produto_with_its_categoria_and_which_is_preferred(account: Account, bling: Bling) -> None:
    older, newer = (bling.add_product("GÊMEO", categoria={"id": 0}) for _ in range(2))
    assert await account.pipeline.sync("produto", older) == "criado"
    assert await account.pipeline.sync("produto", newer) == "criado"
    preferred = "SELECT id FROM produtos WHERE preferido"
    assert await rows(account.engine, preferred) == [(newer,)]
    assert await account.pipeline.sync("produto", newer) == "igual"
    bling.edit_product(newer, preco=Decimal("77.70"))
    assert await account.pipeline.sync("produto", newer) == "atualizado"
    assert await rows(account.engine, preferred) == [(newer,)]
    assert await scalar(account.engine, "SELECT preco_venda FROM produtos WHERE id = :id", id=newer) == Decimal("77.7")
    category = next(iter(bling.company.categories))
    bling.edit_product(newer, categoria={"id": category})
    assert await account.pipeline.sync("produto", newer) == "atualizado"
    assert await scalar(account.engine, "SELECT categoria_id FROM produtos WHERE id = :id", id=newer) == category


@pytest.mark.parametrize("recurso", ["nfe", "contato", "produto"])
async def test_what_bling_does_not_have_changes_nothing(account: Account, bling: Bling, recurso: str) -> None:
    before = await snapshot(account.engine)
    with pytest.raises(UnknownObjectError, match="não tem") as caught:
        await account.pipeline.sync(recurso, 123)
    assert (caught.value.http_status, caught.value.exit_code) == (404, 2)
    assert await snapshot(account.engine) == before


async def test_an_unknown_resource_and_an_incoming_nota_are_refused(account: Account, bling: Bling) -> None:
    before = await snapshot(account.engine)
    with pytest.raises(UsageError, match=r"nfe, .*contato, produto"):
        await account.pipeline.sync("boato", 1)
    incoming = next(id_ for id_, note in bling.notes.items() if note["tipo"] == 0)
    with pytest.raises(UsageError, match="entrada"):
        await account.pipeline.sync("nfe", incoming)
    assert await snapshot(account.engine) == before


async def test_a_failing_bling_is_said(account: Account, bling: Bling) -> None:
    note = outgoing(bling)[-1]
    bling.fail(rf"^/nfe/{note}$")
    with pytest.raises(BlingUnavailableError):
        await account.pipeline.sync("nfe", note)
    assert await count(account.engine, "nfe_cabecalho") == 0
    assert issubclass(BlingUnavailableError, CollectorError)


@pytest.mark.slow
async def test_a_failure_fetched_by_hand_is_no_longer_owed(account: Account, bling: Bling) -> None:
    bad = outgoing(bling)[-1]
    bling.fail(rf"^/nfe/{bad}$", "body", status=400, body='{"error": {"type": "VALIDATION_ERROR"}}')
    assert (await account.pipeline.run()).status == "partial"
    bling.faults.clear()
    assert await account.pipeline.sync("nfe", bad) == "criado"
    assert await rows(account.engine, "SELECT 1 FROM pendencias") == []
    assert (await account.pipeline.run()).status == "success"


@pytest.mark.slow
async def test_a_sync_in_the_middle_of_a_run_spoils_neither(
    account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A execução e o `sync` gravam a mesma nota; nenhum dos dois espera nem estraga o outro."""
    note = outgoing(bling, 6)[0]
    asked: list[asyncio.Task[str]] = []
    at_request(
        bling, monkeypatch, r"^/nfe/\d+$", 20,
        lambda: asked.append(asyncio.ensure_future(account.pipeline.sync("nfe", note))),
    )  # fmt: skip
    result = await account.pipeline.run_full(START)
    assert result.status == "success"
    assert await asked[0] in ("criado", "igual")
    assert (await account.pipeline.reconcile()).found.ids == {}
    items = await scalar(account.engine, "SELECT count(*) FROM nfe_itens WHERE nfe_id = :id", id=note)
    skus = [line["codigo"] for line in bling.notes[note]["itens"]]
    assert items == len({sku for sku in skus if sku}) + skus.count("")
