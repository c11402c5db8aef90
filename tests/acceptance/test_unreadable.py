"""Um documento que não se lê inteiro é recusado inteiro, dito, devido, e trazido assim que o Bling o dá direito."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.collecting import rows, scalar
from tests.support.commands import Terminal, variables_for
from tests.support.fakes import FakeClock
from tests.support.proving import DAY, START, assert_equals_the_living, count, execute, outgoing
from tests.support.truth import assert_equals_truth

from bling_collector.api.transport import ATTEMPTS
from bling_collector.config import Settings
from bling_collector.workplace.account import Account
from bling_simulator.answers import json_response
from bling_simulator.bling import Bling
from bling_simulator.server import RunningServer

READ_AS_THEY_ARE: tuple[dict[str, Any], ...] = (
    {"parcelas": []},
    {"valorNota": Decimal(0)},
    {"dataOperacao": "0000-00-00"},
)
WRONG: dict[str, dict[str, Any]] = {
    "itens não veio": {"itens": None},
    "itens não veio, ou veio sem linhas": {"itens": []},
    "itens[1] veio como texto": {"itens": ["BLG-5"]},
    "valorNota veio como «mil»": {"valorNota": "mil"},
    "valorNota não veio": {"valorNota": ""},
    "valorFrete veio como «1.234»": {"valorFrete": "1.234"},
    "dataOperacao veio como «ontem»": {"dataOperacao": "ontem"},
    "situacao veio como objeto": {"situacao": {"id": 6, "valor": 6}},
    "contato.nome veio como lista": {"contato": {"id": 5, "nome": ["Fulano de Tal"]}},
}


def answer(bling: Bling, path: str, body: Any, **rule: Any) -> int:
    """O simulador passa a responder isto, com 200."""
    content = bytes(json_response({"data": body}).body).decode()
    return bling.fail(f"^{path}$", "body", status=200, body=content, **rule)


async def pending(account: Account) -> dict[str, str]:
    return dict(await rows(account.engine, "SELECT recurso || '/' || recurso_id, erro FROM pendencias"))


@pytest.mark.slow
async def test_what_comes_wrong_once_is_asked_again(account: Account, bling: Bling) -> None:
    first, second, *_ = reversed(outgoing(bling))
    whole = bling.notes[second]
    answer(bling, f"/nfe/{first}", {"id": first, "numero": "000001"}, times=1)
    answer(bling, f"/nfe/{second}", whole | {"itens": None}, times=ATTEMPTS - 1)
    assert (await account.pipeline.run()).status == "success"
    assert await count(account.engine, "pendencias") == 0
    await account.pipeline.run_full(START)
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
async def test_what_stays_wrong_is_owed_with_the_reason(
    account: Account,
    bling: Bling,
    settings: Settings,
    server: RunningServer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    terminal = Terminal(tmp_path, variables_for(settings, server))
    ids = list(reversed(outgoing(bling)))
    for id_, changes in zip(ids, READ_AS_THEY_ARE, strict=False):
        bling.edit_note(id_, **changes)
    whole = bling.notes[ids[3]]
    as_objects = {key: {str(n): line for n, line in enumerate(whole[key], 1)} for key in ("itens", "parcelas")}
    answer(bling, f"/nfe/{ids[3]}", whole | as_objects)
    bad = dict(zip(ids[4:], WRONG, strict=False))
    for id_, reason in bad.items():
        answer(bling, f"/nfe/{id_}", bling.notes[id_] | WRONG[reason])
    result = await account.pipeline.run_full(START)
    assert (result.status, result.exit_code) == ("partial", 1)
    await _only_these_are_missing(account, bling, bad)
    assert "Fulano" not in caplog.text
    repaired = await account.pipeline.reconcile(repair=True)
    assert repaired.status == "partial"
    assert "O banco difere do Bling em" in str(repaired.message)
    for how in ([], ["--json"]):
        assert (await terminal.run("reconcile", *how)).code == 1
    bling.faults.clear()
    assert (await account.pipeline.reconcile(repair=True)).status == "success"
    said = await terminal.run("reconcile")
    assert (said.code, "✘" in said.out) == (0, False), said.out
    assert await pending(account) == {}
    await assert_equals_the_living(account.engine, bling)


async def _only_these_are_missing(account: Account, bling: Bling, bad: dict[int, str]) -> None:
    reasons = await pending(account)
    assert reasons.keys() == {f"nfe/{id_}" for id_ in bad}
    for id_, reason in bad.items():
        assert reason in reasons[f"nfe/{id_}"]
    held = {id_ for (id_,) in await rows(account.engine, "SELECT id FROM nfe_cabecalho")}
    assert held == set(outgoing(bling)) - bad.keys()


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_an_unreadable_register_stays_as_it_was_and_is_asked_again(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    """O que já se tinha fica como estava, e a execução seguinte o pede outra vez."""
    clock.advance(DAY)
    contact = await scalar(account.engine, "SELECT max(id) FROM contatos WHERE detalhe IS NOT NULL")
    product = await scalar(account.engine, "SELECT max(id) FROM produtos WHERE preferido AND codigo <> ''")
    bling.edit_contact(contact, telefone="(54) 1111-1111")
    bling.edit_product(product, preco=Decimal("77.70"))
    stored = "SELECT to_jsonb(t) - 'categoria_vista_em' FROM {} t ORDER BY id"
    before = [await rows(account.engine, stored.format(table)) for table in ("contatos", "produtos")]
    answer(bling, f"/contatos/{contact}", {"id": contact, "telefone": "(54) 1111-1111"})
    answer(bling, "/produtos", [{"id": product, "nome": "x", "codigo": "x", "preco": {"valor": 1}}], times=1)
    result = await account.pipeline.run()
    assert (result.status, result.exit_code) == ("partial", 1)
    assert await pending(account) == {
        f"contatos/{contact}": f"GET /contatos/{contact}: o registro não se lê inteiro: nome não veio.",
        f"produtos/{product}": "o registro não se lê inteiro: preco veio como objeto, e não como número",
    }
    assert [await rows(account.engine, stored.format(table)) for table in ("contatos", "produtos")] == before
    bling.faults.clear()
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    assert await pending(account) == {}
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_reprocessing_does_not_lose_what_cannot_be_read(account: Account, bling: Bling) -> None:
    """Uma versão anterior guardou, como boa, uma nota sem linhas, e um valor que virou nulo."""
    lineless, unread, gone, *_ = reversed(outgoing(bling))
    broken = "detalhe = jsonb_set(detalhe, '{itens}', 'null')"
    await execute(
        account.engine,
        f"UPDATE nfe_cabecalho SET {broken}, total_produtos = 0 WHERE id = {lineless}",
        f"DELETE FROM nfe_itens WHERE nfe_id = {lineless}",
        f"""UPDATE nfe_cabecalho SET detalhe = jsonb_set(detalhe, '{{valorNota}}', '"1.234,56"'), total_nota = NULL
            WHERE id = {unread}""",
        f"UPDATE nfe_cabecalho SET {broken}, excluida_em = now() WHERE id = {gone}",
    )
    before = await rows(account.engine, "SELECT to_jsonb(n) FROM nfe_cabecalho n WHERE id = :id", id=lineless)
    result = await account.pipeline.reprocess()
    assert (result.status, result.exit_code) == ("partial", 1)
    assert await rows(account.engine, "SELECT to_jsonb(n) FROM nfe_cabecalho n WHERE id = :id", id=lineless) == before
    assert await scalar(account.engine, f"SELECT total_nota FROM nfe_cabecalho WHERE id = {unread}") == Decimal(
        "1234.56"
    )
    reasons = await pending(account)
    assert reasons.keys() == {f"nfe/{lineless}"}
    assert "itens não veio" in reasons[f"nfe/{lineless}"]
    assert await scalar(account.engine, f"SELECT count(*) FROM nfe_itens WHERE nfe_id = {gone}") > 0
    await execute(account.engine, f"UPDATE nfe_cabecalho SET resumo_lista = NULL WHERE id IN ({unread}, {gone})")
    assert (await account.pipeline.run_full(START)).status == "success"
    assert await pending(account) == {}
    await assert_equals_truth(account.engine, bling)
