"""Montar o coletor diante do simulador, e olhar o que ele fez."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bling_collector.config import Secret, Settings
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.faults import FaultRule
from bling_simulator.settings import SimulatorSettings


def collector_settings(api_url: str, database_url: Secret, **changes: Any) -> Settings:
    """As configurações que apontam para o simulador em `api_url`, sem ritmo."""
    simulator = SimulatorSettings()
    values: dict[str, Any] = {
        "bling_client_id": simulator.client_id,
        "bling_client_secret": Secret(simulator.client_secret),
        "database_url": database_url,
        "bling_api_base_url": api_url,
        "bling_oauth_url": f"{api_url}/oauth/token",
        "bling_authorize_url": f"{api_url}/oauth/authorize",
        "extraction_days_back": 1,
        "extraction_lookback_days": 30,
        "api_rate_limit_delay": 0.0,
        "api_page_size": 100,
        "log_level": "INFO",
    }
    return Settings(**(values | changes))


async def authorise(account: Account, bling: Bling) -> None:
    """O dono da conta autoriza: o código volta com o `state` que saiu."""
    url = await account.oauth.start_authorization()
    await account.oauth.exchange_authorization_code(bling.authorise(), parse_qs(urlsplit(url).query)["state"][0])


def at_request(
    bling: Bling, monkeypatch: pytest.MonkeyPatch, pattern: str, number: int, action: Callable[[], object]
) -> None:
    """Faz `action` quando chega ao simulador a requisição de número `number` cujo caminho casa, antes de atendê-la."""
    seen = 0
    choose = bling.faults.choose

    def watched(method: str, path: str, *more: str) -> FaultRule | None:
        nonlocal seen
        if re.search(pattern, path):
            seen += 1
            if seen == number:
                action()
        return choose(method, path, *more)

    monkeypatch.setattr(bling.faults, "choose", watched)


async def until(condition: Callable[[], Awaitable[object]], *, seconds: float = 120) -> None:
    """Espera que a condição valha; o prazo só acaba com o que nunca chegaria."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 — quem a muda é o serviço, do outro lado do HTTP ou do banco
            await asyncio.sleep(0.02)


async def rows(engine: AsyncEngine, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """As linhas de uma consulta."""
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(query), parameters)]


async def scalar(engine: AsyncEngine, query: str, **parameters: Any) -> Any:
    """O primeiro valor da primeira linha."""
    return (await rows(engine, query, **parameters))[0][0]
