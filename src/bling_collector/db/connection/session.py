"""A sessão com o PostgreSQL: o que dela muda o sentido dos dados somos nós que o dizemos, e o que não serve é recusado.

O que o servidor, o banco ou o usuário tenham por costume (ALTER SYSTEM, ALTER DATABASE, ALTER ROLE) não chega aqui.
"""

import asyncio
import os
import re
import select
import sys
from typing import Any, Final

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo

from bling_collector.errors import DatabaseError

PINNED: Final = {
    "client_encoding": "UTF8",
    "standard_conforming_strings": "on",
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "array_nulls": "on",
    "transform_null_equals": "off",
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    "synchronous_commit": "on",  # desligado, perderia numa queda um par de tokens já trocado no Bling
    "row_security": "off",  # uma política que escondesse linhas vira um erro, em vez de um dado que falta em silêncio
}
"""O que vale em toda sessão do coletor."""
STRICTER: Final = frozenset({"synchronous_commit"})
"""Os que só se trocam se estão desligados: um servidor pode pedir mais."""
_LIMITS: Final = {
    "statement_timeout": "120s",  # o mais demorado dos nossos, com cem mil notas, leva poucos segundos
    "lock_timeout": "60s",  # mais que uma renovação de token, por que outro processo pode estar esperando
    "idle_in_transaction_session_timeout": "60s",  # um processo suspenso não segura as linhas dos outros
    "transaction_timeout": "0",
    "idle_session_timeout": "0",  # a sessão que tem a tranca de uma execução fica parada enquanto o Bling não responde
    # O servidor nota em um minuto, e não em duas horas, que a máquina de quem tem a tranca sumiu.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
"""Os limites de cada sessão; `?options=-c%20statement_timeout=…` em DATABASE_URL vale mais."""
_START: Final = """
    SELECT pg_backend_pid(), current_setting('server_encoding'), current_database(),
           count(set_config(name, CASE WHEN name = ANY(%(stricter)s) AND current_setting(name) <> 'off'
                                       THEN current_setting(name) ELSE value END, false))
    FROM unnest(%(names)s::text[], %(values)s::text[]) AS ours(name, value)
    WHERE current_setting(name, true) IS NOT NULL AND pg_backend_pid() = %(pid)s"""
"""Um nome que a versão não tem não conta; e uma sessão que pode ser também de outros não é mexida."""
POOLED: Final = (
    "Entre o coletor e o banco há um intermediário (PgBouncer ou parecido) que troca de sessão a cada transação, e com "
    "ele nem as trancas nem os ajustes da sessão valem. Ponha-o em modo de sessão (pool_mode = session), ou aponte "
    "DATABASE_URL direto para o PostgreSQL."
)
_WAIT: Final = 10.0
"""Segundos que se espera por uma segunda sessão, ou pela palavra de um servidor que recusou a primeira."""
_LOOKS: Final = 3
_SQLSTATE: Final = re.compile(rb'\tErrorResponse\t.*? V "[A-Z]+" C "(\w{5})"')


class UnknownHostError(psycopg.OperationalError):
    """O nome do servidor não tem endereço."""


class Sessions:
    """Abre as sessões de um motor, cada uma já como o coletor precisa."""

    def __init__(self, options: str) -> None:
        """`options` são as de DATABASE_URL: o limite que elas dizem fica."""
        said = {name.lower().replace("-", "_") for name in re.findall(r"(?:-c\s*|--)([\w.-]+)\s*=", options)}
        self._ours = PINNED | {name: value for name, value in _LIMITS.items() if name not in said}
        self._kept = False

    async def open(self, **parameters: Any) -> psycopg.AsyncConnection[Any]:
        """Uma conexão da psycopg. DatabaseError se o que está do outro lado não serve ao coletor.

        O erro de quem não conectou ganha o SQLSTATE que o servidor disse, se disse um.
        """
        try:
            connection = await psycopg.AsyncConnection.connect(**parameters)
        except psycopg.OperationalError as error:
            if await _nameless(parameters):
                raise UnknownHostError(str(error)) from error
            error.sqlstate = await refusal(parameters) if error.sqlstate is None else error.sqlstate
            raise
        try:
            await self._start(connection, parameters)
        except BaseException:  # também o cancelamento: a conexão ainda não é de ninguém que a feche
            await connection.close()
            raise
        return connection

    async def _start(self, connection: psycopg.AsyncConnection[Any], parameters: dict[str, Any]) -> None:
        given = connection.info.backend_pid
        pid, encoding, database = await self._pin(connection, given)
        if encoding != "UTF8":
            raise DatabaseError(
                f"O banco {database} guarda textos em {encoding}, em que nem toda letra cabe. Crie outro com CREATE "
                "DATABASE … ENCODING 'UTF8' TEMPLATE template0, passe para ele o que houver neste (pg_dump e "
                "pg_restore) e aponte DATABASE_URL para ele."
            )
        if pid != given:  # quem conecta direto recebe o número da sessão que o atende; um intermediário inventa o seu
            if not self._kept:
                await _check_kept(connection, parameters)
                self._kept = True
            await self._pin(connection, pid)

    async def _pin(self, connection: psycopg.AsyncConnection[Any], pid: int) -> tuple[Any, ...]:
        """Ajusta a sessão, se é a de número `pid`, e devolve o que se vê dela."""
        values = {"names": list(self._ours), "values": list(self._ours.values()), "pid": pid}
        values["stricter"] = list(STRICTER)
        await connection.set_autocommit(True)
        row = await (await connection.execute(_START, values)).fetchone()
        await connection.set_autocommit(False)
        assert row is not None
        return tuple(row[:3])


async def _check_kept(connection: psycopg.AsyncConnection[Any], parameters: dict[str, Any]) -> None:
    """DatabaseError se a sessão desta conexão também atende outra, ou se não é sempre a mesma."""
    try:
        async with asyncio.timeout(_WAIT), await psycopg.AsyncConnection.connect(**parameters) as other:
            for _ in range(_LOOKS):
                before = await _backend(connection)
                await connection.commit()
                shared = await _backend(other) == before  # numa transação que fica aberta
                if shared or await _backend(connection) != before:
                    raise DatabaseError(POOLED)
                await connection.commit()
                await other.rollback()
    except TimeoutError:
        raise DatabaseError(
            f"O intermediário entre o coletor e o banco não deu uma segunda sessão em {_WAIT:.0f} s. O coletor usa até "
            "8 ao mesmo tempo: aumente o limite dele (pool_size), ou aponte DATABASE_URL direto para o PostgreSQL."
        ) from None
    except psycopg.Error as error:  # em modo de comando nem uma transação ele aceita
        raise DatabaseError(POOLED) from error


async def _backend(connection: psycopg.AsyncConnection[Any]) -> int:
    row = await (await connection.execute("SELECT pg_backend_pid()")).fetchone()
    assert row is not None
    return int(row[0])


async def _nameless(parameters: dict[str, Any]) -> bool:
    """Se o nome do servidor não tem endereço."""
    host = str(parameters.get("host") or "")
    if not host or "," in host or host.startswith(("/", "@")) or parameters.get("hostaddr"):
        return False
    try:
        await asyncio.get_running_loop().getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return True
    return False


async def refusal(parameters: dict[str, Any]) -> str | None:
    """O SQLSTATE com que o servidor recusa a conexão; None se ele não diz nada.

    A libpq só mostra a frase do servidor, que vem na língua dele. Pergunta-se outra vez, ouvindo a resposta inteira
    onde isso é possível (Linux), e senão olhando até onde a conversa chegou.
    """
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    conninfo = make_conninfo("", **{name: value for name, value in parameters.items() if name in known})
    try:
        return await asyncio.to_thread(_ask_again, conninfo.encode())
    except (OSError, psycopg.Error):
        return None


def _ask_again(conninfo: bytes) -> str | None:
    connection = pq.PGconn.connect_start(conninfo)
    heard = os.memfd_create("postgresql") if sys.platform == "linux" else None
    try:
        if heard is not None:
            connection.trace(heard)
        reached = _poll(connection)
        if heard is not None:
            connection.untrace()
            if said := _SQLSTATE.findall(os.pread(heard, 1 << 20, 0)):
                return str(said[-1].decode())
        asked = connection.needs_password or connection.used_password
        return "28P01" if asked and reached == pq.ConnStatus.AWAITING_RESPONSE else None
    finally:
        connection.finish()
        if heard is not None:
            os.close(heard)


def _poll(connection: pq.abc.PGconn) -> int:
    """Leva a conexão até o fim ou até que falhe, e devolve o último estado por que passou."""
    reached = connection.status
    while connection.status != pq.ConnStatus.BAD:
        reached = connection.status
        wanted = connection.connect_poll()
        reading = [connection.socket] if wanted == pq.PollingStatus.READING else []
        writing = [connection.socket] if wanted == pq.PollingStatus.WRITING else []
        if not (reading or writing) or not any(select.select(reading, writing, [], _WAIT)):
            break
    return reached
