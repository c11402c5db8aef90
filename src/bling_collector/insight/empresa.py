"""A empresa de que este banco guarda os dados."""

from typing import Any

from bling_collector.db import empresa as stored
from bling_collector.db.core import AsyncConnection, AsyncEngine
from bling_collector.documentos import masked


async def load_empresa(engine: AsyncEngine) -> dict[str, Any] | None:
    """A empresa, como as respostas a mostram; None se ainda não se sabe."""
    async with engine.connect() as connection:
        return await read_empresa(connection)


async def read_empresa(connection: AsyncConnection) -> dict[str, Any] | None:
    """O mesmo, numa conexão que já se tem."""
    ours = await stored.load(connection)
    return None if ours is None else {"nome": ours.nome or ours.name, "cnpj": masked(ours.cnpj) or None}
