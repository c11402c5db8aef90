"""A linha de comando da prova: o que diz, com que código sai, e que nada muda quando o pedido está errado."""

import re
from datetime import date
from pathlib import Path

import pytest
from tests.support.collecting import rows, until
from tests.support.commands import Terminal, variables_for
from tests.support.fakes import FakeClock
from tests.support.proving import (
    START,
    assert_equals_the_living,
    at,
    count,
    execute,
    newest_period_is_done,
    oldest_period_held,
    outgoing,
    owed_periods,
    snapshot,
    twin,
)

from bling_collector.config import Settings
from bling_collector.db.control import PARKED_AFTER
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.server import RunningServer


@pytest.fixture
def terminal(tmp_path: Path, settings: Settings, server: RunningServer) -> Terminal:
    """Um terminal configurado para o simulador e o banco deste teste."""
    return Terminal(tmp_path, variables_for(settings, server))


async def test_reconciling_and_repairing(account: Account, bling: Bling, terminal: Terminal) -> None:
    doomed = twin(bling, outgoing(bling, 6)[-1], emitted_at=at("2022-05-31 23:59:59"))
    await account.pipeline.run_full(START)
    cancelled, issued = outgoing(bling, 6)[1], bling.issue_note(emitted_at=at("2023-01-01 00:00:00"))
    bling.cancel_note(cancelled)
    bling.delete_note(doomed)
    before = await snapshot(account.engine)
    looked = await terminal.run("reconcile", "--json")
    assert looked.code == 1, looked.err
    assert looked.json["status"] == "partial"
    expected = {"faltavam": [issued], "mudaram": [cancelled], "sumiram": [doomed]}
    assert looked.json["encontrado"] == {"contagens": dict.fromkeys(expected, 1), "ids": expected}
    assert not looked.json["conferencia"]["igual"]
    assert await snapshot(account.engine) == before
    repaired = await terminal.run("reconcile", "--repair")
    assert repaired.code == 0, repaired.err
    total = len(outgoing(bling))
    assert f"✔ {total} de {total} notas, na conferência de" in repaired.out
    assert f"Faltavam aqui: 1 ({issued})." in repaired.out
    assert f"Mudaram lá: 1 ({cancelled})." in repaired.out
    assert f"Só existiam aqui: 1 ({doomed})." in repaired.out
    await assert_equals_the_living(account.engine, bling, deleted={doomed})


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_part_of_a_month_does_not_speak_for_the_whole(account: Account, bling: Bling, terminal: Terminal) -> None:
    """Antes de a história ser conferida inteira, não há o que afirmar dela."""
    await execute(account.engine, "DELETE FROM conferencias WHERE mes < '2024-01-01'")
    said = await terminal.run("reconcile", "--data-inicio", "2025-03-02", "--data-fim", "2025-03-10")
    assert said.code == 0, said.err
    assert "na conferência de" not in said.out
    assert "✘" not in said.out, "o que falta conferir não é uma diferença"
    assert "Ainda por conferir: 36 meses, de jan/2021 a dez/2023." in said.out
    await execute(account.engine, "UPDATE conferencias SET sobram = '{7}' WHERE mes = '2024-05-01'")
    for how in ([], ["--json"]):
        said = await terminal.run("reconcile", "--data-inicio", "2025-03-02", "--data-fim", "2025-03-10", *how)
        assert said.code == 1, "um mês de que não se perguntou também difere"


WRONG = {
    "reconcile": "run-full",
    "reconcile --data-inicio 2999-01-01": "futuro",
    "reconcile --data-inicio 2025-02-30": "AAAA-MM-DD",
    "reconcile --serie 1": "--numeracao",
    "reconcile --numeracao --serie 99": "série 99",
    "reprocess --data-inicio 2025-02-02 --data-fim 2025-02-01": "Troque as datas",
    "sync pedido 1": "pedido",
    "sync nfe 123": "não tem nfe/123",
    "sync contatos/123": "não tem contatos/123",
    "failures show nfe/1": "nfe/1",
}


@pytest.mark.slow
async def test_wrong_requests_change_nothing(account: Account, terminal: Terminal) -> None:
    for command, sentence in WRONG.items():
        said = await terminal.run(*command.split())
        assert (said.code, said.out) == (2, ""), command
        assert sentence in said.err, command
        assert "Traceback" not in said.err, command
    assert await count(account.engine, "etl_controle") == 0


@pytest.mark.slow
async def test_the_numbering(account: Account, bling: Bling, terminal: Terminal) -> None:
    bling.issue_note(serie=7)
    bling.notebook._numbers[7] += 2
    bling.issue_note(serie=7)
    await account.pipeline.run()
    said = await terminal.run("reconcile", "--numeracao", "--serie", "7", BLING_CLIENT_ID="")
    assert said.code == 1, "há uma lacuna sem explicação"
    assert "Série 7: de 1 a 4, 2 números." in said.out
    assert "✘ 2 a 3: sem explicação, entre 1, de 20/02/2026, e 4, de 20/02/2026 (notas" in said.out
    assert said.out.splitlines()[-1] == "✘ Na numeração há 2 números sem explicação: confira-os no Bling."
    looked = await terminal.run("reconcile", "--numeracao", "--json")
    assert (looked.code, looked.json[-1]["sem_explicacao"][0]["quantos"]) == (1, 2)
    assert (await terminal.run("reconcile", "--numeracao", "--serie", "1")).code == 0


@pytest.mark.slow
async def test_what_failed_is_listed_and_retried(
    account: Account, bling: Bling, terminal: Terminal, clock: FakeClock
) -> None:
    bad = outgoing(bling)[-1]
    bling.fail(rf"^/nfe/{bad}$", "body", status=400, body='{"error": {"description": "Nota estragada."}}')
    await account.pipeline.run()
    await execute(account.engine, "UPDATE pendencias SET tentativas = :n", n=PARKED_AFTER)
    listed = await terminal.run("failures")
    assert listed.code == 0
    numero = bling.notes[bad]["numero"]
    assert re.search(
        rf"^Nota {numero}, de \d\d/\d\d/2026, de .+: o Bling recusou o pedido\. O Bling diz: «Nota", listed.out
    )
    assert f"nfe/{bad}: desde" in listed.out
    assert "estacionada" in listed.out
    assert "Nota estragada" in listed.out
    shown = await terminal.run("failures", "show", f"nfe/{bad}", "--json")
    status = await terminal.run("status")
    assert shown.json["tentativas"] == PARKED_AFTER
    assert f"nfe/{bad}" in status.out
    assert (await terminal.run("failures", "retry", f"nfe/{bad}")).code == 1
    bling.faults.clear()
    clock.advance(60)  # a hora é a do Bling, e vem dele em segundos inteiros
    assert (await terminal.run("failures", "retry")).code == 0
    assert await count(account.engine, "pendencias") == 0


@pytest.mark.slow
async def test_reprocessing_needs_neither_credentials_nor_bling(
    account: Account, bling: Bling, terminal: Terminal
) -> None:
    await account.pipeline.run()
    fresh = await snapshot(account.engine)
    await execute(account.engine, "UPDATE nfe_cabecalho SET total_nota = 0", "DELETE FROM nfe_itens")
    bling.counters.reset()
    said = await terminal.run("reprocess", "--json", BLING_CLIENT_ID="", BLING_CLIENT_SECRET="")
    assert (said.code, said.json["status"]) == (0, "success"), said.err
    assert bling.counters.total == 0
    assert await snapshot(account.engine) == fresh
    assert (await terminal.run("reprocess", "--data-inicio", "2026-02-01")).out.startswith("✔ Tudo refeito: ")


async def test_fetching_one_object(account: Account, bling: Bling, terminal: Terminal) -> None:
    note = outgoing(bling)[-1]
    assert (await terminal.run("sync", "nfe", str(note))).out.strip() == f"✔ nfe/{note}: criado."
    assert (await terminal.run("sync", "nfe", str(note), "--json")).json["resultado"] == "igual"
    said = await terminal.run("sync", "nfe", str(note), BLING_CLIENT_SECRET="")
    assert (said.code, "BLING_CLIENT_SECRET" in said.err) == (2, True)


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_after_kill_9_during_a_reconciliation_the_next_run_completes_it(
    account: Account, bling: Bling, terminal: Terminal
) -> None:
    issued = bling.issue_note(emitted_at=at("2021-06-30 23:59:59"))
    process = await terminal.start("reconcile", "--repair")
    with oldest_period_held(bling):
        await until(lambda: newest_period_is_done(account.engine))
        process.kill()
        await process.communicate()
    assert process.returncode == -9
    assert await rows(account.engine, "SELECT status FROM etl_controle ORDER BY id DESC LIMIT 1") == [("running",)]
    owed = await owed_periods(account.engine)
    assert owed[-1][0] == START
    assert len(owed) < 6, "as que se completaram não são devidas"
    result = await account.pipeline.run()
    assert (result.status, result.found.ids) == ("success", {"faltavam": [issued]})
    assert result.data_referencia is not None
    assert result.data_referencia >= date(2026, 2, 20)
    await assert_equals_the_living(account.engine, bling)


@pytest.mark.loaded(START)
@pytest.mark.collector(recursos=("pedidos_venda",))
async def test_where_notas_are_not_collected_nothing_is_said_of_them(account: Account, terminal: Terminal) -> None:
    shown = await terminal.run("reconcile", RECURSOS="pedidos_venda")
    asked = await terminal.run("reconcile", "--json", RECURSOS="pedidos_venda")
    assert (shown.code, asked.code) == (0, 0), shown.out
    assert "notas" not in shown.out
    assert "Pedidos de venda:" in shown.out


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_what_makes_the_code_one_is_in_the_json(account: Account, terminal: Terminal) -> None:
    await terminal.run("recursos", "ligar", "pedidos_venda")
    assert (await terminal.run("run-full", "--data-inicio", "2021-01-01")).code == 0
    stale = "UPDATE conferencias SET sobram = '{7}' WHERE mes = '2024-05-01' AND recurso = 'pedidos_venda'"
    await execute(account.engine, stale)
    said = await terminal.run("reconcile", "--data-inicio", "2025-03-02", "--data-fim", "2025-03-10", "--json")
    assert said.code == 1
    (other,) = [each for each in said.json["outros"] if each["recurso"] == "pedidos_venda"]
    assert other["conferencia"]["diferentes"] == 1


@pytest.mark.loaded(START)
async def test_some_days_of_a_month_are_not_the_month(account: Account, bling: Bling, terminal: Terminal) -> None:
    note = outgoing(bling, 6)[5]
    day = bling.notes[note]["dataEmissao"][:10]
    bling.cancel_note(note)
    looked = await terminal.run("reconcile", "--data-inicio", day, "--data-fim", day)
    assert looked.code == 1
    assert "✔" not in looked.out
    assert (await terminal.run("reconcile")).code == 1
    repaired = await terminal.run("reconcile", "--repair", "--data-inicio", day, "--data-fim", day)
    assert repaired.code == 1
    assert "Na última conferência do mês inteiro diferiam" in repaired.out
    whole = await terminal.run("reconcile")
    assert (whole.code, "✔" in whole.out) == (0, True)
