"""O que a maioria dos testes usa: um PostgreSQL descartável, um Bling num soquete e o coletor montado entre os dois.

@pytest.mark.bling(scale=0.05, uneven_pages=False)   # o simulador deste teste
@pytest.mark.collector(extraction_lookback_days=0)    # as configurações do coletor deste teste
@pytest.mark.loaded(date(2021, 1, 1))                 # a carga histórica já foi feita, e este é o instante seguinte
async def test_algo(bling: Bling, account: Account) -> None: ...
"""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import settings as settings_of_hypothesis
from sqlalchemy import Connection, Engine, event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import LRUCache
from tests.support.collecting import authorise, collector_settings
from tests.support.fakes import FakeClock, TickingClock
from tests.support.loads import Load, Loads, nothing
from tests.support.postgres import create_database, drop_database, throwaway_server

from bling_collector.config import Secret, Settings
from bling_collector.db import schema
from bling_collector.db.connection.database import close, create_engine, parse_url
from bling_collector.db.embedded.postgres import EmbeddedServer
from bling_collector.workplace.account import Account, open_account
from bling_simulator.bling import Bling
from bling_simulator.server import RunningServer, running
from bling_simulator.settings import SimulatorSettings


class _Compiled(LRUCache[Any, Any]):
    """Os comandos compilados, de todos os motores: cada teste tem o seu, e compilá-los era um décimo da suíte."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(key[1:], default)  # sem o dialeto, que é um objeto de cada motor, e todos iguais

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key[1:], value)


_COMPILED = _Compiled(2000)


@event.listens_for(Engine, "engine_connect")
def _share_what_is_compiled(connection: Connection) -> None:
    connection.engine._compiled_cache = _COMPILED


settings_of_hypothesis.register_profile("suite", deadline=None)  # numa máquina ocupada um exemplo demora mais
settings_of_hypothesis.load_profile("suite")

NOW = datetime(2026, 2, 20, 21, 0, tzinfo=UTC)
"""O presente dos testes: o fim da tarde do dia da última nota gerada."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "bling(**settings): as configurações do simulador deste teste")
    config.addinivalue_line("markers", "collector(**settings): as configurações do coletor deste teste")
    config.addinivalue_line("markers", "loaded(start, before): o banco já tem tudo desde `start`, e o que `before` fez")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Os testes da mesma carga seguidos: cada processo faz quase só cargas que o outro não faz."""
    first: dict[object, int] = {}
    place = {item: first.setdefault(_load_of(item), number) for number, item in enumerate(items)}
    items.sort(key=place.__getitem__)


def _load_of(item: pytest.Item) -> object:
    """O que distingue a carga de um teste; de quem não tem nenhuma, o próprio teste."""
    mark = item.get_closest_marker("loaded")
    return (mark.args, repr((mark.kwargs, _marked(item, "bling"), _marked(item, "collector")))) if mark else item


def pytest_collection_finish(session: pytest.Session) -> None:
    """O que existe a esta altura existirá até o fim, e procurar lixo nisso a cada teste custava um décimo deles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


@pytest.fixture(autouse=True)
def log_level() -> Iterator[None]:
    """Um comando chamado dentro do processo configura o log de todos; o teste seguinte não tem com isso."""
    before = logging.getLogger().level
    yield
    logging.getLogger().setLevel(before)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedServer]:
    """O servidor deste processo do pytest."""
    with throwaway_server() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_template(postgres: EmbeddedServer) -> str:
    """Um banco com as tabelas, para copiar."""

    async def make() -> str:
        url = await create_database(postgres)
        engine = create_engine(parse_url(url))
        await schema.upgrade(engine)
        await close(engine)
        return url

    return asyncio.run(make())


@pytest.fixture
async def empty_database_url(postgres: EmbeddedServer) -> AsyncIterator[str]:
    """Um banco sem tabela nenhuma."""
    url = await create_database(postgres)
    yield url
    await drop_database(postgres, url)


@pytest.fixture
async def empty_engine(empty_database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(parse_url(empty_database_url))
    yield engine
    await close(engine)


@pytest.fixture(scope="session")
def loads(postgres: EmbeddedServer, migrated_template: str) -> Loads:
    return Loads(postgres, migrated_template)


@pytest.fixture
async def load(request: pytest.FixtureRequest, loads: Loads) -> Load:
    """A carga que este teste já encontra feita; ou só a autorização, se não pede nenhuma."""
    mark = request.node.get_closest_marker("loaded")
    start, before = (mark.args[0], mark.kwargs.get("before", nothing)) if mark else (None, nothing)
    return await loads.since(start, NOW, _simulator(request), _marked(request.node, "collector"), before)


@pytest.fixture
def template(request: pytest.FixtureRequest) -> str:
    """O banco que este teste copia."""
    if _is_loaded(request) or _is_usual(request):
        loaded: Load = request.getfixturevalue("load")
        return loaded.url
    empty: str = request.getfixturevalue("migrated_template")
    return empty


@pytest.fixture
async def database_url(postgres: EmbeddedServer, template: str) -> AsyncIterator[str]:
    """Um banco só deste teste, com as tabelas em dia."""
    url = await create_database(postgres, template)
    yield url
    await drop_database(postgres, url)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(parse_url(database_url))
    yield engine
    await close(engine)


@pytest.fixture
def clock(request: pytest.FixtureRequest) -> FakeClock:
    """O relógio do coletor e do simulador: as esperas não esperam."""
    return TickingClock(request.getfixturevalue("load").ended if _is_loaded(request) else NOW)


def _marked(item: pytest.Item, name: str) -> dict[str, Any]:
    marks = list(item.iter_markers(name))
    return {key: value for mark in reversed(marks) for key, value in mark.kwargs.items()}


def _is_loaded(request: pytest.FixtureRequest) -> bool:
    return request.node.get_closest_marker("loaded") is not None


def _is_usual(request: pytest.FixtureRequest) -> bool:
    """Se o coletor e o simulador deste teste são os de costume: então a autorização de outro serve."""
    return "account" in request.fixturenames and not (
        _marked(request.node, "bling") or _marked(request.node, "collector")
    )


def _simulator(request: pytest.FixtureRequest) -> SimulatorSettings:
    settings = SimulatorSettings(scale=0.015, requests_per_second=0, errors_per_10s=0, today=date(2026, 2, 20))
    return replace(settings, **_marked(request.node, "bling"))


@pytest.fixture
async def server(request: pytest.FixtureRequest, clock: FakeClock) -> AsyncIterator[RunningServer]:
    """O simulador num soquete, com todas as manias e sem limite de ritmo."""
    async with running(_simulator(request), clock=clock) as running_server:
        yield running_server


@pytest.fixture
def bling(server: RunningServer) -> Bling:
    return server.bling


@pytest.fixture
def changed(request: pytest.FixtureRequest, bling: Bling) -> Any:
    """O Bling deste teste como o da carga era, com o `before` dela; devolve o que ele devolve."""
    clock, bling.clock = bling.clock, TickingClock(NOW)
    try:
        return request.node.get_closest_marker("loaded").kwargs["before"](bling)
    finally:
        bling.clock = clock


@pytest.fixture
def settings(request: pytest.FixtureRequest, server: RunningServer, database_url: str) -> Settings:
    """As configurações do coletor, que não leem o ambiente de quem roda os testes."""
    values = _marked(request.node, "collector")
    return collector_settings(server.api_url, Secret(database_url), **values)


@pytest.fixture
async def account(
    request: pytest.FixtureRequest, settings: Settings, clock: FakeClock, bling: Bling
) -> AsyncIterator[Account]:
    """O coletor montado e já autorizado."""
    authorised = _is_loaded(request) or _is_usual(request)
    if authorised:
        bling.grants.adopt(request.getfixturevalue("load").grants)
    async with open_account(settings, clock=clock) as opened:
        if not authorised:
            await authorise(opened, bling)
        yield opened
