"""O que os testes dos pedidos usam: uma conta com situações próprias, e a conta feita por fora, do JSON do Bling."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.proving import execute

from bling_simulator.bling import Bling
from bling_simulator.clock import local_now
from bling_simulator.company.dimensions.statuses import SALES_MODULE
from bling_simulator.company.sales.statuses import CANCELLED, IN_PROGRESS

Order = dict[str, Any]
RECURSOS = (
    *("nfe", "pedidos_venda", "contas_receber", "borderos", "vendedores", "canais_venda", "situacoes"),
    *("produtos", "contatos"),
)
GAVE_UP, GAVE_UP_EARLY, PACKED = 463_300, 463_301, 463_302
"""«Desistiu», tirada de Cancelado; «Desistiu antes do envio», tirada dela; «Embalado», de Em andamento."""
_STATUSES = (
    (GAVE_UP, "Desistiu", CANCELLED),
    (GAVE_UP_EARLY, "Desistiu antes do envio", GAVE_UP),
    (PACKED, "Embalado", IN_PROGRESS),
)


def order_oddly(bling: Bling) -> None:
    """Pedidos em situações da empresa, sem canal e sem SKU; contas canceladas e devolvidas."""
    register = bling.dimensions["/situacoes/modulos/{modulo_id}"]
    for id_, nome, inherited in _STATUSES:
        status = {"id": id_, "nome": nome, "idHerdado": inherited, "cor": "#000000", "modulo": SALES_MODULE}
        register.add(status, local_now(bling.clock), record_id=id_)
    for id_, _, _ in _STATUSES:
        bling.add_order(ordered_on=date(2025, 11, 10), situacao=id_)
        bling.add_order(ordered_on=date(2024, 11, 10), situacao=id_)
    bare = bling.add_order(ordered_on=date(2025, 11, 11), contact_id=0)
    lines = [line | {"codigo": ""} for line in bling.orders[bare]["itens"]]
    bling.edit_order(bare, itens=[lines[0], lines[1] | {"produto": {"id": 0}}], loja={"id": 0})
    paid = [id_ for id_, each in bling.receivables.items() if each["origem"]["id"]][-40:]
    for place, id_ in enumerate(paid):
        if place % 4 < 2:
            bling.edit_account("receber", id_, situacao=5 if place % 4 else 4)


def base_of(bling: Bling, status: int) -> int:
    """A situação de fábrica de que esta foi tirada, por quantas passagens for."""
    statuses = bling.dimensions["/situacoes/modulos/{modulo_id}"].entries
    while status in statuses and (inherited := statuses[status].detail["idHerdado"]):
        status = inherited
    return status


def sums(bling: Bling, orders: Iterable[Order]) -> tuple[int, Decimal, int, Decimal]:
    """Quantos contam e quanto somam; os cancelados à parte."""
    kept: list[Decimal] = []
    lost: list[Decimal] = []
    for order in orders:
        (lost if base_of(bling, order["situacao"]["id"]) == CANCELLED else kept).append(Decimal(str(order["total"])))
    return len(kept), sum(kept, Decimal(0)), len(lost), sum(lost, Decimal(0))


def by(orders: Iterable[Order], key: Callable[[Order], Any]) -> dict[Any, list[Order]]:
    found: defaultdict[Any, list[Order]] = defaultdict(list)
    for order in orders:
        found[key(order)].append(order)
    return found


def day(order: Order) -> date:
    return date.fromisoformat(order["data"])


def month(order: Order) -> date:
    return day(order).replace(day=1)


_FROM_NOTES = (
    "INSERT INTO canais_venda (id, descricao, tipo) VALUES (7001, 'Loja do Vale', 'Nuvemshop'), "
    "(7002, 'Sol do Vale no Mercado Livre', 'MercadoLivre')",
    "INSERT INTO vendedores (id, nome) VALUES (7101, 'Inácia Aguiar'), (7102, 'Quitéria Holanda')",
    "INSERT INTO situacoes (id, nome, id_herdado) VALUES (9, 'Atendido', NULL), (12, 'Cancelado', NULL), "
    "(15, 'Em andamento', NULL), (7201, 'Embalado', 15)",
    """
    INSERT INTO pedidos_venda (id, numero, numero_loja, data, situacao_id, contato_id, loja_id, vendedor_id,
                               nota_fiscal_id, total_produtos, total, detalhe, extraido_em)
    SELECT n.id + 1, row_number() OVER (ORDER BY n.data_emissao, n.id), 'PED-' || n.numero, n.data_emissao::date,
           CASE WHEN n.situacao = 2 THEN 12 WHEN n.id % 50 = 0 THEN 7201 ELSE 9 END, n.contato_id,
           (ARRAY[7001, 7002, NULL])[n.id % 3 + 1], (ARRAY[7101, 7102, NULL])[n.id % 5 % 3 + 1], n.id,
           n.total_produtos, n.total_nota, '{}', now()
    FROM nfe_cabecalho n WHERE n.tipo = 1""",
    """
    INSERT INTO pedidos_venda_itens (pedido_id, ordem, codigo_produto, descricao, quantidade, valor_unitario)
    SELECT i.nfe_id + 1, row_number() OVER (PARTITION BY i.nfe_id ORDER BY i.id), i.codigo_produto,
           i.descricao_produto, i.quantidade, i.valor_unitario
    FROM nfe_itens i JOIN pedidos_venda p ON p.id = i.nfe_id + 1""",
    """
    INSERT INTO pedidos_venda_parcelas (pedido_id, ordem, data_vencimento, valor)
    SELECT g.nfe_id + 1, row_number() OVER (PARTITION BY g.nfe_id ORDER BY g.id), g.data_vencimento, g.valor
    FROM nfe_pagamentos g JOIN pedidos_venda p ON p.id = g.nfe_id + 1""",
    """
    INSERT INTO contas_receber (id, situacao, vencimento, valor, saldo, origem_id, origem_tipo, contato_id)
    SELECT 18000000000 + row_number() OVER (ORDER BY g.id), CASE WHEN g.id % 4 = 0 THEN 1 ELSE 2 END,
           g.data_vencimento, g.valor, CASE WHEN g.id % 4 = 0 THEN g.valor ELSE 0 END, g.nfe_id, 'notafiscal',
           p.contato_id
    FROM nfe_pagamentos g JOIN pedidos_venda p ON p.id = g.nfe_id + 1""",
    "ANALYZE pedidos_venda, pedidos_venda_itens, contas_receber",
)


async def orders_of_notes(engine: AsyncEngine) -> None:
    """Um pedido para cada nota de saída do banco, sem outra carga: com canais, vendedores, itens, parcelas e contas."""
    await execute(engine, *_FROM_NOTES)
