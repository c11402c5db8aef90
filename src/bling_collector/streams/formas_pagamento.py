"""As formas de pagamento da conta: GET /formas-pagamentos, de onde vem o código fiscal das parcelas."""

from collections.abc import Collection

from bling_collector.db import repository
from bling_collector.db.core import AsyncConnection
from bling_collector.db.models import formas_pagamento
from bling_collector.payload import integer, text
from bling_collector.streams.base import Document, Rows, Stream


def rows(forma: Document) -> Rows:
    """A linha de uma forma de pagamento; `tipo_pagamento` é o código fiscal (tPag da NF-e)."""
    return {
        formas_pagamento: [
            {
                "id": integer(forma.get("id")),
                "descricao": text(forma.get("descricao")),
                "tipo_pagamento": integer(forma.get("tipoPagamento")),
                "situacao": integer(forma.get("situacao")),
                "detalhe": forma,
            }
        ]
    }


async def _fill(connection: AsyncConnection, written: Collection[int]) -> None:
    if written:
        await repository.fill_tipo_pagamento(connection)


FORMAS_PAGAMENTO = Stream(
    name="formas_pagamento",
    title="Formas de pagamento",
    path="/formas-pagamentos",
    table=formas_pagamento,
    rows=rows,
    # Na mesma transação: uma execução que pare logo depois de conhecer a forma não deixa parcelas sem o código.
    after_save=_fill,
)
