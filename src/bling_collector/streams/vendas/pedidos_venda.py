"""Os pedidos de venda: GET /pedidos/vendas (sem itens nem parcelas) e GET /pedidos/vendas/{id}, um por pedido."""

from bling_collector.db.models import (
    contatos,
    pedidos_venda,
    pedidos_venda_itens,
    pedidos_venda_parcelas,
    transporte_volumes,
)
from bling_collector.db.proof import Dated
from bling_collector.etl.resource import (
    Announced,
    Changed,
    Child,
    Document,
    Emitted,
    Person,
    Resource,
    Rows,
    days_back,
    may_be_hidden,
)
from bling_collector.payload import Fields, Row, integer, local_date, objects, part, text
from bling_collector.streams.contato import contato_of, known_by
from bling_collector.streams.itens import ITENS, itens_of
from bling_collector.streams.logistica.volumes import child_of, volumes
from bling_collector.traces import only
from bling_collector.windows import Between

_PEDIDO = (
    *("id", "numero", "numeroLoja", "data", "dataSaida", "dataPrevista", "totalProdutos", "total", "situacao", "loja"),
    *("outrasDespesas", "desconto", "categoria", "notaFiscal", "tributacao", "vendedor", "taxas"),
)
_ITEM = (
    *("id", "codigo", "unidade", "quantidade", "desconto", "valor", "aliquotaIPI", "descricao", "produto"),
    *("comissao", "naturezaOperacao"),
)
_PARCELA = ("id", "dataVencimento", "valor", "formaPagamento")
"""O que fica do pedido de quem pediu que os seus dados fossem apagados: um campo novo é tomado por pessoal."""
CANCELADO = 12
"""O id da situação, o mesmo em toda conta que se viu."""
_DE_CANCELADO = """
    SELECT id AS "idsSituacoes[]" FROM situacoes
    WHERE id_herdado = 12 AND detalhe IS NOT NULL AND excluida_em IS NULL ORDER BY id"""
"""As situações que a empresa tirou dela."""


def rows(pedido: Document) -> Rows:
    """As linhas de um pedido, do seu detalhe: ele, os itens, as parcelas e o contato como o pedido o traz."""
    read = Fields(pedido)
    pedido_id = read.id("id")
    itens, parcelas = (enumerate(each, start=1) for each in (itens_of(read), read.objects("parcelas")))
    return {
        pedidos_venda: [_pedido(read) | {"detalhe": pedido}],
        pedidos_venda_itens: [_item(pedido_id, ordem, item) for ordem, item in itens],
        pedidos_venda_parcelas: [_parcela(pedido_id, ordem, parcela) for ordem, parcela in parcelas],
        transporte_volumes: volumes(pedido, "pedido"),
        contatos: contato_of(read, tipo="tipoPessoa"),
    }


def _pedido(pedido: Fields) -> Row:
    return {
        "id": pedido.id("id"),
        "numero": pedido.id("numero"),
        "numero_loja": pedido.text("numeroLoja"),
        "data": pedido.local_date("data"),
        "data_saida": pedido.local_date("dataSaida"),
        "data_prevista": pedido.local_date("dataPrevista"),
        "situacao_id": pedido.reference("situacao"),
        "situacao_valor": pedido.integer("situacao", "valor"),
        "contato_id": pedido.reference("contato"),
        "loja_id": pedido.reference("loja"),
        "vendedor_id": pedido.reference("vendedor"),
        "nota_fiscal_id": pedido.reference("notaFiscal"),
        "total_produtos": pedido.money("totalProdutos"),
        "total": pedido.money("total"),
        "desconto": pedido.measured("desconto", "valor"),
        "desconto_unidade": pedido.text("desconto", "unidade"),
        "outras_despesas": pedido.money("outrasDespesas"),
        "frete": pedido.money("transporte", "frete"),
        "taxa_comissao": pedido.measured("taxas", "taxaComissao"),
        "custo_frete": pedido.money("taxas", "custoFrete"),
    }


def _item(pedido_id: int | None, ordem: int, item: Fields) -> Row:
    return {
        "pedido_id": pedido_id,
        "ordem": ordem,
        "id": item.id("id"),
        "produto_id": item.reference("produto"),
        "codigo_produto": item.text("codigo"),
        "descricao": item.text("descricao"),
        "quantidade": item.measured("quantidade"),
        "valor_unitario": item.measured("valor"),
        "desconto_percentual": item.measured("desconto"),
    }


def _parcela(pedido_id: int | None, ordem: int, parcela: Fields) -> Row:
    return {
        "pedido_id": pedido_id,
        "ordem": ordem,
        "id": parcela.id("id"),
        "data_vencimento": parcela.local_date("dataVencimento"),
        "valor": parcela.money("valor"),
        "forma_pagamento_id": parcela.reference("formaPagamento"),
    }


def nameless_pedido(pedido: Document) -> Document:
    """O pedido com valores, datas, números, situação, itens e parcelas; do contato, o id e o tipo de pessoa."""
    kept = only(pedido, _PEDIDO)
    if "contato" in pedido:
        kept["contato"] = only(pedido["contato"], ("id", "tipoPessoa"))
    if "transporte" in pedido:
        kept["transporte"] = only(pedido["transporte"], ("fretePorConta", "frete", "quantidadeVolumes", "pesoBruto"))
    lists = {"itens": _ITEM, "parcelas": _PARCELA}
    return kept | {
        name: [only(line, keys) for line in objects(pedido[name])] for name, keys in lists.items() if name in pedido
    }


PEDIDOS_VENDA = Resource(
    name="pedidos_venda",
    title="Pedidos de venda",
    noun="Pedido de venda",
    singular="pedido_venda",
    permission="Pedidos de venda",
    path="/pedidos/vendas",
    table=pedidos_venda,
    rows=rows,
    always=(
        ITENS,
        ("itens", "parcelas", "desconto", "tributacao", "transporte", "taxas"),
    ),
    # Nada se diz de o padrão esconder os cancelados: se o primeiro período não mostra nenhum, pergunta-se por eles.
    suspects=((("idsSituacoes[]", str(CANCELADO)),),),
    suspected=_DE_CANCELADO,
    suspected_from=("situacoes_modulos", "situacoes"),
    proves=lambda row: integer(part(row, "situacao", "id")) == CANCELADO,
    # Um excluído responde 404 (medido).
    listable=may_be_hidden,
    emitted=Emitted(
        Between("dataInicial", "dataFinal", hours=False),
        lambda row: local_date(row.get("data")),
        Dated("data", "situacao_id"),
        lambda row: text(integer(part(row, "situacao", "id")) or None) or "",
        # O filtro de alteração não mostra um excluído, nem talvez um de que só a situação mudou.
        back=days_back(120),
    ),
    changed=Changed(Between("dataAlteracaoInicial", "dataAlteracaoFinal")),
    announced=(Announced("order"),),
    cites=(
        ("vendedores", pedidos_venda.c.vendedor_id),
        ("canais_venda", pedidos_venda.c.loja_id),
        ("situacoes", pedidos_venda.c.situacao_id),
        ("produtos", pedidos_venda_itens.c.produto_id),
        ("formas_pagamento", pedidos_venda_parcelas.c.forma_pagamento_id),
        ("logisticas_objetos", transporte_volumes.c.objeto_id),  # os das notas também
    ),
    children=(
        Child(pedidos_venda_itens, "pedido_id"),
        Child(pedidos_venda_parcelas, "pedido_id"),
        child_of("pedido"),
    ),
    first_seen=(contatos,),
    history=("itens", "parcelas"),
    person=Person(
        nameless_pedido,
        contato_id=pedidos_venda.c.contato_id,
        names=(pedidos_venda.c.detalhe["contato", "nome"].astext,),
        documento=pedidos_venda.c.detalhe["contato", "numeroDocumento"].astext,
        texts=("itens", "parcelas", "observacoes", "observacoesInternas"),
    ),
    names=known_by("numero"),
)
