"""Bancos já carregados, para copiar: a mesma carga, feita uma vez por processo do pytest e não uma vez por teste."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tests.support.collecting import authorise, collector_settings
from tests.support.fakes import FakeClock, TickingClock
from tests.support.postgres import create_database

from bling_collector.config import Secret
from bling_collector.db.embedded.postgres import EmbeddedServer
from bling_collector.workplace.account import open_account
from bling_simulator.bling import Bling
from bling_simulator.oauth.grants import Grants
from bling_simulator.server import running
from bling_simulator.settings import SimulatorSettings


@dataclass(frozen=True)
class Load:
    """O banco de uma carga inteira, sem conexões, a hora em que ela acabou e os tokens que estão nele."""

    url: str
    ended: datetime
    grants: Grants


def nothing(bling: Bling) -> None:
    """O Bling fica como é."""


class Loads:
    """As cargas já feitas: as mesmas configurações e o mesmo começo são a mesma carga."""

    def __init__(self, postgres: EmbeddedServer, migrated_template: str) -> None:
        self._postgres = postgres
        self._empty = migrated_template
        self._done: dict[str, Load] = {}

    async def since(
        self,
        start: date | None,
        now: datetime,
        simulator: SimulatorSettings,
        collector: Mapping[str, Any],
        before: Callable[[Bling], object],
    ) -> Load:
        """A carga, feita em `now`, de tudo o que o Bling de `simulator` tem desde `start` depois de `before`.

        Sem `start`, só a autorização.
        """
        key = repr((start, simulator, sorted(collector.items()), before.__module__, before.__qualname__))
        if key not in self._done:
            self._done[key] = await self._load(start, TickingClock(now), simulator, collector, before)
        return self._done[key]

    async def _load(
        self,
        start: date | None,
        clock: FakeClock,
        simulator: SimulatorSettings,
        collector: Mapping[str, Any],
        before: Callable[[Bling], object],
    ) -> Load:
        url = await create_database(self._postgres, self._empty)
        async with running(simulator, clock=clock) as server:
            before(server.bling)
            settings = collector_settings(server.api_url, Secret(url), **collector)
            async with open_account(settings, clock=clock) as account:
                await authorise(account, server.bling)
                if start is not None:
                    result = await account.pipeline.run_full(start)
                    assert result.status == "success", result.message
        return Load(url, clock.now(), server.bling.grants)
