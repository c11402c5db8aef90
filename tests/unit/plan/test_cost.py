"""O que cada recurso pede, pela declaração dele e pelo que se sabe."""

import pytest

from bling_collector.plan.cost import Costs, Known
from bling_collector.streams.registry import RESOURCES, chosen, named


def costs(*names: str, **known: Known) -> Costs:
    return Costs(chosen(names), known)


def in_a_day(*names: str, **known: Known) -> Costs:
    return Costs(chosen(names), known, daily=True)


def rest(found: Costs, name: str, new: dict[str, float], **listed: float) -> float:
    resource = named(name)
    assert resource is not None
    return found.rest(resource, found.arrivals(new), listed)


def test_the_same_people_in_nota_and_pedido_are_not_added_up() -> None:
    found = costs("nfe", "pedidos_venda", "contatos")
    alone = found.arrivals({"nfe": 100})["contatos"]
    assert 50 < alone < 100
    assert found.arrivals({"nfe": 100, "pedidos_venda": 100})["contatos"] == alone
    assert found.arrivals({})["contatos"] == 0


def test_what_is_only_asked_by_id_is_one_per_document() -> None:
    found = costs("contas_receber", "contas_pagar", "borderos")
    assert found.arrivals({"contas_receber": 30, "contas_pagar": 20})["borderos"] == pytest.approx(50)


def test_where_the_cited_are_already_held_the_count_comes_from_the_database() -> None:
    held = costs("nfe", "contatos", nfe=Known(held=1000), contatos=Known(held=1000**0.5 // 1))
    assert held.arrivals({"nfe": 100})["contatos"] < 3, "quase todos são conhecidos"
    assert costs("nfe", "contatos", contatos=Known(lacking=7)).arrivals({})["contatos"] == 7


def test_only_what_is_collected_and_may_be_read_is_counted() -> None:
    assert "contatos" not in costs("nfe").arrivals({"nfe": 100})
    refused = costs("nfe", "contas_pagar", contas_pagar=Known(refused=True))
    assert rest(refused, "contas_pagar", {"contas_pagar": 50}) == 0


def test_each_way_of_reading_has_its_own_cost() -> None:
    pagar = costs("contas_pagar")
    assert rest(pagar, "contas_pagar", {"contas_pagar": 250}, contas_pagar=250) == 2 * 4 + 250, "a primeira vez, duas"
    assert rest(pagar, "contas_pagar", {"contas_pagar": 20}, contas_pagar=20) == 2 + 20, (
        "numa página só, e a vazia, uma"
    )
    assert rest(costs("tipos_contato"), "tipos_contato", {}) == 1, "sem páginas"
    assert rest(costs("depositos"), "depositos", {}) == 2, "duas listagens"
    depositos = costs("depositos", depositos=Known(begun=True, held=5))
    assert rest(depositos, "depositos", {}) == pytest.approx((1 + 1 / 7) * (1 + 1 / 7)), "o resto por semana"
    assert rest(costs("depositos"), "depositos", {"depositos": 60}, depositos=60) == 2 * 2, "uma página que não é curta"
    parents = costs("situacoes", situacoes=Known(begun=True, sources=5))
    assert rest(parents, "situacoes", {}) == pytest.approx(5 / 7), "uma por pai, por semana"
    assert rest(costs("situacoes"), "situacoes", {}, situacoes_modulos=3) == 3, "os pais que se acaba de saber"
    assert rest(costs("produtos_controle_lote"), "produtos_controle_lote", {}, produtos=190) == 2, "uma por lote de ids"
    also = costs("ordens_producao", ordens_producao=Known(sources=6))
    assert rest(also, "ordens_producao", {}) == 1 + 6, "a de costume, e uma por situação"
    also = costs("ordens_producao", ordens_producao=Known(begun=True, sources=6, held=60, reread=5))
    assert rest(also, "ordens_producao", {}) == pytest.approx(2 + 6 * 2 / 7 + 5), "as situações, uma vez por semana"
    snapshot = costs("estoques", estoques=Known(sources=200))
    assert rest(snapshot, "estoques", {}) == 3 + 2 + 6 * 2, "três lotes, o que falta de duas maneiras, e as listagens"
    snapshot = costs("estoques", estoques=Known(begun=True, sources=200))
    assert rest(snapshot, "estoques", {}) == pytest.approx(3 + 2 + 6 * 2 / 7 + 2), "e os incluídos, todo dia"
    lojas = costs("produtos_lojas", produtos_lojas=Known(begun=True, held=500))
    assert rest(lojas, "produtos_lojas", {}) == pytest.approx(1 + 6 / 7), "o filtro, e a inteira uma vez por semana"
    recent = costs("contas_receber")
    resource = named("contas_receber")
    assert resource is not None
    assert rest(recent, "contas_receber", {}) >= len(resource.recent)
    assert recent.windows(resource, [150, 0]) == 3 + 1
    nfe = named("nfe")
    assert nfe is not None
    assert costs("nfe").windows(nfe, [150]) == 3 + 2 + 1, "as canceladas à parte, e a sonda do que o padrão esconde"
    assert costs("nfe", nfe=Known(hides=True)).windows(nfe, [0]) == 2 + len(nfe.suspects)


def test_a_maybe_accepted_filter_adds_a_listing_and_empty_windows_a_probe() -> None:
    nfce, nfse = named("nfce"), named("nfse")
    assert nfce is not None
    assert nfse is not None
    assert costs("nfce").windows(nfce, [150]) == 3 + 2 + 2 + 1, "as canceladas, as de `tries`, e a sonda"
    assert costs("nfse").windows(nfse, [0] * 9) == 9 * (3 + 1)
    assert costs("nfse").windows(nfse, [1] * 9) == 9 * (2 + 2) + 3


def test_what_is_asked_per_record_of_another_includes_what_was_owed() -> None:
    brought = costs("nfe_entrada", nfe_entrada_detalhes=Known(lacking=7))
    assert rest(brought, "nfe_entrada_detalhes", {"nfe_entrada": 100}) == 107, "trazido por quem se pediu"
    assert rest(costs("nfe", "documentos", documentos=Known(lacking=7)), "documentos", {"nfe": 100}) == 107
    waiting = {"nfse": Known(begun=True, reread=5)}
    assert rest(in_a_day("nfse", **waiting), "nfse", {}) == 5, "o link que se espera"


def test_what_is_open_is_read_again_in_the_daily_collection() -> None:
    known = {"borderos": Known(begun=True, reread=40), "nfe": Known(begun=True, reread=400)}
    assert rest(costs("borderos", **known), "borderos", {}) == 0
    assert rest(in_a_day("borderos", **known), "borderos", {}) == 40
    assert rest(in_a_day("nfe", **known), "nfe", {}) == 100, "no máximo cem"
    contas = costs("contas_pagar", contas_pagar=Known(begun=True, reread=40))
    assert rest(contas, "contas_pagar", {}) == 1 + 40, "o que não é final relê-se sempre"


def test_no_resource_is_left_without_a_cost() -> None:
    """O que nada pede na primeira carga só se lê pelo que o banco já tem, ou fotografa o que ainda não há."""
    found = costs(*(each.name for each in RESOURCES))
    new = found.arrivals({each.name: 100 for each in RESOURCES})
    asked = {each.name: found.windows(each, [100]) if each.emitted else found.rest(each, new, {}) for each in RESOURCES}
    assert {name for name, cost in asked.items() if cost <= 0} <= {
        "situacoes",
        "estoques",
        "produtos_componentes",
        "produtos_controle_lote",
        "produtos_lotes",
        "produtos_lotes_saldos",
        "produtos_lotes_lancamentos",
        "notificacoes",
    }


def test_what_a_first_reading_lacks_is_not_what_a_day_asks_for() -> None:
    held = {"contas_pagar": Known(begun=True, held=800), "contas_receber": Known(begun=True, held=3000)}
    names = ("contas_receber", "contas_pagar", "borderos")
    first = costs(*names, **held).arrivals({"contas_receber": 4})
    assert first["borderos"] == 3804
    usual = costs(*names, **held, borderos=Known(begun=True)).arrivals({"contas_receber": 4})
    assert usual["borderos"] == pytest.approx(4)
