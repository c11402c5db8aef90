"""Os pedidos de compra, sob cada leitura do que os documentos não sabem."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.variants import one_now

from bling_collector.payload import measured
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.clock import local_now
from bling_simulator.company.papers.purchases import CANCELLED, DONE, OPEN, UNDER_WAY
from bling_simulator.payload import Json, clone

START = date(2025, 1, 1)
DAY = 86_400.0
PATH = "/pedidos/compras"
READINGS: list[dict[str, Any]] = [
    {},
    {"default_hides_cancelled_orders": True},
    {"order_filters_are_ignored": True},
    {"order_list_final_date_excludes_today": False},
    {"money_has_float_noise": True},
]
pytestmark = [
    pytest.mark.bling(scale=0.02),
    pytest.mark.collector(recursos=("pedidos_compra", "contatos", "produtos"), extraction_lookback_days=10),
]


def purchases(bling: Bling) -> dict[int, Json]:
    return {id_: entry.detail for id_, entry in bling.kept(PATH).entries.items()}


def ordered_today(bling: Bling, status: int = OPEN) -> int:
    """Um pedido de hoje, como o último que se fez."""
    model = clone(list(purchases(bling).values())[-1])
    del model["id"]
    changes = {"data": local_now(bling.clock).date().isoformat(), "situacao": {"id": 31 + status, "valor": status}}
    return bling.add_dimension(PATH, **(model | changes))


async def assert_equals_the_purchases(account: Account, bling: Bling) -> None:
    """Cada pedido vivo, com os seus itens e parcelas, é o do Bling; e não há outro."""
    expected = {id_: each for id_, each in sorted(purchases(bling).items()) if each["data"] >= START.isoformat()}
    found = await rows(
        account.engine,
        "SELECT id, numero, data, situacao_valor, fornecedor_id, total_produtos, total, frete FROM pedidos_compra "
        "WHERE excluida_em IS NULL ORDER BY id",
    )
    assert found == [
        (
            id_,
            each["numero"],
            date.fromisoformat(each["data"]),
            each["situacao"]["valor"],
            each["fornecedor"]["id"],
            *(measured(value) for value in (each["totalProdutos"], each["total"], each["transporte"]["frete"])),
        )
        for id_, each in expected.items()
    ]
    living = "JOIN pedidos_compra p ON p.id = pedido_id WHERE excluida_em IS NULL ORDER BY pedido_id, ordem"
    itens = "pedido_id, produto_id, quantidade, valor_unitario, i.nota_fiscal_id, quantidade_na_nota"
    assert await rows(account.engine, f"SELECT {itens} FROM pedidos_compra_itens i {living}") == [
        (
            id_,
            item["produto"]["id"] or None,
            *(measured(item[name]) for name in ("quantidade", "valor")),
            item["notaFiscal"]["id"] or None,
            measured(item["notaFiscal"]["quantidade"]),
        )
        for id_, each in expected.items()
        for item in each["itens"]
    ]
    parcelas = f"SELECT pedido_id, data_vencimento, valor FROM pedidos_compra_parcelas {living}"
    assert await rows(account.engine, parcelas) == [
        (id_, date.fromisoformat(parcela["dataVencimento"]), measured(parcela["valor"]))
        for id_, each in expected.items()
        for parcela in each["parcelas"]
    ]


async def assert_the_suppliers_are_as_bling_says(account: Account, bling: Bling) -> None:
    months: defaultdict[tuple[date, int], list[Json]] = defaultdict(list)
    for each in purchases(bling).values():
        if each["data"] >= START.isoformat():
            months[date.fromisoformat(each["data"]).replace(day=1), each["fornecedor"]["id"]].append(each)
    found = await rows(
        account.engine,
        "SELECT mes, fornecedor_id, fornecedor, pedidos, itens, quantidade, valor, em_aberto, valor_em_aberto, "
        "cancelados, valor_cancelado, ultima_compra FROM vw_compras_fornecedor ORDER BY 1, 2",
    )

    def total(some: list[Json]) -> Decimal:
        return sum((measured(each["total"]) or Decimal(0) for each in some), Decimal(0))

    expected = []
    for (month, supplier), every in sorted(months.items()):
        valid = [each for each in every if each["situacao"]["valor"] != CANCELLED]
        open_ = [each for each in every if each["situacao"]["valor"] in (OPEN, UNDER_WAY)]
        lost = [each for each in every if each not in valid]
        items = [item for each in valid for item in each["itens"]]
        quantity = sum((measured(item["quantidade"]) or Decimal(0) for item in items), Decimal(0))
        last = max((date.fromisoformat(each["data"]) for each in valid), default=None)
        name = bling.contacts[supplier]["nome"]
        expected.append(
            (
                *(month, supplier, name, len(valid), len(items), quantity, total(valid)),
                *(len(open_), total(open_), len(lost), total(lost), last),
            )
        )
    assert found == expected
    assert {row[9] for row in found} > {0}, "há cancelados"


@pytest.mark.slow
@pytest.mark.parametrize("reading", one_now(READINGS), ids=lambda reading: next(iter(reading), "como se leu"))
async def test_the_load_equals_bling_and_what_changes_is_seen(
    account: Account, bling: Bling, clock: FakeClock, reading: dict[str, Any]
) -> None:
    bling.configure(**reading)
    new, lost = ordered_today(bling), ordered_today(bling)
    result = await account.pipeline.run_full(START)
    assert result.status == "success", result.message
    await assert_equals_the_purchases(account, bling)
    cited = "SELECT produto_id FROM pedidos_compra_itens EXCEPT SELECT id FROM produtos"
    assert await rows(account.engine, f"{cited} WHERE detalhe IS NOT NULL") == []
    suppliers = "SELECT fornecedor_id FROM pedidos_compra EXCEPT SELECT id FROM contatos WHERE nome IS NOT NULL"
    assert await rows(account.engine, suppliers) == []
    clock.advance(DAY)
    old = next(id_ for id_, each in purchases(bling).items() if each["situacao"]["valor"] == UNDER_WAY)
    half = purchases(bling)[old]["itens"]
    bling.edit_dimension(PATH, old, itens=[half[0] | {"notaFiscal": {"id": 77, "quantidade": Decimal("1.5")}}])
    bling.edit_dimension(PATH, new, situacao={"id": 31 + CANCELLED, "valor": CANCELLED})
    bling.delete_dimension(PATH, lost)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_the_purchases(account, bling)
    assert await scalar(account.engine, "SELECT excluida_em IS NOT NULL FROM pedidos_compra WHERE id = :id", id=lost)
    await assert_the_suppliers_are_as_bling_says(account, bling)
    assert (await account.pipeline.reconcile()).status == "success"


@pytest.mark.slow
async def test_what_is_settled_is_asked_for_again_only_if_its_row_changes(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    await account.pipeline.run_full(START)
    clock.advance(DAY)
    bling.counters.reset()
    recent = [
        id_
        for id_, each in purchases(bling).items()
        if each["situacao"]["valor"] == CANCELLED
        and date.fromisoformat(each["data"]) > local_now(bling.clock).date() - timedelta(days=80)
    ]
    bling.edit_dimension(PATH, recent[-1], total=Decimal("12.34"))  # fora dos dias que a execução relê
    assert (await account.pipeline.run()).status == "success"
    unsettled = {id_ for id_, each in purchases(bling).items() if each["situacao"]["valor"] in {OPEN, UNDER_WAY}}
    asked = {int(path.rsplit("/", 1)[1]) for path in bling.counters.details if path.startswith(PATH)}
    assert asked == unsettled | {recent[-1]}
    assert DONE not in {purchases(bling)[id_]["situacao"]["valor"] for id_ in asked}
    await assert_equals_the_purchases(account, bling)
