"""As contas a pagar: GET /contas/pagar, que mostra pouco, e GET /contas/pagar/{id}, uma por conta."""

from bling_collector.db.models import contas_borderos, contas_pagar
from bling_collector.etl.resource import Document, Person, Resource, Rows, Whole
from bling_collector.payload import Fields, integer
from bling_collector.streams.contato import known_by
from bling_collector.streams.financeiro.contas import (
    ALWAYS,
    EM_ABERTO,
    FROM_LIST,
    PAGA_EM_PARTE,
    borderos,
    conta,
    finance_of,
    nameless_conta,
    settled_by,
)

TIPO = "pagar"


def rows(document: Document) -> Rows:
    """As linhas de uma conta, do seu detalhe: ela e os borderôs que a quitaram."""
    return {
        contas_pagar: [conta(Fields(document)) | {"detalhe": document}],
        contas_borderos: borderos(document, TIPO),
    }


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
    # A linha não traz a emissão, e das datas por que se filtra há quem diga que o Bling as ignora: lê-se tudo.
    # A linha é pobre: a categoria e o portador de uma em aberto podem mudar sem que ela mude.
    whole=Whole(weekly=lambda row: integer(row.get("situacao")) == EM_ABERTO),
    is_final=lambda row: integer(row.get("situacao")) != PAGA_EM_PARTE,
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
