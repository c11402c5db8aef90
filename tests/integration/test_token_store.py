"""Os tokens no PostgreSQL: cifrados, sob uma tranca entre processos, e gravados mesmo que o banco caia no meio."""

import asyncio
import json
import stat
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.conftest import NOW
from tests.support.collecting import authorise
from tests.support.fakes import FakeClock

from bling_collector.auth.token_cipher import TokenCipher, is_sealed, new_key
from bling_collector.auth.token_store import PgTokenStore
from bling_collector.auth.tokens import Token
from bling_collector.config import Secret, Settings
from bling_collector.db.connection.database import close, create_engine, parse_url
from bling_collector.errors import ConfigurationError, DatabaseError
from bling_collector.insight.alarms import load_alarms
from bling_collector.insight.situation import load_situation
from bling_collector.insight.status import load_status
from bling_collector.words import plural
from bling_collector.workplace.account import Account, open_account
from bling_simulator.bling import Bling
from bling_simulator.server import RunningServer

ROOT = Path(__file__).parents[2]
OLD, NEW = new_key(), new_key()
PAIR = Token("acesso-1", "renovacao-1", NOW + timedelta(hours=6), updated_at=NOW)
pytestmark = pytest.mark.bling(scale=0.01)


async def stored(engine: AsyncEngine) -> tuple[str, str]:
    async with engine.connect() as connection:
        row = (await connection.execute(text("SELECT access_token, refresh_token FROM oauth_tokens"))).one()
        return row[0], row[1]


async def execute(engine: AsyncEngine, statement: str, **values: Any) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement), values)


async def save(engine: AsyncEngine, token: Token, *keys: str) -> PgTokenStore:
    store = PgTokenStore(engine, TokenCipher(keys))
    async with store.locked() as tokens:
        await tokens.save(token)
    return store


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pasta em que um par espera pelo banco."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    return tmp_path / "bling-collector" / "tokens"


# Cifrados em repouso


async def test_what_is_saved_is_sealed_and_reads_back(engine: AsyncEngine) -> None:
    store = await save(engine, PAIR, NEW)
    assert all(map(is_sealed, await stored(engine)))
    assert "acesso-1" not in str(await stored(engine))
    assert await store.read() == PAIR


async def test_plain_ones_of_the_first_collector_are_sealed_once(engine: AsyncEngine) -> None:
    await save(engine, PAIR)
    assert await stored(engine) == ("acesso-1", "renovacao-1")
    store = PgTokenStore(engine, TokenCipher([NEW]))
    assert await store.read() == PAIR
    assert await store.seal() is True
    sealed = await stored(engine)
    assert all(map(is_sealed, sealed))
    assert await store.read() == PAIR
    assert await store.seal() is False
    assert await stored(engine) == sealed


async def test_a_rotation_of_keys_ends_with_the_old_one_out(engine: AsyncEngine) -> None:
    await save(engine, PAIR, OLD)
    assert await PgTokenStore(engine, TokenCipher([NEW, OLD])).seal() is True
    assert await PgTokenStore(engine, TokenCipher([NEW])).read() == PAIR


async def test_a_lost_key_is_said_and_a_new_authorisation_replaces_it(
    engine: AsyncEngine, settings: Settings, clock: FakeClock, bling: Bling
) -> None:
    await save(engine, PAIR, OLD)
    for keys in (None, Secret(NEW)):
        changed = replace(settings, token_encryption_key=keys)
        async with open_account(changed, clock=clock) as account:
            with pytest.raises(ConfigurationError, match="TOKEN_ENCRYPTION_KEY"):
                await account.oauth.get_valid_access_token()
            oauth = (await load_status(engine, account.cipher)).oauth
            assert (oauth.encrypted, oauth.readable, oauth.needs_authorization) == (True, False, True)
            assert "TOKEN_ENCRYPTION_KEY" in (oauth.warning or "")
            situation = await load_situation(engine, account.cipher, clock.now(), no_run_hours=26)
            assert "chave" in situation.verdict.sentence
            await account.alarms.check()
            sounding = {alarm.nome: alarm.mensagem for alarm in await load_alarms(engine) if alarm.estado == "erro"}
            assert sounding == {"autorizacao": oauth.warning}
    async with open_account(changed, clock=clock) as account:
        await authorise(account, bling)
        assert (await account.oauth.get_valid_access_token()).access_token != "acesso-1"
    assert all(map(is_sealed, await stored(engine)))


@pytest.mark.slow
async def test_a_new_authorisation_without_the_lost_key(account: Account, engine: AsyncEngine, bling: Bling) -> None:
    await save(engine, PAIR, OLD)
    await authorise(account, bling)
    assert not any(map(is_sealed, await stored(engine)))


async def test_the_start_seals_what_was_plain(
    account: Account, engine: AsyncEngine, settings: Settings, clock: FakeClock
) -> None:
    plain = await stored(engine)
    assert (await load_status(engine, TokenCipher())).oauth.encrypted is False
    async with open_account(replace(settings, token_encryption_key=Secret(NEW)), clock=clock) as sealed:
        assert (await sealed.oauth.get_valid_access_token()).access_token == plain[0]
    assert all(map(is_sealed, await stored(engine)))
    assert (await load_status(engine, TokenCipher())).oauth.encrypted is True


async def test_an_error_of_the_database_does_not_repeat_the_values(engine: AsyncEngine) -> None:
    with pytest.raises(SQLAlchemyError) as caught:
        await execute(engine, "INSERT INTO oauth_tokens (id, access_token) VALUES (1, :secret)", secret="acesso-1")
    assert "parameters hidden" in str(caught.value)
    assert "'acesso-1'" not in str(caught.value)


# Os dias que faltam


@pytest.mark.parametrize(("age", "left", "warned"), [(0, 30, False), (22, 8, False), (23, 7, True), (29, 1, True)])
async def test_the_days_left_are_in_the_status(engine: AsyncEngine, age: int, left: int, warned: bool) -> None:
    await save(engine, Token("a", "r", NOW + timedelta(hours=1), updated_at=NOW - timedelta(days=age)))
    oauth = (await load_status(engine, TokenCipher(), NOW)).oauth
    assert oauth.refresh_days_left == left
    assert oauth.refresh_expires_at == NOW + timedelta(days=left)
    assert (oauth.warning is not None) is warned
    assert not warned or plural(left, "dia", "dias") in (oauth.warning or "")


@pytest.mark.slow
async def test_a_run_leaves_thirty_days(account: Account, engine: AsyncEngine) -> None:
    await execute(
        engine, "UPDATE oauth_tokens SET updated_at = :then, expires_at = :end",
        then=NOW - timedelta(days=21), end=NOW + timedelta(hours=5),
    )  # fmt: skip
    async with open_account(account.settings, clock=account.clock) as another:
        await another.pipeline.run()
    assert (await load_status(engine, TokenCipher(), account.clock.now())).oauth.refresh_days_left in {29, 30}


# O banco que não grava


async def test_a_read_only_database_is_noticed_before_bling_is_asked(
    account: Account, engine: AsyncEngine, bling: Bling
) -> None:
    await execute(engine, "UPDATE oauth_tokens SET expires_at = :past", past=NOW - timedelta(hours=1))
    before = bling.counters.token_calls
    name = engine.url.database
    await execute(engine, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    await close(account.engine)
    async with open_account(account.settings, clock=account.clock) as another:
        with pytest.raises(DatabaseError, match=r"não aceita gravação \(cannot execute UPDATE in a read-only"):
            await another.oauth.get_valid_access_token()
    assert bling.counters.token_calls == before


def cut(engine: AsyncEngine) -> None:
    """Derruba todas as sessões deste banco."""
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def test_nothing_is_saved_by_who_could_not_take_the_lock_again(engine: AsyncEngine, database_url: str) -> None:
    impatient = create_engine(parse_url(database_url).update_query_dict({"options": "-clock_timeout=100"}))
    mine, other = (PgTokenStore(each, TokenCipher([])) for each in (impatient, engine))
    try:
        async with mine.locked() as tokens:
            cut(engine)
            with pytest.raises(DatabaseError, match="caiu"):
                await tokens.read()
            await close(engine)
            async with other.locked():
                for _ in range(2):
                    with pytest.raises(DatabaseError, match="não gravou o token"):
                        await tokens.save(PAIR)
            await tokens.save(PAIR)
        assert await other.read() == PAIR
    finally:
        await close(impatient)


async def test_a_connection_cut_while_the_pair_is_on_its_way(
    account: Account, engine: AsyncEngine, bling: Bling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O servidor derruba a sessão da tranca entre a resposta do Bling e a gravação."""
    await execute(engine, "UPDATE oauth_tokens SET expires_at = :past", past=NOW - timedelta(hours=1))
    before = bling.counters.token_calls
    rotate = bling.grants.rotate

    def cut_then_rotate(refresh_token: str, *, jwt: bool) -> Any:
        cut(engine)
        return rotate(refresh_token, jwt=jwt)

    monkeypatch.setattr(bling.grants, "rotate", cut_then_rotate)
    async with open_account(account.settings, clock=account.clock) as another:
        fresh = await another.oauth.get_valid_access_token()
    assert bling.counters.token_calls == before + 1
    await close(engine)
    assert await stored(engine) == (fresh.access_token, fresh.refresh_token)


async def test_a_pair_survives_the_death_of_the_process(
    account: Account, engine: AsyncEngine, bling: Bling, folder: Path
) -> None:
    """O banco recusa a gravação até o processo acabar; o seguinte a faz, sem pedir nada ao Bling."""
    await execute(engine, "UPDATE oauth_tokens SET expires_at = :past", past=NOW - timedelta(hours=1))
    await execute(
        engine,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF NEW.access_token <> OLD.access_token THEN RAISE 'disco cheio'; END IF; RETURN NEW; END $$",
    )
    await execute(engine, "CREATE TRIGGER refuse BEFORE UPDATE ON oauth_tokens FOR EACH ROW EXECUTE FUNCTION refuse()")
    before = bling.counters.token_calls
    alarms: list[bool] = []
    async with open_account(account.settings, clock=account.clock, on_unsaved=alarms.append) as first:
        with pytest.raises(DatabaseError, match="disco cheio"):
            await first.oauth.get_valid_access_token()
    [path] = await asyncio.to_thread(lambda: list(folder.iterdir()))
    assert sys.platform == "win32" or stat.S_IMODE(path.stat().st_mode) == 0o600
    assert alarms == [True]

    await execute(engine, "DROP TRIGGER refuse ON oauth_tokens")
    async with open_account(account.settings, clock=account.clock) as second:
        fresh = await second.oauth.get_valid_access_token()
        assert await second.client.get("/nfe", (("limite", 1),))
    assert bling.counters.token_calls == before + 1
    assert await stored(engine) == (fresh.access_token, fresh.refresh_token)
    assert not path.exists()


# Muitos ao mesmo tempo


@pytest.mark.slow
async def test_hundreds_of_callers_in_several_processes_make_one_refresh(
    server: RunningServer, bling: Bling, account: Account, engine: AsyncEngine, database_url: str
) -> None:
    before, _ = await stored(engine)
    await execute(engine, "UPDATE oauth_tokens SET expires_at = :past", past=NOW - timedelta(hours=1))
    calls = bling.counters.token_calls
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.support.many_callers", server.api_url, database_url, NOW.isoformat(), "100",
            cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(4)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout
        assert (await process.stdout.readline()).strip() == b"pronto"
    said = await asyncio.gather(*(process.communicate(f"{before}\n".encode()) for process in processes))
    answers = [answer for out, _ in said for answer in json.loads(out)]
    fresh, _ = await stored(engine)
    assert (len(answers), {*answers}) == (400, {fresh})
    assert fresh != before
    assert bling.counters.token_calls == calls + 1
