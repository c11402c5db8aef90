"""O que se diz de cada recurso: no terminal, na API, nas métricas e no painel."""

import re
from datetime import date
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.acceptance.service_fixtures import serving
from tests.support.collecting import scalar
from tests.support.commands import Terminal, variables_for
from tests.support.fakes import FakeClock

from bling_collector.bootstrap import App
from bling_collector.config import Settings
from bling_collector.insight.recursos import load_recursos
from bling_collector.streams.registry import RESOURCES
from bling_simulator.bling import Bling
from bling_simulator.server import RunningServer

START = date(2026, 1, 1)
ASKED = ("nfe", "contatos", "pedidos_venda", "vendedores")
pytestmark = [
    pytest.mark.bling(scale=0.02),
    pytest.mark.collector(recursos=ASKED, allow_unauthenticated=True),
    pytest.mark.loaded(START),
]


@pytest.fixture
def terminal(tmp_path: Path, settings: Settings, server: RunningServer) -> Terminal:
    return Terminal(tmp_path, variables_for(settings, server))


async def test_cada_recurso_diz_quanto_ha_dele_e_o_que_esta_provado(app: App, bling: Bling) -> None:
    found = {each.recurso: each for each in await load_recursos(app.engine, ASKED, app.clock.now())}
    assert list(found) == [resource.name for resource in RESOURCES]
    assert {name for name, each in found.items() if each.coletado} == set(ASKED)
    orders = found["pedidos_venda"]
    there = sum(order["data"] >= START.isoformat() for order in bling.orders.values())
    assert (orders.registros, orders.pendencias, orders.janelas, orders.excluidos) == (there, 0, 0, 0)
    assert orders.data_referencia == date(2026, 2, 20)
    assert orders.conferencia is not None
    assert (orders.conferencia.igual, orders.conferencia.no_bling, orders.conferencia.no_banco) == (True, there, there)
    assert (found["vendedores"].registros, found["vendedores"].conferencia) == (len(bling.sellers), None)
    assert (found["produtos"].coletado, found["produtos"].registros) == (False, 0)


async def test_o_terminal_a_api_as_metricas_e_o_painel_dizem_o_mesmo(
    app: App, settings: Settings, terminal: Terminal, clock: FakeClock
) -> None:
    orders = next(e for e in await load_recursos(app.engine, ASKED, clock.now()) if e.recurso == "pedidos_venda")
    done = await terminal.run("recursos", RECURSOS=",".join(ASKED))
    assert done.code == 0, done.err
    line = next(line for line in done.out.splitlines() if "(pedidos_venda)" in line)
    assert f"{orders.registros} de {orders.registros} ✔" in line
    assert re.search(r"recursos ligar` com .*\bprodutos\b", done.out)
    async with serving(settings, clock=clock) as http:
        answered = {each["recurso"]: each for each in (await http.get("/recursos")).json()}
        families = list(text_string_to_metric_families((await http.get("/metrics")).text))
        html = (await http.get("/", headers={"Accept": "text/html"})).text
    assert answered["pedidos_venda"]["registros"] == orders.registros
    assert answered["pedidos_venda"]["conferencia"]["igual"] is True
    held = {s.labels["recurso"]: s.value for f in families for s in f.samples if s.name == "bling_records"}
    assert held.keys() == set(ASKED)
    assert held["pedidos_venda"] == orders.registros
    assert "O que se coleta" in html
    assert "Pedidos de venda" in html


async def test_uma_conferencia_diz_tambem_dos_pedidos(
    app: App, bling: Bling, terminal: Terminal, clock: FakeClock
) -> None:
    chosen = next(id_ for id_, order in bling.orders.items() if order["data"] >= START.isoformat())
    bling.edit_order(chosen, numeroLoja="outro")
    result = await app.pipeline.reconcile()
    assert (result.status, result.found.ids) == ("partial", {"mudaram": [f"pedidos_venda/{chosen}"]})
    found = {each.recurso: each for each in await load_recursos(app.engine, ASKED, clock.now())}
    assert found["pedidos_venda"].conferencia is not None
    assert found["pedidos_venda"].conferencia.diferentes == 1
    assert found["nfe"].conferencia is not None
    assert found["nfe"].conferencia.igual


async def page_shows_resources(settings: Settings, clock: FakeClock) -> bool:
    async with serving(settings, clock=clock) as http:
        return "O que se coleta" in (await http.get("/", headers={"Accept": "text/html"})).text


@pytest.mark.collector(recursos=None)
async def test_o_que_se_liga_e_coletado_e_o_que_se_desliga_fica_como_esta(
    app: App, bling: Bling, terminal: Terminal, clock: FakeClock, settings: Settings
) -> None:
    assert not await page_shows_resources(settings, clock)
    assert (await terminal.run("recursos", "ligar", "pedidos_venda", "vendedor")).out == (
        "A próxima execução passa a coletar pedidos de venda e vendedores, desde o começo da coleta.\n"
    )
    clock.advance(86_400)
    assert (await app.pipeline.run()).status == "success"
    there = sum(order["data"] >= START.isoformat() for order in bling.orders.values())
    held = "SELECT count(*) FROM pedidos_venda WHERE excluida_em IS NULL"
    assert await scalar(app.engine, held) == there
    assert await page_shows_resources(settings, clock)
    assert (await terminal.run("recursos", "desligar", "pedidos_venda")).code == 0
    bling.add_order()
    clock.advance(86_400)
    result = await app.pipeline.run()
    assert (result.status, "pedidos_venda" in result.stats) == ("success", False)
    assert await scalar(app.engine, held) == there
    assert (await terminal.run("recursos", "ligar", "pedidos_venda")).code == 0
    clock.advance(86_400)
    assert (await app.pipeline.run()).status == "success"
    assert await scalar(app.engine, held) == there + 1, "recomeça do marco que tinha"


@pytest.mark.collector(recursos=None)
async def test_o_que_se_diz_e_o_que_muda(terminal: Terminal) -> None:
    """Pede-se de novo o que já se coleta, ou desliga-se o que outro precisa: nada muda, e é o que se lê."""
    for arguments, said in (
        (("ligar", "nfe"), "Já se coleta: notas."),
        (("ligar", "situacoes"), "A próxima execução passa a coletar módulos com situações e situações, desde"),
        (
            ("ligar", "situacoes", "vendedores"),
            "passa a coletar vendedores, desde o começo da coleta.\nJá se coleta:",
        ),
        (("desligar", "situacoes_modulos"), "Outro precisa de módulos com situações, que fica."),
        (("desligar", "situacoes"), "Deixa-se de coletar módulos com situações e situações; o que já se tem"),
        (("desligar", "situacoes"), "Já não se coleta: situações."),
    ):
        done = await terminal.run("recursos", *arguments)
        assert (done.code, said in done.out) == (0, True), done.out


@pytest.mark.parametrize(
    ("recursos", "said"),
    [
        ("estoques", "Outro precisa de produtos, que por isso se coleta.\n"),
        ("borderos", "Outro precisa de contas a receber e contas a pagar, que por isso se coletam.\n"),
        ("nfe,produtos", ""),
    ],
)
async def test_o_que_se_coleta_porque_outro_precisa_e_dito(terminal: Terminal, recursos: str, said: str) -> None:
    out = (await terminal.run("recursos", RECURSOS=recursos)).out
    assert out.endswith(said) if said else "Outro precisa" not in out


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (["ligar", "boato"], {}, "Não há recurso 'boato'"),
        (["desligar", "nfe"], {}, "Notas coletam-se sempre"),
        (["ligar", "vendedores", "boato"], {}, "Não há recurso 'boato'"),
        (["ligar"], {}, "Falta RECURSO.\n"),
        (["ligar", "vendedores"], {"RECURSOS": "nfe"}, "A variável RECURSOS diz o que se coleta"),
        ([], {"RECURSOS": "nfe,boato"}, "RECURSOS: não há recurso 'boato'"),
    ],
)
@pytest.mark.collector(recursos=None)
async def test_o_que_nao_serve_e_dito_e_nada_muda(
    app: App, terminal: Terminal, arguments: list[str], variables: dict[str, str], said: str
) -> None:
    done = await terminal.run("recursos", *arguments, **variables)
    assert done.code == 2
    assert said in done.err
    assert await scalar(app.engine, "SELECT count(*) FROM recursos_ligados") == 0
