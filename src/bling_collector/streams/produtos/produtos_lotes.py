"""Os lotes dos produtos que os têm: GET /produtos/lotes, o saldo e os lançamentos de cada um.

Que produtos os têm diz GET /produtos/lotes/controla-lote, a que se pergunta por todos os que se conhecem.
"""

from typing import Final

from bling_collector.db.models import (
    produtos_controle_lote,
    produtos_lotes,
    produtos_lotes_lancamentos,
    produtos_lotes_saldos,
)
from bling_collector.etl.resource import Document, Each, Resource, Rows, Whole, may_be_hidden
from bling_collector.payload import Fields, integer

_PRODUTOS: Final = """
    SELECT id AS "idsProdutos[]" FROM produtos WHERE detalhe IS NOT NULL AND excluida_em IS NULL ORDER BY id"""
_CONTROLADOS: Final = """
    SELECT id AS "idsProdutos[]" FROM produtos_controle_lote WHERE controla_lote AND excluida_em IS NULL ORDER BY id"""
_POR_DEPOSITO: Final = """
    SELECT produto_id AS produto_id, deposito_id AS deposito_id, id AS "idsLotes[]" FROM produtos_lotes
    WHERE produto_id IS NOT NULL AND deposito_id IS NOT NULL AND excluida_em IS NULL ORDER BY 1, 2, 3"""
_LOTES: Final = "SELECT id AS lote_id FROM produtos_lotes WHERE detalhe IS NOT NULL AND excluida_em IS NULL ORDER BY id"
_STATUS: Final = {"1": "A", "2": "I"}
"""A linha diz por números o que o filtro diz por letras."""


def rows_of_controle(produto: Document) -> Rows:
    """A linha de um produto: se tem lotes."""
    read = Fields(produto)
    return {
        produtos_controle_lote: [
            {"id": read.id("idProduto"), "controla_lote": read.boolean("controlaLote"), "detalhe": produto}
        ]
    }


def rows(lote: Document) -> Rows:
    """A linha de um lote."""
    read = Fields(lote)
    status = read.text("status")
    return {
        produtos_lotes: [
            {
                "id": read.id("idLote"),
                "produto_id": read.reference("produto"),
                "deposito_id": read.reference("deposito"),
                "codigo": read.text("codigoLote"),
                "codigo_agregacao": read.text("codigoAgregacao"),
                "data_fabricacao": read.local_date("dataFabricacao"),
                "data_validade": read.local_date("dataValidade"),
                "dias_permitido_venda": read.integer("diasPermitidoVenda"),
                "situacao": _STATUS.get(status or "", status),
                "detalhe": lote,
            }
        ]
    }


def rows_of_saldo(saldo: Document) -> Rows:
    """A linha do saldo de um lote."""
    read = Fields(saldo)
    return {
        produtos_lotes_saldos: [
            {
                "id": read.id("idLote"),
                "produto_id": read.reference("produto"),
                "deposito_id": read.reference("deposito"),
                "saldo": read.measured("saldoAtual"),
                "detalhe": saldo,
            }
        ]
    }


def rows_of_lancamento(lancamento: Document) -> Rows:
    """A linha do que entrou num lote, ou saiu; o lote é aquele de que ele veio."""
    read = Fields(lancamento)
    return {
        produtos_lotes_lancamentos: [
            {
                "id": read.id("id"),
                "lote_id": read.id("idLote"),
                "tipo": read.integer("tipoLancamento"),
                "data": read.local_datetime("data"),
                "quantidade": read.measured("quantidade"),
                "origem_id": read.id("idOrigem") or None,
                "observacao": read.text("observacao"),
                "detalhe": lancamento,
            }
        ]
    }


PRODUTOS_CONTROLE_LOTE = Resource(
    name="produtos_controle_lote",
    title="Produtos com lotes",
    noun="Controle de lote de um produto",
    singular="produto_controle_lote",
    permission="Lotes",
    path="/produtos/lotes/controla-lote",
    table=produtos_controle_lote,
    rows=rows_of_controle,
    key=lambda row: integer(row.get("idProduto")),
    detail=False,
    alone=False,
    paged=False,
    each=Each(_PRODUTOS, params=("idsProdutos[]",), batched=True, of="produtos"),
    whole=Whole(weekly=True),
    history=(),
)

PRODUTOS_LOTES = Resource(
    name="produtos_lotes",
    title="Lotes dos produtos",
    noun="Lote de um produto",
    singular="produto_lote",
    permission="Lotes",
    path="/produtos/lotes",
    table=produtos_lotes,
    rows=rows,
    key=lambda row: integer(row.get("idLote")),
    always=("produto",),
    detail=False,
    # Não se diz o que vem sem `status`.
    shows=((("status", "A"),), (("status", "I"),)),
    told=(("status", "status"),),
    each=Each(_CONTROLADOS, params=("idsProdutos[]",), batched=True, of="produtos_controle_lote"),
    # O de um produto que deixou de os controlar já não se lista.
    listable=may_be_hidden,
    whole=Whole(weekly=True),
    cites=(("depositos", produtos_lotes.c.deposito_id),),
    history=(),
)

PRODUTOS_LOTES_SALDOS = Resource(
    name="produtos_lotes_saldos",
    title="Saldos dos lotes",
    noun="Saldo de um lote",
    singular="produto_lote_saldo",
    permission="Lotes",
    path="/produtos/{produto_id}/lotes/depositos/{deposito_id}/saldo",
    table=produtos_lotes_saldos,
    rows=rows_of_saldo,
    key=lambda row: integer(row.get("idLote")),
    detail=False,
    alone=False,
    paged=False,
    each=Each(_POR_DEPOSITO, params=("idsLotes[]",), batched=True, of="produtos_lotes"),
    whole=Whole(weekly=True),
    history=(),
)

PRODUTOS_LOTES_LANCAMENTOS = Resource(
    name="produtos_lotes_lancamentos",
    title="Lançamentos dos lotes",
    noun="Lançamento de um lote",
    singular="produto_lote_lancamento",
    permission="Lotes",
    path="/produtos/lotes/{lote_id}/lancamentos",
    table=produtos_lotes_lancamentos,
    rows=rows_of_lancamento,
    by_name=True,
    detail=False,
    detail_path="/produtos/lotes/lancamentos",
    paged=False,
    each=Each(_LOTES, told=(("lote_id", "idLote"),), of="produtos_lotes"),
    whole=Whole(weekly=True),
    history=(),
)
