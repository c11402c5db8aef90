"""As NFC-e, as notas de consumidor: GET /nfce (sem itens nem valores) e GET /nfce/{id}, uma por nota."""

from collections.abc import Collection

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.models import contatos, nfce_cabecalho, nfce_itens, nfce_pagamentos
from bling_collector.db.resources import parcelas
from bling_collector.etl.resource import Announced, Document, Resource, Rows
from bling_collector.streams.contato import known_by
from bling_collector.streams.notas import nota
from bling_collector.streams.notas.nota import Tables

TABLES = Tables(nfce_cabecalho, nfce_itens, nfce_pagamentos)


def rows(document: Document) -> Rows:
    """As linhas de uma nota: ver `rows_of`."""
    return nota.rows_of(document, TABLES)


async def _after_save(connection: AsyncConnection, ids: Collection[int]) -> None:
    await parcelas.fill_tipo_pagamento(connection, nfce_pagamentos, ids)


NFCE = Resource(
    name="nfce",
    title="Notas de consumidor",
    noun="Nota de consumidor",
    singular="nfce",
    permission="Notas fiscais eletrônicas",
    path="/nfce",
    table=nfce_cabecalho,
    rows=rows,
    # Não se diz que as canceladas se escondem, como em /nfe, nem o que o filtro 12 mostra: pedem-se.
    shows=((), (("situacao", "2"),)),
    tries=((("situacao", "12"),),),
    suspects=nota.SUSPECTS,
    proves=nota.shows_more,
    # Não há filtro de alteração: relê-se mês e meio.
    emitted=nota.emitted(back=45),
    is_final=nota.is_final,
    open=nota.OPEN,
    cites=(
        ("formas_pagamento", nfce_pagamentos.c.forma_pagamento_id),
        ("vendedores", nfce_cabecalho.c.vendedor_id),
        ("canais_venda", nfce_cabecalho.c.loja_id),
        ("naturezas_operacao", nfce_cabecalho.c.natureza_operacao_id),
    ),
    children=TABLES.children,
    # O contato como a nota o traz; o detalhe, que sabe mais, vem com os contatos.
    first_seen=(contatos,),
    after_save=_after_save,
    announced=(Announced("consumer_invoice"),),
    history=("itens", "parcelas"),
    volatile=nota.LINKS,
    names=known_by("numero"),
    person=nota.person(nfce_cabecalho),
)
