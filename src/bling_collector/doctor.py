"""O que falta para coletar, em palavras: configuração, banco, esquema, autorização, Bling e relógio."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from bling_collector.bootstrap import bling_clock
from bling_collector.clock import BRASILIA, SystemClock
from bling_collector.config import Settings
from bling_collector.db import schema
from bling_collector.db.core import AsyncEngine
from bling_collector.db.database import check_server
from bling_collector.db.migrations import HEAD
from bling_collector.db.session import PINNED, STRICTER
from bling_collector.errors import CollectorError, ConfigurationError
from bling_collector.opening import open_database, token_store
from bling_collector.tokens import WARN_DAYS, refresh_ends_at

SKEW = timedelta(seconds=30)
_NOTED = {name for name in PINNED if name.startswith("default_transaction")} | {"datestyle", "intervalstyle"}
"""Os costumes de um banco que vale dizer que se deixam de lado; um fuso ou outro todo banco tem."""


@dataclass(frozen=True)
class Finding:
    nome: str
    detalhe: str
    exit_code: int = 0
    """Zero se está bem; senão, o código de saída que um comando teria por causa disto."""

    @property
    def ok(self) -> bool:
        return self.exit_code == 0


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Os achados, um a um, na ordem em que convém resolvê-los. Não muda nada."""
    yield _credentials(settings)
    try:
        async with open_database(settings, upgrade=False) as (engine, embedded):
            revision = await schema.current_revision(engine)
            async with engine.connect() as connection:
                major = await check_server(connection)
                database_now = await connection.scalar(text("SELECT clock_timestamp()"))
            where = "embutido" if embedded else f"em {engine.url.host or 'soquete local'}"
            yield Finding("Banco", f"PostgreSQL {major} {where} atende.")
            yield await _session(engine)
            yield _migrations(revision)
            if revision == HEAD:
                yield await _rights(engine)
            yield (
                await _token(settings, engine)
                if revision == HEAD
                else Finding("Autorização", "não se sabe antes de o esquema estar em dia.", 1)
            )
            if database_now is not None and abs(database_now - SystemClock().now()) > SKEW:
                yield Finding(
                    "Relógio", f"o do banco e o desta máquina diferem mais de {SKEW.seconds} s; acerte-os.", 1
                )
    except CollectorError as error:
        yield Finding("Banco", str(error), error.exit_code)
    yield await _bling(settings)


def _credentials(settings: Settings) -> Finding:
    try:
        client_id, _ = settings.credentials
    except CollectorError as error:
        return Finding("Credenciais", str(error), error.exit_code)
    return Finding("Credenciais", f"BLING_CLIENT_ID ({client_id[:4]}…) e BLING_CLIENT_SECRET preenchidos.")


def _migrations(revision: str | None) -> Finding:
    if revision == HEAD:
        return Finding("Esquema", f"em dia (revisão {HEAD}).")
    what = "as tabelas ainda não existem" if revision is None else f"está na revisão {revision}, e a atual é {HEAD}"
    return Finding("Esquema", f"{what}. Rode `bling-collector db upgrade`.", 1)


async def _session(engine: AsyncEngine) -> Finding:
    """Se a sessão é como o coletor a quer, e que costumes do banco ela deixa de lado."""
    async with engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT lower(name) AS name, setting, reset_val FROM pg_settings WHERE lower(name) = ANY(:ours)"),
            {"ours": list(PINNED)},
        )
        found = {row.name: row for row in rows}
    wrong = [name for name in found if found[name].setting != PINNED[name] and name not in STRICTER]
    if wrong:
        return Finding("Sessão", f"o banco não aceita os ajustes do coletor: {', '.join(sorted(wrong))}.", 1)
    theirs = {name: found[name].reset_val for name in sorted(_NOTED & found.keys())}
    aside = [f"{name} = {value}" for name, value in theirs.items() if not PINNED[name].startswith(value.split(",")[0])]
    if not aside:
        return Finding("Sessão", "com os ajustes do coletor.")
    return Finding("Sessão", f"com os ajustes do coletor; os do banco ({'; '.join(aside)}) ficam de lado.")


async def _rights(engine: AsyncEngine) -> Finding:
    async with engine.connect() as connection:
        read_only = await schema.why_read_only(connection)
        missing = await schema.missing_rights(connection)
    if read_only:
        return Finding("Permissões", f"o banco {read_only}", 1)
    if missing:
        return Finding("Permissões", missing, 1)
    return Finding("Permissões", "o usuário do banco pode ler e gravar todas as tabelas.")


async def _token(settings: Settings, engine: AsyncEngine) -> Finding:
    try:
        token = await token_store(settings, engine).read()
    except ConfigurationError as error:
        return Finding("Autorização", str(error), error.exit_code)
    if token is None:
        return Finding("Autorização", "ainda não foi dada. Rode `bling-collector auth`.", 3)
    if token.refresh_in_doubt:
        return Finding("Autorização", "perdida no meio de uma renovação. Rode `bling-collector auth`.", 3)
    if token.refused_at:
        refused = f"o Bling a recusou em {_local(token.refused_at)}"
        return Finding("Autorização", f"{refused}. Rode `bling-collector auth`.", 3)
    detail = f"token guardado, válido até {_local(token.expires_at)}; renova-se sozinho"
    end = refresh_ends_at(token.updated_at)
    if end is not None:
        days = (end - SystemClock().now()).days
        detail += f" até {end.astimezone(BRASILIA):%d/%m/%Y}"
        if days <= WARN_DAYS:
            return Finding("Autorização", f"{detail}: faltam {max(days, 0)} dia(s). Rode `bling-collector run`.", 1)
    if not settings.token_keys:
        detail += ". Está em claro no banco: TOKEN_ENCRYPTION_KEY o cifra"
    return Finding("Autorização", f"{detail}.")


async def _bling(settings: Settings) -> Finding:
    try:
        theirs = await bling_clock(settings)
    except CollectorError as error:
        return Finding("Bling", str(error), error.exit_code)
    if theirs is not None and abs(theirs - SystemClock().now()) > SKEW:
        return Finding("Relógio", f"o desta máquina difere mais de {SKEW.seconds} s do relógio do Bling; acerte-o.", 1)
    return Finding("Bling", "atende, e o relógio dele concorda com o desta máquina.")


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(BRASILIA):%d/%m/%Y %H:%M}, hora de Brasília"
