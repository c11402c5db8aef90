"""O `doctor` anda pelo caminho de uma execução: o que ele diz é o que ela encontraria."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.collecting import rows
from tests.support.commands import Done, Terminal, variables_for
from tests.support.proving import execute, snapshot
from tests.support.variants import one_now

from bling_collector.streams.registry import chosen
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.server import RunningServer

pytestmark = pytest.mark.bling(scale=0.004, date_header="")  # o terminal tem a hora da máquina
NEW = "https://novo.bling.example/Api/v3"


@pytest.fixture
async def terminal(account: Account, server: RunningServer, tmp_path: Path) -> Terminal:
    await execute(account.engine, "UPDATE oauth_tokens SET updated_at = now(), expires_at = now() + interval '6 hours'")
    return Terminal(tmp_path, variables_for(account.settings, server))


def finding(done: Done, nome: str) -> dict[str, Any]:
    [found] = [each for each in done.json if each["nome"] == nome]
    return dict(found)


async def examined(terminal: Terminal, **changes: str) -> Done:
    return await terminal.run("doctor", "--json", **changes)


async def test_one_row_of_each_resource_and_nothing_changes(
    terminal: Terminal, bling: Bling, engine: AsyncEngine
) -> None:
    before = await snapshot(engine), await rows(engine, "SELECT * FROM oauth_tokens")
    bling.counters.reset()
    done = await examined(terminal)
    assert (done.code, bling.counters.token_calls) == (0, 0)
    assert dict(bling.counters.requests) == {stream.path: 1 for stream in chosen(None)}
    said = finding(done, "Bling")
    assert said["ok"]
    assert all(stream.permission in said["detalhe"] for stream in chosen(None))
    assert (await snapshot(engine), await rows(engine, "SELECT * FROM oauth_tokens")) == before


@pytest.mark.parametrize(
    ("changes", "name", "said"),
    [
        ({"SCHEDULE": "bogus"}, "Agenda", "SCHEDULE: a linha «bogus» não serve"),
        ({"SCHEDULE__FILIAL": "0 6 * * * nada"}, "Agenda", "SCHEDULE__FILIAL: a linha"),
        ({"RECURSOS": "bogus"}, "Recursos", "não há recurso 'bogus'"),
        ({"ALERT_URLS": "slak://abc/def/ghi"}, "Alarmes", "não conhece: slak://…"),
    ],
)
async def test_a_setting_that_another_command_would_refuse_is_found(
    terminal: Terminal, changes: dict[str, str], name: str, said: str
) -> None:
    done = await examined(terminal, **changes)
    assert (done.code, finding(done, name)["ok"]) == (2, False)
    assert said in finding(done, name)["detalhe"]
    assert finding(done, "Banco")["ok"]


async def test_what_is_listed_by_another_record_is_asked_for_one_the_database_has(
    terminal: Terminal, bling: Bling, engine: AsyncEngine
) -> None:
    bling.counters.reset()
    done = await examined(terminal, RECURSOS="situacoes")
    assert (done.code, dict(bling.counters.requests)) == (0, {"/situacoes/modulos": 1})
    await execute(engine, "INSERT INTO situacoes_modulos (id, detalhe) VALUES (98310, '{}')")
    bling.counters.reset()
    done = await examined(terminal, RECURSOS="situacoes")
    assert (done.code, dict(bling.counters.requests)) == (0, {"/situacoes/modulos": 1, "/situacoes/modulos/{id}": 1})
    assert "«Situações»" in finding(done, "Bling")["detalhe"]
    bling.configure(missing_scopes=frozenset({"/situacoes/modulos/{modulo_id}"}))
    done = await examined(terminal, RECURSOS="situacoes")
    assert (done.code != 0, "«Situações»" in finding(done, "Permissão")["detalhe"]) == (True, True)


async def test_an_access_token_that_ran_out_is_renewed_as_a_run_does(
    terminal: Terminal, bling: Bling, engine: AsyncEngine
) -> None:
    """Um que só parece vencido não gasta o refresh token."""
    await execute(engine, "UPDATE oauth_tokens SET expires_at = '2020-01-01'")
    assert (await examined(terminal)).code == 0
    bling.counters.reset()
    bling.expire_access_tokens()
    assert (await examined(terminal)).code == 0
    assert bling.counters.token_calls == 1
    assert (await examined(terminal)).code == 0
    assert bling.counters.token_calls == 1, "o par novo ficou gravado"


async def test_a_revoked_authorisation_is_found(terminal: Terminal, bling: Bling) -> None:
    bling.revoke_all()
    done = await examined(terminal)
    assert done.code == 3
    assert not finding(done, "Autorização")["ok"]
    assert "bling-collector auth" in finding(done, "Autorização")["detalhe"]
    assert not [each for each in done.json if each["nome"] == "Bling"]


async def test_each_missing_permission_has_the_name_of_the_form(terminal: Terminal, bling: Bling) -> None:
    bling.configure(missing_scopes=frozenset({"/contatos", "/formas-pagamentos"}))
    done = await examined(terminal)
    assert done.code == 1
    missing = [each for each in done.json if each["nome"] == "Permissão"]
    assert ["«Contatos»" in missing[0]["detalhe"], "«Formas de pagamento»" in missing[1]["detalhe"]] == [True, True]
    assert "«Produtos»" in finding(done, "Bling")["detalhe"]
    assert "«Contatos»" not in finding(done, "Bling")["detalhe"]


async def test_a_permission_that_serves_several_is_said_once(terminal: Terminal, bling: Bling) -> None:
    both = "logisticas,logisticas_servicos"
    done = await examined(terminal, RECURSOS=both)
    assert finding(done, "Bling")["detalhe"].count("«Logísticas»") == 1
    bling.configure(missing_scopes=frozenset({"/logisticas", "/logisticas/servicos"}))
    done = await examined(terminal, RECURSOS=both)
    assert len([each for each in done.json if "«Logísticas»" in each["detalhe"]]) == 1


@pytest.mark.parametrize(
    ("authorised", "body", "content_type"),
    [
        pytest.param(True, '{"ok": true}', "application/json", marks=pytest.mark.slow),  # tenta outra vez
        (False, "<html>Entre na rede</html>", "text/html"),
        (False, '{"data": []}', "application/json"),
        (False, "", "text/plain"),
    ],
)
async def test_what_is_not_the_api_is_not_bling(
    terminal: Terminal, bling: Bling, engine: AsyncEngine, authorised: bool, body: str, content_type: str
) -> None:
    if not authorised:
        await execute(engine, "DELETE FROM oauth_tokens")
    bling.fail(r"^/(?!oauth)", "body", status=200, body=body, content_type=content_type)
    done = await examined(terminal)
    assert done.code == (1 if authorised else 3)
    assert not any(each["ok"] for each in done.json if each["nome"] == "Bling")


@pytest.mark.parametrize("status", one_now([302, 301, 303, 307, 308]))
async def test_a_bling_that_moved_is_told_at_once_by_every_command(
    terminal: Terminal, bling: Bling, status: int
) -> None:
    bling.fail(r"^/(?!oauth)", "body", status=status, location=f"{NEW}/nfe?token=x")
    for command in (["doctor"], ["run"], ["sync", "nfe", "7"], ["reconcile", "--data-inicio", "2026-01-01"]):
        bling.counters.reset()
        done = await terminal.run(*command)
        said = done.out + done.err
        assert done.code == 2, said
        assert f"{NEW}/nfe. " in said
        assert "BLING_API_BASE_URL" in said
        assert "✔ Bling" not in said
        assert bling.counters.total <= 2, "a que ouve a hora, e a primeira da execução"


@pytest.mark.slow
async def test_a_token_address_that_moved_is_told_at_once(terminal: Terminal, bling: Bling) -> None:
    bling.expire_access_tokens()
    bling.fail(r"^/oauth/token", "body", status=308, location=f"{NEW}/oauth/token")
    for command in (["doctor"], ["run"], ["sync", "nfe", "7"]):
        bling.counters.reset()
        done = await terminal.run(*command)
        assert done.code == 2, done.out + done.err
        assert f"{NEW}/oauth/token. " in done.out + done.err
        assert "BLING_OAUTH_URL" in done.out + done.err
        assert bling.counters.token_calls == 1
    bling.faults.clear()
    assert (await terminal.run("run")).code == 0


@pytest.mark.bling(date_header="Fri, 20 Feb 2026 21:00:00 GMT")
async def test_the_difference_between_the_clocks_is_told(terminal: Terminal) -> None:
    said = finding(await examined(terminal), "Relógio")
    assert not said["ok"]
    assert "adiantado em relação ao do Bling" in said["detalhe"]


@pytest.mark.slow
async def test_what_was_learned_is_told_without_asking(
    account: Account, terminal: Terminal, bling: Bling, engine: AsyncEngine
) -> None:
    await account.pipeline.run()
    assert "o filtro de alteração de contatos é lido" in " ".join(learned(await examined(terminal)))
    await execute(engine, "INSERT INTO checkpoints VALUES ('nfe.escondidas', now()), ('paginas.curtas', now())")
    await execute(engine, "INSERT INTO checkpoints VALUES ('nfse.recusado.situacao=4', now())")
    await execute(engine, "DELETE FROM oauth_tokens")
    bling.counters.reset()
    said = learned(await examined(terminal))
    assert dict(bling.counters.requests) == {"/nfe": 1}, "só se bate à porta"
    assert ["até a vazia" in said[0], "notas esconde registros" in said[1]] == [True, True]
    assert any("recusa o filtro situacao=4 em notas de serviço" in each for each in said)
    assert all(each.endswith("hora de Brasília.") for each in said)


def learned(done: Done) -> list[str]:
    return [each["detalhe"] for each in done.json if each["nome"] == "Aprendido"]


async def test_what_bling_announced_and_what_was_refused(terminal: Terminal, engine: AsyncEngine) -> None:
    assert "Avisos" not in {each["nome"] for each in (await examined(terminal)).json}
    await execute(
        engine,
        """INSERT INTO webhook_eventos (event_id, recebido_em, evento, recurso, registro_id, lido_em) VALUES
            ('a', '2026-02-20 12:00Z', 'invoice.updated', 'nfe', '1', NULL),
            ('b', '2026-02-20 11:00Z', 'invoice.updated', 'nfe', '2', now()),
            ('c', '2026-02-20 12:00Z', 'contact.updated', NULL, NULL, now())""",
    )
    await execute(engine, "INSERT INTO webhook_recusas VALUES ('assinatura', 3, '2026-02-20 13:00Z')")
    said = finding(await examined(terminal), "Avisos")["detalhe"]
    assert said == (
        "nfe, o último em 20/02/2026 09:00, hora de Brasília (1 espera uma leitura); contact.updated, que o coletor "
        "não conhece (1); 3 recusados (assinatura), o último em 20/02/2026 10:00, hora de Brasília."
    )
