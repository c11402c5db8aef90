"""As NF-e de entrada: GET /nfe?tipo=0, cuja linha já diz de quem é, quando e em que situação; e, pedidos pelo nome, os
detalhes, uma requisição cada um.

Numa conta que movimenta por um centro de distribuição são milhares por dia: por isso os detalhes são outro recurso.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.models import (
    contatos,
    nfe_entrada_cabecalho,
    nfe_entrada_detalhes,
    nfe_entrada_itens,
    nfe_entrada_pagamentos,
)
from bling_collector.db.resources import entradas, erasure, parcelas
from bling_collector.db.upsert import upsert
from bling_collector.errors import CollectorError
from bling_collector.etl.resource import Announced, Document, Person, Resource, Rows, may_be_hidden
from bling_collector.payload import Fields, Row, integer
from bling_collector.streams.contato import known_by
from bling_collector.streams.nameless import nameless_nota
from bling_collector.streams.notas import nota
from bling_collector.streams.notas.nota import Tables
from bling_collector.windows import Between

if TYPE_CHECKING:
    from bling_collector.etl.context import RunContext
    from bling_collector.etl.save import Item

TABLES = Tables(nfe_entrada_cabecalho, nfe_entrada_itens, nfe_entrada_pagamentos)
_LATE = 45
"""Dias depois de emitida pelo fornecedor uma nota costuma ser importada."""
_BETWEEN = Between("dataEmissaoInicial", "dataEmissaoFinal", loose=True, most=_LATE + 3)
"""O que se relê todo dia, de uma vez, e não mais: as linhas, que são os documentos, ficam na memória até que se
comparem."""
PORTION = 500


def rows(document: Document) -> Rows:
    """As linhas de uma nota, da sua linha na listagem: o cabeçalho, com a série da chave, e o contato."""
    read = Fields(document)
    listed = nota.as_listed(read)
    return {
        nfe_entrada_cabecalho: [listed | {"serie": _serie(listed["chave_acesso"]), "detalhe": document}],
        contatos: nota.contatos_of(read),
    }


def _serie(chave: str | None) -> int | None:
    return integer("".join(chave.split())[22:25]) if chave is not None else None


def detail_rows(document: Document) -> Rows:
    """As linhas de uma nota, do seu detalhe: ele, os itens e os pagamentos. O cabeçalho, `_after_save` o completa."""
    found = dict(nota.rows_of(document, TABLES))
    (header,) = found.pop(nfe_entrada_cabecalho)
    return found | {
        nfe_entrada_detalhes: [{name: header[name] for name in nfe_entrada_detalhes.c.keys() & header.keys()}]
    }


def _completed(document: Document) -> Row:
    """O que o detalhe acrescenta ao cabeçalho."""
    (header,) = nota.rows_of(document, TABLES)[nfe_entrada_cabecalho]
    (listed,) = rows(document)[nfe_entrada_cabecalho]
    return {"id": header["id"]} | {name: header[name] for name in header.keys() - listed.keys()}


async def _after_save(connection: AsyncConnection, ids: Collection[int]) -> None:
    stored = await erasure.documents(connection, nfe_entrada_detalhes, ids)
    await upsert(connection, nfe_entrada_cabecalho, [_completed(row["detalhe"]) for row in stored])
    await parcelas.fill_tipo_pagamento(connection, nfe_entrada_pagamentos, ids)


def _refused(document: Document) -> str | None:
    if integer(document.get("tipo")) == 0:
        return None
    return f"A nota {document['id']} não é de entrada."


async def _one_more(ctx: "RunContext", item: "Item") -> bool:
    """O detalhe da nota que se pede, se os detalhes se coletam: é o documento que se acaba de buscar."""
    from bling_collector.etl.strategies.again import save_fetched

    if NFE_ENTRADA_DETALHES not in ctx.resources:
        return False
    (said,) = (await save_fetched(ctx, NFE_ENTRADA_DETALHES, {item.document["id"]: item})).values()
    if isinstance(said, CollectorError):
        raise said
    return said != "igual"


async def _read_details(ctx: "RunContext") -> None:
    """Busca o detalhe das notas que ainda não o têm, ou cuja linha mudou desde que se leu."""
    from bling_collector.etl.fetch import Wanted, fetch_and_store
    from bling_collector.etl.strategies.cited import settle_the_missing

    resource = NFE_ENTRADA_DETALHES
    async with ctx.engine.connect() as connection:
        ctx.start(resource.title, await entradas.count_without_detail(connection))
    last = None
    while True:
        async with ctx.engine.connect() as connection:
            portion = await entradas.without_detail(connection, PORTION, after=last)
        if not portion:
            return
        last = portion[-1]
        todo = {row.id: Wanted(row.resumo_lista, row.dia, {"numero": row.numero}) for row in portion}
        missing = (await fetch_and_store(ctx, resource, todo)).missing
        ctx.check_stop()
        await settle_the_missing(ctx, resource, missing, len(todo))


NFE_ENTRADA = Resource(
    name="nfe_entrada",
    title="Notas de entrada",
    noun="Nota de entrada",
    singular="nota_entrada",
    permission="Notas fiscais eletrônicas",
    path="/nfe",
    brings="nfe_entrada_detalhes",
    table=nfe_entrada_cabecalho,
    rows=rows,
    detail=False,
    # Sem `situacao` o Bling esconde as canceladas; sem `tipo`, as de entrada (referência: GET /nfe).
    shows=((("tipo", "0"),), (("tipo", "0"), ("situacao", "2"))),
    # A importada (7) primeiro, que aqui são quase todas.
    suspects=tuple(sorted(nota.SUSPECTS, key=lambda params: params != (("situacao", "7"),))),
    proves=nota.shows_more,
    emitted=nota.emitted(_BETWEEN, back=_LATE),
    cites=(
        ("canais_venda", nfe_entrada_cabecalho.c.loja_id),
        ("naturezas_operacao", nfe_entrada_cabecalho.c.natureza_operacao_id),
        ("vendedores", nfe_entrada_cabecalho.c.vendedor_id),
    ),
    # O contato como a nota o traz; o detalhe, que sabe mais, vem com os contatos.
    first_seen=(contatos,),
    announced=(Announced("invoice", ours=lambda data: integer(data.get("tipo")) == 0),),
    refused=_refused,
    # A data por que se filtra pode ser a da alteração (a referência não o diz): o que responde existe.
    listable=may_be_hidden,
    history=(),
    names=known_by("numero"),
    person=nota.person(nfe_entrada_cabecalho),
    one_more=_one_more,
)
NFE_ENTRADA_DETALHES = Resource(
    name="nfe_entrada_detalhes",
    title="Detalhes das notas de entrada",
    noun="Detalhe da nota de entrada",
    singular="nota_entrada_detalhe",
    permission="Notas fiscais eletrônicas",
    path="/nfe",
    table=nfe_entrada_detalhes,
    rows=detail_rows,
    needs=(NFE_ENTRADA.name,),
    by_name=True,
    listed=False,
    cites=(("formas_pagamento", nfe_entrada_pagamentos.c.forma_pagamento_id),),
    special=(_read_details,),
    owed=lambda connection, day: entradas.count_without_detail(connection),
    children=TABLES.children,
    after_save=_after_save,
    refused=_refused,
    history=("itens", "parcelas"),
    names=known_by("numero"),
    person=Person(
        nameless_nota,
        contato_id=nfe_entrada_detalhes.c.contato_id,
        names=(nfe_entrada_detalhes.c.detalhe["contato", "nome"].astext,),
        documento=nfe_entrada_detalhes.c.detalhe["contato", "numeroDocumento"].astext,
        texts=("itens", "parcelas"),
    ),
)
