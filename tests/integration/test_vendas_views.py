"""As views dos pedidos, e o que a página Vendas soma deles, contra a conta feita por fora, do JSON do simulador."""

from collections import defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.collecting import rows
from tests.support.ordering import GAVE_UP_EARLY, PACKED, RECURSOS, base_of, by, day, month, order_oddly, sums
from tests.support.proving import execute

from bling_collector.db.reports import order_search
from bling_collector.db.reports.orders import PEDIDOS
from bling_collector.insight.sales.pedidos import load_pedido
from bling_collector.insight.sales.periods import ComparedPeriod
from bling_collector.insight.sales.revenue import Amount, load_breakdown, load_breakdowns, load_revenue
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.company.sales.statuses import CANCELLED

START = date(2024, 1, 1)
pytestmark = [pytest.mark.bling(scale=0.03), pytest.mark.collector(recursos=RECURSOS)]
_SUMS = "pedidos, valor, cancelados, valor_cancelado"


@pytest.fixture
async def orders(account: Account, bling: Bling, changed: None) -> list[dict[str, Any]]:
    """Os pedidos do período, menos um que se excluiu."""
    found = [order for order in bling.orders.values() if order["data"] >= START.isoformat()]
    await execute(account.engine, "UPDATE pedidos_venda SET excluida_em = now() WHERE id = :id", id=found[0]["id"])
    return found[1:]


@pytest.mark.loaded(START, before=order_oddly)
async def test_each_view_of_the_pedidos_agrees_with_an_independent_computation(
    account: Account, bling: Bling, orders: list[Any]
) -> None:
    for view, keys, key in (
        ("vw_pedidos_dia", "dia", lambda o: (day(o),)),
        ("vw_pedidos_canal", "mes, loja_id", lambda o: (month(o), o["loja"]["id"] or None)),
        ("vw_pedidos_vendedor", "mes, vendedor_id", lambda o: (month(o), o["vendedor"]["id"] or None)),
        (
            "vw_pedidos_situacao",
            "mes, situacao_id, situacao_base_id",
            lambda o: (month(o), o["situacao"]["id"], base_of(bling, o["situacao"]["id"])),
        ),
    ):
        stored = await rows(account.engine, f"SELECT {_SUMS}, {keys} FROM {view}")
        assert len({row[4:] for row in stored}) == len(stored), f"{view}: a mesma linha duas vezes"
        assert {row[4:]: row[:4] for row in stored} == {k: sums(bling, g) for k, g in by(orders, key).items()}, view
    await _products(account, bling, orders)
    await _names(account, bling)


async def _products(account: Account, bling: Bling, orders: list[Any]) -> None:
    expected: defaultdict[Any, list[Any]] = defaultdict(lambda: [set(), Decimal(0), Decimal(0), Decimal(0)])
    for order in orders:
        cancelled = base_of(bling, order["situacao"]["id"]) == CANCELLED
        for line in order["itens"]:
            sku, product = line["codigo"] or None, line["produto"]["id"] or None
            entry = expected[month(order), sku, None if sku else product]
            worth = Decimal(str(line["quantidade"])) * Decimal(str(line["valor"]))
            if cancelled:
                entry[3] += worth
            else:
                entry[0].add(order["id"])
                entry[1] += Decimal(str(line["quantidade"]))
                entry[2] += worth
    stored = await rows(
        account.engine,
        "SELECT mes, codigo_produto, CASE WHEN codigo_produto IS NULL THEN produto_id END, pedidos, quantidade, valor, "
        "valor_cancelado FROM vw_pedidos_produto",
    )
    assert {row[:3]: row[3:] for row in stored} == {
        k: (len(ids), quantity, cents(value), cents(lost)) for k, (ids, quantity, value, lost) in expected.items()
    }
    assert {(sku is None, product is None) for _, sku, product in expected} == {
        (False, True),
        (True, True),
        (True, False),
    }


def cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


async def _names(account: Account, bling: Bling) -> None:
    named = dict(await rows(account.engine, "SELECT id, base FROM vw_situacoes"))
    assert (named[GAVE_UP_EARLY], named[PACKED], named[9]) == ("Cancelado", "Em andamento", "Atendido")
    sellers = await rows(account.engine, "SELECT DISTINCT vendedor_id, vendedor FROM vw_pedidos WHERE vendedor_id > 0")
    assert {seller: bling.company.sellers.entries[seller].detail["contato"]["nome"] for seller, _ in sellers} == dict(
        sellers
    )
    # Quem não deixa ler as situações ainda sabe quais são as de fábrica.
    await execute(account.engine, "DELETE FROM situacoes")
    found = dict(await rows(account.engine, "SELECT DISTINCT situacao_base_id, situacao_base FROM vw_pedidos"))
    assert (found[9], found[12], found[PACKED]) == ("Atendido", "Cancelado", None)
    assert await rows(account.engine, "SELECT bool_or(valido) FROM vw_pedidos WHERE situacao_id = 12") == [(False,)]


@pytest.mark.loaded(START, before=order_oddly)
async def test_the_path_from_the_pedido_to_the_money_received(
    account: Account, bling: Bling, orders: list[Any]
) -> None:
    stored = await rows(
        account.engine,
        "SELECT pedido_id, numero, data, total, nota_id, nota_total, contas, contas_valor, em_aberto, recebido, "
        "ultimo_pagamento FROM vw_pedidos_caminho",
    )
    by_origin: defaultdict[int, list[Any]] = defaultdict(list)
    for conta in bling.receivables.values():
        if conta["situacao"] != 5 and conta["dataEmissao"] >= START.isoformat():
            by_origin[conta["origem"]["id"]].append(conta)
    assert {row[0]: row[1:] for row in stored} == {o["id"]: _path(bling, o, by_origin) for o in orders}
    assert any(row[8] for row in stored), "há o que receber"
    assert any(row[8] and row[9] and row[10] for row in stored), "pago em parte"
    assert any(row[6] and row[9] == 0 and row[8] == 0 for row in stored), "devolvido"
    assert any(row[4] is None and row[6] for row in stored), "uma conta cuja origem é o pedido"


def _path(bling: Bling, order: dict[str, Any], by_origin: dict[int, list[Any]]) -> tuple[Any, ...]:
    note = bling.notes.get(order["notaFiscal"]["id"])
    accounts = [each for id_ in {order["id"], order["notaFiscal"]["id"]} - {0} for each in by_origin.get(id_, ())]
    total = sum((Decimal(str(each["valor"])) for each in accounts), Decimal(0))
    waiting = sum((Decimal(str(each["saldo"])) for each in accounts if each["situacao"] in (1, 3)), Decimal(0))
    received = sum((_received(each) for each in accounts), Decimal(0))
    paid = [bling.borderos[id_]["data"] for each in accounts for id_ in each["borderos"] if id_ in bling.borderos]
    sums = (len(accounts), total, waiting, received) if accounts else (None,) * 4
    return (
        order["numero"],
        day(order),
        Decimal(str(order["total"])),
        order["notaFiscal"]["id"] or None,
        Decimal(str(note["valorNota"])) if note and note["dataEmissao"] >= START.isoformat() else None,
        *sums,
        max(map(date.fromisoformat, paid), default=None),
    )


def _received(conta: dict[str, Any]) -> Decimal:
    valor, saldo = Decimal(str(conta["valor"])), Decimal(str(conta["saldo"]))
    return {2: valor, 4: Decimal(0)}.get(conta["situacao"], valor - saldo)


@pytest.mark.loaded(START, before=order_oddly)
async def test_the_id_of_a_pedido_that_is_also_that_of_a_nota(
    account: Account, bling: Bling, orders: list[Any]
) -> None:
    """A palavra da origem diz de qual dos dois a conta é; uma origem sem palavra vale pelo id."""
    alone = next(o for o in orders if not o["notaFiscal"]["id"])
    read = "SELECT contas FROM vw_pedidos_caminho WHERE pedido_id = :id"
    before = await rows(account.engine, read, id=alone["id"])
    first = "(SELECT min(id) FROM contas_receber)"
    move = f"UPDATE contas_receber SET origem_id = :origem, origem_tipo = {{}} WHERE id = {first}"
    await execute(account.engine, move.format("'notafiscal'"), origem=alone["id"])
    assert await rows(account.engine, read, id=alone["id"]) == before
    await execute(account.engine, move.format("NULL"), origem=alone["id"])
    assert await rows(account.engine, read, id=alone["id"]) == [((before[0][0] or 0) + 1,)]


@pytest.mark.loaded(START, before=order_oddly)
async def test_the_money_of_the_pedidos_has_two_decimal_places(account: Account, orders: list[Any]) -> None:
    columns = await rows(
        account.engine,
        """
        SELECT table_name, column_name FROM information_schema.columns
        WHERE table_name LIKE 'vw_pedidos%' AND table_name <> 'vw_pedidos_itens' AND data_type = 'numeric'
          AND column_name <> 'quantidade'
        """,
    )
    assert len(columns) > 12
    for view, column in columns:
        places = await rows(account.engine, f"SELECT DISTINCT scale({column}) FROM {view} WHERE {column} IS NOT NULL")
        assert places == [(2,)], (view, column)


@pytest.mark.loaded(START, before=order_oddly)
async def test_the_page_adds_up_to_what_the_views_do(account: Account, bling: Bling, orders: list[Any]) -> None:
    today = date(2026, 2, 20)
    for period in (ComparedPeriod(date(2025, 3, 1), today), ComparedPeriod(date(2025, 11, 5), date(2025, 11, 11))):
        inside = [o for o in orders if period.inicio <= day(o) <= period.fim]
        earlier = [o for o in orders if period.year_before.inicio <= day(o) <= period.year_before.fim]
        found = await load_revenue(account.engine, period, today, sales=PEDIDOS)
        assert found.now == Amount(*sums(bling, inside))
        assert found.before == Amount(*sums(bling, earlier))
        assert found.now.canceladas
        keys = {
            "canais": lambda o: o["loja"]["id"] or None,
            "vendedores": lambda o: o["vendedor"]["id"] or None,
            "clientes": lambda o: o["contato"]["id"] or None,
            "situacoes": lambda o: base_of(bling, o["situacao"]["id"]),
        }
        for name, key in keys.items():
            parts = await load_breakdown(account.engine, period, name, sales=PEDIDOS)
            assert {p.key: p.amount for p in parts.rows} == {
                k: Amount(*sums(bling, g)) for k, g in by(inside, key).items()
            }, name
            assert (parts.of, parts.whole) == (len(parts.rows), found.now.valor)
        few = await load_breakdowns(account.engine, period, most=2, sales=PEDIDOS)
        stored = await rows(
            account.engine,
            "SELECT sum(quantidade * valor_unitario) FROM pedidos_venda_itens i JOIN vw_pedidos USING (pedido_id) "
            "WHERE valido AND data BETWEEN :inicio AND :fim",
            inicio=period.inicio,
            fim=period.fim,
        )
        assert abs(few["produtos"].whole - stored[0][0]) < 1
        assert {name: len(each.rows) for name, each in few.items()} == {
            name: min(each.of, 2) for name, each in few.items()
        }


@pytest.mark.loaded(START, before=order_oddly)
async def test_pedidos_of_a_channel_made_again_count_where_the_company_says(
    account: Account, bling: Bling, orders: list[Any]
) -> None:
    old = max({order["loja"]["id"] for order in orders})
    new = next(id_ for id_ in bling.dimensions["/canais-venda"].entries if id_ != old)
    await execute(account.engine, "INSERT INTO canais_da_empresa VALUES (:old, :new, 'refeito')", old=old, new=new)
    expected = by(orders, lambda o: (new if o["loja"]["id"] == old else o["loja"]["id"] or None,))
    for view in ("vw_pedidos", "vw_pedidos_canal"):
        assert set(await rows(account.engine, f"SELECT DISTINCT loja_id FROM {view}")) == expected.keys()
    name = bling.dimensions["/canais-venda"].entries[new].detail["descricao"]
    stored = await rows(
        account.engine,
        "SELECT canal, sum(pedidos), sum(valor) FROM vw_pedidos_canal WHERE loja_id = :new GROUP BY 1",
        new=new,
    )
    assert stored == [(name, *sums(bling, expected[(new,)])[:2])]
    assert (old,) not in await rows(account.engine, "SELECT DISTINCT loja_id FROM vw_margem_canal")


@pytest.mark.loaded(START, before=order_oddly)
async def test_the_nota_of_a_pedido_may_be_a_consumer_one(account: Account, bling: Bling, orders: list[Any]) -> None:
    chosen = orders[-1]["id"]
    await execute(
        account.engine,
        "INSERT INTO nfce_cabecalho (id, numero, situacao, data_emissao, total_nota)"
        " VALUES (77, '12', 5, '2026-02-01', 99.90)",
    )
    await execute(account.engine, "UPDATE pedidos_venda SET nota_fiscal_id = 77 WHERE id = :id", id=chosen)
    path = "SELECT nota_numero, nota_situacao, nota_total FROM vw_pedidos_caminho WHERE pedido_id = :id"
    assert await rows(account.engine, path, id=chosen) == [("12", 5, Decimal("99.90"))]
    header = (await load_pedido(account.engine, chosen)).header
    assert (header["tem_nota"], header["nota_de_consumidor"], header["nota_numero"]) == (True, True, "12")
    await execute(account.engine, "UPDATE nfce_cabecalho SET excluida_em = now() WHERE id = 77")
    assert await rows(account.engine, path, id=chosen) == [(None, None, None)]


@pytest.mark.loaded(START, before=order_oddly)
async def test_the_page_of_a_pedido_says_the_channel_the_list_does(
    account: Account, bling: Bling, orders: list[Any]
) -> None:
    chosen = next(order for order in orders if order["loja"]["id"])
    old = chosen["loja"]["id"]
    new = next(id_ for id_ in bling.dimensions["/canais-venda"].entries if id_ != old)
    await execute(account.engine, "INSERT INTO canais_da_empresa VALUES (:old, :new, 'refeito')", old=old, new=new)
    header = (await load_pedido(account.engine, chosen["id"])).header
    name = bling.dimensions["/canais-venda"].entries[new].detail["descricao"]
    assert (header["loja_id"], header["canal"]) == (new, name)


async def test_the_choices_are_the_combinations_that_orders_have(engine: AsyncEngine) -> None:
    await execute(
        engine,
        """INSERT INTO pedidos_venda (id, data, situacao_id, loja_id, vendedor_id, excluida_em)
           SELECT n, '2026-01-01', nullif(n % 3, 0), nullif(n % 2, 0), nullif(n % 5, 0),
                  CASE WHEN n % 7 = 0 THEN now() END
           FROM generate_series(1, 40) n""",
        "INSERT INTO pedidos_venda (id, situacao_id, excluida_em) VALUES (99, 99, now())",
    )
    async with engine.connect() as connection:
        found = await order_search.choices(connection)
    combined = [(row["situacao_id"], row["loja_id"], row["vendedor_id"]) for row in found]
    alive = "SELECT DISTINCT situacao_id, loja_id, vendedor_id FROM pedidos_venda WHERE excluida_em IS NULL"
    assert len(combined) == len({*combined})
    assert {*combined} == {*await rows(engine, alive)}
