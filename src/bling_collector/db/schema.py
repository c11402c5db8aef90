"""O esquema do banco: saber se está em dia e pô-lo em dia, um processo por vez."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from pathlib import Path
from weakref import WeakKeyDictionary

from sqlalchemy import URL, Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateSchema, DropSchema

from bling_collector.db.companies.schemas import MARK, base_of, mark_of, of_each
from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.connection.database import check_version, explained, in_schema, quoted, sqlstate
from bling_collector.db.migrations import HEAD
from bling_collector.db.models import metadata
from bling_collector.errors import DatabaseError, UsageError

log = logging.getLogger(__name__)

_MISSING = text("""
    SELECT relname, string_agg(falta, ', ' ORDER BY falta) AS falta
    FROM (
        SELECT c.relname, needed AS falta
        FROM pg_class c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) needed
        WHERE c.relkind IN ('r', 'p') AND c.relname = ANY(:ours) AND NOT has_table_privilege(c.oid, needed)
          AND c.relnamespace = CAST(quote_ident(current_schema()) AS regnamespace)
        UNION ALL
        SELECT c.relname, 'as linhas que uma política de segurança esconde'
        FROM pg_class c
        WHERE c.relname = ANY(:ours) AND row_security_active(c.oid)
          AND c.relnamespace = CAST(quote_ident(current_schema()) AS regnamespace)
        UNION ALL
        SELECT s.relname, 'USAGE'
        FROM pg_depend d
        JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' AND d.deptype = 'a'
        JOIN pg_class c ON c.oid = d.refobjid AND c.relname = ANY(:ours)
        WHERE d.classid = CAST('pg_class' AS regclass)
          AND CASE s.relkind WHEN 'S' THEN NOT has_sequence_privilege(s.oid, 'USAGE') END
          AND c.relnamespace = CAST(quote_ident(current_schema()) AS regnamespace)) AS faltas
    GROUP BY relname ORDER BY relname""")
_SHOWN = 5
"""Tabelas que uma mensagem nomeia."""
_ALREADY = {"42P06", "23505"}
"""O schema existe; ou outro o criou no mesmo instante."""
_DEPENDED_ON = ("0A000", "42601")
"""O que o banco responde se algo de alguém depende de uma coluna que se muda; o segundo, o PostgreSQL 14."""
_IN_USE = {"55P03", "40P01"}
"""Esperou-se demais por uma tabela; ou quem a tinha esperava por nós."""
SCHEMA_LOCK = "bling_collector.schema"
COMPANIES_LOCK = "bling_collector.empresas"
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
"""A vez de migrar, neste processo."""
LOCK_SECONDS = 5
"""Segundos que uma migração espera por uma tabela em uso."""
LOCK_TRIES = 10
LOCK_PAUSE = 1.0
LAST = "head"
"""Como o Alembic chama a revisão mais nova."""
ELSEWHERE = "aponte DATABASE_URL para outro (?options=-csearch_path%3Dnome)"
"""O que fazer de um schema que é de outro programa."""
_GRANTS = (
    "Com o dono delas, dê ao usuário do banco a permissão que falta: de uma tabela, GRANT SELECT, INSERT, UPDATE, "
    "DELETE ON ALL TABLES IN SCHEMA …; do schema, GRANT USAGE, CREATE ON SCHEMA …; do banco, que só uma empresa nova "
    "pede, GRANT CREATE ON DATABASE …; ou use o dono em DATABASE_URL."
)


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


def why_unknown(revision: str | None) -> str | None:
    """Por que este programa não mexe num banco desta revisão, e o que fazer; None se a conhece, ou não há."""
    if revision is None or (re.fullmatch(r"\d{4}", revision) and revision <= HEAD):
        return None
    return (
        f"está na revisão {revision}, que este programa (revisão {HEAD}) não conhece. Se é de um bling-collector mais "
        f"novo, atualize o programa; se é de outro programa que usa este schema, {ELSEWHERE}."
    )


async def up_to_date(engine: AsyncEngine, names: Collection[str]) -> set[str]:
    """Destas empresas, as que se sabe estarem na última revisão."""
    revisions = await of_each(engine, names, "SELECT version_num FROM {}.alembic_version")
    return {name for name, revision in revisions.items() if revision == HEAD}


async def create(engine: AsyncEngine, name: str) -> AsyncEngine:
    """Cria o schema `name`, de uma empresa, e devolve o motor dele; as tabelas são com `upgrade`. UsageError se ele já
    existe."""
    async with _plainly(engine.url):
        try:
            async with engine.begin() as connection:
                await connection.execute(CreateSchema(name))
                await _mark(connection, name)
        except DBAPIError as error:
            if sqlstate(error) not in _ALREADY:
                raise
            raise UsageError(
                f"O schema {name} já existe neste banco, e não é de uma empresa. Escolha outro nome."
            ) from None
    return in_schema(engine, name)


async def take(engine: AsyncEngine, name: str) -> AsyncEngine | None:
    """O motor do schema `name`, que passa a ser de uma empresa como está, se o dela ficou por fazer ou se tem as
    tabelas de um coletor e não é de nenhuma outra; None se não."""
    about = text("""
        SELECT obj_description(n.oid, 'pg_namespace') AS said, 2 = (
            SELECT count(*) FROM pg_class c
            WHERE c.relnamespace = n.oid AND c.relname IN ('alembic_version', 'etl_controle')) AS ready
        FROM pg_namespace n WHERE n.nspname = :name""")
    async with _plainly(engine.url), in_schema(engine, None).begin() as connection:
        found = (await connection.execute(about, {"name": name})).one_or_none()
        if found is None:
            return None
        if found.said != mark_of(await base_of(connection)):
            if not found.ready or (found.said or "").startswith(MARK):
                return None
            await _mark(connection, name)
    return in_schema(engine, name)


@asynccontextmanager
async def one_at_a_time(engine: AsyncEngine) -> AsyncIterator[None]:
    """Enquanto o bloco corre, ninguém mais cria uma empresa neste banco."""
    turn = text("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || :name, 0))")
    async with _plainly(engine.url), in_schema(engine, None).begin() as connection:
        # Parada enquanto as tabelas se criam noutra: sem isto o servidor fechava-a, e a vez com ela.
        await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        await connection.execute(turn, {"name": COMPANIES_LOCK})
        yield


async def _mark(connection: AsyncConnection, name: str) -> None:
    mark = mark_of(await base_of(connection)).replace("'", "''")
    await connection.exec_driver_sql(f"COMMENT ON SCHEMA {quoted(name)} IS '{mark}'".replace("%", "%%"))


async def drop(engine: AsyncEngine, name: str, *, last: Callable[[AsyncConnection], Awaitable[None]]) -> None:
    """Apaga o schema de uma empresa, e tudo o que há nele; se era a última além da principal, as views que as juntam
    também. `last` faz-se na mesma transação, no fim."""
    from bling_collector.db.companies import united

    async def dropped(connection: AsyncConnection) -> None:
        await connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
        await connection.execute(DropSchema(name, cascade=True))
        await united.refresh(connection, await base_of(connection))
        await last(connection)

    async with _plainly(engine.url):
        await _when_free(in_schema(engine, None), dropped, nullcontext())


async def _when_free(
    engine: AsyncEngine,
    work: Callable[[AsyncConnection], Awaitable[None]],
    turn: AbstractAsyncContextManager[object],
) -> None:
    """Faz `work` numa transação, outra vez enquanto alguém lê ou grava as tabelas de que ele precisa só para si."""
    for left in reversed(range(LOCK_TRIES)):
        try:
            async with turn, engine.begin() as connection:
                await work(connection)
        except DBAPIError as error:
            if sqlstate(error) not in _IN_USE or not left:
                raise
            log.info("Outro programa está usando as tabelas; tenta-se de novo em instantes.")
            await asyncio.sleep(LOCK_PAUSE)
        else:
            return


async def discard_empty(engine: AsyncEngine, name: str) -> None:
    """Apaga o schema que se criou e não chegou a ter nada."""
    with suppress(DBAPIError):  # o que impediu de o fazer é o erro que se diz; se algo ficou, `add` toma-o
        async with in_schema(engine, None).begin() as connection:
            await connection.execute(DropSchema(name))


async def upgrade(engine: AsyncEngine) -> tuple[str | None, str]:
    """Põe o banco na última revisão, numa transação e sob uma tranca; devolve a revisão de antes e a de agora."""
    before = await current_revision(engine)
    if before == HEAD:
        return before, HEAD
    if why := why_unknown(before):
        raise DatabaseError(f"O banco {why} Nada foi mudado.")
    # O Alembic guarda em variáveis globais o que está migrando: dois bancos, ou dois schemas, se misturariam.
    turn = _turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())
    async with _plainly(engine.url):
        await _when_free(engine, lambda connection: connection.run_sync(migrate), turn)
    log.info("O banco passou da revisão %s à %s.", before or "nenhuma", HEAD)
    return before, HEAD


async def is_united(engine: AsyncEngine) -> bool:
    """Se as views que juntam as empresas são as desta versão, ou não fazem falta."""
    from bling_collector.db.companies import united

    async with _plainly(engine.url), in_schema(engine, None).connect() as connection:
        return await united.is_current(connection, await base_of(connection))


async def unite(engine: AsyncEngine) -> None:
    """Põe em dia as views que juntam as empresas; onde só há uma, não há nenhuma."""
    from bling_collector.db import readers
    from bling_collector.db.companies import united

    async with _plainly(engine.url), in_schema(engine, None).begin() as connection:
        await united.refresh(connection, await base_of(connection))
        await connection.run_sync(readers.renew)


async def missing_rights(connection: AsyncConnection) -> str | None:
    """O que este usuário não pode fazer e o coletor precisa, e o que o resolve; None se nada falta."""
    found = await connection.execute(_MISSING, {"ours": list(metadata.tables)})
    missing = [f"{row.relname} ({row.falta})" for row in found]
    if not missing:
        return None
    names = text("SELECT quote_ident(current_schema()), quote_ident(current_user)")
    schema, user = (await connection.execute(names)).one()
    more = f"; e mais {len(missing) - _SHOWN}" if len(missing) > _SHOWN else ""
    return (
        f"ao usuário {user} falta {'; '.join(missing[:_SHOWN])}{more}. Com o dono das tabelas, rode GRANT SELECT, "
        f"INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {user}; GRANT USAGE ON ALL SEQUENCES IN SCHEMA "
        f"{schema} TO {user}; ou use o dono em DATABASE_URL."
    )


async def why_read_only(connection: AsyncConnection) -> str | None:
    """Por que este banco não deixa gravar, e o que fazer; None se deixa."""
    found = await connection.execute(
        text("SELECT pg_is_in_recovery(), current_setting('transaction_read_only'), quote_ident(current_database())")
    )
    replica, read_only, database = found.one()
    if replica:
        return (
            "é uma réplica, que só se deixa ler, e o coletor precisa gravar. Aponte DATABASE_URL para o servidor "
            "principal."
        )
    if read_only == "off":
        return None
    return (
        "só se deixa ler (default_transaction_read_only), e o coletor precisa gravar. Se alguém o fechou de propósito, "
        f"ou se o disco dele encheu, espere que o abram; senão, abra-o com ALTER DATABASE {database} SET "
        "default_transaction_read_only = off, ou tire esse ajuste do usuário ou do servidor."
    )


async def check_usable(connection: AsyncConnection) -> None:
    """DatabaseError se o banco não deixa gravar, ou se ao usuário falta uma permissão: a coleta pararia no meio."""
    if why := await why_read_only(connection):
        raise DatabaseError(f"O banco {why} Nada foi mudado.")
    if missing := await missing_rights(connection):
        raise DatabaseError(f"O banco não deixa coletar: {missing} Nada foi mudado.")


def migrate(connection: Connection, revision: str = LAST) -> None:
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
    folder = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))  # o Alembic interpola o que lê
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    if revision == LAST:
        _finish(connection)


def _finish(connection: Connection) -> int:
    """O que se põe em dia com as tabelas: o que cada uma quer dizer, e o que os leitores leem. Quantos comentários."""
    from bling_collector.db.meanings import describe
    from bling_collector.db.readers import renew

    renew(connection)
    return describe(connection)


async def finish(engine: AsyncEngine) -> int:
    """O mesmo, de um banco que já está na última revisão."""
    async with _plainly(engine.url), engine.begin() as connection:
        return await connection.run_sync(_finish)


@asynccontextmanager
async def _plainly(url: URL) -> AsyncIterator[None]:
    """Como `explained`, e também o que o banco recusa a quem migra."""
    async with explained(url):
        try:
            yield
        except DBAPIError as error:
            state = sqlstate(error)
            if error.connection_invalidated or state is None or state[:2] in {"08", "25", "28", "3D", "53", "57", "58"}:
                raise
            said = str(error.orig).splitlines()
            # O que depende só a segunda linha o diz; nos outros erros ela pode trazer dados.
            details = [line.removeprefix("DETAIL:").strip() for line in said[1:2] if state in _DEPENDED_ON]
            cause = "; ".join([said[0], *details])
            advice = {
                "42P07": "Se essa tabela, ou view, é sua, dê-lhe outro nome e tente de novo.",
                **dict.fromkeys(
                    _DEPENDED_ON, "Se o que depende da coluna é seu, tire-o, tente de novo e ponha-o outra vez."
                ),
                "42501": _GRANTS,
                **dict.fromkeys(_IN_USE, "Outro programa está usando as tabelas; tente de novo quando ele terminar."),
            }.get(state, "Confira se o banco, ou o schema, é mesmo o do coletor.")
            raise DatabaseError(
                f"As tabelas não puderam ser preparadas ({cause}). {advice} Nada foi mudado."
            ) from error
