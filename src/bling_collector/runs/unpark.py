"""Uma pendência estacionada volta a ser tentada."""

from bling_collector.db import control
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.insight.failures import split_name, unknown_failure


async def unpark(engine: AsyncEngine, name: str | None = None) -> int:
    """Faz com que as pendências (uma, ou todas) voltem a ser tentadas; devolve quantas são.

    UnknownFailureError se a nomeada não existe.
    """
    async with engine.begin() as connection:
        changed = await control.unpark(connection, None if name is None else split_name(name))
    if name is not None and not changed:
        raise unknown_failure(name)
    return changed
