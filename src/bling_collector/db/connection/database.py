"""A conexão com o PostgreSQL: o endereço, como quer que tenha sido escrito, e o motor."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final
from urllib.parse import quote, unquote

import psycopg
from psycopg.pq import Conninfo
from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool
from sqlalchemy.util.concurrency import greenlet_spawn

from bling_collector.db.connection.core import AsyncConnection, AsyncEngine, create_async_engine
from bling_collector.db.connection.session import Sessions, UnknownHostError
from bling_collector.errors import ConfigurationError, DatabaseError
from bling_collector.payload import dumps, loads

log = logging.getLogger(__name__)

OLDEST_SERVER = 14
_EXAMPLE = "postgresql://usuario:senha@servidor:5432/banco"
_CONNECTION: dict[str, str | int] = {
    "connect_timeout": 10,
    "application_name": "bling-collector",
    # Uma conexão que emudeceu (um servidor que sumiu, um NAT que a esqueceu) cai em um minuto, e não em duas horas.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
_DOWN = "O banco em {where} não atende ({cause}). Confira se o servidor está no ar e se DATABASE_URL aponta para ele."
_FELL = "A conexão com o banco em {where} caiu ({cause}). Tente de novo; o que não foi confirmado não foi gravado."
_SLOW = (
    "O banco em {where} demorou demais e o comando foi cancelado ({cause}). Veja se outro programa segura as tabelas, "
    "ou se o servidor está sobrecarregado, e tente de novo; nada ficou pela metade."
)
_CROSSED = (
    "Outro programa mexeu ao mesmo tempo nas mesmas linhas do banco em {where} ({cause}). Tente de novo; nada ficou "
    "pela metade."
)
_BROKEN = (
    "O servidor do banco em {where} está com um defeito ({cause}). Veja o registro dele e o disco; se preciso, "
    "restaure uma cópia."
)
_SENTENCES = {
    "28P01": "O banco em {where} não aceita a senha ({cause}). Confira usuário e senha em DATABASE_URL.",
    "28": "O banco em {where} não deixa este usuário entrar ({cause}). Confira usuário e senha em DATABASE_URL, e se o "
    "servidor aceita conexões daqui (pg_hba.conf).",
    "3D000": "O banco que DATABASE_URL diz não existe em {where} ({cause}). Crie o banco antes, ou corrija "
    "DATABASE_URL.",
    "3F000": "O schema de DATABASE_URL não existe em {where} ({cause}). Crie-o com CREATE SCHEMA, ou corrija "
    "DATABASE_URL.",
    "42501": "O usuário do banco em {where} não tem uma permissão de que o coletor precisa ({cause}). Dê-a com GRANT, "
    "ou use em DATABASE_URL o dono das tabelas.",
    "25006": "O banco em {where} só se deixa ler ({cause}), e o coletor precisa gravar. Se é uma réplica, aponte "
    "DATABASE_URL para o servidor principal; senão, veja por que ele recusa gravações.",
    "53100": "O disco do banco em {where} está cheio ({cause}). Libere espaço e tente de novo; nada ficou pela metade.",
    "53200": "O servidor do banco em {where} está sem memória ({cause}). Tente de novo quando ele tiver folga.",
    "53300": "O banco em {where} não tem conexão livre ({cause}). Feche as de outros programas, ou aumente "
    "max_connections; o coletor usa até 8.",
    "57014": _SLOW,
    "55P03": _SLOW,
    "25P03": _FELL,
    "57P04": "O banco em {where} foi apagado ({cause}). Restaure uma cópia, ou corrija DATABASE_URL.",
    "57P03": "O banco em {where} ainda não atende: está começando ou parando ({cause}). Tente de novo em instantes.",
    "57P": _FELL,
    "40": _CROSSED,
    "08P01": "O banco em {where}, ou um intermediário diante dele, recusa a conexão ({cause}). Confira o nome do banco "
    "e as opções em DATABASE_URL.",
    "08": _DOWN,
    "42P01": "O banco em {where} não tem uma tabela do coletor ({cause}). Rode `bling-collector db upgrade`; se alguém "
    "a apagou, restaure uma cópia.",
    "42703": "O banco em {where} não tem uma coluna do coletor ({cause}). Se alguém mudou as tabelas, desfaça a "
    "mudança, ou restaure uma cópia.",
    "58": _BROKEN,
    "XX": _BROKEN,
}
"""O que dizer de cada SQLSTATE, ou de uma classe deles; a primeira que casa."""
_OF_OTHER_DRIVERS = ("async_fallback", "prepared_statement_cache_size", "statement_cache_size")
"""Opções que só dizem respeito ao driver que escreveu o endereço (asyncpg)."""
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_LOOKS = 100
"""Centésimos de segundo que se espera, ao fechar, por uma conexão que ainda não se devolveu."""


def parse_url(raw: str) -> URL:
    """O endereço para o SQLAlchemy, venha como o Cloud SQL, o Heroku ou o SQLAlchemy o escrevem.

    ConfigurationError, sem repetir a senha, se não for um endereço de PostgreSQL.
    """
    try:
        url = make_url(raw.strip())
    except (ArgumentError, ValueError):
        raise ConfigurationError(f"DATABASE_URL não é um endereço de banco. O formato é {_EXAMPLE}.") from None
    dialect = url.drivername.partition("+")[0].lower()
    if dialect not in ("postgresql", "postgres"):
        raise ConfigurationError(
            f"DATABASE_URL aponta para {dialect}, e o coletor só grava em PostgreSQL. O formato é {_EXAMPLE}."
        )
    if "@" in (url.host or ""):
        raise ConfigurationError(
            "A senha em DATABASE_URL tem um @. Escreva-o %40, para que não se confunda com o fim dela."
        )
    query = {name: value for name, value in url.query.items() if name not in _OF_OTHER_DRIVERS}
    if socket := query.pop("unix_sock", None):  # como o pg8000 o escreve
        folder, _, port = str(socket).rpartition("/.s.PGSQL.")
        query["host"] = folder or str(socket)
        query |= {"port": port} if port not in ("", str(socket), "5432") else {}
    if (url.host or "").startswith("%2F"):  # como a libpq aceita um soquete no lugar do servidor
        query["host"] = unquote(str(url.host))
        query |= {"port": str(url.port)} if url.port else {}
        url = URL.create(url.drivername, url.username, url.password, database=url.database)
    if ssl := query.pop("ssl", None):  # como o asyncpg o escreve
        query["sslmode"] = {"true": "require", "false": "disable"}.get(str(ssl).lower(), str(ssl))
    if url.port is not None and not 0 < url.port < 65_536:
        raise ConfigurationError("A porta em DATABASE_URL precisa ser um número de 1 a 65535.")
    if (mode := str(query.get("sslmode", "prefer"))) not in _SSL_MODES:
        raise ConfigurationError(f"O sslmode em DATABASE_URL não pode ser {mode[:40]!r}; use {', '.join(_SSL_MODES)}.")
    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    if strange := sorted(query.keys() - known):
        raise ConfigurationError(
            f"O PostgreSQL não conhece a opção {strange[0]} que está em DATABASE_URL. Tire-a. "
            "Um schema se escolhe com ?options=-csearch_path%3Dnome."
        )
    if not url.host and "host" not in query and not url.database:
        raise ConfigurationError(f"Falta o servidor ou o banco em DATABASE_URL. O formato é {_EXAMPLE}.")
    return url.set(drivername="postgresql+psycopg", query=query)


def create_engine(url: URL) -> AsyncEngine:
    """O motor; nenhuma conexão é aberta ainda."""
    given = url.query
    options = str(given.get("options", ""))
    engine = create_async_engine(
        url,
        # Uma execução usa quatro (a tranca, a transação, o ritmo e o token); as outras são dos pedidos, dez ao mesmo
        # tempo no Cloud Run, que seguram uma só durante cada consulta. O menor Cloud SQL aceita 25 ao todo.
        pool_size=3,
        max_overflow=5,
        pool_timeout=30,
        pool_recycle=1800,
        pool_pre_ping=True,
        hide_parameters=True,  # os valores de um comando que falha são tokens ou dados de clientes
        json_serializer=dumps,
        json_deserializer=loads,
        connect_args={
            **{name: value for name, value in _CONNECTION.items() if name not in given},
            "options": options,  # vazias, também: as de PGOPTIONS não são de quem nos configura
            "client_encoding": "UTF8",
            "async_creator_fn": Sessions(options).open,
            # Um plano preparado sobre tabelas vazias deixa lenta toda a primeira carga (medido).
            "prepare_threshold": None,
        },
    )
    event.listen(engine.sync_engine, "begin", _enter_schema)
    return engine


async def close(engine: AsyncEngine) -> None:
    """Fecha as conexões do motor, também as que alguém ainda tem: uma que se devolvesse depois ficaria aberta. Por elas
    espera-se um segundo."""
    pool = engine.sync_engine.pool
    assert isinstance(pool, QueuePool)
    out = pool.checkedout()
    await engine.dispose()
    for _ in range(_LOOKS):
        if pool.checkedin() >= out:
            break
        await asyncio.sleep(0.01)
    await greenlet_spawn(pool.dispose)


def quoted(name: str) -> str:
    """O nome entre aspas, para o SQL; e um padrão do pg_dump que só casa com ele."""
    return '"' + name.replace('"', '""') + '"'


_SCHEMA: Final = "bling_schema"
_ENTER: Final = "SELECT set_config('search_path', quote_ident(%s), false)"
_LEAVE: Final = "RESET search_path"
_UNSURE: Final = object()


def in_schema(engine: AsyncEngine, schema: str | None) -> AsyncEngine:
    """O mesmo motor, com as mesmas conexões, em que tudo se passa em `schema`; None é o do endereço."""
    return engine.execution_options(**{_SCHEMA: schema})


def one_instant(engine: AsyncEngine) -> AsyncEngine:
    """O mesmo motor, com leituras que veem todas o mesmo instante, ainda que uma execução grave no meio delas."""
    return engine.execution_options(isolation_level="REPEATABLE READ")


def address(engine: AsyncEngine) -> URL:
    """Onde este motor trabalha, como o dá uma ferramenta do PostgreSQL: o schema vai nas opções."""
    url = engine.url.set(drivername="postgresql")
    if (schema := engine.get_execution_options().get(_SCHEMA)) is None:
        return url
    escaped = re.sub(r"([\\ ])", r"\\\1", '"' + str(schema).replace('"', '""') + '"')
    return url.update_query_dict({"options": f"{url.query.get('options', '')} -csearch_path={escaped}".strip()})


def address_for(url: URL, user: str, *, port: int | None = None) -> URL:
    """O mesmo banco para outro usuário, sem a senha e as opções que são de quem coleta; com `port`, por TCP, daqui."""
    if port is not None:
        return URL.create(url.drivername, user, host="127.0.0.1", port=port, database=url.database)
    query = {name: url.query[name] for name in ("host", "port", "sslmode") if name in url.query}
    return URL.create(url.drivername, user, host=url.host, port=url.port, database=url.database, query=query)


_SECRETS: Final = ("password", "sslpassword")


def shown(url: URL, *, password: bool = False) -> str:
    """O endereço para uma pessoa copiar, como a libpq o lê (o SQLAlchemy escreve um espaço como `+`); a senha só
    aparece se se pede."""

    def plain(name: str, value: object) -> str:
        return "***" if name in _SECRETS and not password else quote(str(value), safe="")

    user = quote(url.username or "", safe="")
    secret = f":{plain('password', url.password)}" if url.password else ""
    host = f"[{url.host}]" if ":" in (url.host or "") else url.host or ""
    where = f"{user}{secret}@{host}" if user else host
    port = f":{url.port}" if url.port else ""
    query = "&".join(f"{name}={plain(name, value)}" for name, value in url.query.items())
    database = quote(url.database or "", safe="")
    return f"{url.drivername}://{where}{port}/{database}{f'?{query}' if query else ''}"


async def tools_port(engine: AsyncEngine) -> int | None:
    """A porta em que o servidor atende por TCP; None se não atende."""
    async with engine.connect() as connection:
        found = await connection.execute(text("SELECT current_setting('listen_addresses'), current_setting('port')"))
        listens, port = found.one()
    return int(port) if listens else None


def _enter_schema(connection: Connection) -> None:
    """Antes de cada transação: se a conexão serviu por último a outro schema, põe-na no deste motor.

    Aqui, e não quando ela sai do pool, porque também a que caiu e se religou passa por aqui.
    """
    wanted, info = connection.get_execution_options().get(_SCHEMA), connection.info
    if info.get(_SCHEMA) == wanted:
        return
    info[_SCHEMA] = _UNSURE  # cancelada no meio, a conexão volta ao pool sem que se saiba onde ficou
    session = connection.connection
    try:
        cursor = session.cursor()
        cursor.execute(*((_LEAVE,) if wanted is None else (_ENTER, (wanted,))))
        cursor.close()
        session.commit()
    except psycopg.Error as error:
        raise DBAPIError.instance(None, None, error, psycopg.Error, dialect=connection.dialect) from error
    info[_SCHEMA] = wanted


@asynccontextmanager
async def explained(url: URL) -> AsyncIterator[None]:
    """Traduz o que o banco recusa, e a falta dele, em DatabaseError: o que houve e o que fazer."""
    try:
        yield
    except (DBAPIError, PoolTimeoutError) as error:
        raise explanation(url, error) from error


def explanation(url: URL, error: DBAPIError | PoolTimeoutError) -> DatabaseError:
    """O erro do banco em palavras; o conselho vem do SQLSTATE, porque a frase vem na língua do servidor."""
    if isinstance(error, PoolTimeoutError):
        return DatabaseError(
            "Todas as conexões deste processo com o banco estão ocupadas há 30 s. Espere que o que corre termine, e "
            "tente de novo."
        )
    where = _place(url)
    cause = (str(error.orig).strip().splitlines() or [error.__class__.__name__])[0]
    state = sqlstate(error)
    for known, sentence in _SENTENCES.items():
        if state is not None and state.startswith(known):
            return DatabaseError(sentence.format(where=where, cause=cause))
    if isinstance(error.orig, UnknownHostError):
        return DatabaseError(
            f"O banco em {where} não atende ({cause}). O nome do servidor em DATABASE_URL não existe, ou a rede não o "
            "acha; confira-os."
        )
    if error.connection_invalidated:
        return DatabaseError("A conexão com o banco caiu no meio da operação. Tente de novo.")
    if state is None and isinstance(error, OperationalError):
        return DatabaseError(
            f"O banco em {where} não atende ({cause}). Confira se o servidor está no ar e se DATABASE_URL aponta para "
            "ele."
        )
    log.error("O banco recusou um comando", exc_info=error)
    return DatabaseError(
        f"O banco em {where} recusou um comando ({cause}; SQLSTATE {state or 'nenhum'}). Se alguém mudou as tabelas do "
        "coletor (uma coluna, uma restrição, um gatilho), desfaça a mudança; se não, é um defeito do coletor, e o log "
        "traz a pilha dele. O que não foi confirmado não foi gravado."
    )


def sqlstate(error: DBAPIError) -> str | None:
    """O SQLSTATE que o servidor disse, ou None se ele não chegou a dizer nada."""
    state = getattr(error.orig, "sqlstate", None)
    return None if state is None else str(state)


def _place(url: URL) -> str:
    where = f"{url.host or url.query.get('host', 'local')}"
    return f"{where}:{url.port}" if url.port else where


async def check_server(connection: AsyncConnection) -> int:
    """A versão principal do servidor. DatabaseError se for mais antiga que a 14."""
    return check_version(int(str(await connection.scalar(text("SHOW server_version_num")))))


async def server_time(connection: AsyncConnection) -> datetime:
    """A hora do relógio do servidor."""
    found: datetime = (await connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
    return found


async def session_settings(connection: AsyncConnection, names: Collection[str]) -> dict[str, tuple[str, str]]:
    """De cada um destes ajustes da sessão: o valor, e o que ele seria se o coletor nada dissesse."""
    rows = await connection.execute(
        text("SELECT lower(name) AS name, setting, reset_val FROM pg_settings WHERE lower(name) = ANY(:names)"),
        {"names": list(names)},
    )
    return {row.name: (row.setting, row.reset_val) for row in rows}


def check_version(number: int) -> int:
    """A versão principal de um `server_version_num`. DatabaseError se for mais antiga que a 14."""
    major = number // 10000
    if major < OLDEST_SERVER:
        raise DatabaseError(
            f"O banco é PostgreSQL {major}, e o coletor precisa do {OLDEST_SERVER} ou mais novo. "
            "Atualize o servidor ou aponte DATABASE_URL para outro."
        )
    return major
