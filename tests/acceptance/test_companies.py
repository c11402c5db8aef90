"""Várias empresas num serviço e num banco: cada uma no seu endereço, com o seu token, e nada de uma aparece noutra."""

import asyncio
import io
import json
import logging
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from sqlalchemy import Engine
from sqlalchemy.event import listen
from sqlalchemy.event import remove as remove_listener
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.acceptance.service_fixtures import authorise, problem, serving
from tests.acceptance.test_access import bearer
from tests.support.collecting import authorise as authorise_account
from tests.support.collecting import rows, scalar, until
from tests.support.commands import Terminal
from tests.support.fakes import FakeClock

from bling_collector.config import Secret, Settings
from bling_collector.db import broker, schema
from bling_collector.db.companies import access
from bling_collector.db.companies.schemas import of_company
from bling_collector.db.run_lock import run_lock
from bling_collector.jobs.worker import work
from bling_collector.logs import JsonFormatter
from bling_collector.main import create_app, create_webhooks_app
from bling_collector.web.panel import ROUTERS
from bling_collector.workplace.companies import add, open_companies, remove
from bling_simulator.bling import Bling
from bling_simulator.server import RunningServer, running
from bling_simulator.settings import SimulatorSettings
from bling_simulator.webhooks import Delivery

START = date(2021, 1, 1)
TOKEN = "o-token-que-abre-todas"
PAGE = {"Accept": "text/html"}
ADDRESSES = re.compile(r'\s(?:href|action|src|hx-get|hx-post)="([^"]*)"')


@pytest.fixture
async def norte(clock: FakeClock) -> AsyncIterator[RunningServer]:
    """O Bling da outra empresa."""
    simulator = SimulatorSettings(seed=5, scale=0.005, requests_per_second=0, today=date(2026, 2, 20))
    async with running(simulator, clock=clock) as server:
        yield server


@pytest.fixture
def both(settings: Settings, norte: RunningServer) -> Settings:
    """As configurações da principal, a do simulador deste teste, e as da empresa norte, a do outro."""
    theirs = {"bling_api_base_url": norte.api_url, "bling_oauth_url": f"{norte.api_url}/oauth/token"}
    return replace(settings, of_companies={"norte": theirs}, api_token=Secret(TOKEN))


@pytest.fixture
async def http(both: Settings, engine: AsyncEngine, clock: FakeClock) -> AsyncIterator[httpx2.AsyncClient]:
    """Um cliente que abre todas; a empresa norte já criada."""
    await add(engine, "norte")
    async with serving(both, clock) as client:
        client.headers |= bearer(TOKEN)
        yield client


async def told(engine: AsyncEngine, name: str, clock: FakeClock) -> str:
    return await access.give(of_company(engine, name), name, clock.now())


async def collected(http: httpx2.AsyncClient, bling: Bling) -> None:
    """A empresa norte autorizada e carregada."""
    await authorised(http, bling)
    answer = await http.post("/e/norte/run/full", params={"data_inicio": "2021-01-01"}, timeout=120)
    assert (answer.status_code, answer.json()["status"]) == (200, "success"), answer.text


async def authorised(http: httpx2.AsyncClient, bling: Bling) -> None:
    """A empresa norte: só o começo é dela, e a volta é no link de redirecionamento do aplicativo, que é de todas."""
    started = (await http.get("/e/norte/auth/start")).json()
    state = parse_qs(urlsplit(started["auth_url"]).query)["state"][0]
    answer = await http.get("/auth/callback", params={"code": bling.authorise(), "state": state})
    assert answer.status_code == 200, answer.text


def paths() -> list[str]:
    """Todo caminho que se lê com GET, com os parâmetros por preencher."""
    routes = [route for router in ROUTERS for route in router.routes]
    pages = {getattr(route, "path", "") for route in routes if "GET" in getattr(route, "methods", ())}
    api = {path for path, methods in create_app().openapi()["paths"].items() if "get" in methods}
    return sorted((pages | api) - {"/static/{version}/{name}", "/sair", "/empresas"})


@pytest.mark.slow
@pytest.mark.loaded(START)
@pytest.mark.bling(scale=0.015)
async def test_no_address_of_a_company_shows_what_is_of_another(
    http: httpx2.AsyncClient, engine: AsyncEngine, norte: RunningServer
) -> None:
    await collected(http, norte.bling)
    here, there = engine, of_company(engine, "norte")
    known = (
        "SELECT nome FROM {} WHERE length(nome) > 12 UNION SELECT chave_acesso FROM {} WHERE chave_acesso IS NOT NULL"
    )
    known = known.format("contatos", "nfe_cabecalho")
    secret = {name for (name,) in await rows(here, known)} - {name for (name,) in await rows(there, known)}
    assert len(secret) > 20
    ids = {
        "id_": await scalar(here, "SELECT max(id) FROM nfe_cabecalho"),
        "contato_id": await scalar(here, "SELECT max(id) FROM contatos"),
        "produto_id": await scalar(here, "SELECT max(id) FROM produtos"),
        "run_id": await scalar(here, "SELECT max(id) FROM etl_controle"),
        "mes": "2025-01",
    }
    wanted = [re.sub(r"\{(\w+)\}", lambda found: str(ids.get(found[1], ids["id_"])), path) for path in paths()]
    assert len(wanted) > 40
    shown_here = 0
    for path in wanted:
        for headers in ({}, PAGE):
            of_norte = await http.get(f"/e/norte{path}", headers=headers)
            assert of_norte.status_code != 500, path
            assert not [each for each in secret if each in of_norte.text], path
            of_principal = (await http.get(path, headers=headers)).text
            shown_here += any(each in of_principal for each in secret)
    assert shown_here > 3, "o que se procura aparece nas páginas da principal"


@pytest.mark.slow
async def test_every_link_of_a_page_stays_in_the_company(http: httpx2.AsyncClient) -> None:
    followed = 0
    for path in ("/", "/cobertura", "/executar", "/execucoes", "/notas", "/faturamento", "/nada"):
        page = (await http.get(f"/e/norte{path}", headers=PAGE)).text
        for address in ADDRESSES.findall(page):
            assert address.startswith(("/e/norte/", "/static/", "/empresas", "#", "?", "https://")), (path, address)
            followed += 1
    assert followed > 60
    moved = await http.get("/e/norte/executar/plano?tipo=nada", headers=PAGE)
    assert moved.status_code == 422
    gone = await http.post("/e/norte/sair", headers=PAGE)
    assert gone.headers["location"] == "/e/norte/entrar"
    assert (await http.get("/e/norte", headers=PAGE)).text == (await http.get("/e/norte/", headers=PAGE)).text
    assert problem(await http.get("/e/norte/runs/9"), 404)["instance"] == "/e/norte/runs/9"


@pytest.mark.slow
async def test_the_panel_opens_with_the_companies(
    http: httpx2.AsyncClient, engine: AsyncEngine, both: Settings, clock: FakeClock
) -> None:
    home = await http.get("/", headers=PAGE)
    assert (home.status_code, home.headers["location"]) == (303, "/empresas")
    listed = (await http.get("/empresas")).json()["empresas"]
    assert [each["nome"] for each in listed] == ["norte", "principal"]
    found = await http.get("/empresas", params={"q": "NÓRT"})
    assert [each["nome"] for each in found.json()["empresas"]] == ["norte"]
    nothing = (await http.get("/empresas", params={"q": '"><i>'}, headers=PAGE)).text
    assert "<i>" not in nothing
    assert "Nenhuma empresa com" in nothing
    page = (await http.get("/empresas", headers=PAGE)).text
    assert 'href="/e/norte/"' in page
    assert 'href="/e/principal/"' in page
    assert (await http.get("/")).json()["service"] == "bling-collector"
    await remove(engine, "norte")
    async with serving(both, clock) as alone:
        assert (await alone.get("/", headers=PAGE | bearer(TOKEN))).status_code == 200
        problem(await alone.get("/e/norte/status", headers=bearer(TOKEN)), 404)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["nada", "<script>alert(1)</script>", "NORTE", "norte%00", "norte%22%3E%3Cscript%3Ealert", "a" * 900]
)
async def test_a_company_that_is_not_there_is_not_found(http: httpx2.AsyncClient, name: str) -> None:
    for headers in ({}, PAGE):
        answer = await http.get(f"/e/{name}/status", headers=headers)
        assert answer.status_code == 404
        assert "<script>alert" not in answer.text


async def test_the_token_of_a_company_opens_it_alone(
    http: httpx2.AsyncClient, engine: AsyncEngine, clock: FakeClock
) -> None:
    mine = bearer(await told(engine, "norte", clock))
    assert (await http.get("/e/norte/status", headers=mine)).status_code == 200
    assert [each["nome"] for each in (await http.get("/empresas", headers=mine)).json()["empresas"]] == ["norte"]
    for path in ("/status", "/e/principal/status", "/notas", "/metrics", "/runs"):
        assert "só abre a empresa norte" in problem(await http.get(path, headers=mine), 403)["detail"]
    problem(await http.post("/run", headers=mine), 403)
    home = await http.get("/", headers=mine | PAGE)
    assert (home.status_code, home.headers["location"]) == (303, "/e/norte/")
    for wrong in ("norte.nada", "nada.nada", "principal.", "norte.", ".", "norte." + "x" * 43):
        problem(await http.get("/e/norte/status", headers=bearer(wrong)), 401)
    await access.revoke(of_company(engine, "norte"))
    problem(await http.get("/e/norte/status", headers=mine), 401)


@pytest.mark.slow
async def test_a_person_enters_with_the_token_of_a_company(
    http: httpx2.AsyncClient, engine: AsyncEngine, clock: FakeClock
) -> None:
    token = await told(engine, "norte", clock)
    del http.headers["authorization"]
    asked = await http.get("/e/norte/notas", headers=PAGE)
    assert asked.headers["location"] == "/e/norte/entrar?volta=/notas"
    entered = await http.post("/e/norte/entrar", content=f"token={token}&volta=/notas", headers=PAGE)
    assert (entered.status_code, entered.headers["location"]) == (303, "/e/norte/notas")
    assert (await http.get("/e/norte/notas", headers=PAGE)).status_code == 200
    assert (await http.get("/notas", headers=PAGE)).status_code == 403
    assert (await http.post("/entrar", content=f"token={token}&volta=/notas", headers=PAGE)).headers["location"] == (
        "/e/norte/"
    )
    await told(engine, "norte", clock)  # outro token acaba com as sessões do primeiro
    assert (await http.get("/e/norte/notas", headers=PAGE)).status_code == 303
    for forged in ("1999999999-aa-norte.x", "1999999999-aa.x", "x-y-z.", "--.", "norte"):
        http.cookies.clear()
        assert (await http.get("/e/norte/notas", headers=PAGE | {"Cookie": f"sessao={forged}"})).status_code == 303


@pytest.mark.slow
async def test_an_authorisation_is_of_the_company_that_began_it(
    http: httpx2.AsyncClient, engine: AsyncEngine, norte: RunningServer
) -> None:
    await authorised(http, norte.bling)
    count = "SELECT count(*) FROM oauth_tokens"
    assert (await scalar(engine, count), await scalar(of_company(engine, "norte"), count)) == (0, 1)
    assert (await http.get("/e/norte/status")).json()["oauth"]["has_token"] is True
    assert (await http.get("/status")).json()["oauth"]["has_token"] is False


async def test_the_log_says_the_company(
    http: httpx2.AsyncClient, both: Settings, engine: AsyncEngine, norte: RunningServer, clock: FakeClock
) -> None:
    """Diga-a o endereço ou, num serviço só dela, as configurações."""
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(JsonFormatter())
    (ours := logging.getLogger("bling_collector")).addHandler(handler)
    try:
        problem(await http.post("/e/norte/run"), 503)
        refused = len(handler.stream.getvalue().splitlines())
        await authorised(http, norte.bling)
        async with serving(both.of("norte"), clock) as alone:
            asked = await alone.post("/run/full", params={"data_inicio": "2026-02-01"}, headers=bearer(TOKEN))
            assert asked.json()["status"] == "success"
        ran = len(handler.stream.getvalue().splitlines())
        async with of_company(engine, "norte").begin() as connection:
            await connection.exec_driver_sql("ALTER TABLE webhook_eventos RENAME TO guardada")
        event = delivered(norte.bling)
        answer = await http.post("/webhooks/bling/norte", content=event.body, headers=event.headers)
        assert answer.status_code >= 500
        failed = len(handler.stream.getvalue().splitlines())
        problem(await http.post("/e/principal/run"), 503)
    finally:
        ours.removeHandler(handler)
    lines = [json.loads(line) for line in handler.stream.getvalue().splitlines()]
    assert {each.get("empresa") for each in lines[:ran] if "run_id" in each} == {"norte"}
    assert {each.get("empresa") for each in lines[:refused]} == {"norte"}
    assert [each.get("empresa") for each in lines[ran:failed]] == ["norte"], "o aviso que não se guardou"
    assert "`bling-collector --empresa norte auth`" in lines[refused - 1]["message"]
    assert (lines[-1].get("empresa"), "`bling-collector auth`" in lines[-1]["message"]) == (None, True)


def delivered(bling: Bling) -> Delivery:
    """O primeiro aviso de uma venda."""
    webhooks = bling.webhooks
    bling.sell()
    return webhooks.pending()[0]


async def test_an_event_goes_to_the_company_it_is_of(
    http: httpx2.AsyncClient, engine: AsyncEngine, both: Settings, bling: Bling, norte: RunningServer, clock: FakeClock
) -> None:
    """Os aplicativos têm o mesmo segredo: é um só, que as duas dividem."""
    assert (await authorise(http, bling)).status_code == 200
    await authorised(http, norte.bling)
    mine, theirs = (delivered(each) for each in (bling, norte.bling))

    async def post(path: str, each: Delivery, client: httpx2.AsyncClient = http) -> int:
        return (await client.post(path, content=each.body, headers=each.headers)).status_code

    count = "SELECT count(*) FROM webhook_eventos"
    assert await post("/webhooks/bling/norte", mine) == 403
    assert await post("/webhooks/bling/norte", replace(theirs, signature="sha256=00")) == 401
    assert await post("/webhooks/bling/nada", mine) == 401
    assert await post("/webhooks/bling/norte", theirs) == 200
    assert (await scalar(engine, count), await scalar(of_company(engine, "norte"), count)) == (0, 1)
    assert await post("/webhooks/bling", theirs) == 200, "o mesmo aviso, no endereço que as duas dividem"
    assert (await scalar(engine, count), await scalar(of_company(engine, "norte"), count)) == (0, 1)
    app = create_webhooks_app(both, clock=clock)
    transport = httpx2.ASGITransport(app=app)
    async with app.router.lifespan_context(app), httpx2.AsyncClient(transport=transport, base_url="http://x") as other:
        assert await post("/webhooks/bling", mine, other) == 200
        assert (await other.get("/empresas")).status_code == (await other.get("/e/norte/status")).status_code == 404
    assert (await scalar(engine, count), await scalar(of_company(engine, "norte"), count)) == (1, 1)


@pytest.mark.slow
async def test_many_events_do_not_ask_every_company_of_each(
    http: httpx2.AsyncClient, engine: AsyncEngine, bling: Bling, norte: RunningServer
) -> None:
    assert (await authorise(http, bling)).status_code == 200
    await authorised(http, norte.bling)
    asked: list[str] = []

    def note(_: object, __: object, statement: str, *rest: object) -> None:
        asked.append(statement)

    async def post_five(of: Bling) -> None:
        del asked[:]
        for _ in range(5):
            each = delivered(of)
            answer = await http.post("/webhooks/bling", content=each.body, headers=each.headers)
            assert answer.status_code == 200

    listen(Engine, "before_cursor_execute", note)
    try:
        await post_five(bling)
        assert [each for each in asked if "vw_todas_" in each or "pg_namespace" in each] == []
        assert len(asked) == 5
        await post_five(norte.bling)
        assert sum("vw_todas_" in each for each in asked) == 1, "das cinco, uma vez"
        assert len(asked) < 5 * 5
    finally:
        remove_listener(Engine, "before_cursor_execute", note)


@pytest.mark.slow
async def test_who_has_no_token_does_not_learn_which_companies_there_are(http: httpx2.AsyncClient) -> None:
    """Pelas rotas que se atendem sem token: a que não existe responde o mesmo que a que existe."""
    del http.headers["authorization"]

    async def asked(name: str) -> list[tuple[int, str]]:
        answers = [
            await http.post(f"/webhooks/bling/{name}", content=b"{}"),
            await http.post(f"/e/{name}/webhooks/bling", content=b"{}"),
            await http.get("/auth/callback", params={"code": "x", "state": f"9999999999-a~{name}.b"}),
            await http.get(f"/e/{name}/auth/callback", params={"code": "x", "state": "y"}),
            await http.get(f"/e/{name}/auth/callback", params={"code": "x", "state": "y"}, headers=PAGE),
            await http.get(f"/e/{name}/auth/callback"),
            await http.get(f"/e/{name}/entrar", headers=PAGE),
            await http.get(f"/e/{name}/status"),
        ]
        return [(each.status_code, each.text.replace(name, "…")) for each in answers]

    there = await asked("norte")
    assert await asked("nada") == there
    assert [status for status, _ in there] == [401, 401, 422, 422, 422, 422, 200, 401]
    assert (await http.get("/e/nada/health")).json()["status"] == "ok"
    refused = [(await http.post("/webhooks/bling/nada", content=b"{}")).status_code for _ in range(8)]
    assert refused[-1] == 429, "e conta como uma assinatura que não confere"


@pytest.mark.slow
async def test_what_an_answer_links_to_is_of_the_same_company(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    async with of_company(engine, "norte").begin() as connection:
        for _ in range(3):
            await connection.exec_driver_sql("INSERT INTO etl_controle (tipo, status) VALUES ('run', 'success')")
    following = (await http.get("/e/norte/runs?limit=2")).json()["next"]
    assert following.startswith("/e/norte/runs?limit=2&before=")
    assert len((await http.get(following)).json()["runs"]) == 1
    assert (await http.get("/e/norte/")).json()["status"] == "/e/norte/status"


@pytest.mark.slow
async def test_the_same_account_in_two_companies_is_said(
    http: httpx2.AsyncClient, engine: AsyncEngine, both: Settings, bling: Bling, clock: FakeClock
) -> None:
    assert (await authorise(http, bling)).status_code == 200
    await add(engine, "sul")
    async with serving(both, clock) as one:
        one.headers |= bearer(TOKEN)
        state = parse_qs(urlsplit((await one.get("/e/sul/auth/start")).json()["auth_url"]).query)["state"][0]
        answer = await one.get("/auth/callback", params={"code": bling.authorise(), "state": state})
        assert "é a mesma de outra empresa daqui: coleta-se tudo duas vezes" in answer.json()["message"]
        only = (await one.get("/empresas", headers=bearer(await told(engine, "sul", clock)))).json()["empresas"]
        listed = {each["nome"]: each for each in (await one.get("/empresas")).json()["empresas"]}
    assert [listed[name]["caso"] for name in ("sul", "principal", "norte")] == [
        "mesma-conta",
        "mesma-conta",
        "sem-autorizacao",
    ]
    assert [(each["caso"], "empresas remove" in each["frase"]) for each in only] == [("mesma-conta", False)]
    assert "é a mesma de outra empresa daqui" in only[0]["frase"], "o token de uma não abre o nome de outra"
    assert "é a mesma de sul" in listed["principal"]["frase"]
    assert "`bling-collector --empresa sul auth --trocar-empresa`" in listed["sul"]["frase"]
    assert "`bling-collector auth --trocar-empresa`" in listed["principal"]["frase"]


@pytest.mark.slow
async def test_a_company_made_again_with_the_same_name_has_nothing_of_the_one_before(
    http: httpx2.AsyncClient, engine: AsyncEngine, norte: RunningServer
) -> None:
    """Nem o que o serviço no ar tinha na memória: o token do Bling da outra leria para esta os dados da outra."""
    await authorised(http, norte.bling)
    await remove(engine, "norte")
    problem(await http.get("/e/norte/status"), 404)
    await add(engine, "norte")
    assert (await http.get("/e/norte/status")).json()["oauth"]["has_token"] is False
    problem(await http.post("/e/norte/run"), 503)
    assert await scalar(of_company(engine, "norte"), "SELECT count(*) FROM empresa") == 0


@pytest.mark.slow
async def test_a_company_that_does_not_open_leaves_the_others_serving(
    http: httpx2.AsyncClient, engine: AsyncEngine
) -> None:
    ours = of_company(engine, "norte")
    async with ours.begin() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert (await http.get("/status")).status_code == 200
    assert "9999" in problem(await http.get("/e/norte/status"), 503)["detail"]
    listed = {each["nome"]: each for each in (await http.get("/empresas")).json()["empresas"]}
    assert (listed["norte"]["caso"], listed["principal"]["caso"]) == ("banco", "sem-autorizacao")


@pytest.mark.slow
async def test_while_a_company_is_being_migrated_the_others_are_served(
    both: Settings, engine: AsyncEngine, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bling_collector.db.schema.LOCK_SECONDS", 1)
    monkeypatch.setattr("bling_collector.db.schema.LOCK_PAUSE", 0.05)
    await add(engine, "norte")
    behind = await schema.create(engine, "empresa_sul")
    async with behind.begin() as connection:
        await connection.run_sync(schema.migrate, "0001")
    waiting = "SELECT FROM pg_locks WHERE NOT granted AND relation = 'empresa_sul.etl_controle'::regclass"
    async with behind.connect() as reader, serving(both, clock) as http:
        await reader.exec_driver_sql("LOCK TABLE etl_controle IN ACCESS SHARE MODE")
        http.headers |= bearer(TOKEN)
        await until(lambda: rows(engine, waiting))
        for path in ("/health", "/status", "/e/norte/status"):
            assert (await http.get(path)).status_code == 200
        listed = {each["nome"]: each for each in (await http.get("/empresas")).json()["empresas"]}
        assert (listed["sul"]["caso"], listed["norte"]["caso"]) == ("banco", "sem-autorizacao")
        await reader.rollback()
        assert (await http.get("/e/sul/status")).status_code == 200


@pytest.mark.slow
async def test_the_plan_of_every_company(
    http: httpx2.AsyncClient, engine: AsyncEngine, norte: RunningServer, clock: FakeClock, both: Settings, tmp_path: Any
) -> None:
    await collected(http, norte.bling)
    norte.bling.counters.reset()
    asked = {"comando": "run-full", "data_inicio": "2021-01-01"}
    found = (await http.get("/empresas/plan", params=asked)).json()
    each = {one["empresa"]: one["plano"] for one in found["empresas"]}
    assert each.keys() == {"principal", "norte"}
    assert each["norte"] == (await http.get("/e/norte/plan", params=asked)).json()
    assert found["requisicoes"] == sum(plan["requisicoes"] for plan in each.values())
    assert found["minutos"] >= max(plan["minutos"] for plan in each.values())
    mine = bearer(await told(engine, "norte", clock))
    only = (await http.get("/empresas/plan", params=asked, headers=mine)).json()["empresas"]
    assert [one["empresa"] for one in only] == ["norte"]
    assert norte.bling.counters.total == 0, "nada se pergunta ao Bling"
    problem(await http.get("/empresas/plan", params={"comando": "nada"}), 422)
    daily = (await http.get("/empresas/plan")).json()["empresas"]
    assert {one["plano"]["comando"] for one in daily} == {"run"}
    differs = (await http.get("/empresas/plan", params={"comando": "reconcile"})).json()["empresas"]
    assert {one["empresa"]: one["erro"] is None for one in differs} == {"principal": False, "norte": True}
    assert both.database_url is not None
    terminal = Terminal(tmp_path, {"DATABASE_URL": both.database_url.get_secret_value()})
    done = await terminal.run("plan", "run-full", "--data-inicio", "2021-01-01", "--todas")
    assert (done.code, "norte" in done.out, "Todas, ao mesmo tempo" in done.out) == (0, True, True)
    assert (await terminal.run("plan", "run", "--todas", "--sondar")).code == 2
    assert (await terminal.run("plan", "reconcile", "--todas", "--json")).code == 1


@pytest.mark.slow
async def test_the_commands_of_a_company(
    tmp_path: Any, settings: Settings, server: RunningServer, engine: AsyncEngine
) -> None:
    from tests.support.commands import variables_for

    terminal = Terminal(tmp_path, variables_for(settings, server))
    added = await terminal.run("empresas", "add", "sul")
    assert (added.code, "Autorize-a" in added.out + added.err) == (0, True)
    again = await terminal.run("empresas", "add", "sul")
    assert (again.code, "já existe" in again.err) == (2, True)
    for place in (("--empresa", "sul", "status", "--json"), ("status", "--json", "--empresa", "sul")):
        done = await terminal.run(*place)
        assert (done.code, done.json["started"]) == (0, False)
    assert "Rode `bling-collector --empresa sul auth`" in (await terminal.run("status", "--empresa", "sul")).out
    assert "Rode `bling-collector auth`" in (await terminal.run("status")).out
    unauthorised = await terminal.run("run", "--empresa", "sul")
    assert (unauthorised.code, "`bling-collector --empresa sul auth`" in unauthorised.err) == (3, True)
    verbose = await terminal.run("-v", "run", "--empresa", "sul")
    assert " ERRO [sul" in verbose.err, verbose.err
    assert (await terminal.run("status", "--json", EMPRESA="sul")).code == 0
    unknown = await terminal.run("status", "--empresa", "leste")
    assert (unknown.code, "As que há: principal, sul" in unknown.err) == (2, True)
    shown = await terminal.run("empresas", "show", "sul", "--json")
    assert (shown.json["schema"], shown.json["tem_token"]) == ("empresa_sul", False)
    assert (await terminal.run("empresas", "token", "sul")).out.startswith("sul.")
    assert {each["nome"] for each in (await terminal.run("empresas", "list", "--json")).json} == {"principal", "sul"}
    mistaken = await terminal.run("empresas", "list", SCHEDULE__SULL="")
    assert "não existem aqui, e de nada servem: sull" in mistaken.err
    assert "· Falta autorizar" in mistaken.out, "não é uma falha, e também não está bem"
    refused = await terminal.run("empresas", "remove", "sul", "--sim", "norte")
    assert (refused.code, "Nada foi apagado" in refused.err) == (2, True)
    copy = tmp_path / "sul.copia"
    async with run_lock(of_company(engine, "sul")):
        busy = await terminal.run("empresas", "remove", "sul", "--sim", "sul", "--exportar", str(copy))
    assert (busy.code, "Já há uma execução" in busy.err, copy.exists()) == (1, True, False)
    assert (await terminal.run("empresas", "remove", "sul", "--sim", "sul", "--exportar", str(copy))).code == 0
    assert copy.stat().st_size > 1000
    assert (await terminal.run("empresas", "show", "sul")).code == 2
    assert (await terminal.run("empresas", "remove", "principal", "--sim", "principal")).code == 2


@pytest.mark.slow
async def test_a_worker_serves_every_company_also_the_one_that_comes_later(
    both: Settings, engine: AsyncEngine, bling: Bling, norte: RunningServer, clock: FakeClock, monkeypatch: Any
) -> None:
    """A principal não foi autorizada, e a norte não o nota; a sul chega depois, e a que se tira deixa-se."""
    monkeypatch.setattr("bling_collector.jobs.worker.FOLLOW", 0.05)
    theirs = {"bling_api_base_url": norte.api_url, "bling_oauth_url": f"{norte.api_url}/oauth/token"}
    plan = replace(both, schedule="*/15 * * * * run", of_companies={"norte": theirs, "sul": {"schedule": ""}})
    await add(engine, "norte")
    stop = asyncio.Event()
    async with open_companies(plan, clock=clock) as companies:
        await authorise_account(await companies.account("norte"), norte.bling)
        working = asyncio.create_task(work(companies, stop))

        async def ran() -> bool:
            return bool(await rows(of_company(engine, "norte"), "SELECT FROM etl_controle WHERE status = 'success'"))

        await until(ran)
        assert await scalar(of_company(engine, "norte"), "SELECT bling_id FROM empresa") == norte.bling.profile["id"]
        assert await scalar(engine, "SELECT count(*) FROM empresa") == 0
        await add(engine, "sul")
        jobs = "SELECT DISTINCT queue_name FROM procrastinate.procrastinate_jobs ORDER BY 1"

        async def heard_of_sul() -> bool:
            return ("empresa_sul",) in await rows(engine, jobs)

        await until(heard_of_sul)
        assert await rows(engine, jobs) == [("empresa_norte",), ("empresa_sul",), ("public",)]
        for each in (engine, of_company(engine, "sul")):
            async with each.connect() as connection:
                assert await broker.is_attended(connection)
        tasks = "SELECT DISTINCT task_name FROM procrastinate.procrastinate_jobs WHERE queue_name = 'empresa_sul'"
        assert {name for (name,) in await rows(engine, tasks)} <= {"alarms", "prune"}, "a agenda dela é só dela"
        await remove(engine, "sul")
        assert ("empresa_sul",) not in await rows(engine, jobs)
        before = await companies.account("sul") if "sul" in await companies.present() else None
        await add(engine, "sul")
        await until(heard_of_sul)
        assert await companies.account("sul") is not before, "a refeita não é a que se tirou"
        stop.set()
        await working
