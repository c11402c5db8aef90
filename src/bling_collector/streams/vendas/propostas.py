"""As propostas comerciais: GET /propostas-comerciais (sem itens) e GET /propostas-comerciais/{id}, uma por proposta."""

from bling_collector.db.models import propostas, propostas_itens
from bling_collector.db.proof import Dated
from bling_collector.etl.resource import Child, Document, Emitted, Person, Resource, Rows, days_back
from bling_collector.payload import Fields, Row, local_date, objects, text
from bling_collector.streams.contato import known_by
from bling_collector.streams.itens import ITENS, itens_of
from bling_collector.traces import only
from bling_collector.windows import Between

_PROPOSTA = (
    *("id", "data", "situacao", "total", "totalProdutos", "numero", "loja", "desconto", "outrasDespesas", "garantia"),
    *("dataProximoContato", "totalOutrosItens", "vendedor"),
)
_ITEM = ("produto", "codigo", "unidade", "quantidade", "desconto", "valor")
_PARCELA = ("numeroDias", "dataVencimento", "valor", "formaPagamento")
_TRANSPORTE = ("freteModalidade", "frete", "quantidadeVolumes", "prazoEntrega", "pesoBruto")
"""O que fica da proposta de quem pediu que os seus dados fossem apagados: um campo novo é tomado por pessoal."""
FINAIS = ("concluído", "concluido", "não aprovado", "nao aprovado")
"""As situações de que uma proposta já não sai. O filtro e as linhas não as escrevem do mesmo modo (referência)."""
_PERIOD = Between("dataInicial", "dataFinal", hours=False)


def rows(proposta: Document) -> Rows:
    """As linhas de uma proposta, do seu detalhe: ela e os itens, que não têm id."""
    read = Fields(proposta)
    proposta_id = read.id("id")
    return {
        propostas: [_proposta(read) | {"detalhe": proposta}],
        propostas_itens: [_item(proposta_id, ordem, item) for ordem, item in enumerate(itens_of(read), start=1)],
    }


def _proposta(proposta: Fields) -> Row:
    return {
        "id": proposta.id("id"),
        "numero": proposta.id("numero"),
        "data": proposta.local_date("data"),
        "situacao": proposta.text("situacao"),
        "contato_id": proposta.reference("contato"),
        "loja_id": proposta.reference("loja"),
        "vendedor_id": proposta.reference("vendedor"),
        "total_produtos": proposta.money("totalProdutos"),
        "total_outros_itens": proposta.money("totalOutrosItens"),
        "total": proposta.money("total"),
        "desconto": proposta.measured("desconto"),
        "outras_despesas": proposta.money("outrasDespesas"),
        "frete": proposta.money("transporte", "frete"),
        "data_proximo_contato": proposta.local_date("dataProximoContato"),
    }


def _item(proposta_id: int | None, ordem: int, item: Fields) -> Row:
    return {
        "proposta_id": proposta_id,
        "ordem": ordem,
        "produto_id": item.reference("produto"),
        "codigo_produto": item.text("codigo"),
        "descricao": item.text("produto", "descricao"),
        "unidade": item.text("unidade"),
        "quantidade": item.measured("quantidade"),
        "valor_unitario": item.measured("valor"),
        "desconto": item.measured("desconto"),
    }


def nameless_proposta(proposta: Document) -> Document:
    """A proposta com valores, datas, números, situação, itens e parcelas; do contato, o id."""
    kept = only(proposta, _PROPOSTA)
    if "contato" in proposta:
        kept["contato"] = only(proposta["contato"], ("id",))
    if "transporte" in proposta:
        kept["transporte"] = only(proposta["transporte"], _TRANSPORTE)
    lists = {"itens": _ITEM, "parcelas": _PARCELA}
    return kept | {
        name: [only(line, keys) for line in objects(proposta[name])] for name, keys in lists.items() if name in proposta
    }


PROPOSTAS = Resource(
    name="propostas",
    title="Propostas comerciais",
    noun="Proposta comercial",
    singular="proposta",
    permission="Propostas comerciais",
    path="/propostas-comerciais",
    table=propostas,
    rows=rows,
    always=(
        ITENS,
        ("itens", "parcelas", "desconto", "transporte", "totalOutrosItens", "outrasDespesas"),
    ),
    emitted=Emitted(
        _PERIOD,
        lambda row: local_date(row.get("data")),
        Dated("data", "situacao"),
        lambda row: text(row.get("situacao")) or "",
        # Não há filtro de alteração: relê-se um trimestre.
        back=days_back(90),
    ),
    # A linha mostra a situação e os totais; não os itens nem os prazos, que mudam enquanto se negocia.
    weekly=True,
    is_final=lambda row: (text(row.get("situacao")) or "").strip().casefold() in FINAIS,
    open=f"lower(trim(coalesce(situacao, ''))) NOT IN {FINAIS}",
    cites=(
        ("contatos", propostas.c.contato_id),
        ("vendedores", propostas.c.vendedor_id),
        ("canais_venda", propostas.c.loja_id),
        ("produtos", propostas_itens.c.produto_id),
    ),
    children=(Child(propostas_itens, "proposta_id"),),
    history=("itens", "parcelas"),
    # O contato vem só com o id; o que diz quem ele é são os textos.
    person=Person(
        nameless_proposta,
        contato_id=propostas.c.contato_id,
        names=(),
        texts=(
            *("itens", "parcelas", "observacoes", "observacaoInterna", "aosCuidadosDe", "introducao", "prazoEntrega"),
            "transporte",
        ),
    ),
    names=known_by("numero"),
)
