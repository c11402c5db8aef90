"""A empresa de que este banco guarda os dados: qual é, e deixar de ser."""

from typing import Any

from bling_collector.db import empresa as stored
from bling_collector.db.core import AsyncConnection, AsyncEngine
from bling_collector.documentos import masked
from bling_collector.errors import UsageError


async def forget_empresa(engine: AsyncEngine) -> None:
    """O banco deixa de ser da empresa que lhe coube, se nada dela foi coletado. UsageError se algo foi."""
    async with engine.begin() as connection:
        if await stored.holds_data(connection):
            ours = await stored.load(connection)
            raise UsageError(
                f"Este banco guarda dados de {ours.name if ours else 'uma empresa'}, e não pode passar a ser de "
                "outra. Aponte DATABASE_URL para um banco vazio."
            )
        await stored.forget(connection)


async def load_empresa(engine: AsyncEngine) -> dict[str, Any] | None:
    """A empresa, como as respostas a mostram; None se ainda não se sabe."""
    async with engine.connect() as connection:
        return await read_empresa(connection)


async def read_empresa(connection: AsyncConnection) -> dict[str, Any] | None:
    """O mesmo, numa conexão que já se tem."""
    ours = await stored.load(connection)
    return None if ours is None else {"nome": ours.nome or ours.name, "cnpj": masked(ours.cnpj) or None}
