"""As respostas que cada conta já deu ao que os documentos não sabem. Sem COMMIT."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.models import respostas_da_conta


async def keep(connection: AsyncConnection, pergunta: str, resposta: str, visto: str, now: datetime) -> None:
    """Guarda a resposta no lugar da anterior."""
    new = insert(respostas_da_conta).values(pergunta=pergunta, resposta=resposta, visto=visto, respondida_em=now)
    changes = {name: new.excluded[name] for name in ("resposta", "visto", "respondida_em")}
    await connection.execute(new.on_conflict_do_update(index_elements=["pergunta"], set_=changes))


async def read(connection: AsyncConnection) -> Sequence[Row[Any]]:
    return (await connection.execute(select(respostas_da_conta))).all()
