"""O estoque: GET /estoques/saldos, o saldo de cada produto em cada depósito, numa fotografia por dia.

O Bling não guarda, ou não dá, o de ontem: o que não se fotografa hoje não se sabe nunca mais.
"""

from bling_collector.db.models import estoque_saldos
from bling_collector.etl.resource import Document, Resource, Rows, Snapshot
from bling_collector.payload import Fields, Row, UnreadableError, integer, part

_PRODUTOS = "SELECT id FROM produtos WHERE excluida_em IS NULL ORDER BY id"


def rows(saldo: Document) -> Rows:
    """As linhas de um produto: uma por depósito. A hora da leitura põe-na quem lê."""
    read = Fields(saldo)
    produto_id = read.reference("produto")
    if produto_id is None:
        raise UnreadableError("produto não veio")
    depositos = read.objects("depositos")
    lines = [_saldo(produto_id, each.id("id"), each, "saldoFisico", "saldoVirtual") for each in depositos]
    return {estoque_saldos: lines or [_saldo(produto_id, 0, read, "saldoFisicoTotal", "saldoVirtualTotal")]}


def _saldo(produto_id: int, deposito_id: int | None, read: Fields, fisico: str, virtual: str) -> Row:
    if deposito_id is None:
        raise UnreadableError(f"{read.place}.id não veio")
    return {
        "produto_id": produto_id,
        "deposito_id": deposito_id,
        "saldo_fisico": read.measured(fisico),
        "saldo_virtual": read.measured(virtual),
    }


ESTOQUES = Resource(
    name="estoques",
    title="Saldos de estoque",
    noun="Saldo de estoque",
    singular="estoque",
    permission="Estoques",
    path="/estoques/saldos",
    table=estoque_saldos,
    rows=rows,
    key=lambda row: integer(part(row, "produto", "id")),
    detail=False,
    paged=False,
    # O padrão mostra só os positivos? As fontes discordam: do que faltar pergunta-se pelos zerados e pelos negativos.
    suspects=((("filtroSaldoEstoque", "0"),), (("filtroSaldoEstoque", "2"),)),
    snapshot=Snapshot(_PRODUTOS, "idsProdutos[]", "lido_em", of="produtos"),
)
