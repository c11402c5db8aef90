"""As NF-e de saída: GET /nfe (sem itens nem valores) e GET /nfe/{id}, uma por nota."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.models import contatos, nfe_cabecalho, nfe_itens, nfe_pagamentos, transporte_volumes
from bling_collector.db.resources import nota_search, parcelas
from bling_collector.etl.resource import Announced, Document, Resource, Rows
from bling_collector.payload import integer
from bling_collector.streams.contato import known_by
from bling_collector.streams.logistica.volumes import child_of, volumes
from bling_collector.streams.notas import nota
from bling_collector.streams.notas.nota import Tables

if TYPE_CHECKING:
    from bling_collector.etl.context import RunContext

TABLES = Tables(nfe_cabecalho, nfe_itens, nfe_pagamentos)


def rows(document: Document) -> Rows:
    """As linhas de uma nota: ver `rows_of`; e os volumes que despacha."""
    return {**nota.rows_of(document, TABLES), transporte_volumes: volumes(document, "nota")}


async def _after_save(connection: AsyncConnection, ids: Collection[int]) -> None:
    await parcelas.fill_tipo_pagamento(connection, nfe_pagamentos, ids)
    await nota_search.refresh(connection, ids)


async def _explain_numbers(ctx: "RunContext") -> None:
    from bling_collector.streams.notas.steps.entradas import collect_entradas  # só quem coleta o carrega

    await collect_entradas(ctx)


def _refused(document: Document) -> str | None:
    if integer(document.get("tipo")) != 0:
        return None
    return f"A nota {document['id']} é de entrada; o coletor guarda as de saída."


NFE = Resource(
    name="nfe",
    title="Notas",
    noun="Nota",
    singular="nfe",
    permission="Notas fiscais eletrônicas",
    path="/nfe",
    table=nfe_cabecalho,
    rows=rows,
    optional=False,
    principal=True,
    # Sem `situacao` o Bling esconde as canceladas; sem `tipo`, as de saída são o padrão (referência: GET /nfe).
    shows=((("tipo", "1"),), (("tipo", "1"), ("situacao", "2"))),
    suspects=nota.SUSPECTS,
    proves=nota.shows_more,
    emitted=nota.emitted(),
    is_final=nota.is_final,
    open=nota.OPEN,
    cites=(
        ("formas_pagamento", nfe_pagamentos.c.forma_pagamento_id),
        ("vendedores", nfe_cabecalho.c.vendedor_id),
        ("canais_venda", nfe_cabecalho.c.loja_id),
        ("naturezas_operacao", nfe_cabecalho.c.natureza_operacao_id),
    ),
    announced=(Announced("invoice", ours=lambda data: integer(data.get("tipo")) != 0),),
    special=(_explain_numbers,),
    children=(*TABLES.children, child_of("nota")),
    # O contato como a nota o traz; o detalhe, que sabe mais, vem com os contatos.
    first_seen=(contatos,),
    after_save=_after_save,
    ours="coalesce(tipo, 1) = 1",
    refused=_refused,
    on_gone=nota_search.refresh,
    history=("itens", "parcelas"),
    volatile=nota.LINKS,
    names=known_by("numero"),
    person=nota.person(nfe_cabecalho),
    counts="nfes_processadas",
    said="nfes",
)
