"""A volta de uma cópia: numa transação, tudo ou nada.

Os tokens que o banco já tem ficam nele, e o que se lembra de quem pediu que os seus dados fossem apagados também. Os da
cópia só valem a pedido.
"""

import re
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from bling_collector.db import client_tools
from bling_collector.db.backup import current_schema, our_tables, quoted
from bling_collector.db.client_tools import Tools, cause, find_tools
from bling_collector.db.core import AsyncConnection, AsyncEngine
from bling_collector.db.database import check_server
from bling_collector.db.migrations import HEAD
from bling_collector.db.models import (
    contatos,
    dados_apagados,
    etl_controle,
    historico,
    nfe_cabecalho,
    oauth_tokens,
    produtos,
)
from bling_collector.db.run_lock import run_lock
from bling_collector.errors import DatabaseError, UsageError

_TOKENS = oauth_tokens.name
_ERASED = dados_apagados.name
_VALUABLE = (nfe_cabecalho, contatos, produtos, etl_controle, historico)
"""As tabelas que, com uma linha que seja, fazem do banco um que não se apaga sem que se diga."""
_LOCK_TIMEOUT = "30s"
_TOKENS_BEFORE = "pg_temp.tokens_de_antes"
_ERASED_BEFORE = "pg_temp.apagados_de_antes"
_KEPT = {_TOKENS: _TOKENS_BEFORE, _ERASED: _ERASED_BEFORE}
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

    UsageError se o arquivo não é uma cópia do coletor, se é de outro schema ou de um programa mais novo, ou se o banco
    tem dados e não se disse `overwrite`; RunInProgressError no meio de uma execução.
    """
    source = _found(source)
    async with engine.connect() as connection:
        server, schema = await check_server(connection), await current_schema(connection)
        if not overwrite and await _has_data(connection):
            raise UsageError(
                "Este banco tem dados, e restaurar os apaga. Se é o que quer, repita com --sobrescrever; senão, aponte "
                "DATABASE_URL para um banco vazio."
            )
    tools = await find_tools(server)
    await _check_schema(tools, source, schema)
    revision = await _revision(tools, source)
    async with run_lock(engine):
        await _replace(engine, tools, source, schema, with_tokens=with_tokens)
        if then is not None:
            await then()
    async with engine.connect() as connection:
        has_tokens = bool(await connection.scalar(text(f"SELECT EXISTS (SELECT FROM {_TOKENS})")))
    return Restored(revision, has_tokens)


async def _replace(engine: AsyncEngine, tools: Tools, source: Path, schema: str, *, with_tokens: bool) -> None:
    async with engine.connect() as connection:
        before = [f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'", *await _drops(connection)]
    after = _put_back(quoted(schema), with_tokens=with_tokens)
    # Pelo arquivo, e não por um pipe: se o pg_restore falhasse no meio, o psql confirmaria a metade que leu.
    with tempfile.TemporaryDirectory(prefix="bling-restore-") as folder:
        script = Path(folder) / "copia.sql"
        options = ["--clean", "--if-exists", "--no-owner", "--no-privileges", f"--schema={schema}"]
        written = await client_tools.run(tools.program("pg_restore"), *options, f"--file={script}", str(source))
        if written.code:
            raise UsageError(f"{source} não se deixa ler ({cause(written)}). Nada foi mudado.")
        commands = [*(f"--command={c}" for c in before), f"--file={script}", *(f"--command={c}" for c in after)]
        answer = await client_tools.run(
            tools.program("psql"),
            *("--single-transaction", "--set=ON_ERROR_STOP=1", "--no-psqlrc", "--quiet", "--no-password"),
            *commands,
            url=engine.url,
            settings=f"-c search_path={_option(schema)}",
        )
    if answer.code:
        raise DatabaseError(
            f"A cópia não foi restaurada: {cause(answer)} Nada foi mudado. Se há views suas sobre as tabelas do "
            "coletor, apague-as antes e crie-as depois."
        )


async def _drops(connection: AsyncConnection) -> list[str]:
    """Os comandos que guardam o que fica e apagam as nossas views e tabelas, também as que a cópia não tem."""
    tables = await our_tables(connection)
    views = await connection.execute(
        text(r"SELECT viewname FROM pg_views WHERE schemaname = current_schema() AND viewname LIKE 'vw\_%'")
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


def _put_back(quoted_schema: str, *, with_tokens: bool) -> list[str]:
    """Os comandos que repõem o que ficou: os tokens, no lugar dos da cópia; os apagados, junto dos que ela traz."""
    displaced = f" WHERE EXISTS (SELECT FROM {_TOKENS_BEFORE})" if with_tokens else ""
    return [
        f"DELETE FROM {quoted_schema}.{_TOKENS}{displaced}",
        # Uma cópia de antes das revisões 0002 e 0004 não tem onde dizer que o par se perdeu: as migrações acham feito.
        f"ALTER TABLE {quoted_schema}.{_TOKENS} "
        "ADD COLUMN IF NOT EXISTS refresh_in_doubt boolean NOT NULL DEFAULT false, "
        "ADD COLUMN IF NOT EXISTS refused_at timestamptz",
        f"INSERT INTO {quoted_schema}.{_TOKENS} SELECT (jsonb_populate_record("
        f"NULL::{quoted_schema}.{_TOKENS}, jsonb '{{\"refresh_in_doubt\": false}}' || linha)).* FROM {_TOKENS_BEFORE}",
        # Uma cópia de antes da revisão 0004 não tem a tabela: a migração a acha feita.
        f"CREATE TABLE IF NOT EXISTS {quoted_schema}.{_ERASED} (tabela text, registro_id bigint, "
        "apagado_em timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (tabela, registro_id))",
        f"INSERT INTO {quoted_schema}.{_ERASED} "
        f"SELECT (jsonb_populate_record(NULL::{quoted_schema}.{_ERASED}, linha)).* FROM {_ERASED_BEFORE} "
        "ON CONFLICT DO NOTHING",
    ]


async def _has_data(connection: AsyncConnection) -> bool:
    present = set(await our_tables(connection))
    for table in _VALUABLE:
        if table.name in present and await connection.scalar(text(f"SELECT EXISTS (SELECT FROM {table.name})")):
            return True
    return False


async def _check_schema(tools: Tools, source: Path, schema: str) -> None:
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
    if found[1] != schema:
        raise UsageError(
            f"A cópia é do schema {found[1]}, e DATABASE_URL aponta para {schema}. "
            f"Crie o schema {found[1]} e escolha-o com ?options=-csearch_path%3D{found[1]}. Nada foi mudado."
        )


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


def _option(schema: str) -> str:
    """O nome dentro de PGOPTIONS, em que o espaço e a barra separam."""
    return re.sub(r"([\\ ])", r"\\\1", quoted(schema))
