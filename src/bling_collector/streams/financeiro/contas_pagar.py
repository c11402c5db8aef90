"""As contas a pagar: GET /contas/pagar, que mostra pouco, e GET /contas/pagar/{id}, uma por conta."""

from typing import Final

from bling_collector.db.models import contas_borderos, contas_pagar
from bling_collector.etl.resource import Document, Lately, Person, Resource, Rows, Whole, may_be_hidden
from bling_collector.payload import Fields, integer
from bling_collector.streams.contato import known_by
from bling_collector.streams.financeiro.contas import (
    ALWAYS,
    EM_ABERTO,
    FROM_LIST,
    LATELY,
    PAGA_EM_PARTE,
    borderos,
    conta,
    finance_of,
    is_open,
    nameless_conta,
    settled_by,
    settled_lately,
)
from bling_collector.windows import Between

TIPO = "pagar"


def rows(document: Document) -> Rows:
    """As linhas de uma conta, do seu detalhe: ela e os borderôs que a quitaram."""
    return {
        contas_pagar: [conta(Fields(document)) | {"detalhe": document}],
        contas_borderos: borderos(document, TIPO),
    }


_LATELY: Final = Lately(
    open=tuple((("situacao", str(situacao)),) for situacao in (EM_ABERTO, PAGA_EM_PARTE)),
    is_open=f"situacao IN ({EM_ABERTO}, {PAGA_EM_PARTE})",
    settled=Between("dataPagamentoInicial", "dataPagamentoFinal", hours=False),
    back=LATELY,
    never=is_open,
)

CONTAS_PAGAR = Resource(
    name="contas_pagar",
    title="Contas a pagar",
    noun="Conta a pagar",
    singular="conta_pagar",
    permission="Contas a pagar",
    path="/contas/pagar",
    table=contas_pagar,
    rows=rows,
    always=ALWAYS,
    # Como as a receber: por 6 e 7 não se pode pedir, e a excluída responde 404, ou fica cancelada.
    listable=may_be_hidden,
    # A linha não traz a emissão, e das datas por que se filtra há quem diga que o Bling as ignora: lê-se tudo, todo dia
    # enquanto são poucas páginas. De muitas, todo dia as que estão em aberto, de qualquer data, e as que se pagaram
    # neste mês; uma já paga ou cancelada que se corrija, ou se exclua, vê-se na semana.
    whole=Whole(lately=_LATELY),
    # A linha é pobre: a categoria e o portador de uma em aberto podem mudar sem que ela mude.
    drifts=is_open,
    is_final=lambda row: integer(row.get("situacao")) != PAGA_EM_PARTE,
    settled=settled_lately(_LATELY.settled, TIPO),
    from_list=FROM_LIST,
    cites=(
        ("borderos", contas_borderos.c.bordero_id),
        ("formas_pagamento", contas_pagar.c.forma_pagamento_id),
        ("contatos", contas_pagar.c.contato_id),
        *finance_of(contas_pagar),
    ),
    children=(settled_by(TIPO),),
    history=("borderos",),
    # O fornecedor vem só com o id; o que diz quem ele é são os textos.
    person=Person(nameless_conta, contato_id=contas_pagar.c.contato_id, names=(), texts=("historico",)),
    names=known_by(),
)
