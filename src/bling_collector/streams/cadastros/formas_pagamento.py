"""As formas de pagamento da conta: GET /formas-pagamentos, de onde vem o código fiscal das parcelas."""

from collections.abc import Collection

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.models import formas_pagamento
from bling_collector.db.resources import parcelas
from bling_collector.etl.resource import Document, Resource, Rows, Whole
from bling_collector.payload import Fields


def rows(forma: Document) -> Rows:
    """A linha de uma forma de pagamento; `tipo_pagamento` é o código fiscal (tPag da NF-e)."""
    read = Fields(forma)
    return {
        formas_pagamento: [
            {
                "id": read.id("id"),
                "descricao": read.text("descricao"),
                "tipo_pagamento": read.integer("tipoPagamento"),
                "situacao": read.integer("situacao"),
                "detalhe": forma,
            }
        ]
    }


async def _fill(connection: AsyncConnection) -> None:
    for pagamentos in parcelas.PAGAMENTOS:
        await parcelas.fill_tipo_pagamento(connection, pagamentos)


async def _after_save(connection: AsyncConnection, written: Collection[int]) -> None:
    if written:
        await _fill(connection)


FORMAS_PAGAMENTO = Resource(
    name="formas_pagamento",
    title="Formas de pagamento",
    noun="Forma de pagamento",
    singular="forma_pagamento",
    permission="Formas de pagamento",
    path="/formas-pagamentos",
    table=formas_pagamento,
    rows=rows,
    optional=False,
    always=("descricao", "tipoPagamento"),
    detail=False,
    needs=("nfe",),
    # Nada se diz de o padrão esconder as inativas; pedem-se também à parte.
    shows=((), (("situacao", "1"),), (("situacao", "0"),)),
    whole=Whole(weekly=True, aside="situacao = 0", when_lacking=True),
    rebuilt=_fill,
    # Na mesma transação: uma execução que pare logo depois de conhecer a forma não deixa parcelas sem o código.
    after_save=_after_save,
)
