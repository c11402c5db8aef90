"""A porta abre antes de a aplicação se carregar: o que se responde enquanto isso, e o que acontece se ela não vem."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx2
import pytest
import uvicorn
from starlette.types import ASGIApp
from tests.acceptance.test_access import free_port

from bling_collector.config import Settings
from bling_collector.main import create_app
from bling_collector.serving import build_server, serving
from bling_collector.web.front import Front


@asynccontextmanager
async def serving_with(load: Callable[[], ASGIApp]) -> AsyncIterator[tuple[httpx2.AsyncClient, uvicorn.Server]]:
    front = Front(load)
    server = build_server(front, "127.0.0.1", port := int(free_port()))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 — é o uvicorn que o diz
        await asyncio.sleep(0.01)
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
            yield http, server
    finally:
        server.should_exit = True
        await task


async def test_the_health_is_answered_while_the_rest_loads_and_a_request_waits_for_it() -> None:
    go = threading.Event()

    def slowly() -> ASGIApp:
        go.wait()
        return create_app(Settings())

    async with serving_with(slowly) as (http, _):
        early = await http.get("/health")
        assert early.json()["status"] == "ok"
        assert (await http.head("/health")).content == b""
        waiting = asyncio.create_task(http.get("/openapi.json"))
        assert (await http.get("/health")).status_code == 200
        assert not waiting.done()
        go.set()
        assert (await waiting).json()["info"]["title"] == "Coletor Bling"
        late = await http.get("/health")
        same = {"content-type", "cache-control", "content-security-policy", "x-content-type-options"}
        assert early.json().keys() == late.json().keys()
        assert {n: early.headers[n] for n in same} == {n: late.headers[n] for n in same}
        assert early.headers.keys() == late.headers.keys()


async def test_a_stop_while_it_loads_is_obeyed() -> None:
    go = threading.Event()

    def slowly() -> ASGIApp:
        go.wait()
        return create_app(Settings())

    async with serving_with(slowly) as (_, server):
        server.should_exit = True
        go.set()


async def test_an_application_that_does_not_come_ends_the_service_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(settings: Settings) -> ASGIApp:
        raise ValueError("faltou um arquivo do pacote")

    monkeypatch.setattr("bling_collector.main.create_app", broken)
    with pytest.raises(ValueError, match="faltou um arquivo"):
        await serving(Settings(), "127.0.0.1", int(free_port()))
