"""Os borderôs: GET /borderos/{id}, os que as contas citam. Só neles se sabe quando cada conta foi paga."""

from typing import Final

from bling_collector.db.models import borderos, borderos_pagamentos
from bling_collector.db.resources.quitacoes import ask_again
from bling_collector.etl.resource import Child, Document, Person, Resource, Rows
from bling_collector.payload import Fields, Row, objects
from bling_collector.streams.financeiro.contas import finance_of
from bling_collector.traces import only

_EDITED_FOR: Final = 30
"""Dias em que um borderô ainda costuma ser corrigido (um relato)."""
_KEPT = ("id", "data", "portador", "categoria")
_PAGAMENTO = ("numeroDocumento", "valorPago", "juros", "desconto", "acrescimo", "tarifa")
"""O que fica do borderô de quem pediu que os seus dados fossem apagados: um campo novo é tomado por pessoal."""
_UNLINKED: Final = """
    NOT EXISTS (
        SELECT FROM contas_borderos v
        LEFT JOIN contas_receber r ON v.conta_tipo = 'receber' AND r.id = v.conta_id AND r.excluida_em IS NULL
        LEFT JOIN contas_pagar p ON v.conta_tipo = 'pagar' AND p.id = v.conta_id AND p.excluida_em IS NULL
        WHERE v.bordero_id = n.id AND (r.id IS NOT NULL OR p.id IS NOT NULL))"""
"""Nenhuma conta o cita: foi estornado, ou a conta foi excluída."""
_WITH_ITS_CONTA: Final = f"""
    data >= CAST(:hoje AS date) - {_EDITED_FOR} AND EXISTS (
        SELECT FROM contas_borderos v
        LEFT JOIN contas_receber r ON v.conta_tipo = 'receber' AND r.id = v.conta_id
        LEFT JOIN contas_pagar p ON v.conta_tipo = 'pagar' AND p.id = v.conta_id
        WHERE v.bordero_id = n.id AND coalesce(r.extraido_em, p.extraido_em) > n.extraido_em)"""
"""Uma conta que ele quitou mudou depois que ele se leu: corrigi-lo muda o que dela falta."""


def rows(bordero: Document) -> Rows:
    """As linhas de um borderô: ele e os pagamentos. Um pagamento não diz de que conta é."""
    read = Fields(bordero)
    bordero_id = read.id("id")
    return {
        borderos: [
            {
                "id": bordero_id,
                "data": read.local_date("data"),
                "portador_id": read.reference("portador"),
                "categoria_id": read.reference("categoria"),
                "historico": read.text("historico"),
                "detalhe": bordero,
            }
        ],
        borderos_pagamentos: [
            _pagamento(bordero_id, ordem, pagamento)
            for ordem, pagamento in enumerate(read.objects("pagamentos"), start=1)
        ],
    }


def _pagamento(bordero_id: int | None, ordem: int, pagamento: Fields) -> Row:
    return {
        "bordero_id": bordero_id,
        "ordem": ordem,
        "contato_id": pagamento.reference("contato"),
        "numero_documento": pagamento.text("numeroDocumento"),
        "valor_pago": pagamento.money("valorPago"),
        "juros": pagamento.money("juros"),
        "desconto": pagamento.money("desconto"),
        "acrescimo": pagamento.money("acrescimo"),
        "tarifa": pagamento.money("tarifa"),
    }


def nameless_bordero(bordero: Document) -> Document:
    """O borderô com a data, a conta, a categoria e os pagamentos, e em cada um os valores e o id do contato; sem o
    texto, que pode falar de qualquer um deles."""
    kept = only(bordero, _KEPT)
    if "pagamentos" not in bordero:
        return kept
    return kept | {"pagamentos": [_nameless_pagamento(each) for each in objects(bordero["pagamentos"])]}


def _nameless_pagamento(pagamento: Document) -> Document:
    kept = only(pagamento, _PAGAMENTO)
    return kept | ({"contato": only(pagamento["contato"], ("id",))} if "contato" in pagamento else {})


BORDEROS = Resource(
    name="borderos",
    title="Borderôs",
    noun="Borderô",
    singular="bordero",
    permission="Borderôs",
    path="/borderos",
    table=borderos,
    rows=rows,
    always=("data", ("historico", "portador", "categoria", "pagamentos")),
    listed=False,
    open=f"data >= CAST(:hoje AS date) - {_EDITED_FOR}",
    # Os outros, cada um na semana dele: todos, todo dia, seriam um mês de pagamentos.
    doubtful=f"(nao_encontrado_em IS NOT NULL OR {_UNLINKED} OR {_WITH_ITS_CONTA})",
    weekly=True,
    needs=("contas_receber", "contas_pagar"),
    cites=(*finance_of(borderos), ("contatos", borderos_pagamentos.c.contato_id)),
    children=(Child(borderos_pagamentos, "bordero_id"),),
    history=("pagamentos",),
    on_gone=ask_again,
    # Um borderô pode ser de várias pessoas: cada pagamento é de uma.
    person=Person(
        nameless_bordero,
        contato_id=borderos_pagamentos.c.contato_id,
        within="pagamentos",
        names=(),
        also=(borderos.c.historico,),
        texts=("historico",),
    ),
)
