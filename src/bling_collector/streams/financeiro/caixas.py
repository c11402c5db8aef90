"""Os lançamentos de caixas e bancos: GET /caixas (sem categoria nem competência) e GET /caixas/{id}."""

from decimal import Decimal

from bling_collector.db.models import caixas_lancamentos
from bling_collector.db.proof import Dated
from bling_collector.etl.resource import (
    Document,
    Emitted,
    Params,
    Person,
    Resource,
    Rows,
    may_be_hidden,
    months_back,
)
from bling_collector.payload import Fields, UnreadableError, local_date, part, text
from bling_collector.streams.contato import known_by
from bling_collector.traces import only
from bling_collector.windows import Between

_KEPT = (
    *("id", "debCred", "saldo", "situacao", "transferencia", "tipoLancamento", "data", "competencia", "valor"),
    *("parcela", "categoria", "conciliacaoMovimentacao", "origem", "contaFinanceira"),
)
"""O que fica do lançamento de quem pediu que os seus dados fossem apagados: um campo novo é tomado por pessoal."""


_DERIVED = ("duplicata", "bordero", "estoque")
LISTED = ("R", "E")
"""As situações por que a listagem se filtra. As outras (escondido, não registrado…) só o detalhe mostra."""


def rows(lancamento: Document) -> Rows:
    """A linha de um lançamento. O valor de uma saída é negativo; no detalhe do Bling é sempre positivo (um relato)."""
    read = Fields(lancamento)
    return {
        caixas_lancamentos: [
            {
                "id": read.id("id"),
                "conta_id": read.reference("contaFinanceira"),
                "data": read.local_date("data"),
                "competencia": read.local_date("competencia"),
                "valor": _signed(read),
                "situacao": read.text("situacao"),
                "descricao": read.text("descricao"),
                "contato_id": read.reference("contato"),
                "categoria_id": read.reference("categoria"),
                "origem_tipo": read.text("origem", "tipo"),
                "origem_id": read.reference("origem"),
                "detalhe": lancamento,
            }
        ]
    }


def _signed(read: Fields) -> Decimal | None:
    side, valor = read.text("debCred"), read.money("valor")
    if side not in {"D", "C"}:
        raise UnreadableError("debCred não diz se é uma entrada ou uma saída")
    return -abs(valor) if side == "D" and valor is not None else valor


def nameless_lancamento(lancamento: Document) -> Document:
    """O lançamento com valor, datas, situação, categoria e origem; do contato, o id."""
    kept = only(lancamento, _KEPT)
    return kept | ({"contato": only(lancamento["contato"], ("id",))} if "contato" in lancamento else {})


def _is_gone(lancamento: Document) -> bool:
    return lancamento.get("situacao") == "E"


def _is_final(lancamento: Document) -> bool:
    """O que vem de uma conta ou do estoque muda com ela; o lançado à mão pode ganhar outra categoria, ou competência,
    sem que a listagem o mostre, até que o excluam."""
    return _is_gone(lancamento) or text(part(lancamento, "origem", "tipo")) in _DERIVED


def _shown(situacao: str) -> Params:
    return (("situacao", situacao), ("situacaoConciliacao", "3"))


CAIXAS = Resource(
    name="caixas",
    title="Lançamentos de caixa",
    noun="Lançamento de caixa",
    singular="caixa",
    permission="Caixas e bancos",
    path="/caixas",
    table=caixas_lancamentos,
    rows=rows,
    always=("debCred", "data", "valor"),
    # Sem `situacao` só vêm os registrados; E são os excluídos, que a exclusão não apaga (referência: GET /caixas).
    shows=tuple(map(_shown, LISTED)),
    listable=may_be_hidden,
    ours=f"coalesce(situacao, '{LISTED[0]}') IN {LISTED}",
    says_gone=_is_gone,
    is_final=_is_final,
    weekly=True,
    from_list=(("descricao", "descricao"),),
    sized=False,
    # O padrão é o mês, e de quanto cabe num pedido nada se diz: pede-se um mês de cada vez.
    emitted=Emitted(
        Between("dataInicial", "dataFinal", hours=False, most=31),
        lambda row: local_date(row.get("data")),
        Dated("data", "situacao"),
        lambda row: text(row.get("situacao")) or "",
        # O mês, e o anterior.
        back=months_back(1),
    ),
    cites=(
        ("contatos", caixas_lancamentos.c.contato_id),
        ("contas_financeiras", caixas_lancamentos.c.conta_id),
        ("categorias_financeiras", caixas_lancamentos.c.categoria_id),
    ),
    history=(),
    person=Person(
        nameless_lancamento,
        contato_id=caixas_lancamentos.c.contato_id,
        names=(caixas_lancamentos.c.detalhe["contato", "nome"].astext,),
        documento=caixas_lancamentos.c.detalhe["contato", "cnpj"].astext,
        also=(caixas_lancamentos.c.descricao,),
        texts=("observacoes", "descricao"),
        # O de um borderô de várias pessoas não diz contato nenhum, e a descrição repete o histórico do borderô.
        through="""
            SELECT c.id FROM caixas_lancamentos c JOIN borderos_pagamentos p ON p.bordero_id = c.origem_id
            WHERE c.origem_tipo = 'bordero' AND c.contato_id IS NULL AND p.contato_id = ANY(:contatos)""",
    ),
    names=known_by(),
)
