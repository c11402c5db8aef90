"""As contas a receber: GET /contas/receber (sem saldo nem borderôs) e GET /contas/receber/{id}, uma por conta."""

from datetime import timedelta
from typing import Final

from bling_collector.db.models import contas_borderos, contas_receber, contatos
from bling_collector.db.proof import Dated
from bling_collector.etl.resource import Document, Emitted, Person, Recent, Resource, Rows, days_back, may_be_hidden
from bling_collector.payload import Fields, integer, local_date, text
from bling_collector.streams.contato import contato_of, known_by
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

TIPO = "receber"
_YEAR: Final = timedelta(days=363)
"""O que cabe num pedido. As em aberto que venceram há mais do que isso só se releem uma vez por semana."""
_AHEAD: Final = _YEAR - timedelta(days=1)
"""Com o dia de hoje, um pedido."""
_OPEN: Final = (("situacoes[]", str(EM_ABERTO)), ("situacoes[]", str(PAGA_EM_PARTE)))


def rows(document: Document) -> Rows:
    """As linhas de uma conta, do seu detalhe: ela, os borderôs que a quitaram e o contato como ela o traz."""
    read = Fields(document)
    more = {
        "vendedor_id": read.reference("vendedor"),
        "origem_id": read.reference("origem"),
        "origem_tipo": read.text("origem", "tipoOrigem"),
        "detalhe": document,
    }
    return {
        contas_receber: [conta(read) | more],
        contas_borderos: borderos(document, TIPO),
        contatos: contato_of(read, tipo="tipo"),
    }


def _by(date: str) -> Between:
    """O mesmo período, da data que se diz: E de emissão, V de vencimento, R de recebimento."""
    return Between("dataInicial", "dataFinal", hours=False, of=(("tipoFiltroData", date),))


CONTAS_RECEBER = Resource(
    name="contas_receber",
    title="Contas a receber",
    noun="Conta a receber",
    singular="conta_receber",
    permission="Contas a receber",
    path="/contas/receber",
    table=contas_receber,
    rows=rows,
    always=ALWAYS,
    # Sem período só viria o último ano, até hoje, pela emissão (referência: GET /contas/receber).
    emitted=Emitted(
        _by("E"),
        lambda row: local_date(row.get("dataEmissao")),
        Dated("data_emissao", "situacao"),
        lambda row: text(integer(row.get("situacao"))) or "",
        back=days_back(45),
    ),
    # Por devolvida em parte (6) ou confirmada (7) não se pode pedir, e talvez nenhuma listagem as mostre. A excluída
    # responde 404, ou fica cancelada (5).
    listable=may_be_hidden,
    # As que estão em aberto, e as que se receberam, foram emitidas há mais tempo do que a execução diária relê.
    recent=(
        Recent(_by("V"), back=5 * _YEAR, ahead=_AHEAD, filters=_OPEN, weekly="vencidas"),
        Recent(_by("V"), back=_YEAR, ahead=_AHEAD, filters=_OPEN),
        Recent(_by("R"), back=LATELY),
        # Uma emitida no futuro e em aberto já a mostra o vencimento.
        Recent(_by("E"), back=timedelta(), ahead=_AHEAD, weekly="futuras"),
    ),
    # O saldo não vem na listagem, nem a categoria, o portador, a competência.
    is_final=lambda row: integer(row.get("situacao")) != PAGA_EM_PARTE,
    drifts=is_open,
    fleeting=("linkBoleto", "linkQRCodePix"),
    open=f"situacao IN ({EM_ABERTO}, {PAGA_EM_PARTE}) AND vencimento > CAST(:hoje AS date) - {_YEAR.days}",
    settled=settled_lately(_by("R"), TIPO),
    from_list=FROM_LIST,
    cites=(
        ("borderos", contas_borderos.c.bordero_id),
        ("formas_pagamento", contas_receber.c.forma_pagamento_id),
        ("vendedores", contas_receber.c.vendedor_id),
        *finance_of(contas_receber),
    ),
    children=(settled_by(TIPO),),
    first_seen=(contatos,),
    history=("borderos",),
    person=Person(
        nameless_conta,
        contato_id=contas_receber.c.contato_id,
        names=(contas_receber.c.detalhe["contato", "nome"].astext,),
        documento=contas_receber.c.detalhe["contato", "numeroDocumento"].astext,
        texts=("historico", "origem"),
    ),
    names=known_by("origem", "numero"),
)
