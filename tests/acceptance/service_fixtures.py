"""O serviço HTTP de verdade, sem soquete: a aplicação aberta e um cliente diante dela."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from bling_collector.clock import Clock
from bling_collector.config import Settings
from bling_collector.main import create_app
from bling_simulator.bling import Bling

PROBLEM = "application/problem+json"


@asynccontextmanager
async def serving(settings: Settings, clock: Clock | None = None) -> AsyncIterator[httpx2.AsyncClient]:
    """Um cliente da aplicação, aberta e, ao sair, parada como o servidor a para."""
    app = create_app(settings, clock=clock)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://localhost", timeout=60) as http,
    ):
        yield http


async def authorise(http: httpx2.AsyncClient, bling: Bling) -> httpx2.Response:
    """O caminho do navegador: pede o endereço, consente, e o Bling volta com o código e o mesmo `state`."""
    started = (await http.get("/auth/start")).json()
    state = parse_qs(urlsplit(started["auth_url"]).query)["state"][0]
    return await http.get("/auth/callback", params={"code": bling.authorise(), "state": state})


def problem(response: httpx2.Response, status: int) -> dict[str, Any]:
    """O corpo da resposta, que precisa ser um problema inteiro da RFC 9457."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == PROBLEM
    body: dict[str, Any] = response.json()
    assert {"type", "title", "status", "detail", "instance"} <= body.keys()
    assert body["status"] == status
    assert body["instance"].removesuffix("%E2%80%A6") == response.request.url.path[:500]  # um longo vem cortado
    assert body["detail"].strip()
    assert "Traceback" not in response.text
    return body
