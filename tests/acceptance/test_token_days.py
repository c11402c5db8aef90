"""O que a linha de comando diz da autorização: quanto falta, se está cifrada, e o aviso."""

import asyncio
import os
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.acceptance.service_fixtures import serving
from tests.collecting import authorise
from tests.fakes import FakeClock

from bling_collector.bootstrap import App
from bling_collector.db.token_store import PgTokenStore
from bling_collector.doctor import examine
from bling_collector.etl.status import load_status
from bling_collector.token_cipher import TokenCipher, new_key
from bling_simulator.bling import Bling
from bling_simulator.server import RunningServer

pytestmark = pytest.mark.bling(scale=0.01)


@pytest.fixture
def environment(app: App, server: RunningServer, tmp_path: Path) -> dict[str, str]:
    settings = app.settings
    assert settings.database_url
    assert settings.bling_client_secret
    return os.environ | {
        "BLING_CLIENT_ID": str(settings.bling_client_id),
        "BLING_CLIENT_SECRET": settings.bling_client_secret.get_secret_value(),
        "BLING_API_BASE_URL": server.api_url,
        "BLING_OAUTH_URL": f"{server.api_url}/oauth/token",
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "API_RATE_LIMIT_DELAY": "0",
        "XDG_DATA_HOME": str(tmp_path),
    }


async def command(environment: dict[str, str], *arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bling_collector", *arguments, env=environment, cwd=environment["XDG_DATA_HOME"],
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def aged(engine: AsyncEngine, days: float) -> None:
    """A última troca do par foi há tantos dias, e o token de acesso ainda vale."""
    now = datetime.now(UTC)
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE oauth_tokens SET updated_at = :then, expires_at = :end"),
            {"then": now - timedelta(days=days), "end": now + timedelta(hours=5)},
        )


async def test_the_key_is_made_without_anything_else(tmp_path: Path) -> None:
    code, said = await command(os.environ | {"XDG_DATA_HOME": str(tmp_path)}, "auth", "--gerar-chave")
    assert code == 0
    Fernet(said.strip())


async def test_the_status_says_what_is_left(environment: dict[str, str], engine: AsyncEngine) -> None:
    await aged(engine, 1.5)
    code, said = await command(environment, "status")
    assert code == 0
    assert "por mais 28 dias" in said
    assert "em claro no banco" in said
    assert "⚠" not in said

    await aged(engine, 24.5)
    _, said = await command(environment | {"TOKEN_ENCRYPTION_KEY": new_key()}, "status")
    assert "⚠ A autorização do Bling acaba em 5 dia(s). Uma coleta a renova: rode `bling-collector run`" in said


async def test_a_run_that_could_not_renew_warns(
    environment: dict[str, str], engine: AsyncEngine, server: RunningServer
) -> None:
    await aged(engine, 24.5)
    server.bling.fail("^/oauth/token$", "bad_gateway")
    code, said = await command(environment, "run")
    assert code == 0
    assert "⚠ A autorização do Bling acaba em 5 dia(s)" in said

    server.bling.faults.clear()
    key = new_key()
    code, said = await command(environment | {"TOKEN_ENCRYPTION_KEY": key}, "run")
    assert code == 0
    assert "⚠" not in said
    _, said = await command(environment | {"TOKEN_ENCRYPTION_KEY": key}, "status")
    assert "por mais 29 dias" in said
    assert "em claro" not in said


@pytest.mark.parametrize("other", [{}, {"TOKEN_ENCRYPTION_KEY": new_key()}])
async def test_status_and_doctor_agree_that_the_key_does_not_open_the_pair(
    app: App, environment: dict[str, str], engine: AsyncEngine, clock: FakeClock, other: dict[str, str]
) -> None:
    await app.pipeline.run()
    await PgTokenStore(engine, TokenCipher([new_key()])).seal()
    said = {name: (await command(environment | other, name))[1] for name in ("status", "doctor")}
    assert all("TOKEN_ENCRYPTION_KEY. Ponha-a de volta" in words for words in said.values())
    assert "Autorizado" not in said["status"]
    assert "fernet:" not in said["status"] + said["doctor"]

    changed = app.settings.model_copy(update={"token_encryption_key": SecretStr(other.get("TOKEN_ENCRYPTION_KEY", ""))})
    async with serving(changed, clock) as http:
        oauth = (await http.get("/status")).json()["oauth"]
        assert (oauth["readable"], oauth["needs_authorization"]) == (False, True)
        assert "bling_authorized 0" in (await http.get("/metrics")).text
        assert "não se abre com a chave configurada" in (await http.get("/", headers={"Accept": "text/html"})).text


async def test_the_doctor_says_it_too(app: App, engine: AsyncEngine) -> None:
    async def authorisation() -> tuple[int, str]:
        [found] = [finding async for finding in examine(app.settings) if finding.nome == "Autorização"]
        return found.exit_code, found.detalhe

    await aged(engine, 1)
    code, detail = await authorisation()
    assert code == 0
    assert "TOKEN_ENCRYPTION_KEY o cifra" in detail
    await aged(engine, 25.5)
    code, detail = await authorisation()
    assert code == 1
    assert "faltam 4 dia(s)" in detail


async def test_a_refusal_is_remembered_until_the_next_authorisation(
    app: App, bling: Bling, engine: AsyncEngine
) -> None:
    """Quem vê `status` depois sabe que só o dono da conta resolve, sem procurar no log."""
    await aged(engine, 0)
    bling.revoke_all()
    result = await app.pipeline.run_full(date(2025, 1, 1))
    assert result.exit_code == 3
    assert (await load_status(engine, TokenCipher()))["oauth"]["needs_authorization"] is True
    [found] = [finding async for finding in examine(app.settings) if finding.nome == "Autorização"]
    assert (found.exit_code, "o Bling a recusou em" in found.detalhe) == (3, True)

    await authorise(app, bling)
    assert (await load_status(engine, TokenCipher()))["oauth"]["needs_authorization"] is False
