"""Uma pendência estacionada volta a ser tentada."""

from sqlalchemy import update

from bling_collector.db.core import AsyncEngine
from bling_collector.db.models import pendencias
from bling_collector.insight.failures import named_failure, unknown_failure


async def unpark(engine: AsyncEngine, name: str | None = None) -> int:
    """Faz com que as pendências (uma, ou todas) voltem a ser tentadas; devolve quantas são.

    UnknownFailureError se a nomeada não existe.
    """
    statement = update(pendencias).values(tentativas=0)
    if name is not None:
        statement = statement.where(*named_failure(name))
    async with engine.begin() as connection:
        changed = (await connection.execute(statement)).rowcount
    if name is not None and not changed:
        raise unknown_failure(name)
    return changed
