"""O estoque: GET /estoques/saldos, o saldo de cada produto em cada depósito, numa fotografia por dia.

O Bling não guarda, ou não dá, o de ontem: o que não se fotografa hoje não se sabe nunca mais.
"""

from collections.abc import Iterable
from typing import Final

from bling_collector.db.models import estoque_saldos, estoque_totais
from bling_collector.etl.resource import Announced, Child, Document, Id, Resource, Rows, Snapshot
from bling_collector.payload import Fields, Row, UnreadableError, decimal, integer, objects, part
from bling_collector.streams.produtos.produtos import INCLUDED, LIVING, NOT_DELETED, PRODUTOS

_KNOWN: Final = """
    SELECT produto_id FROM (
        SELECT id AS produto_id FROM produtos
        UNION SELECT produto_id FROM produtos_fornecedores WHERE excluida_em IS NULL
        UNION SELECT produto_id FROM produtos_lojas WHERE excluida_em IS NULL
        UNION SELECT produto_id FROM pedidos_venda_itens
        UNION SELECT produto_id FROM estoque_totais WHERE lido_em = (SELECT max(lido_em) FROM estoque_totais)
    ) AS citados
    WHERE produto_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM produtos p
        WHERE p.id = produto_id AND (p.excluida_em IS NOT NULL OR p.nao_encontrado_em IS NOT NULL))"""


def rows(saldo: Document) -> Rows:
    """As linhas de um produto: o total, e uma por depósito. A hora da leitura põe-na quem lê."""
    read = Fields(saldo)
    produto_id = read.reference("produto")
    if produto_id is None:
        raise UnreadableError("produto não veio")
    total = {"produto_id": produto_id, **_saldo(read, "saldoFisicoTotal", "saldoVirtualTotal")}
    return {
        estoque_totais: [total],
        estoque_saldos: list(_por_deposito(produto_id, read.objects("depositos"))),
    }


def _por_deposito(produto_id: int, depositos: Iterable[Fields]) -> Iterable[Row]:
    """De um depósito repetido vale o último saldo."""
    found: dict[int, Row] = {}
    for each in depositos:
        deposito_id = each.id("id")
        if deposito_id is None:
            raise UnreadableError(f"{each.place}.id não veio")
        saldo = _saldo(each, "saldoFisico", "saldoVirtual")
        found[deposito_id] = {"produto_id": produto_id, "deposito_id": deposito_id, **saldo}
    return found.values()


def _saldo(read: Fields, fisico: str, virtual: str) -> Row:
    return {"saldo_fisico": read.measured(fisico), "saldo_virtual": read.measured(virtual)}


def _sem_registro(produto_id: Id) -> Document:
    return {"produto": {"id": produto_id}}


def _is_empty(saldo: Document) -> bool:
    """Se é de um produto sem saldo, olhe o filtro para o que há ou para o que há por reservar, e também para os
    depósitos que os totais deixam de fora."""
    depositos = objects(saldo.get("depositos"))
    totals = [saldo.get(name) for name in ("saldoFisicoTotal", "saldoVirtualTotal")]
    each_one = [each.get(name) for each in depositos for name in ("saldoFisico", "saldoVirtual")]
    numbers = [decimal(each) for each in (*totals, *each_one)]
    return bool(depositos) and all(each is not None and each <= 0 for each in numbers)


ESTOQUES = Resource(
    name="estoques",
    title="Saldos de estoque",
    noun="Saldo de estoque",
    singular="estoque",
    permission="Estoques",
    path="/estoques/saldos",
    table=estoque_totais,
    rows=rows,
    key=lambda row: integer(part(row, "produto", "id")),
    detail=False,
    paged=False,
    # O padrão mostra só os positivos? As fontes discordam: do que faltar pergunta-se pelos zerados e pelos negativos.
    suspects=((("filtroSaldoEstoque", "0"),), (("filtroSaldoEstoque", "2"),)),
    proves=_is_empty,
    needs=("produtos",),
    cites=(("produtos", estoque_totais.c.produto_id), ("depositos", estoque_saldos.c.deposito_id)),
    children=(Child(estoque_saldos, "produto_id"),),
    announced=tuple(Announced(name, ("produto", "id")) for name in ("stock", "virtual_stock")),
    snapshot=Snapshot(
        _KNOWN,
        _sem_registro,
        "idsProdutos[]",
        "lido_em",
        of=PRODUTOS,
        shows=NOT_DELETED,
        included=INCLUDED,
        shows_new=LIVING,
    ),
)
