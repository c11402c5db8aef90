"""O que se despachou, e onde está: GET /logisticas/objetos/{id}, os volumes dos pedidos e das notas."""

from typing import Final

from bling_collector.db.models import logisticas_objetos
from bling_collector.etl.resource import Document, Resource, Rows
from bling_collector.payload import Fields

ENTREGUE = 3
_FOLLOWED: Final = 60
"""Dias em que se espera que um objeto seja entregue."""
_SAIDA: Final = """
    coalesce(n.data_saida,
             (SELECT p.data FROM pedidos_venda p WHERE p.id = n.pedido_venda_id),
             (SELECT CAST(f.data_emissao AS date) FROM nfe_cabecalho f WHERE f.id = n.nota_fiscal_id),
             CAST(n.extraido_em AT TIME ZONE 'America/Sao_Paulo' AS date))"""
"""O dia em que saiu ou, se o objeto não o diz, o do documento; sem ele, o da última mudança que se viu."""


def rows(objeto: Document) -> Rows:
    """A linha de um objeto, do seu detalhe."""
    read = Fields(objeto)
    return {
        logisticas_objetos: [
            {
                "id": read.id("id"),
                "pedido_venda_id": read.reference("pedidoVenda"),
                "nota_fiscal_id": read.reference("notaFiscal"),
                "servico_id": read.reference("servico"),
                "codigo_rastreamento": read.text("rastreamento", "codigo"),
                "situacao": read.integer("rastreamento", "situacao"),
                "ultima_alteracao": read.local_datetime("rastreamento", "ultimaAlteracao"),
                "data_saida": read.local_date("dataSaida"),
                "prazo_entrega_previsto": read.integer("prazoEntregaPrevisto"),
                "frete_previsto": read.money("fretePrevisto"),
                "valor_declarado": read.money("valorDeclarado"),
                "detalhe": objeto,
            }
        ]
    }


LOGISTICAS_OBJETOS = Resource(
    name="logisticas_objetos",
    title="Objetos despachados",
    noun="Objeto despachado",
    singular="logistica_objeto",
    permission="Logísticas",
    path="/logisticas/objetos",
    table=logisticas_objetos,
    rows=rows,
    always=(("rastreamento", "servico", "dimensao", "fretePrevisto", "valorDeclarado", "prazoEntregaPrevisto"),),
    listed=False,
    unnamed=True,
    open=f"situacao IS DISTINCT FROM {ENTREGUE} AND {_SAIDA} >= CAST(:hoje AS date) - {_FOLLOWED}",
    needs=("pedidos_venda",),
    cites=(("logisticas_servicos", logisticas_objetos.c.servico_id),),
    history=("rastreamento",),
)
