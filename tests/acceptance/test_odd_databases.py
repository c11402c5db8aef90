"""Bancos com os seus costumes, e usuários a quem falta alguma coisa: ou tudo dá certo, ou se diz o que fazer."""

import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
from tests.acceptance.service_fixtures import authorise, problem, serving, until
from tests.collecting import authorise as authorise_app
from tests.fakes import FakeClock
from tests.inbox import Inbox, open_inbox
from tests.postgres import execute

from bling_collector.bootstrap import open_app
from bling_collector.config import Secret, Settings
from bling_collector.db.database import parse_url
from bling_collector.main import create_app
from bling_collector.web.service import Service
from bling_collector.web.watch import watched_alarms
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
    "default_transaction_read_only": "on",
    "idle_session_timeout": "5s",
}


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with open_inbox() as opened:
        yield opened


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
async def test_a_load_in_a_database_of_odd_customs(
    settings: Settings, clock: FakeClock, bling: Bling, database_url: str, isolation: str
) -> None:
    name = parse_url(database_url).database
    customs = CUSTOMS | {"default_transaction_isolation": isolation}
    await execute(database_url, *(f"ALTER DATABASE {name} SET {setting} = '{customs[setting]}'" for setting in customs))
    async with open_app(settings, clock=clock) as app:
        await authorise_app(app, bling)
        for _ in range(2):
            result = await app.pipeline.run()
            assert (result.status, result.message) == ("success", None)
        assert (await app.pipeline.reconcile()).status == "success"


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


@pytest.mark.parametrize("table", ["alarmes", "nfe_itens", "etl_controle"])
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

    async def heard(count: int) -> bool:
        return len(inbox.received) >= count

    async with app.router.lifespan_context(app):
        service: Service = app.state.service
        alarms = (await service.app()).alarms
        async with watched_alarms(service, every=0.01):
            if table == "alarmes":  # sem onde guardar que já o disse, cada processo o diz uma vez
                await until(lambda: heard(1))
            for _ in range(3):
                assert await alarms.check() is not None
            said = [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]
            assert 0 < len(said) == len(set(said)), "uma vez, e não a cada volta"
            await execute(database_url, f"GRANT INSERT ON {table} TO {role}")
            before = len(inbox.received)
            await until(lambda: heard(before + 1))
    assert inbox.titles[-1].startswith("Coletor Bling: resolvido — o banco não atende")
    assert inbox.titles.count("Coletor Bling: o banco não atende") == int(table == "alarmes")


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
        service: Service = app.state.service
        monkeypatch.setattr((await service.app()).alarms, "check", broken)
        async with watched_alarms(service, every=0.001):
            await until(ticked)
    assert sum("conferência dos alarmes caiu" in record.getMessage() for record in caplog.records) == 1
