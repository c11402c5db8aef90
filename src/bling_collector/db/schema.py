"""O esquema do banco: saber se está em dia e pô-lo em dia, um processo por vez."""

from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bling_collector.db.database import check_server, explained
from bling_collector.db.migrations import HEAD
from bling_collector.errors import DatabaseError

SCHEMA_LOCK = "bling_collector.schema"


async def current_revision(engine: AsyncEngine) -> str | None:
    """A revisão do banco, ou None se ele ainda não tem as tabelas. DatabaseError se não atende ou é antigo."""
    async with explained(engine.url), engine.connect() as connection:
        await check_server(connection)
        if await connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
            return None
        revision = await connection.scalar(text("SELECT version_num FROM alembic_version"))
        return str(revision) if revision is not None else None


async def upgrade(engine: AsyncEngine) -> tuple[str | None, str]:
    """Põe o banco na última revisão, numa transação e sob uma tranca; devolve a revisão de antes e a de agora."""
    before = await current_revision(engine)
    if before == HEAD:
        return before, HEAD
    if before is not None and before > HEAD:
        raise DatabaseError(
            f"O banco está na revisão {before}, mais nova que este programa ({HEAD}). Atualize o bling-collector."
        )
    async with explained(engine.url), engine.begin() as connection:
        await connection.run_sync(_migrate)
    return before, HEAD


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    # A tranca é desta transação: quem chega depois espera aqui e não acha mais nada por fazer.
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || :name, 0))"),
        {"name": SCHEMA_LOCK},
    )
    connection.execute(text("SET LOCAL lock_timeout = '60s'"))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
