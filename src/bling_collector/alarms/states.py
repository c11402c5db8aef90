"""O estado dos alarmes, e o que de cada um já se disse a cada destino. Nada aqui faz COMMIT."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, time

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from bling_collector.clock import BRASILIA, brasilia_day
from bling_collector.db import control
from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.models import alarmes
from bling_collector.insight.alarms import NORMAL, Alarm, as_alarm

_DELIVERY = "hashtextextended(current_schema() || 'bling_collector.alarms', 0)"


async def set_state(connection: AsyncConnection, nome: str, estado: str, mensagem: str, now: datetime) -> None:
    """Põe o alarme em `estado`; se já estava nele, só a mensagem muda."""
    new = insert(alarmes).values(nome=nome, estado=estado, mensagem=mensagem, desde=now)
    await connection.execute(
        new.on_conflict_do_update(
            index_elements=["nome"],
            set_={"estado": new.excluded.estado, "mensagem": new.excluded.mensagem, "desde": now},
            where=alarmes.c.estado != new.excluded.estado,
        )
    )
    await connection.execute(
        update(alarmes).where(alarmes.c.nome == nome, alarmes.c.mensagem != mensagem).values(mensagem=mensagem)
    )


async def set_normal(connection: AsyncConnection, nome: str, now: datetime) -> None:
    """O que o alarme dizia passou; um que nunca soou continua sem existir. A mensagem fica: diz o que passou."""
    await connection.execute(
        update(alarmes).where(alarmes.c.nome == nome, alarmes.c.estado != NORMAL).values(estado=NORMAL, desde=now)
    )


async def heard(connection: AsyncConnection) -> list[tuple[Alarm, dict[str, str]]]:
    """Os alarmes que algum dia soaram, cada um com o último estado que dele se disse a cada destino."""
    return [(as_alarm(row), row.avisados) for row in await connection.execute(select(alarmes).order_by(alarmes.c.nome))]


async def told(connection: AsyncConnection, nome: str, destinations: dict[str, str]) -> None:
    """Anota o último estado que foi dito a cada destino."""
    await connection.execute(
        update(alarmes).where(alarmes.c.nome == nome).values(avisados=alarmes.c.avisados.concat(destinations))
    )


async def digest_day(connection: AsyncConnection, destination: str) -> date | None:
    """O dia em que se mandou o último resumo ao destino."""
    sent = await control.checkpoint(connection, _digest(destination))
    return brasilia_day(sent) if sent is not None else None


async def note_digest(connection: AsyncConnection, destination: str, day: date | None) -> None:
    """Anota o dia do último resumo; None é nunca."""
    if day is None:
        await control.forget_checkpoint(connection, _digest(destination))
    else:
        await control.move_checkpoint(connection, _digest(destination), datetime.combine(day, time(), BRASILIA))


def _digest(destination: str) -> str:
    return f"resumo.{destination}"


@asynccontextmanager
async def delivering(engine: AsyncEngine) -> AsyncIterator[AsyncConnection | None]:
    """Uma conexão (em autocommit) de quem avisa; None se outro processo está avisando agora."""
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        if not await connection.scalar(text(f"SELECT pg_try_advisory_lock({_DELIVERY})")):
            yield None
            return
        try:
            yield connection
            # Já, e não quando o servidor notar que a sessão acabou: quem avisa logo a seguir acharia a tranca tomada.
            await connection.execute(text(f"SELECT pg_advisory_unlock({_DELIVERY})"))
        finally:
            await connection.invalidate()  # fechar a sessão solta a tranca, mesmo que a conexão já não responda
