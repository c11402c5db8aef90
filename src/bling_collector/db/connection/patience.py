"""Um banco que reinicia volta em segundos: o que não chegou a ser confirmado é feito de novo quando ele atende."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError

from bling_collector.db.connection.database import sqlstate

log = logging.getLogger(__name__)

PATIENCE: Final = 60.0
"""Segundos que se espera por um banco que caiu, antes de desistir da execução."""
_FIRST_WAIT: Final = 0.1
_LONGEST_WAIT: Final = 2.0
_COMES_BACK: Final = {"57P01", "57P02", "57P03", "53300", "25P03"}
"""Os SQLSTATE de um servidor que está parando, caiu, ainda não atende, não tem conexão livre ou encerrou a parada."""

T = TypeVar("T")


async def patiently(work: Callable[[], Awaitable[T]], *, patience: float | None = None) -> T:
    """O resultado de `work`, repetido enquanto o banco está fora do ar, até `patience` segundos (PATIENCE, se omitido).

    `work` precisa abrir a sua própria conexão e poder ser feito outra vez: se a conexão caiu durante o COMMIT, ele
    pode já ter valido. Esgotada a paciência, levanta o último erro.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + (PATIENCE if patience is None else patience)
    wait = _FIRST_WAIT
    while True:
        try:
            return await work()
        except DBAPIError as error:
            if not is_gone(error) or loop.time() + wait > until:
                raise
            if wait == _FIRST_WAIT:
                log.warning("O banco não atende; esperando que volte.")
        await asyncio.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT)


def is_gone(error: DBAPIError) -> bool:
    """Se o que há é com a conexão ou com o servidor, e costuma passar; não com o comando, a senha ou o banco."""
    if error.connection_invalidated:
        return True
    state = sqlstate(error)
    if state is None:  # nem chegou a conectar, ou a conexão caiu sem uma palavra do servidor
        return isinstance(error, OperationalError)
    return state.startswith("08") or state in _COMES_BACK
