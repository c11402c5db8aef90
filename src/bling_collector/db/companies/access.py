"""O token que só abre uma empresa: guarda-se a impressão dele, no schema dela."""

from datetime import datetime
from hashlib import sha256
from secrets import token_urlsafe

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from bling_collector.db.connection.core import AsyncEngine
from bling_collector.db.connection.database import explained
from bling_collector.db.models import acesso


def company_of(token: str) -> str | None:
    """O nome da empresa que um token diz abrir; None se não diz nenhuma."""
    name, dot, _ = token.partition(".")
    return name if dot else None


def digest(token: str) -> str:
    """A impressão de um token."""
    return sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


async def give(engine: AsyncEngine, name: str, now: datetime) -> str:
    """Um token novo, que abre só a empresa `name`, a deste motor; o que ela tinha deixa de valer."""
    token = f"{name}.{token_urlsafe(32)}"
    new = insert(acesso).values(id=1, impressao=digest(token), desde=now)
    changed = new.on_conflict_do_update(index_elements=["id"], set_={"impressao": new.excluded.impressao, "desde": now})
    async with explained(engine.url), engine.begin() as connection:
        await connection.execute(changed)
    return token


async def revoke(engine: AsyncEngine) -> bool:
    """Acaba com o token da empresa; devolve se ela tinha um."""
    async with explained(engine.url), engine.begin() as connection:
        return bool((await connection.execute(delete(acesso))).rowcount)


async def known(engine: AsyncEngine) -> str | None:
    """A impressão do token da empresa deste motor; None se não tem."""
    async with explained(engine.url), engine.connect() as connection:
        found: str | None = await connection.scalar(select(acesso.c.impressao))
        return found
