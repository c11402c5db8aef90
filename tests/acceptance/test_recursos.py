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

from bling_collector.auth.token_cipher import TokenCipher
from bling_collector.config import Settings
from bling_collector.insight.alarms import load_alarms
from bling_collector.insight.failures import load_failures
from bling_collector.insight.recursos import load_recursos
from bling_collector.insight.situation import load_situation
from bling_collector.insight.verdict import Verdict
from bling_collector.streams.registry import RESOURCES
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.server import RunningServer

START = date(2026, 1, 1)
LONG_AGO = date(2025, 6, 1)
ASKED = ("nfe", "contatos", "pedidos_venda", "vendedores")
pytestmark = [
    pytest.mark.bling(scale=0.02),
    pytest.mark.collector(recursos=ASKED, allow_unauthenticated=True),
    pytest.mark.loaded(START),
]


@pytest.fixture
def terminal(tmp_path: Path, settings: Settings, server: RunningServer) -> Terminal:
    return Terminal(tmp_path, variables_for(settings, server))


async def test_each_resource_says_how_many_it_has_and_what_is_proven(account: Account, bling: Bling) -> None:
    found = {each.recurso: each for each in await load_recursos(account.engine, ASKED, account.clock.now())}
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


@pytest.mark.parametrize("command", ["run", "run-full", "reconcile"])
@pytest.mark.slow
async def test_without_the_notas_a_run_still_says_how_it_went(
    account: Account, terminal: Terminal, command: str
) -> None:
    period = ("--data-inicio", START.isoformat()) if command == "run-full" else ()
    done = await terminal.run(command, *period, RECURSOS="vendedores")
    assert (done.code, "Erro inesperado" in done.err) == (0, False), done.err
    if command != "reconcile":
        assert "Tudo coletado: 0 notas, 0 contatos, 0 produtos" in done.out
    json = await terminal.run(command, *period, "--json", RECURSOS="vendedores")
    assert json.code == 0, json.err
    assert (await terminal.run("status", RECURSOS="vendedores")).code == 0


@pytest.mark.slow
async def test_the_terminal_the_api_the_metrics_and_the_panel_say_the_same(
    account: Account, settings: Settings, terminal: Terminal, clock: FakeClock
) -> None:
    orders = next(e for e in await load_recursos(account.engine, ASKED, clock.now()) if e.recurso == "pedidos_venda")
    done = await terminal.run("recursos", RECURSOS=",".join(ASKED))
    assert done.code == 0, done.err
    line = next(line for line in done.out.splitlines() if line.startswith("pedidos_venda "))
    assert f"{orders.registros} de {orders.registros} ✔" in line
    assert re.search(r"\d+ +1$", line.rstrip())
    assert re.search(r"não .* ≥ 2$", next(each for each in done.out.splitlines() if each.startswith("depositos ")))
    assert max(map(len, done.out.split("Uma olhada")[0].splitlines())) <= 120, "cabe numa tela"
    assert "`bling-collector recursos ligar NOME`" in done.out
    async with serving(settings, clock=clock) as http:
        answered = {each["recurso"]: each for each in (await http.get("/recursos")).json()}
        families = list(text_string_to_metric_families((await http.get("/metrics")).text))
        html = (await http.get("/", headers={"Accept": "text/html"})).text
        coverage = (await http.get("/cobertura", headers={"Accept": "text/html"})).text
        cost = await http.get("/custo?recursos=depositos", headers={"Accept": "text/html"})
        added = await http.get("/custo?recursos=depositos", headers={"HX-Request": "true"})
        nothing = await http.get("/custo?recursos=pedidos_venda", headers={"HX-Request": "true"})
        unknown = await http.get("/custo?recursos=nada", headers={"Accept": "text/html"})
    assert answered["pedidos_venda"]["registros"] == orders.registros
    assert answered["pedidos_venda"]["conferencia"]["igual"] is True
    whole, sellers = answered["vendedores"]["inteira"], answered["vendedores"]["registros"]
    assert (whole["no_bling"]["total"], whole["no_banco"]["total"], whole["faltam"]) == (sellers, sellers, [])
    for said in (f"{sellers} de {sellers}", f"{orders.registros} de {orders.registros}", "Vendedores", ", inteiro"):
        assert said in coverage
    assert (answered["pedidos_venda"]["pelo_menos"], answered["depositos"]["pelo_menos"]) == (False, True)
    assert answered["pedidos_venda"]["requisicoes_por_dia"] > 0
    held = {s.labels["recurso"]: s.value for f in families for s in f.samples if s.name == "bling_records"}
    assert held.keys() == set(ASKED)
    assert held["pedidos_venda"] == orders.registros
    assert "O que se coleta" in html
    assert "Pedidos de venda" in html.partition('<details id="em-dia">')[2], "está em dia: dobra-se"
    assert "pelo menos 2 requisições a mais por dia" in cost.text
    assert added.text.startswith("<span")
    assert "pelo menos 2 requisições a mais por dia" in added.text
    assert "não pede ao Bling mais do que já se pede" in nothing.text
    assert (unknown.status_code, "Não há um recurso chamado “nada”" in unknown.text) == (422, True)


async def verdict_now(account: Account, clock: FakeClock) -> Verdict:
    return (await load_situation(account.engine, TokenCipher(), clock.now(), no_run_hours=26, recursos=ASKED)).verdict


@pytest.mark.loaded(LONG_AGO)
@pytest.mark.slow
async def test_a_reconciliation_also_speaks_of_the_pedidos(
    account: Account, bling: Bling, terminal: Terminal, clock: FakeClock
) -> None:
    chosen = next(id_ for id_, order in bling.orders.items() if order["data"] >= LONG_AGO.isoformat())
    bling.edit_order(chosen, numeroLoja="outro")  # de antes do que a execução diária relê
    result = await account.pipeline.reconcile()
    assert (result.status, result.found.ids) == ("partial", {"mudaram": [f"pedidos_venda/{chosen}"]})
    found = {each.recurso: each for each in await load_recursos(account.engine, ASKED, clock.now())}
    assert found["pedidos_venda"].conferencia is not None
    assert found["pedidos_venda"].conferencia.diferentes == 1
    assert found["nfe"].conferencia is not None
    assert found["nfe"].conferencia.igual
    clock.advance(3600)
    assert (await account.pipeline.run()).status == "success"
    verdict = await verdict_now(account, clock)
    assert verdict.sentence == "O banco difere do Bling em 1 mês de pedidos de venda."
    assert verdict.detail.startswith("Em pedidos de venda, 1 registro mudou no Bling.")
    alarm = next(each for each in await load_alarms(account.engine) if each.nome == "conferencia")
    assert alarm.estado == "aviso"
    assert "em pedidos de venda, 1 registro mudou no Bling" in alarm.mensagem
    clock.advance(3600)
    assert (await account.pipeline.reconcile(repair=True)).status == "success"
    good = await verdict_now(account, clock)
    assert (good.case, good.detail) == ("certo", "Também pedidos de venda.")
    assert next(each for each in await load_alarms(account.engine) if each.nome == "conferencia").estado == "normal"


@pytest.mark.collector(recursos=None)
@pytest.mark.slow
async def test_what_is_owed_of_one_turned_off_waits_until_it_is_on_again(
    account: Account, bling: Bling, terminal: Terminal, clock: FakeClock
) -> None:
    await terminal.run("recursos", "ligar", "pedidos_venda")
    chosen = bling.add_order(ordered_on=date(2026, 2, 10))
    bling.fail(rf"^/pedidos/vendas/{chosen}$", "server_error")
    clock.advance(86_400)
    assert (await account.pipeline.run()).status == "partial"
    assert [each.nome for each in (await load_failures(account.engine)).pendencias] == [f"pedidos_venda/{chosen}"]
    await terminal.run("recursos", "desligar", "pedidos_venda")
    clock.advance(86_400)
    assert (await account.pipeline.run()).status == "success"
    assert (await load_failures(account.engine)).pendencias == []
    bling.faults.clear()
    await terminal.run("recursos", "ligar", "pedidos_venda")
    assert (await account.pipeline.retry()).status == "success"
    assert await scalar(account.engine, "SELECT detalhe IS NOT NULL FROM pedidos_venda WHERE id = :id", id=chosen)


@pytest.mark.slow
async def test_without_permission_a_second_run_of_the_day_is_also_complete(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    bling.configure(missing_scopes=frozenset({"/pedidos/vendas"}))
    for _ in range(2):
        clock.advance(3600)
        result = await account.pipeline.run()
        assert result.status == "success", result.message
    late = bling.add_order(ordered_on=date(2026, 2, 10))
    bling.configure(missing_scopes=frozenset())
    clock.advance(86_400)
    assert (await account.pipeline.run()).status == "success"
    assert await scalar(account.engine, "SELECT count(*) FROM pedidos_venda WHERE id = :id", id=late) == 1


@pytest.mark.slow
@pytest.mark.collector(recursos=None)
async def test_a_recent_period_does_not_cover_a_resource_just_turned_on(
    account: Account, terminal: Terminal, clock: FakeClock
) -> None:
    await terminal.run("recursos", "ligar", "pedidos_venda")
    clock.advance(86_400)
    assert (await account.pipeline.run(date(2026, 2, 1))).status == "success"
    assert await scalar(account.engine, "SELECT leu_o_presente FROM etl_controle ORDER BY id DESC LIMIT 1") is False

    async def mark() -> date | None:
        found = {each.recurso: each for each in await load_recursos(account.engine, None, clock.now())}
        return found["pedidos_venda"].data_referencia

    assert await mark() is None
    assert (await account.pipeline.run()).status == "success"
    assert await mark() == date(2026, 2, 21)


async def page_shows_resources(settings: Settings, clock: FakeClock) -> bool:
    async with serving(settings, clock=clock) as http:
        return "O que se coleta" in (await http.get("/", headers={"Accept": "text/html"})).text


@pytest.mark.collector(recursos=None)
async def test_what_is_turned_on_is_collected_and_what_is_turned_off_stays(
    account: Account, bling: Bling, terminal: Terminal, clock: FakeClock, settings: Settings
) -> None:
    assert not await page_shows_resources(settings, clock)
    assert (await terminal.run("recursos", "ligar", "pedidos_venda", "vendedor")).out == (
        "A próxima execução passa a coletar pedidos de venda e vendedores, desde o começo da coleta.\n"
    )
    clock.advance(86_400)
    assert (await account.pipeline.run()).status == "success"
    there = sum(order["data"] >= START.isoformat() for order in bling.orders.values())
    held = "SELECT count(*) FROM pedidos_venda WHERE excluida_em IS NULL"
    assert await scalar(account.engine, held) == there
    assert await page_shows_resources(settings, clock)
    assert (await terminal.run("recursos", "desligar", "pedidos_venda")).code == 0
    bling.add_order()
    clock.advance(86_400)
    result = await account.pipeline.run()
    assert (result.status, "pedidos_venda" in result.stats) == ("success", False)
    assert await scalar(account.engine, held) == there
    assert (await terminal.run("recursos", "ligar", "pedidos_venda")).code == 0
    clock.advance(86_400)
    assert (await account.pipeline.run()).status == "success"
    assert await scalar(account.engine, held) == there + 1, "recomeça do marco que tinha"


@pytest.mark.collector(recursos=None)
async def test_what_is_said_is_what_changes(terminal: Terminal) -> None:
    """Pede-se de novo o que já se coleta, ou desliga-se o que outro precisa: nada muda, e é o que se lê."""
    for arguments, said in (
        (("ligar", "nfe"), "Já se coleta: notas."),
        (("ligar", "situacoes"), "A próxima execução passa a coletar módulos com situações e situações, desde"),
        (
            ("ligar", "situacoes", "vendedores"),
            "passa a coletar vendedores, desde o começo da coleta.\nJá se coleta:",
        ),
        (
            ("desligar", "situacoes_modulos"),
            "Outro recurso precisa de módulos com situações, que continua a ser coletado.",
        ),
        (("desligar", "situacoes"), "Deixa-se de coletar módulos com situações e situações; o que já se tem"),
        (("desligar", "situacoes"), "Já não se coleta: situações."),
    ):
        done = await terminal.run("recursos", *arguments)
        assert (done.code, said in done.out) == (0, True), done.out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recursos", "said"),
    [
        ("estoques", "Outro precisa de produtos, que por isso se coleta.\n"),
        ("borderos", "Outro precisa de contas a receber e contas a pagar, que por isso se coletam.\n"),
        ("nfe,produtos", ""),
    ],
)
async def test_what_is_collected_because_another_needs_it_is_said(terminal: Terminal, recursos: str, said: str) -> None:
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
async def test_a_wrong_request_is_said_and_changes_nothing(
    account: Account, terminal: Terminal, arguments: list[str], variables: dict[str, str], said: str
) -> None:
    done = await terminal.run("recursos", *arguments, **variables)
    assert done.code == 2
    assert said in done.err
    assert await scalar(account.engine, "SELECT count(*) FROM recursos_ligados") == 0


@pytest.mark.slow
@pytest.mark.collector(recursos=None)
async def test_one_chosen_for_this_run_leaves_the_others_as_they_are(
    account: Account, bling: Bling, terminal: Terminal, clock: FakeClock
) -> None:
    note = bling.issue_note()
    bling.fail(rf"^/nfe/{note}$", "server_error")
    clock.advance(86_400)
    usual = await account.pipeline.run()
    assert usual.status == "partial"
    bling.counters.reset()
    result = await account.pipeline.run(recursos=("vendedores",))
    assert result.stats["vendedores"] == len(bling.sellers)
    assert {path.split("/")[1] for path in bling.counters.requests} <= {"vendedores", "empresas", "oauth"}
    assert result.data_referencia == usual.data_referencia
    assert await scalar(account.engine, "SELECT leu_o_presente FROM etl_controle ORDER BY id DESC LIMIT 1") is False
    assert [each.nome for each in (await load_failures(account.engine)).pendencias] == [f"nfe/{note}"], "ainda se deve"
    assert await scalar(account.engine, "SELECT count(*) FROM recursos_ligados") == 0
    bling.faults.clear()
    assert (await account.pipeline.reconcile(repair=True, recursos=("pedidos_venda",))).status == "partial"
    assert await scalar(account.engine, "SELECT count(*) > 0 FROM pedidos_venda")
    done = await terminal.run("run", "--recursos", "vendedores,boato")
    assert (done.code, "não há recurso 'boato'" in done.err) == (2, True), done.err


@pytest.mark.collector(
    recursos=("nfe", "canais_venda", "anuncios", "campos_customizados", "situacoes", "pedidos_venda")
)
@pytest.mark.slow
async def test_what_is_listed_by_another_waits_for_the_permission_of_the_other(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    """Sem os pais não se diz que não há filhos; e quando eles chegam, chegam todos na mesma execução."""
    parents = {"/canais-venda", "/situacoes/modulos", "/campos-customizados/modulos"}
    bling.configure(missing_scopes=frozenset(parents))
    result = await account.pipeline.run_full(date(2025, 11, 1))
    assert result.status == "success", result.message
    assert "Canais de venda" in result.disallowed
    clock.advance(86_400)
    assert (await account.pipeline.run()).status == "success"
    bling.configure(missing_scopes=frozenset())
    clock.advance(86_400)
    result = await account.pipeline.run()
    assert (result.status, result.disallowed) == ("success", ())
    for table in ("canais_venda", "anuncios", "campos_customizados_modulos", "campos_customizados", "situacoes"):
        assert await scalar(account.engine, f"SELECT count(*) FROM {table} WHERE excluida_em IS NULL") > 0, table
