"""A volta de uma cópia: numa transação, tudo ou nada.

Da cópia só se leem linhas, e só das nossas tabelas; as tabelas, quem as cria são as migrações. Nenhum comando dela é
executado: um arquivo que alguém preparou não chega a fazer nada, com que direitos for. O que os analistas podiam ler
antes, podem depois.

Os tokens que o banco já tem ficam nele, e o que se lembra de quem pediu que os seus dados fossem apagados também. Os da
cópia só valem a pedido. O schema de que ela é não importa: as linhas vão para o presente.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from bling_collector.db.companies import united
from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.connection.database import check_server, quoted
from bling_collector.db.copies import client_tools
from bling_collector.db.copies.backup import current_schema, our_tables
from bling_collector.db.copies.client_tools import Tools, cause, find_tools
from bling_collector.db.copies.copied_rows import load_table
from bling_collector.db.copies.grants import give_back, read_grants
from bling_collector.db.migrations import HEAD
from bling_collector.db.models import (
    TOKENS_ROW,
    acesso,
    canais_da_empresa,
    cfops_da_empresa,
    dados_apagados,
    etl_controle,
    historico,
    metadata,
    nfe_cabecalho,
    oauth_states,
    oauth_tokens,
)
from bling_collector.db.run_lock import run_lock
from bling_collector.db.schema import ELSEWHERE, current_revision, migrate, why_read_only, why_unknown
from bling_collector.errors import DatabaseError, UsageError
from bling_collector.words import plural

_TOKENS = oauth_tokens.name
_ERASED = dados_apagados.name
_SPENT = oauth_states.name
_OPENS = acesso.name
_VALUABLE = (
    *(table for table in metadata.sorted_tables if "detalhe" in table.c),
    *(etl_controle, historico, cfops_da_empresa, canais_da_empresa),
)
"""As tabelas que, com uma linha que seja, fazem do banco um que não se apaga sem que se diga."""
_LOCK_TIMEOUT = "30s"
_TOKENS_BEFORE = "pg_temp.tokens_de_antes"
_ERASED_BEFORE = "pg_temp.apagados_de_antes"
_SPENT_BEFORE = "pg_temp.usados_de_antes"
_OPENS_BEFORE = "pg_temp.acesso_de_antes"
_KEPT = {_TOKENS: _TOKENS_BEFORE, _ERASED: _ERASED_BEFORE, _SPENT: _SPENT_BEFORE, _OPENS: _OPENS_BEFORE}
"""As tabelas cujas linhas ficam, e onde esperam que a cópia entre."""


@dataclass(frozen=True)
class Restored:
    """O que a restauração trouxe."""

    revision: str
    """A revisão das tabelas da cópia."""
    has_tokens: bool
    """Se o banco tem, agora, uma autorização do Bling."""


async def restore(
    engine: AsyncEngine,
    source: Path,
    *,
    overwrite: bool = False,
    with_tokens: bool = False,
    then: Callable[[], Awaitable[object]] | None = None,
) -> Restored:
    """Põe no banco o que está na cópia, numa transação: tudo, ou nada. `then` roda depois, antes que se colete.

    `with_tokens` aceita a autorização que veio nela, se o banco não tem outra: quem o diz sabe que ninguém a usou desde
    então. Sem isso ela é descartada, porque o seu refresh token pode já ter sido gasto.

    UsageError se o arquivo não é uma cópia do coletor, se é de um programa mais novo, ou se o banco tem dados e não se
    disse `overwrite`, ou tem tabelas de outro com os nomes das nossas; DatabaseError se ele é de um programa mais novo,
    ou de outro; RunInProgressError no meio de uma execução.
    """
    source = _found(source)
    now = await current_revision(engine)
    async with engine.connect() as connection:
        server = await check_server(connection)
        await current_schema(connection)
        if why := why_unknown(now) or await why_read_only(connection):
            raise DatabaseError(f"O banco {why} Nada foi mudado.")
        if now is None and (others := await our_tables(connection)):
            raise UsageError(
                f"O banco {named(engine)} já tem tabelas com os nomes das do coletor ({', '.join(others[:3])}…), e não "
                f"foi ele que as fez. Se são do primeiro coletor, rode antes `bling-collector db upgrade`; senão, "
                f"{ELSEWHERE}. Nada foi mudado."
            )
        if not overwrite and await _has_data(connection):
            held = await _held(connection)
            raise UsageError(
                f"O banco {named(engine)} tem {held}, e restaurar apaga o que ele tem, sem volta. Se é o que quer, "
                "repita com --sobrescrever; senão, aponte DATABASE_URL para um banco vazio."
            )
    tools = await find_tools(server)
    schema = await _schema(tools, source)
    revision = await _revision(tools, source)
    async with run_lock(engine):
        await _replace(engine, tools, source, schema, revision, with_tokens=with_tokens)
        if then is not None:
            await then()
    async with engine.connect() as connection:
        has_tokens = bool(await connection.scalar(text(f"SELECT EXISTS (SELECT FROM {_TOKENS} WHERE id = 1)")))
    return Restored(revision, has_tokens)


async def _replace(
    engine: AsyncEngine, tools: Tools, source: Path, schema: str, revision: str, *, with_tokens: bool
) -> None:
    skipped = {_OPENS} if with_tokens else {_OPENS, _TOKENS, _SPENT}
    tables = [table for table in await _copied_tables(tools, source, schema) if table not in skipped]
    try:
        async with engine.begin() as connection:
            database = await _raw(connection)
            for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
                await database.execute(f"SET LOCAL {name} = 0")
            await database.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
            grants = await read_grants(connection)
            for command in await _drops(connection):
                await database.execute(command)
            await connection.run_sync(migrate, revision)
            for table in tables:
                await load_table(connection, tools, source, schema, table)
            await connection.run_sync(migrate)
            for command in [*_put_back(with_tokens=with_tokens), *await _sequences(connection)]:
                await database.execute(command)
            # Sem estatísticas, até que o PostgreSQL as faça, há consultas que não acabam (medido).
            names = await our_tables(connection)
            await database.execute(f"ANALYZE {', '.join(map(quoted, names))}")
            await give_back(connection, grants)
    except (DBAPIError, psycopg.Error) as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        cause = str(getattr(error, "orig", error)).splitlines()[0].rstrip(".")
        raise DatabaseError(
            f"A cópia não foi restaurada: {cause}. Nada foi mudado. Se há views suas sobre as tabelas do coletor, "
            "apague-as antes e crie-as depois."
        ) from error


async def _raw(connection: AsyncConnection) -> "psycopg.AsyncConnection[Any]":
    """A conexão por baixo, na mesma transação: o que se lhe manda vai como está, sem procurar parâmetros."""
    await connection.execute(text("SELECT 1"))  # a transação começa com o primeiro comando
    raw: psycopg.AsyncConnection[Any] | None = (await connection.get_raw_connection()).driver_connection
    assert raw is not None
    return raw


async def _drops(connection: AsyncConnection) -> list[str]:
    """Os comandos que guardam o que fica e apagam as nossas views e tabelas, também as que a cópia não tem."""
    tables = await our_tables(connection)
    views = await connection.execute(  # as que juntam as empresas não dependem das tabelas desta, e ficam
        text("SELECT viewname FROM pg_views WHERE schemaname = current_schema() AND viewname ~ :ours"),
        {"ours": f"^vw_(?!{united.PREFIX.removeprefix('vw_')})"},
    )
    commands = []
    for table, kept in _KEPT.items():
        commands.append(f"CREATE TEMP TABLE {kept} (linha jsonb) ON COMMIT DROP")
        if table in tables:
            # Antes de ler: um par renovado, ou alguém apagado, entre a leitura e o DROP se perderia.
            commands.append(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            commands.append(f"INSERT INTO {kept} SELECT to_jsonb(t) FROM {table} t")
    for kind, names in (("VIEW", sorted(views.scalars())), ("TABLE", tables)):
        if names:
            commands.append(f"DROP {kind} IF EXISTS {', '.join(map(quoted, names))}")
    return commands


def _put_back(*, with_tokens: bool) -> list[str]:
    """Os comandos que repõem o que ficou: os tokens, no lugar dos da cópia; os apagados e o que já foi usado, junto.

    Da cópia nunca vem um par que ainda esperava confirmação: quem o propôs já não existe.
    """
    displaced = f" WHERE id <> {TOKENS_ROW} OR EXISTS (SELECT FROM {_TOKENS_BEFORE})" if with_tokens else ""
    return [
        f"DELETE FROM {_TOKENS}{displaced}",
        # O banco de antes da revisão 0002 não tinha onde dizer que um par está em dúvida.
        f"INSERT INTO {_TOKENS} SELECT (jsonb_populate_record("
        f"NULL::{_TOKENS}, jsonb '{{\"refresh_in_doubt\": false}}' || linha)).* FROM {_TOKENS_BEFORE}",
        *(
            f"INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, linha)).* FROM {_KEPT[table]} "
            "ON CONFLICT DO NOTHING"
            for table in (_ERASED, _SPENT, _OPENS)
        ),
    ]


async def _sequences(connection: AsyncConnection) -> list[str]:
    """Os comandos que põem cada sequência depois da maior linha da tabela dela."""
    found = await connection.execute(
        text("""
            SELECT format('SELECT setval(%L, coalesce(max(%I), 0) + 1, false) FROM %I.%I',
                          pg_get_serial_sequence(format('%I.%I', table_schema, table_name), column_name),
                          column_name, table_schema, table_name)
            FROM information_schema.columns
            WHERE table_schema = current_schema() AND table_name = ANY(:names)
            AND pg_get_serial_sequence(format('%I.%I', table_schema, table_name), column_name) IS NOT NULL
        """),
        {"names": await our_tables(connection)},
    )
    return list(found.scalars())


async def _copied_tables(tools: Tools, source: Path, schema: str) -> list[str]:
    """As nossas tabelas cujas linhas a cópia traz, cada uma depois das que ela cita."""
    listed = await client_tools.run(tools.program("pg_restore"), "--list", str(source))
    lines = listed.output.decode(errors="replace").splitlines()
    mark = f" TABLE DATA {schema} "
    present = {line.partition(mark)[2].partition(" ")[0] for line in lines if mark in line}
    return [table.name for table in metadata.sorted_tables if table.name in present]


def named(engine: AsyncEngine) -> str:
    """O banco, como as pessoas o distinguem dos outros: o nome e onde está."""
    return f"{engine.url.database} em {engine.url.host or 'um soquete desta máquina'}"


async def _held(connection: AsyncConnection) -> str:
    """O que há no banco, na medida em que as pessoas o conhecem."""
    if nfe_cabecalho.name not in await our_tables(connection):
        return "dados"
    count = int(await connection.scalar(select(func.count()).select_from(nfe_cabecalho)) or 0)
    return plural(count, "nota", "notas") if count else "dados"


async def _has_data(connection: AsyncConnection) -> bool:
    present = set(await our_tables(connection))
    for table in _VALUABLE:
        if table.name in present and await connection.scalar(text(f"SELECT EXISTS (SELECT FROM {table.name})")):
            return True
    return False


async def _schema(tools: Tools, source: Path) -> str:
    """O schema de que é a cópia. UsageError se ela não é do coletor."""
    listed = await client_tools.run(tools.program("pg_restore"), "--list", str(source))
    if listed.code:
        raise UsageError(
            f"{source} não é uma cópia que o pg_restore {tools.version} leia ({cause(listed)}). Nada foi mudado."
        )
    found = re.search(
        r"^\d+; \d+ \d+ TABLE (.+) alembic_version ", listed.output.decode(errors="replace"), re.MULTILINE
    )
    if not found:
        raise UsageError(f"{source} é de outro programa: não tem as tabelas do coletor. Nada foi mudado.")
    return found[1]


async def _revision(tools: Tools, source: Path) -> str:
    said = await client_tools.run(
        tools.program("pg_restore"), "--data-only", "--table=alembic_version", "--file=-", str(source)
    )
    script = said.output.decode(errors="replace")
    found = re.search(r"^COPY .*alembic_version.*\n(\w+)$", script, re.MULTILINE)
    if not found:
        raise UsageError(f"{source} não diz de que revisão são as suas tabelas. Nada foi mudado.")
    if not (re.fullmatch(r"\d{4}", found[1]) and found[1] <= HEAD):
        raise UsageError(
            f"A cópia é da revisão {found[1]}, que este programa (revisão {HEAD}) não conhece. Atualize-o. "
            "Nada foi mudado."
        )
    return found[1]


def _found(source: Path) -> Path:
    if not source.is_file():
        raise UsageError(f"{source} não existe, ou não é um arquivo.")
    return source.absolute()
