"""O que as contas a receber e a pagar têm em comum."""

from datetime import timedelta
from typing import Final

from sqlalchemy import Table

from bling_collector.db.models import contas_borderos
from bling_collector.etl.resource import Child, Cited, Document, Settled
from bling_collector.payload import Fields, Row, integer
from bling_collector.traces import only
from bling_collector.windows import Between

EM_ABERTO, PAGA_EM_PARTE = 1, 3
LATELY: Final = timedelta(days=30)
"""Até quando se procura, todo dia, o que se pagou."""
_NA_LISTA = "vencimentoNaLista"
FROM_LIST = (("vencimento", _NA_LISTA),)
"""O detalhe pode dizer outro (um relato): vale o dele, e guardam-se os dois."""
ALWAYS = ("situacao", "valor")
_KEPT = (
    *("id", "situacao", "vencimento", "vencimentoOriginal", "dataEmissao", "competencia", "valor", "saldo", "tarifa"),
    *("formaPagamento", "contaContabil", "portador", "categoria", "vendedor", "numeroDocumento", "numeroBanco"),
    *("borderos", "ocorrencia", _NA_LISTA),
)
_ORIGEM = ("id", "tipoOrigem", "numero", "dataEmissao", "valor", "situacao")
"""O que fica da conta de quem pediu que os seus dados fossem apagados: um campo novo é tomado por pessoal."""


def conta(read: Fields) -> Row:
    """As colunas que as duas têm."""
    return {
        "id": read.id("id"),
        "situacao": read.integer("situacao"),
        "vencimento": read.local_date("vencimento"),
        "vencimento_lista": read.local_date(_NA_LISTA),
        "data_emissao": read.local_date("dataEmissao"),
        "valor": read.money("valor"),
        "saldo": read.money("saldo"),
        "contato_id": read.reference("contato"),
        "forma_pagamento_id": read.reference("formaPagamento"),
        "portador_id": read.reference("portador"),
        "categoria_id": read.reference("categoria"),
        "numero_documento": read.text("numeroDocumento"),
        "competencia": read.local_date("competencia"),
    }


def finance_of(table: Table) -> tuple[Cited, ...]:
    """O que as contas e os borderôs citam: a conta financeira e a categoria."""
    return ("contas_financeiras", table.c.portador_id), ("categorias_financeiras", table.c.categoria_id)


def settled_by(tipo: str) -> Child:
    """Os borderôs das contas deste tipo, que a tabela tem ao lado dos do outro."""
    return Child(contas_borderos, "conta_id", ours=f"conta_tipo = '{tipo}'")


def borderos(document: Document, tipo: str) -> list[Row]:
    """As linhas dos borderôs que quitaram a conta, que vêm só com os ids. UnreadableError se não se leem."""
    conta_id = integer(document.get("id"))
    ids = Fields(document).ids("borderos")
    return [{"conta_tipo": tipo, "conta_id": conta_id, "bordero_id": id_} for id_ in ids]


def is_open(row: Document) -> bool:
    """Se a linha diz que a conta está em aberto (situação 1)."""
    return integer(row.get("situacao")) == EM_ABERTO


def settled_lately(between: Between, tipo: str) -> Settled:
    """As que se pagaram há pouco, por este filtro. De uma sem borderô não se sabe quando foi."""
    paid = f"""
        SELECT FROM contas_borderos v JOIN borderos b ON b.id = v.bordero_id AND b.excluida_em IS NULL
        WHERE v.conta_tipo = '{tipo}' AND v.conta_id = n.id"""
    before = f"EXISTS ({paid}) AND NOT EXISTS ({paid} AND b.data >= :desde)"
    return Settled(between, LATELY, never=is_open, before=before)


def nameless_conta(document: Document) -> Document:
    """A conta com valores, datas, números, situação e origem; do contato, o id e o tipo de pessoa."""
    kept = only(document, _KEPT)
    if "contato" in document:
        kept["contato"] = only(document["contato"], ("id", "tipo"))
    if "origem" in document:
        kept["origem"] = only(document["origem"], _ORIGEM)
    return kept
