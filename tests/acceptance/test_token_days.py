"""O que a linha de comando diz da autorização: quanto falta, se está cifrada, e o aviso."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.acceptance.service_fixtures import serving
from tests.support.collecting import authorise
from tests.support.commands import Terminal, variables_for
from tests.support.fakes import FakeClock
from tests.support.variants import one_now

from bling_collector.auth.token_cipher import TokenCipher, new_key
from bling_collector.auth.token_store import PgTokenStore
from bling_collector.config import Secret
from bling_collector.doctor import examine
from bling_collector.insight.status import load_status
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.server import RunningServer

pytestmark = pytest.mark.bling(scale=0.01)


@pytest.fixture
def terminal(account: Account, server: RunningServer, tmp_path: Path) -> Terminal:
    return Terminal(tmp_path, variables_for(account.settings, server))


async def aged(engine: AsyncEngine, days: float) -> None:
    """A última troca do par foi há tantos dias, e o token de acesso ainda vale."""
    now = datetime.now(UTC)
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE oauth_tokens SET updated_at = :then, expires_at = :end"),
            {"then": now - timedelta(days=days), "end": now + timedelta(hours=5)},
        )


async def test_the_key_is_made_without_anything_else(tmp_path: Path) -> None:
    done = await Terminal(tmp_path).run("auth", "--gerar-chave")
    assert done.code == 0
    Fernet(done.out.strip())


async def test_the_status_says_what_is_left(terminal: Terminal, engine: AsyncEngine) -> None:
    await aged(engine, 1.5)
    done = await terminal.run("status")
    said = done.out + done.err
    assert done.code == 0
    assert "por mais 28 dias" in said
    assert "em claro no banco" in said
    assert "⚠" not in said

    await aged(engine, 24.5)
    said = (await terminal.run("status", TOKEN_ENCRYPTION_KEY=new_key())).err
    assert "⚠ A autorização do Bling acaba em 5 dias. Uma coleta a renova: rode `bling-collector run`" in said


@pytest.mark.slow
@pytest.mark.bling(date_header="")  # a hora do terminal é a da máquina, e a do simulador é outra
async def test_a_run_that_could_not_renew_warns(terminal: Terminal, engine: AsyncEngine, server: RunningServer) -> None:
    await aged(engine, 24.5)
    server.bling.fail("^/oauth/token$", "bad_gateway")
    done = await terminal.run("run")
    said = done.out + done.err
    assert done.code == 0
    assert "⚠ A autorização do Bling acaba em 5 dias" in said

    server.bling.faults.clear()
    key = new_key()
    done = await terminal.run("run", TOKEN_ENCRYPTION_KEY=key)
    assert done.code == 0
    assert "⚠" not in done.err
    said = (await terminal.run("status", TOKEN_ENCRYPTION_KEY=key)).out
    assert "por mais 29 dias" in said
    assert "em claro" not in said


@pytest.mark.slow
@pytest.mark.parametrize("other", one_now([{"TOKEN_ENCRYPTION_KEY": new_key()}, {}]))
async def test_status_and_doctor_agree_that_the_key_does_not_open_the_pair(
    account: Account, terminal: Terminal, engine: AsyncEngine, clock: FakeClock, other: dict[str, str]
) -> None:
    await account.pipeline.run()
    await PgTokenStore(engine, TokenCipher([new_key()])).seal()
    done = {name: await terminal.run(name, **other) for name in ("status", "doctor")}
    said = {name: each.out + each.err for name, each in done.items()}
    assert all("TOKEN_ENCRYPTION_KEY. Ponha-a de volta" in words for words in said.values())
    assert "Autorizado" not in said["status"]
    assert "fernet:" not in said["status"] + said["doctor"]

    changed = replace(account.settings, token_encryption_key=Secret(other.get("TOKEN_ENCRYPTION_KEY", "")))
    async with serving(changed, clock) as http:
        oauth = (await http.get("/status")).json()["oauth"]
        assert (oauth["readable"], oauth["needs_authorization"]) == (False, True)
        assert "bling_authorized 0" in (await http.get("/metrics")).text
        assert "não se abre com a chave configurada" in (await http.get("/", headers={"Accept": "text/html"})).text


async def test_the_doctor_says_it_too(account: Account, engine: AsyncEngine) -> None:
    async def authorisation() -> tuple[int, str]:
        [found] = [finding async for finding in examine(account.settings) if finding.nome == "Autorização"]
        return found.exit_code, found.detalhe

    await aged(engine, 1)
    code, detail = await authorisation()
    assert code == 0
    assert "TOKEN_ENCRYPTION_KEY o cifra" in detail
    await aged(engine, 25.5)
    code, detail = await authorisation()
    assert code == 1
    assert "faltam 4 dias" in detail


@pytest.mark.slow
async def test_a_refusal_is_remembered_until_the_next_authorisation(
    account: Account, bling: Bling, engine: AsyncEngine
) -> None:
    """Quem vê `status` depois sabe que só o dono da conta resolve, sem procurar no log."""
    await aged(engine, 0)
    bling.revoke_all()
    result = await account.pipeline.run_full(date(2025, 1, 1))
    assert result.exit_code == 3
    assert (await load_status(engine, TokenCipher())).oauth.needs_authorization is True
    [found] = [finding async for finding in examine(account.settings) if finding.nome == "Autorização"]
    assert (found.exit_code, "o Bling a recusou em" in found.detalhe) == (3, True)

    await authorise(account, bling)
    assert (await load_status(engine, TokenCipher())).oauth.needs_authorization is False
