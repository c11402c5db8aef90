"""O que falhou: quem é, desde quando, por quê, quantas vezes; estacionado depois de dez, e nunca esquecido."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.proving import START, execute, outgoing
from tests.support.truth import assert_equals_truth

from bling_collector.auth.token_cipher import TokenCipher
from bling_collector.db.control import PARKED_AFTER
from bling_collector.insight.failures import Failures, UnknownFailureError, load_failure, load_failures
from bling_collector.insight.status import load_status
from bling_collector.runs.unpark import unpark
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.company.invoices.lines import line_of

REJECTED = '{"error": {"type": "VALIDATION_ERROR", "description": "Nota estragada."}}'


def spoil(bling: Bling, path: str, query: str | None = None) -> int:
    """O Bling recusa, sem que valha a pena repetir."""
    return bling.fail(path, "body", status=400, body=REJECTED, query=query)


async def test_what_fails_has_a_name_a_reason_and_a_count(account: Account, bling: Bling, clock: FakeClock) -> None:
    bad = outgoing(bling)[-1]
    spoil(bling, rf"^/nfe/{bad}$")
    assert (await account.pipeline.run_full(START)).status == "partial"
    first = await load_failure(account.engine, f"nfe/{bad}")
    assert (first.recurso, first.id, first.tentativas, first.estacionada) == ("nfe", str(bad), 1, False)
    assert first.data_emissao == date.fromisoformat(bling.notes[bad]["dataEmissao"][:10])
    assert "Nota estragada" in first.erro
    clock.advance(3600)
    await account.pipeline.run()
    second = await load_failure(account.engine, f"nfe/{bad}")
    assert (second.tentativas, second.desde) == (2, first.desde)
    assert second.tentada_em > first.tentada_em
    assert (await load_failures(account.engine)).pendencias == [second]


@pytest.mark.slow
async def test_after_ten_it_is_parked_until_someone_asks(account: Account, bling: Bling) -> None:
    bad, other = outgoing(bling)[-1], outgoing(bling)[0]
    person = bling.add_contact()
    product = "SKU/COM BARRA"
    bling.add_product(product)
    line = line_of(codigo=product, descricao="Peça", quantidade=1, valor=Decimal(5))
    bling.issue_note(contact_id=person, lines=[line])
    for path in (rf"^/nfe/({bad}|{other})$", rf"^/contatos/{person}$"):
        spoil(bling, path)
    await account.pipeline.run_full(START)
    await execute(account.engine, "UPDATE pendencias SET tentativas = :n", n=PARKED_AFTER - 1)
    await account.pipeline.run()
    assert await rows(account.engine, "SELECT DISTINCT tentativas FROM pendencias") == [(PARKED_AFTER,)]
    names = {f"nfe/{bad}", f"nfe/{other}", f"contatos/{person}"}
    status = await load_status(account.engine, TokenCipher())
    assert set(status.owed.nomes_estacionadas) == names
    assert (status.owed.pendencias, status.owed.estacionadas) == (3, 3)
    bling.counters.reset()
    result = await account.pipeline.run()
    assert result.status == "partial", "parada, continua devida"
    assert (await account.pipeline.reconcile(repair=True)).status == "partial"
    asked = {path for path in bling.counters.requests if "{id}" in path}
    assert asked <= {"/nfe/{id}", "/produtos/{id}"}, "nem o contato"
    assert bling.counters.statuses[400] == 0, "nenhuma das três foi pedida"
    assert await rows(account.engine, "SELECT DISTINCT tentativas FROM pendencias") == [(PARKED_AFTER,)]
    bling.faults.clear()
    assert await unpark(account.engine) == 3
    result = await account.pipeline.retry()
    assert (result.status, result.message) == ("success", None)
    assert (await load_failures(account.engine)).pendencias == []
    assert (await account.pipeline.reconcile()).found.ids == {}, "o que se salvou está como a listagem o mostra"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
async def test_a_parked_one_that_changes_in_bling_is_tried_again(account: Account, bling: Bling) -> None:
    bad = outgoing(bling, 6)[-1]
    rule = spoil(bling, rf"^/nfe/{bad}$")
    await account.pipeline.run()
    await execute(account.engine, "UPDATE pendencias SET tentativas = :n", n=PARKED_AFTER)
    bling.faults.remove(rule)
    await account.pipeline.run()
    assert (await load_failures(account.engine)).pendencias != []
    bling.cancel_note(bad)
    assert (await account.pipeline.run()).status == "success"
    assert await scalar(account.engine, "SELECT situacao FROM nfe_cabecalho WHERE id = :id", id=bad) == 2


@pytest.mark.slow
async def test_a_refused_sku_is_parked_too(account: Account, bling: Bling) -> None:
    line = next(line for line in bling.notes[outgoing(bling)[-1]]["itens"] if line["codigo"])
    spoil(bling, "^/produtos$", query=rf"codigos\[\]={re.escape(line['codigo'])}(&|$)")
    await account.pipeline.run()
    owed = await rows(account.engine, "SELECT recurso_id FROM pendencias WHERE recurso = 'produtos'")
    assert owed == [(line["codigo"],)]
    await execute(account.engine, "UPDATE pendencias SET tentativas = :n", n=PARKED_AFTER)
    bling.counters.reset()
    await account.pipeline.run()
    assert bling.counters.statuses[400] == 0
    assert await rows(account.engine, "SELECT DISTINCT tentativas FROM pendencias") == [(PARKED_AFTER,)]
    bling.faults.clear()
    await unpark(account.engine)
    assert (await account.pipeline.retry()).status == "success"


@pytest.mark.slow
async def test_asking_for_one_retries_only_that_one(account: Account, bling: Bling) -> None:
    one, two = outgoing(bling)[-2:]
    spoil(bling, rf"^/nfe/({one}|{two})$")
    await account.pipeline.run()
    await execute(account.engine, "UPDATE pendencias SET tentativas = :n", n=PARKED_AFTER)
    bling.faults.clear()
    assert await unpark(account.engine, f"nfe/{one}") == 1
    await account.pipeline.retry()
    assert [p.nome for p in (await load_failures(account.engine)).pendencias] == [f"nfe/{two}"]


@pytest.mark.slow
async def test_an_owed_period_says_why_and_since_when(account: Account, bling: Bling, clock: FakeClock) -> None:
    bling.fail("^/nfe$")
    await account.pipeline.run()
    ((window,)) = (await load_failures(account.engine)).janelas
    assert (window.recurso, window.data_fim) == ("nfe", date(2026, 2, 20))
    assert window.erro is not None
    assert "/nfe" in window.erro
    since = window.desde
    clock.advance(timedelta(days=1).total_seconds())
    await account.pipeline.run()
    assert (await load_failures(account.engine)).janelas[0].desde == since
    bling.faults.clear()
    await account.pipeline.run()
    assert await load_failures(account.engine) == Failures([], [])


@pytest.mark.parametrize("name", ["nfe/1", "nfe", "", "inventado/1", "nfe/abc"])
async def test_an_unknown_name_is_refused(account: Account, name: str) -> None:
    with pytest.raises(UnknownFailureError, match="failures"):
        await load_failure(account.engine, name)
    with pytest.raises(UnknownFailureError):
        await unpark(account.engine, name)
