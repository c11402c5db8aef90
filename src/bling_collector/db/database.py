"""A conexão com o PostgreSQL: o endereço, como quer que tenha sido escrito, e o motor."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import unquote

from psycopg.pq import Conninfo
from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from bling_collector.db.core import AsyncConnection, AsyncEngine, create_async_engine
from bling_collector.errors import ConfigurationError, DatabaseError
from bling_collector.payload import dumps, loads

OLDEST_SERVER = 14
_EXAMPLE = "postgresql://usuario:senha@servidor:5432/banco"
_LIMITS = {
    "statement_timeout": "120s",  # o mais demorado dos nossos, com cem mil notas, leva poucos segundos
    "lock_timeout": "60s",  # mais que uma renovação de token, por que outro processo pode estar esperando
    "idle_in_transaction_session_timeout": "60s",  # um processo suspenso não segura as linhas dos outros
}
"""Os limites de cada conexão; `?options=-c%20statement_timeout=…` em DATABASE_URL vale mais."""
_CONNECTION: dict[str, str | int] = {
    "connect_timeout": 10,
    "application_name": "bling-collector",
    # Uma conexão que emudeceu (um servidor que sumiu, um NAT que a esqueceu) cai em um minuto, e não em duas horas.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
_OF_OTHER_DRIVERS = ("async_fallback", "prepared_statement_cache_size", "statement_cache_size")
"""Opções que só dizem respeito ao driver que escreveu o endereço (asyncpg)."""


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
        query["sslmode"] = {"true": "require", "True": "require"}.get(str(ssl), str(ssl))
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
    options = " ".join([*(f"-c {name}={value}" for name, value in _LIMITS.items()), str(given.get("options", ""))])
    return create_async_engine(
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
            "options": options.strip(),
            # Um plano preparado sobre tabelas vazias deixa lenta toda a primeira carga (medido).
            "prepare_threshold": None,
        },
    )


@asynccontextmanager
async def explained(url: URL) -> AsyncIterator[None]:
    """Traduz a falta do banco em DatabaseError: o que houve e o que fazer."""
    try:
        yield
    except OperationalError as error:
        raise _explain(url, error) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise DatabaseError("A conexão com o banco caiu no meio da operação. Tente de novo.") from error
        raise


async def check_server(connection: AsyncConnection) -> int:
    """A versão principal do servidor. DatabaseError se for mais antiga que a 14."""
    return check_version(int(str(await connection.scalar(text("SHOW server_version_num")))))


def check_version(number: int) -> int:
    """A versão principal de um `server_version_num`. DatabaseError se for mais antiga que a 14."""
    major = number // 10000
    if major < OLDEST_SERVER:
        raise DatabaseError(
            f"O banco é PostgreSQL {major}, e o coletor precisa do {OLDEST_SERVER} ou mais novo. "
            "Atualize o servidor ou aponte DATABASE_URL para outro."
        )
    return major


def _explain(url: URL, error: OperationalError) -> DatabaseError:
    cause = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else error.__class__.__name__
    where = f"{url.host or url.query.get('host', 'local')}"
    if url.port:
        where += f":{url.port}"
    lowered = str(error.orig).lower()
    if "password authentication failed" in lowered or "no password supplied" in lowered:
        advice = "Confira usuário e senha em DATABASE_URL."
    elif "does not exist" in lowered:
        advice = "Crie o banco (ou o usuário) antes, ou corrija DATABASE_URL."
    elif "resolve" in lowered or "name or service" in lowered:
        advice = "O nome do servidor em DATABASE_URL não existe; confira-o."
    elif "statement timeout" in lowered or "lock timeout" in lowered:
        return DatabaseError(
            f"O banco em {where} demorou demais e o comando foi cancelado ({cause}). Veja se outro programa segura as "
            "tabelas, ou se o servidor está sobrecarregado, e tente de novo; nada ficou pela metade."
        )
    else:
        advice = "Confira se o servidor está no ar e se DATABASE_URL aponta para ele."
    return DatabaseError(f"O banco em {where} não atende ({cause}). {advice}")
