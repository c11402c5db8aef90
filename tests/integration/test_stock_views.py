"""As views do estoque e da margem, contra a conta feita por fora, do JSON do simulador."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any

import pytest
from tests.support.collecting import rows
from tests.support.fakes import FakeClock
from tests.support.proving import execute
from tests.support.selling import sold_lines

from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.company.invoices.lines import line_of
from bling_simulator.company.sales.statuses import CANCELLED

START = date(2025, 1, 1)
TODAY = date(2026, 2, 20)
DAY = 86_400.0
ZERO = Decimal(0)
pytestmark = [
    pytest.mark.bling(scale=0.05),
    pytest.mark.collector(
        recursos=("nfe", "estoques", "pedidos_venda", "produtos_fornecedores", "canais_venda", "situacoes")
    ),
]


def exact(value: Any) -> Decimal:
    return Decimal(str(value))


def costs(bling: Bling) -> dict[int, Decimal]:
    """Produto → custo de hoje: o do fornecedor padrão, ou o do cadastro; sem o que é zero, e sem o dos kits."""
    found = {id_: exact(p["fornecedor"]["precoCusto"]) for id_, p in _products(bling).items()}
    for each in bling.dimensions["/produtos/fornecedores"].entries.values():
        if each.detail["padrao"] and each.detail["precoCusto"]:
            found[each.detail["produto"]["id"]] = exact(each.detail["precoCusto"])
    return {id_: cost for id_, cost in found.items() if cost and _products(bling)[id_]["formato"] != "E"}


def _products(bling: Bling) -> dict[int, Any]:
    return {id_: entry.detail for id_, entry in bling.company.products.entries.items()}


@pytest.mark.loaded(START)
async def test_the_coverage_agrees_with_an_independent_computation(account: Account, bling: Bling) -> None:
    living = {id_: e.detail for id_, e in bling.company.products.entries.items() if not e.deleted}
    preferred = dict(await rows(account.engine, "SELECT codigo, id FROM produtos WHERE preferido"))
    sold: defaultdict[str, Decimal] = defaultdict(Decimal)
    last: dict[str, date] = {}
    for note in bling.notes.values():
        day = datetime.fromisoformat(note["dataEmissao"]).date()
        if note["tipo"] == 1 and note["situacao"] in (5, 6, 7) and START <= day <= TODAY:
            for line in sold_lines(note):
                last[line["codigo"]] = max(last.get(line["codigo"], day), day)
                if day > TODAY - timedelta(days=90):
                    sold[line["codigo"]] += exact(line["quantidade"])
    balances, cost = {each["id"]: each for each in bling.stockroom.balances()}, costs(bling)
    expected = {}
    for id_, product in living.items():
        sku, balance = product["codigo"], balances.get(id_, {})
        physical, virtual = balance.get("saldoFisicoTotal"), balance.get("saldoVirtualTotal")
        mine = preferred.get(sku) == id_
        quantity = sold[sku] if mine else ZERO
        days = None
        if quantity and virtual is not None:
            days = max(exact(virtual), ZERO) * 90 / quantity
        kind = (
            "sem registro"
            if virtual is None
            else ("esgotado" if quantity else "sem saldo")
            if virtual <= 0
            else "vende"
            if quantity
            else "parado"
        )
        value = round(physical * cost[id_], 2) if physical is not None and id_ in cost else None
        ends = None if days is None else TODAY + timedelta(days=int(round(days, 1).to_integral_value(ROUND_FLOOR)))
        expected[id_] = (
            physical,
            cost.get(id_),
            value,
            quantity,
            last.get(sku) if mine else None,
            days and round(days, 1),
            ends,
            kind,
        )
    found = await rows(
        account.engine,
        "SELECT produto_id, saldo_fisico, preco_custo, valor_custo, vendido_90_dias, ultima_venda, dias_cobertura,"
        " acaba_em, situacao FROM vw_estoque_cobertura",
    )
    assert {row[0]: row[1:] for row in found} == expected
    assert {row[-1] for row in found} == {"sem registro", "esgotado", "sem saldo", "vende", "parado"}
    per_day = await rows(account.engine, "SELECT produto_id, sum(valor_custo) FROM vw_estoque_por_dia GROUP BY 1")
    assert {id_ for id_, value in per_day if value is not None} == {id_ for id_, e in expected.items() if e[2]} | {
        id_ for id_, e in expected.items() if e[2] == 0
    }


def _shares(order: dict[str, Any]) -> list[tuple[dict[str, Any], Decimal, Decimal]]:
    """(item, receita, taxas) de cada item: a sua parte no desconto, na comissão e no frete do canal."""
    values = [exact(line["quantidade"]) * exact(line["valor"]) for line in order["itens"]]
    off = exact(order["desconto"]["valor"])
    if order["desconto"]["unidade"] == "PERCENTUAL":
        off = exact(order["totalProdutos"]) * off / 100
    fees = exact(order["taxas"]["taxaComissao"]) + exact(order["taxas"]["custoFrete"])
    whole = sum(values, ZERO)
    return [
        (line, value - off * value / whole, fees * value / whole)
        for line, value in zip(order["itens"], values, strict=True)
    ]


def _orders(bling: Bling) -> list[dict[str, Any]]:
    return [
        order
        for order in bling.orders.values()
        if START.isoformat() <= order["data"] <= "2026-02-28" and order["situacao"]["id"] != CANCELLED
    ]


@pytest.mark.loaded(START)
@pytest.mark.slow
async def test_the_margin_agrees_with_an_independent_computation(account: Account, bling: Bling) -> None:
    cost = costs(bling)
    products: defaultdict[Any, list[Decimal]] = defaultdict(lambda: [ZERO] * 4)
    channels: defaultdict[Any, list[Decimal]] = defaultdict(lambda: [ZERO] * 4)
    for order in _orders(bling):
        month = date.fromisoformat(order["data"]).replace(day=1)
        for line, revenue, fees in _shares(order):
            id_ = line["produto"]["id"] or None
            quantity = exact(line["quantidade"])
            known = (revenue - fees - quantity * cost[id_], ZERO) if id_ in cost else (ZERO, revenue)
            for sums in (products[id_], channels[month, order["loja"]["id"] or None]):
                for place, value in enumerate((revenue, fees, *known)):
                    sums[place] += value
    for view, key, expected in (
        ("vw_margem_produto", "produto_id", {(id_,): sums for id_, sums in products.items() if id_}),
        ("vw_margem_canal", "mes, loja_id", channels),
    ):
        columns = "receita, comissao + frete, coalesce(margem, 0), receita_sem_custo"
        found = await rows(account.engine, f"SELECT {columns}, {key} FROM {view}")
        found = [row for row in found if row[4:] != (None,)]
        assert {row[4:] for row in found} == expected.keys(), view
        for row in found:
            for seen, truth in zip(row[:4], expected[row[4:]], strict=True):
                assert abs(seen - truth) <= Decimal("0.011"), (view, row, expected[row[4:]])
    loose = await rows(
        account.engine, "SELECT sum(receita), sum(receita_sem_custo) FROM vw_margem_produto WHERE produto_id IS NULL"
    )
    assert loose == [(round(products[None][0], 2),) * 2], "o que o Bling não diz de que produto é"
    names = await rows(account.engine, "SELECT DISTINCT loja_id, canal FROM vw_margem_canal WHERE loja_id IS NOT NULL")
    assert names
    assert all(canal for _, canal in names)
    curve = await rows(account.engine, "SELECT margem, classe FROM vw_abc_margem ORDER BY posicao")
    assert [row[0] for row in curve] == sorted((row[0] for row in curve), reverse=True)
    assert {row[1] for row in curve} == {"A", "B", "C"}
    assert len(curve) == sum(1 for sums in products.values() if round(sums[2], 2) > 0)


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_the_cost_of_the_day_of_the_sale_counts(account: Account, bling: Bling, clock: FakeClock) -> None:
    link, product, cost = (
        await rows(
            account.engine,
            "SELECT f.id, produto_id, f.preco_custo FROM produtos_fornecedores f JOIN produtos p ON p.id = produto_id"
            " WHERE padrao AND p.excluida_em IS NULL ORDER BY 1 LIMIT 1",
        )
    )[0]
    sku = bling.company.products.entries[product].detail["codigo"]
    lines = [line_of(codigo=sku, descricao="Peça", quantidade=2, valor=Decimal(1000), cfop="5102")]
    today = bling.add_order(ordered_on=TODAY, lines=lines)
    clock.advance(DAY * 2)
    bling.edit_dimension("/produtos/fornecedores", link, precoCusto=cost + 7)
    later = bling.add_order(ordered_on=TODAY + timedelta(days=2), lines=lines)
    clock.advance(600)
    assert (await account.pipeline.run()).status == "success"
    asked = "SELECT custo, custo_posterior FROM vw_margem_itens WHERE pedido_id = :id"
    assert await rows(account.engine, asked, id=today) == [(2 * cost, False)]
    assert await rows(account.engine, asked, id=later) == [(2 * (cost + 7), False)]
    old = await rows(account.engine, "SELECT DISTINCT custo_posterior FROM vw_margem_itens WHERE data < '2026-02-20'")
    assert set(old) <= {(True,), (None,)}, "o que se vendeu antes da primeira leitura tem um custo lido depois"
    versions = (
        "SELECT preco_custo, desde IS NULL, ate IS NULL FROM vw_produtos_custos WHERE produto_id = :id ORDER BY lido_em"
    )
    assert await rows(account.engine, versions, id=product) == [(cost, True, False), (cost + 7, False, True)]


PRODUCTS = (
    "INSERT INTO produtos (id, codigo, nome, preco_custo, formato, produto_pai_id, preferido) VALUES"
    " (1, 'A', 'Simples', 10, 'S', NULL, true), (2, 'K', 'Kit', 3, 'E', NULL, true),"
    " (3, 'P', 'Pai', 4, 'V', NULL, true), (4, 'P-1', 'Filho', 4, 'S', 3, true),"
    " (5, 'Z', 'De graça', 0, 'S', NULL, true)",
    "INSERT INTO estoque_totais SELECT '2026-02-20 12:00-03', id, 5, 5 FROM produtos",
    "INSERT INTO pedidos_venda (id, data, total, total_produtos, desconto, desconto_unidade, taxa_comissao) VALUES"
    " (1, '2026-02-10', 100, 100, 10, 'REAL', 20), (2, '2026-02-11', 50, 50, NULL, NULL, NULL)",
    "INSERT INTO situacoes (id, id_herdado) VALUES (77, 12)",
    "INSERT INTO pedidos_venda (id, data, total, situacao_id) VALUES"
    " (3, '2026-02-11', 9, 12), (4, '2026-02-11', 9, 77)",
    "INSERT INTO pedidos_venda_itens (pedido_id, ordem, quantidade, valor_unitario) VALUES (3, 1, 1, 9), (4, 1, 1, 9)",
    "INSERT INTO pedidos_venda_itens (pedido_id, ordem, produto_id, codigo_produto, quantidade, valor_unitario) VALUES"
    " (1, 1, 1, 'A', 2, 30), (1, 2, 2, 'K', 1, 40), (2, 1, NULL, 'P-1', 1, 0), (2, 2, NULL, 'FORA', 1, 0)",
)


async def test_what_has_no_known_cost_is_said_and_is_not_of_cost_zero(account: Account) -> None:
    await execute(account.engine, *PRODUCTS)
    value = "SELECT produto_id, valor_custo FROM vw_estoque_cobertura ORDER BY 1"
    assert await rows(account.engine, value) == [(1, 50), (2, None), (3, None), (4, 20), (5, None)]
    asked = "SELECT codigo, receita, comissao, custo, margem, receita_sem_custo FROM vw_margem_produto ORDER BY codigo"
    assert await rows(account.engine, asked) == [
        ("A", 54, 12, 20, 22, 0),
        ("FORA", 0, 0, None, None, 0),
        ("K", 36, 8, None, None, 36),
        ("P-1", 0, 0, 4, -4, 0),
    ]
    assert await rows(account.engine, "SELECT receita, margem, receita_sem_custo FROM vw_margem_canal") == [
        (90, 18, 36)
    ]


async def test_what_was_sold_to_consumers_counts_in_the_coverage(account: Account) -> None:
    await execute(
        account.engine,
        *PRODUCTS,
        "INSERT INTO nfce_cabecalho (id, situacao, data_emissao, excluida_em) VALUES"
        " (71, 5, '2026-02-01 10:00', NULL), (72, 2, '2026-02-02 10:00', NULL), (73, 6, '2026-02-03 10:00', now())",
        "INSERT INTO nfce_itens (nfe_id, ordem, codigo_produto, quantidade) SELECT id, 1, 'A', 9 FROM nfce_cabecalho",
    )
    asked = "SELECT vendido_90_dias, ultima_venda FROM vw_estoque_cobertura WHERE produto_id = 1"
    assert await rows(account.engine, asked) == [(9, date(2026, 2, 1))], "nem a cancelada nem a excluída"


async def test_what_bling_leaves_out_of_the_total_is_said(account: Account) -> None:
    await execute(
        account.engine,
        "INSERT INTO depositos (id, descricao, desconsiderar_saldo) VALUES (1, 'Geral', false), (2, 'Defeitos', true)",
        "INSERT INTO estoque_totais (lido_em, produto_id, saldo_fisico) VALUES"
        " ('2026-02-20 12:00-03', 1, 10), ('2026-02-20 12:00-03', 2, 4)",
        "INSERT INTO estoque_saldos (lido_em, produto_id, deposito_id, saldo_fisico) VALUES"
        " ('2026-02-20 12:00-03', 1, 1, 10), ('2026-02-20 12:00-03', 1, 2, 3)",
    )
    for view in ("vw_estoque_atual", "vw_estoque_por_dia"):
        found = await rows(
            account.engine, f"SELECT produto_id, sum(saldo_fisico) FROM {view} WHERE no_total GROUP BY 1"
        )
        assert dict(found) == {1: 10, 2: 4}, view


async def test_the_margin_knows_what_is_cancelled_however_derived(account: Account) -> None:
    await execute(
        account.engine,
        *PRODUCTS,
        "INSERT INTO situacoes (id, id_herdado) VALUES (78, 77)",
        "INSERT INTO pedidos_venda (id, data, total, situacao_id) VALUES (5, '2026-02-11', 9, 78)",
        "INSERT INTO pedidos_venda_itens (pedido_id, ordem, quantidade, valor_unitario) VALUES (5, 1, 1, 9)",
    )
    assert await rows(account.engine, "SELECT cancelado FROM vw_margem_itens WHERE pedido_id = 5") == [(True,)]


async def test_a_kit_costs_what_its_parts_do_when_all_are_known(account: Account) -> None:
    await execute(
        account.engine,
        *PRODUCTS,
        "INSERT INTO produtos (id, codigo, nome, preco_custo, formato, preferido) VALUES"
        " (6, 'C', 'Caixa', NULL, 'S', true), (7, 'KK', 'Kit de kit', 3, 'E', true),"
        " (8, 'KI', 'Kit com um de graça', 3, 'E', true)",
        "INSERT INTO produtos_fornecedores (id, produto_id, fornecedor_id, padrao) VALUES (60, 6, 1, true)",
        "INSERT INTO produtos_fornecedores_custos (produto_fornecedor_id, valido_desde, preco_custo) VALUES"
        " (60, '2026-02-01 12:00-03', 1), (60, '2026-02-11 12:00-03', 1.5)",
        "INSERT INTO produtos_estruturas (id) VALUES (2), (7), (8)",
        "INSERT INTO produtos_componentes (produto_id, ordem, componente_id, quantidade) VALUES"
        " (2, 1, 1, 2), (2, 2, 6, 3), (7, 1, 2, 2), (8, 1, 1, 1), (8, 2, 5, 1)",
    )
    costs = "SELECT produto_id, preco_custo, desde IS NULL, ate IS NULL FROM vw_kits_custos ORDER BY 1, lido_em, 2"
    assert sorted(await rows(account.engine, costs)) == [
        (2, 23, True, False),
        (2, Decimal("24.5"), False, True),
        (7, 46, True, False),
        (7, 49, False, True),
    ]
    asked = "SELECT codigo, custo, margem, receita_sem_custo FROM vw_margem_produto WHERE codigo = 'K'"
    assert await rows(account.engine, asked) == [("K", 23, 5, 0)], "o custo do dia da venda"
    value = "SELECT valor_custo FROM vw_estoque_cobertura WHERE produto_id = 2"
    assert await rows(account.engine, value) == [(None,)], "o estoque de um kit é o das partes"


@pytest.mark.parametrize(
    ("taxas", "expected"),
    [((12, 24, 60, 36), 132), ((12, 12, 12, 12), 132), ((16, 12, 16, 12), 156)],
    ids=["em reais", "a mesma porcentagem", "a porcentagem de dois canais"],
)
async def test_the_commission_is_read_in_money_or_in_percent(
    account: Account, taxas: tuple[int, ...], expected: int
) -> None:
    """Em dinheiro cresce com o pedido; em porcentagem, não."""
    for id_, (total, taxa) in enumerate(zip((100, 200, 500, 300), taxas, strict=True), start=1):
        await execute(
            account.engine,
            "INSERT INTO pedidos_venda (id, data, total, total_produtos, taxa_comissao)"
            f" VALUES ({id_}, '2026-02-10', {total}, {total}, {taxa})",
            "INSERT INTO pedidos_venda_itens (pedido_id, ordem, quantidade, valor_unitario)"
            f" VALUES ({id_}, 1, 1, {total})",
        )
    assert await rows(account.engine, "SELECT comissao FROM vw_margem_canal") == [(expected,)]


@pytest.mark.parametrize("number", ["'1e400'", "'-1e400'", "'NaN'"])
async def test_an_absurd_number_does_not_break_the_views(account: Account, number: str) -> None:
    await execute(
        account.engine,
        *PRODUCTS,
        f"UPDATE estoque_totais SET saldo_virtual = {number} WHERE produto_id = 1",
        f"UPDATE pedidos_venda SET total = {number}, taxa_comissao = {number}",
        "INSERT INTO nfe_cabecalho (id, tipo, situacao, data_emissao, total_nota) VALUES (1, 1, 6, '2026-02-19', 1)",
        "INSERT INTO nfe_itens (nfe_id, ordem, codigo_produto, quantidade, valor_total) VALUES (1, 1, 'A', 0.001, 1)",
    )
    for view in ("vw_estoque_cobertura", "vw_margem_produto", "vw_margem_canal", "vw_abc_margem"):
        await rows(account.engine, f"SELECT * FROM {view}")
