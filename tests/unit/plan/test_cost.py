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


def test_as_mesmas_pessoas_estao_na_nota_e_no_pedido_e_nao_se_somam() -> None:
    found = costs("nfe", "pedidos_venda", "contatos")
    alone = found.arrivals({"nfe": 100})["contatos"]
    assert 50 < alone < 100
    assert found.arrivals({"nfe": 100, "pedidos_venda": 100})["contatos"] == alone
    assert found.arrivals({})["contatos"] == 0


def test_o_que_so_se_pede_pelo_id_e_um_de_cada_documento() -> None:
    found = costs("contas_receber", "contas_pagar", "borderos")
    assert found.arrivals({"contas_receber": 30, "contas_pagar": 20})["borderos"] == pytest.approx(50)


def test_quem_ja_tem_o_que_se_cita_tira_a_conta_do_banco() -> None:
    held = costs("nfe", "contatos", nfe=Known(held=1000), contatos=Known(held=1000**0.5 // 1))
    assert held.arrivals({"nfe": 100})["contatos"] < 3, "quase todos são conhecidos"
    assert costs("nfe", "contatos", contatos=Known(lacking=7)).arrivals({})["contatos"] == 7


def test_so_se_conta_o_que_se_coleta_e_o_que_se_pode_ler() -> None:
    assert "contatos" not in costs("nfe").arrivals({"nfe": 100})
    refused = costs("nfe", "contas_pagar", contas_pagar=Known(refused=True))
    assert rest(refused, "contas_pagar", {"contas_pagar": 50}) == 0


def test_cada_maneira_de_ler_tem_a_sua_conta() -> None:
    assert rest(costs("contas_pagar"), "contas_pagar", {"contas_pagar": 250}, contas_pagar=250) == 4 + 250, "inteira"
    assert rest(costs("tipos_contato"), "tipos_contato", {}) == 1, "sem páginas"
    assert rest(costs("depositos"), "depositos", {}) == 2, "duas listagens"
    depositos = costs("depositos", depositos=Known(begun=True, held=5))
    assert rest(depositos, "depositos", {}) == pytest.approx((1 + 1 / 7) * (1 + 1 / 7)), "o resto por semana"
    assert rest(costs("depositos"), "depositos", {"depositos": 60}, depositos=60) == 2 * 2, "uma página que não é curta"
    parents = costs("situacoes", situacoes=Known(begun=True, sources=5))
    assert rest(parents, "situacoes", {}) == pytest.approx(5 / 7), "uma por pai, por semana"
    assert rest(costs("situacoes"), "situacoes", {}, situacoes_modulos=3) == 3, "os pais que se acaba de saber"
    also = costs("ordens_producao", ordens_producao=Known(sources=6))
    assert rest(also, "ordens_producao", {}) == 1 + 6, "a de costume, e uma por situação"
    also = costs("ordens_producao", ordens_producao=Known(begun=True, sources=6, held=60, reread=5))
    assert rest(also, "ordens_producao", {}) == pytest.approx(2 + 6 * 2 / 7 + 5), "as situações, uma vez por semana"
    snapshot = costs("estoques", estoques=Known(sources=200))
    assert rest(snapshot, "estoques", {}) == 3 * 3 + 6 * 2, "três lotes, de três maneiras, e as listagens dos produtos"
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


def test_o_que_o_bling_talvez_aceite_e_uma_listagem_mais_e_a_janela_vazia_tem_sempre_a_sonda() -> None:
    nfce, nfse = named("nfce"), named("nfse")
    assert nfce is not None
    assert nfse is not None
    assert costs("nfce").windows(nfce, [150]) == 3 + 2 + 2 + 1, "as canceladas, as de `tries`, e a sonda"
    assert costs("nfse").windows(nfse, [0] * 9) == 9 * (3 + 1)
    assert costs("nfse").windows(nfse, [1] * 9) == 9 * (2 + 2) + 3


def test_o_que_se_pede_de_cada_um_de_outro_conta_se_com_o_que_ja_se_devia() -> None:
    brought = costs("nfe_entrada", nfe_entrada_detalhes=Known(lacking=7))
    assert rest(brought, "nfe_entrada_detalhes", {"nfe_entrada": 100}) == 107, "trazido por quem se pediu"
    assert rest(costs("nfe", "documentos", documentos=Known(lacking=7)), "documentos", {"nfe": 100}) == 107
    waiting = {"nfse": Known(begun=True, reread=5)}
    assert rest(in_a_day("nfse", **waiting), "nfse", {}) == 5, "o link que se espera"


def test_o_que_esta_em_aberto_rele_se_na_coleta_do_dia() -> None:
    known = {"borderos": Known(begun=True, reread=40), "nfe": Known(begun=True, reread=400)}
    assert rest(costs("borderos", **known), "borderos", {}) == 0
    assert rest(in_a_day("borderos", **known), "borderos", {}) == 40
    assert rest(in_a_day("nfe", **known), "nfe", {}) == 100, "no máximo cem"
    contas = costs("contas_pagar", contas_pagar=Known(begun=True, reread=40))
    assert rest(contas, "contas_pagar", {}) == 1 + 40, "o que não é final relê-se sempre"


def test_nenhum_recurso_fica_sem_conta() -> None:
    """O que nada pede na primeira carga só se lê pelo que o banco já tem, ou fotografa o que ainda não há."""
    found = costs(*(each.name for each in RESOURCES))
    new = found.arrivals({each.name: 100 for each in RESOURCES})
    asked = {each.name: found.windows(each, [100]) if each.emitted else found.rest(each, new, {}) for each in RESOURCES}
    assert {name for name, cost in asked.items() if cost <= 0} <= {
        "situacoes",
        "estoques",
        "produtos_componentes",
        "notificacoes",
    }


def test_o_que_falta_ler_pela_primeira_vez_nao_e_o_que_se_pede_por_dia() -> None:
    held = {"contas_pagar": Known(begun=True, held=800), "contas_receber": Known(begun=True, held=3000)}
    names = ("contas_receber", "contas_pagar", "borderos")
    first = costs(*names, **held).arrivals({"contas_receber": 4})
    assert first["borderos"] == 3804
    usual = costs(*names, **held, borderos=Known(begun=True)).arrivals({"contas_receber": 4})
    assert usual["borderos"] == pytest.approx(4)
