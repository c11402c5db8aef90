"""Bancos com os seus costumes, e usuários a quem falta alguma coisa: ou tudo dá certo, ou se diz o que fazer."""

import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
from tests.acceptance.service_fixtures import authorise, problem, serving
from tests.support.collecting import authorise as authorise_account
from tests.support.collecting import until
from tests.support.fakes import FakeClock
from tests.support.inbox import Inbox, open_inbox
from tests.support.postgres import execute
from tests.support.variants import one_now

from bling_collector.config import Secret, Settings
from bling_collector.db.connection.database import parse_url
from bling_collector.doctor import examine
from bling_collector.main import create_app
from bling_collector.web.service import Services
from bling_collector.web.watch import watched_alarms
from bling_collector.workplace.account import open_account
from bling_simulator.bling import Bling

CUSTOMS = {
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "iso_8601",
    "TimeZone": "Pacific/Chatham",
    "client_encoding": "LATIN1",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "standard_conforming_strings": "off",
    "default_transaction_isolation": "repeatable read",
    "idle_session_timeout": "5s",
}


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with open_inbox() as opened:
        yield opened


@pytest.mark.parametrize("isolation", one_now(["serializable", "repeatable read"]))
async def test_a_load_in_a_database_of_odd_customs(
    settings: Settings, clock: FakeClock, bling: Bling, database_url: str, isolation: str
) -> None:
    name = parse_url(database_url).database
    customs = CUSTOMS | {"default_transaction_isolation": isolation}
    await execute(database_url, *(f"ALTER DATABASE {name} SET {setting} = '{customs[setting]}'" for setting in customs))
    async with open_account(settings, clock=clock) as account:
        await authorise_account(account, bling)
        for _ in range(2):
            result = await account.pipeline.run()
            assert (result.status, result.message) == ("success", None)
        assert (await account.pipeline.reconcile()).status == "success"


@pytest.mark.slow
async def test_a_read_only_database_is_refused_at_once_and_told(
    settings: Settings, clock: FakeClock, bling: Bling, inbox: Inbox, database_url: str
) -> None:
    alerting = replace(settings, alert_urls=Secret(inbox.url))
    async with serving(alerting, clock) as http:
        await authorise(http, bling)
    name = parse_url(database_url).database
    await execute(database_url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    asked = bling.counters.token_calls
    async with serving(alerting, clock) as http:
        for path in ("/run", "/run/full?data_inicio=2026-01-01", "/failures/retry", "/alerts/check"):
            refused = problem(await http.post(path), 503)
            assert "só se deixa ler" in refused["detail"], path
        problem(await http.post("/sync/nfe/1"), 503)
        assert (await http.get("/status")).status_code == 200, "ler ainda se pode"
    assert inbox.titles == ["Coletor Bling: o banco não atende"]
    assert bling.counters.token_calls == asked
    found = [finding async for finding in examine(settings)]
    assert [f.nome for f in found if not f.ok and "só se deixa ler" in f.detalhe] == ["Permissões"]


@pytest.fixture
async def role(database_url: str) -> AsyncIterator[str]:
    """Um usuário que pode tudo o que o coletor precisa."""
    name = f"coletor_{parse_url(database_url).database}"
    await execute(
        database_url,
        f"CREATE ROLE {name} LOGIN",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}",
    )
    yield name
    await execute(database_url, f"DROP OWNED BY {name}", f"DROP ROLE {name}")


@pytest.fixture
def limited(settings: Settings, database_url: str, role: str, inbox: Inbox) -> Settings:
    url = parse_url(database_url).set(username=role).render_as_string(hide_password=False)
    return replace(settings, database_url=Secret(url), alert_urls=Secret(inbox.url))


@pytest.mark.slow
@pytest.mark.parametrize("table", one_now(["nfe_itens", "alarmes", "etl_controle"]))
async def test_a_table_without_rights_is_said_by_run_and_by_the_watch_until_it_has_them(
    limited: Settings,
    clock: FakeClock,
    bling: Bling,
    inbox: Inbox,
    database_url: str,
    role: str,
    table: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving(limited, clock) as http:
        await authorise(http, bling)
        await execute(database_url, f"REVOKE INSERT ON {table} FROM {role}")
        for _ in range(2):
            refused = problem(await http.post("/run"), 503)
            assert f"{table} (INSERT)" in refused["detail"]
            assert "GRANT" in refused["detail"]
        assert inbox.titles == ["Coletor Bling: o banco não atende"]

    app = create_app(limited, clock=clock)
    caplog.clear()
    inbox.received.clear()

    async def heard() -> bool:
        return bool(inbox.received)

    async def resolved() -> bool:
        return inbox.titles[-1:] == ["Coletor Bling: resolvido — o banco não atende"]

    async with app.router.lifespan_context(app):
        services: Services = app.state.services
        alarms = (await services.main.account()).alarms
        async with watched_alarms(services, every=0.01):
            if table == "alarmes":  # sem onde guardar que já o disse, cada processo o diz uma vez
                await until(heard)
            for _ in range(3):
                assert await alarms.check() is not None
            said = [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]
            assert 0 < len(said) == len(set(said)), "uma vez, e não a cada volta"
            await execute(database_url, f"GRANT INSERT ON {table} TO {role}")
            await until(resolved)
    told = inbox.titles.count("Coletor Bling: o banco não atende")
    assert told == 0 if table != "alarmes" else told in {1, 2}, (
        "2 se o banco passou a guardá-lo no meio de uma conferência"
    )


async def test_the_watch_survives_any_error(
    settings: Settings, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Até um defeito nosso: sem este laço ninguém mais avisa."""
    app = create_app(settings, clock=clock)
    ticks = 0

    async def broken(*_: object, **__: object) -> None:
        nonlocal ticks
        ticks += 1
        raise KeyError("um defeito")

    async def ticked() -> bool:
        return ticks >= 3

    async with app.router.lifespan_context(app):
        services: Services = app.state.services
        monkeypatch.setattr((await services.main.account()).alarms, "check", broken)
        async with watched_alarms(services, every=0.001):
            await until(ticked)
    assert sum("conferência dos alarmes caiu" in record.getMessage() for record in caplog.records) == 1
