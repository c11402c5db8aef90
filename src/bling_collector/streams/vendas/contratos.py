"""O que se cobra de tempos em tempos: GET /contratos, que mostra pouco, e GET /contratos/{id}, um por contrato."""

from bling_collector.db.models import contratos
from bling_collector.etl.resource import Document, Person, Resource, Rows, Whole
from bling_collector.payload import Fields, integer, part
from bling_collector.streams.contato import known_by
from bling_collector.traces import only

_CONTRATO = (
    *("id", "data", "numero", "valor", "situacao", "dataFim", "tipoManutencao", "emitirOrdemServico", "vendedor"),
    *("categoria", "desconto", "contaContabil", "formaPagamento"),
)
_NOTA = ("mes", "gerar", "descontarImpostoRenda", "cfop", "iss", "item")
"""O que fica do contrato de quem pediu que os seus dados fossem apagados: um campo novo é tomado por pessoal."""
INATIVO, ATIVO, BAIXADO, ISENTO = range(4)
_ASKED = (ATIVO, INATIVO, BAIXADO, ISENTO)
"""As situações por que se pode pedir; os em avaliação (4), não (referência: GET /contratos)."""


def rows(contrato: Document) -> Rows:
    """A linha de um contrato, do seu detalhe."""
    read = Fields(contrato)
    return {
        contratos: [
            {
                "id": read.id("id"),
                "numero": read.text("numero"),
                "descricao": read.text("descricao"),
                "data": read.local_date("data"),
                "data_fim": _month(read, "dataFim"),
                "situacao": read.integer("situacao"),
                "valor": read.money("valor"),
                "contato_id": read.reference("contato"),
                "vendedor_id": read.reference("vendedor"),
                "categoria_id": read.reference("categoria"),
                "conta_financeira_id": read.reference("contaContabil"),
                "forma_pagamento_id": read.reference("formaPagamento"),
                "produto_id": read.reference("notaFiscal", "item", "produto"),
                "tipo_manutencao": read.integer("tipoManutencao"),
                "emitir_ordem_servico": read.boolean("emitirOrdemServico"),
                "desconto": read.money("desconto", "valor"),
                "desconto_data_fim": _month(read, "desconto", "dataFim"),
                "cobranca_data_base": read.local_date("cobranca", "dataBase"),
                "cobranca_contato_id": read.reference("cobranca", "contato"),
                "vencimento_tipo": read.integer("cobranca", "vencimento", "tipo"),
                "vencimento_dia": read.integer("cobranca", "vencimento", "dia"),
                "periodicidade": read.integer("cobranca", "vencimento", "periodicidade"),
                "detalhe": contrato,
            }
        ]
    }


def _month(read: Fields, *path: str) -> str | None:
    """O mês, AAAA-MM; None se é o zerado."""
    said = read.text(*path)
    return None if said is None or said.startswith("0000") else said


def nameless_contrato(contrato: Document) -> Document:
    """O contrato com valores, datas, números, situação e cobrança; do contato, o id."""
    kept = only(contrato, _CONTRATO)
    if "contato" in contrato:
        kept["contato"] = only(contrato["contato"], ("id",))
    if "notaFiscal" in contrato:
        kept["notaFiscal"] = only(contrato["notaFiscal"], _NOTA)
    if "cobranca" in contrato:
        cobranca = contrato["cobranca"]
        kept["cobranca"] = only(cobranca, ("dataBase", "vencimento"))
        kept["cobranca"] |= {"contato": only(part(cobranca, "contato"), ("id",))}
    return kept


def _situacao(contrato: Document) -> int | None:
    return integer(contrato.get("situacao"))


CONTRATOS = Resource(
    name="contratos",
    title="Contratos",
    noun="Contrato",
    singular="contrato",
    permission="Contratos",
    path="/contratos",
    table=contratos,
    rows=rows,
    always=("situacao", ("cobranca", "tipoManutencao", "emitirOrdemServico", "notaFiscal")),
    # Sem `situacao` só vêm os ativos (referência: GET /contratos); por último sem ela, que o padrão pode ser outro.
    shows=(*((("situacao", str(situacao)),) for situacao in _ASKED), ()),
    listable=lambda contrato: _situacao(contrato) in _ASKED,
    # A linha é pobre: a cobrança e o desconto mudam sem que ela mude.
    whole=Whole(aside=f"situacao IS DISTINCT FROM {_ASKED[0]}"),
    drifts=lambda row: True,
    cites=(
        ("vendedores", contratos.c.vendedor_id),
        ("contatos", contratos.c.contato_id),
        ("contatos", contratos.c.cobranca_contato_id),
        ("produtos", contratos.c.produto_id),
        ("formas_pagamento", contratos.c.forma_pagamento_id),
        ("contas_financeiras", contratos.c.conta_financeira_id),
        ("categorias_financeiras", contratos.c.categoria_id),
    ),
    history=(),
    # O contato vem só com o id; o que diz quem ele é são os textos.
    person=Person(
        nameless_contrato,
        contato_id=contratos.c.contato_id,
        names=(),
        also=(contratos.c.descricao,),
        texts=("descricao", "observacoes", "notaFiscal"),
    ),
    names=known_by("numero"),
)
