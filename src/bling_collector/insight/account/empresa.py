"""A empresa de que este banco guarda os dados."""

from dataclasses import dataclass

from bling_collector.db import empresa as stored
from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.documentos import masked
from bling_collector.empresa import Empresa


@dataclass(frozen=True)
class ShownEmpresa:
    """O que da empresa se mostra."""

    nome: str
    cnpj: str | None
    """Sem o começo nem os verificadores."""


async def load_empresa(engine: AsyncEngine) -> ShownEmpresa | None:
    """A empresa; None se ainda não se sabe."""
    async with engine.connect() as connection:
        return await read_empresa(connection)


async def read_empresa(connection: AsyncConnection) -> ShownEmpresa | None:
    """O mesmo, numa conexão que já se tem."""
    return shown(await stored.load(connection))


def shown(ours: Empresa | None) -> ShownEmpresa | None:
    """O que se mostra da que se guarda."""
    return None if ours is None else ShownEmpresa(ours.nome or ours.name, masked(ours.cnpj) or None)
