"""As contas que um borderô quitou, quando ele deixa de existir."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import text

from bling_collector.db.connection.core import AsyncConnection

_CITING: Final = """
    UPDATE {table} SET resumo_lista = NULL
    WHERE resumo_lista <> ''
      AND id IN (SELECT conta_id FROM contas_borderos WHERE conta_tipo = :lado AND bordero_id = ANY(:ids))"""


async def ask_again(connection: AsyncConnection, ids: Collection[object]) -> None:
    """As contas que citam estes borderôs, que já não existem: a listagem, quando as mostrar, as dá por mudadas. O
    estorno tira o borderô da conta, e uma conta paga de outro modo no mesmo dia tem a mesma linha de antes."""
    for lado, table in (("receber", "contas_receber"), ("pagar", "contas_pagar")):
        await connection.execute(text(_CITING.format(table=table)), {"lado": lado, "ids": list(ids)})
