"""Os pedidos de compra: GET /pedidos/compras (sem itens nem parcelas) e GET /pedidos/compras/{id}, um por pedido."""

from bling_collector.db.models import pedidos_compra, pedidos_compra_itens, pedidos_compra_parcelas
from bling_collector.db.proof import Dated
from bling_collector.etl.resource import Child, Document, Emitted, Person, Resource, Rows, days_back, may_be_hidden
from bling_collector.payload import Fields, Row, integer, local_date, objects, part, text
from bling_collector.streams.itens import ITENS, itens_of
from bling_collector.traces import only
from bling_collector.windows import Between

_PEDIDO = (
    *("id", "numero", "data", "dataPrevista", "totalProdutos", "total", "situacao", "ordemCompra", "desconto"),
    *("categoria", "tributacao", "notaFiscal"),
)
_ITEM = (*("descricao", "codigoFornecedor", "unidade", "valor", "quantidade", "aliquotaIPI", "notaFiscal", "produto"),)
_PARCELA = ("valor", "dataVencimento", "formaPagamento")
"""O que fica do pedido de quem pediu que os seus dados fossem apagados: um campo novo é tomado por pessoal."""
EM_ABERTO, CANCELADO, EM_ANDAMENTO = 0, 2, 3
_PERIOD = Between("dataInicial", "dataFinal", hours=False)


def rows(pedido: Document) -> Rows:
    """As linhas de um pedido, do seu detalhe: ele, os itens e as parcelas, que não têm id."""
    read = Fields(pedido)
    pedido_id = read.id("id")
    itens, parcelas = (enumerate(each, start=1) for each in (itens_of(read), read.objects("parcelas")))
    return {
        pedidos_compra: [_pedido(read) | {"detalhe": pedido}],
        pedidos_compra_itens: [_item(pedido_id, ordem, item) for ordem, item in itens],
        pedidos_compra_parcelas: [_parcela(pedido_id, ordem, parcela) for ordem, parcela in parcelas],
    }


def _pedido(pedido: Fields) -> Row:
    return {
        "id": pedido.id("id"),
        "numero": pedido.id("numero"),
        "data": pedido.local_date("data"),
        "data_prevista": pedido.local_date("dataPrevista"),
        "situacao_id": pedido.reference("situacao"),
        "situacao_valor": pedido.integer("situacao", "valor"),
        "fornecedor_id": pedido.reference("fornecedor"),
        "nota_fiscal_id": pedido.reference("notaFiscal"),
        "ordem_compra": pedido.text("ordemCompra"),
        "total_produtos": pedido.money("totalProdutos"),
        "total": pedido.money("total"),
        "desconto": pedido.measured("desconto", "valor"),
        "desconto_unidade": pedido.text("desconto", "unidade"),
        "total_icms": pedido.money("tributacao", "totalICMS"),
        "total_ipi": pedido.money("tributacao", "totalIPI"),
        "frete": pedido.money("transporte", "frete"),
        "categoria_id": pedido.reference("categoria"),
    }


def _item(pedido_id: int | None, ordem: int, item: Fields) -> Row:
    return {
        "pedido_id": pedido_id,
        "ordem": ordem,
        "produto_id": item.reference("produto"),
        "codigo_produto": item.text("produto", "codigo"),
        "codigo_fornecedor": item.text("codigoFornecedor"),
        "descricao": item.text("descricao"),
        "unidade": item.text("unidade"),
        "quantidade": item.measured("quantidade"),
        "valor_unitario": item.measured("valor"),
        "aliquota_ipi": item.measured("aliquotaIPI"),
        "nota_fiscal_id": item.reference("notaFiscal"),
        "quantidade_na_nota": item.measured("notaFiscal", "quantidade"),
    }


def _parcela(pedido_id: int | None, ordem: int, parcela: Fields) -> Row:
    return {
        "pedido_id": pedido_id,
        "ordem": ordem,
        "data_vencimento": parcela.local_date("dataVencimento"),
        "valor": parcela.money("valor"),
        "forma_pagamento_id": parcela.reference("formaPagamento"),
    }


def nameless_pedido_compra(pedido: Document) -> Document:
    """O pedido com valores, datas, números, situação, itens e parcelas; do fornecedor, o id."""
    kept = only(pedido, _PEDIDO)
    if "fornecedor" in pedido:
        kept["fornecedor"] = only(pedido["fornecedor"], ("id",))
    if "transporte" in pedido:
        kept["transporte"] = only(pedido["transporte"], ("frete", "fretePorConta", "pesoBruto", "volumes"))
    lists = {"itens": _ITEM, "parcelas": _PARCELA}
    return kept | {
        name: [only(line, keys) for line in objects(pedido[name])] for name, keys in lists.items() if name in pedido
    }


def _situacao(row: Document) -> int | None:
    return integer(part(row, "situacao", "valor"))


PEDIDOS_COMPRA = Resource(
    name="pedidos_compra",
    title="Pedidos de compra",
    noun="Pedido de compra",
    singular="pedido_compra",
    permission="Pedidos de compra",
    path="/pedidos/compras",
    table=pedidos_compra,
    rows=rows,
    always=(
        ITENS,
        ("itens", "parcelas", "desconto", "tributacao", "transporte"),
    ),
    # Nada se diz de o padrão esconder os cancelados: se o primeiro período não mostra nenhum, pergunta-se por eles.
    suspects=((("valorSituacao", str(CANCELADO)),),),
    proves=lambda row: _situacao(row) == CANCELADO,
    # Um excluído responde 404 (medido).
    listable=may_be_hidden,
    emitted=Emitted(
        _PERIOD,
        lambda row: local_date(row.get("data")),
        Dated("data", "situacao_valor"),
        lambda row: text(_situacao(row)) or "",
        # Não há filtro de alteração: relê-se um trimestre.
        back=days_back(90),
    ),
    # O que já chegou de um pedido só o detalhe mostra.
    is_final=lambda row: _situacao(row) not in (EM_ABERTO, EM_ANDAMENTO),
    open=f"situacao_valor IN ({EM_ABERTO}, {EM_ANDAMENTO})",
    cites=(
        ("situacoes", pedidos_compra.c.situacao_id),
        ("contatos", pedidos_compra.c.fornecedor_id),
        ("categorias_financeiras", pedidos_compra.c.categoria_id),
        ("produtos", pedidos_compra_itens.c.produto_id),
        ("formas_pagamento", pedidos_compra_parcelas.c.forma_pagamento_id),
    ),
    children=(Child(pedidos_compra_itens, "pedido_id"), Child(pedidos_compra_parcelas, "pedido_id")),
    history=("itens", "parcelas"),
    # O fornecedor vem só com o id; o que diz quem ele é são os textos.
    person=Person(
        nameless_pedido_compra,
        contato_id=pedidos_compra.c.fornecedor_id,
        path=("fornecedor", "id"),
        names=(),
        texts=("itens", "parcelas", "observacoes", "observacoesInternas", "transporte"),
    ),
    names=lambda row: {
        "numero": text(row.get("numero")),
        "contato_id": integer(part(row, "fornecedor", "id")) or None,
    },
)
