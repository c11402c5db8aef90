"""As páginas de uma empresa: nenhum endereço delas sai da empresa, nem os de uma página de erro."""

import re
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from bling_collector.config import Settings
from bling_collector.main import _protect
from bling_collector.web import panel
from bling_collector.web.door.companies import LINKS

PANEL = Path(panel.__file__).parent
PAGE = {"Accept": "text/html"}


def test_every_attribute_with_an_address_of_ours_is_of_the_company() -> None:
    written = "".join(path.read_text("utf-8") for path in PANEL.rglob("*.html"))
    attributes = set(re.findall(r"""\s([a-z][a-z-]*)=["'](?:/|\{\{ *\(?['"]/)""", written))
    assert {"href", "hx-get", "data-live-url"} <= attributes <= {*LINKS}


@pytest.fixture
def http() -> httpx2.AsyncClient:
    """Um cliente de uma aplicação com as portas da nossa."""
    app = FastAPI()

    @app.get("/quebra")
    async def broken(request: Request) -> None:
        request.state.run_id = 7
        raise RuntimeError

    @app.get("/escrito")
    async def written() -> HTMLResponse:
        return HTMLResponse('<p title="x href=&#34;/a" data-x="/b">src=/c</p><a href="/d">href=&#34;/e</a>' * 9)

    @app.get("/mandado")
    async def told(pagina: bool = False) -> Response:
        page = "<p>Rode <code>bling-collector run</code>, ou <code>bling-collector empresas list</code>.</p>"
        said = {"detalhe": "Autorização perdida: rode `bling-collector auth` ou `bling-collector --empresa sul auth`."}
        return HTMLResponse(page) if pagina else JSONResponse(said)

    @app.get("/nada", status_code=204)
    async def nothing() -> None: ...

    _protect(app, Settings())
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://localhost")


async def test_what_nobody_foresaw_is_said_in_the_company(http: httpx2.AsyncClient) -> None:
    page = await http.get("/e/norte/quebra", headers=PAGE)
    assert page.status_code == 500
    assert 'href="/e/norte/notas"' in page.text
    assert 'href="/notas"' not in page.text
    said = (await http.get("/e/norte/quebra")).json()
    assert (said["instance"], said["run_id"]) == ("/e/norte/quebra", 7)


async def test_only_the_addresses_change_and_the_length_is_the_true_one(http: httpx2.AsyncClient) -> None:
    plain, of_norte = (await http.get("/escrito")), (await http.get("/e/norte/escrito"))
    assert of_norte.text == plain.text.replace('<a href="/d"', '<a href="/e/norte/d"')
    head = await http.head("/e/norte/escrito")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(of_norte.content)
    assert (await http.get("/e/norte/nada")).status_code == 204


async def test_the_commands_one_is_told_to_type_are_of_the_company(http: httpx2.AsyncClient) -> None:
    said = await http.get("/e/norte/mandado")
    assert said.json()["detalhe"] == (
        "Autorização perdida: rode `bling-collector --empresa norte auth` ou `bling-collector --empresa sul auth`."
    )
    assert int(said.headers["content-length"]) == len(said.content)
    page = await http.get("/e/norte/mandado", params={"pagina": True})
    assert "<code>bling-collector --empresa norte run</code>" in page.text
    assert "<code>bling-collector empresas list</code>" in page.text
    assert "--empresa norte" not in (await http.get("/mandado")).text
