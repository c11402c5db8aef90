"""Um Bling pequeno, sem manias de página e sem cota, e um cliente que já tem token."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette

from bling_simulator import Bling, ManualClock, SimulatorSettings, create_app

BASE_URL = "http://bling.test/Api/v3"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def app(clock: ManualClock) -> Starlette:
    settings = SimulatorSettings(scale=0.05, requests_per_second=0, repeat_previous_row=False, uneven_pages=False)
    return create_app(settings, clock=clock)


@pytest.fixture
def bling(app: Starlette) -> Bling:
    found: Bling = app.state.bling
    return found


@pytest.fixture
async def anonymous(app: Starlette) -> AsyncIterator[httpx2.AsyncClient]:
    """Um cliente sem token nenhum."""
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=BASE_URL) as client:
        yield client


@pytest.fixture
async def client(anonymous: httpx2.AsyncClient, bling: Bling) -> httpx2.AsyncClient:
    """Um cliente autorizado."""
    anonymous.headers["Authorization"] = f"Bearer {bling.grant()['access_token']}"
    return anonymous
