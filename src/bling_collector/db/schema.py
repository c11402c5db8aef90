"""O esquema do banco: saber se está em dia e pô-lo em dia, um processo por vez."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from weakref import WeakKeyDictionary

from sqlalchemy import URL, Connection, text
from sqlalchemy.exc import DBAPIError

from bling_collector.db.core import AsyncEngine
from bling_collector.db.database import check_version, explained
from bling_collector.db.migrations import HEAD
from bling_collector.errors import DatabaseError

log = logging.getLogger(__name__)

SCHEMA_LOCK = "bling_collector.schema"
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
"""A vez de migrar, neste processo."""
LOCK_SECONDS = 5
"""Segundos que uma migração espera por uma tabela em uso."""
LOCK_TRIES = 10
LOCK_PAUSE = 1.0


async def current_revision(engine: AsyncEngine) -> str | None:
    """A revisão do banco, ou None se ele ainda não tem as tabelas. DatabaseError se não atende ou é antigo."""
    # Só vale a do schema presente: o search_path pode trazer outros, de outra empresa ou outro programa.
    about = """
        SELECT current_setting('server_version_num')::int AS server, current_schema() AS schema,
               current_setting('search_path') AS path, to_regclass(quote_ident(current_schema()) || '.alembic_version')
    """
    async with _plainly(engine.url), engine.connect() as connection:
        server, schema, path, table = (await connection.execute(text(about))).one()
        check_version(server)
        if schema is None:
            raise DatabaseError(
                f"O schema de DATABASE_URL (search_path: {path}) não existe neste banco, ou este usuário não o vê. "
                "Crie-o com CREATE SCHEMA, ou corrija DATABASE_URL."
            )
        if table is None:
            return None
        revision = await connection.scalar(text("SELECT version_num FROM alembic_version"))
        return str(revision) if revision is not None else None


async def upgrade(engine: AsyncEngine) -> tuple[str | None, str]:
    """Põe o banco na última revisão, numa transação e sob uma tranca; devolve a revisão de antes e a de agora."""
    before = await current_revision(engine)
    if before == HEAD:
        return before, HEAD
    if before is not None and not (re.fullmatch(r"\d{4}", before) and before < HEAD):
        raise DatabaseError(
            f"O banco está na revisão {before}, que este programa (revisão {HEAD}) não conhece. Se é de um "
            "bling-collector mais novo, atualize o programa; se é de outro programa que usa este schema, aponte "
            "DATABASE_URL para outro (?options=-csearch_path%3Dnome). Nada foi mudado."
        )
    # O Alembic guarda em variáveis globais o que está migrando: dois bancos, ou dois schemas, se misturariam.
    turn = _turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())
    async with turn, _plainly(engine.url):
        for left in reversed(range(LOCK_TRIES)):
            try:
                async with engine.begin() as connection:
                    await connection.run_sync(migrate)
                break
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) != "55P03" or not left:
                    raise
                log.info("Outro programa está usando as tabelas; a migração tenta de novo em instantes.")
                await asyncio.sleep(LOCK_PAUSE)
    log.info("O banco passou da revisão %s à %s.", before or "nenhuma", HEAD)
    return before, HEAD


def migrate(connection: Connection, revision: str = "head") -> None:
    """Leva o banco à revisão, na transação da conexão; quem chama já conferiu de qual ele parte."""
    from alembic import command
    from alembic.config import Config

    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text("SET LOCAL lock_timeout = 0"))
    # A tranca é desta transação: quem chega depois espera aqui e não acha mais nada por fazer.
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || :name, 0))"),
        {"name": SCHEMA_LOCK},
    )
    # Quem espera por uma tabela faz esperar todos os que chegam depois: desiste logo, e tenta outra vez.
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


@asynccontextmanager
async def _plainly(url: URL) -> AsyncIterator[None]:
    """Como `explained`, e também o que o banco recusa a quem migra."""
    async with explained(url):
        try:
            yield
        except DBAPIError as error:
            state = getattr(error.orig, "sqlstate", None)
            if error.connection_invalidated or state is None or str(state)[:2] in {"08", "28", "3D", "57"}:
                raise
            cause = str(error.orig).splitlines()[0]
            advice = {
                "42501": "Dê ao usuário do banco a permissão que falta (GRANT CREATE ON SCHEMA … TO …).",
                "55P03": "Outro programa está usando as tabelas; tente de novo quando ele terminar.",
            }.get(str(state), "Confira se o banco, ou o schema, é mesmo o do coletor.")
            raise DatabaseError(
                f"As tabelas não puderam ser preparadas ({cause}). {advice} Nada foi mudado."
            ) from error
