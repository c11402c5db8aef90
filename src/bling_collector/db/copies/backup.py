"""Cópias do banco (o schema presente, e só ele) num arquivo do pg_dump.

Os tokens do Bling não vão na cópia, a não ser a pedido: são segredos, o refresh token vale uma vez só, e dois bancos
com o mesmo par o perderiam. O que abre o serviço não vai nunca: é de onde se está, e não dos dados.
"""

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from sqlalchemy import text

from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.connection.database import check_server, quoted
from bling_collector.db.copies import client_tools
from bling_collector.db.copies.client_tools import find_tools
from bling_collector.db.models import acesso, metadata, oauth_states, oauth_tokens
from bling_collector.db.schema import current_revision
from bling_collector.errors import DatabaseError, UsageError, os_cause

_DEAD_AFTER = 3600.0
"""Segundos sem que o pg_dump escreva no arquivo: já não há quem o escreva."""
_SECRETS = (oauth_tokens.name, oauth_states.name)


async def backup(engine: AsyncEngine, target: Path, *, with_tokens: bool = False) -> int:
    """Copia o banco para `target`, que ninguém mais lê, e devolve o tamanho em bytes; inteira, ou nenhuma.

    UsageError se `target` já existe ou se o banco não tem as tabelas; DatabaseError se a cópia não pôde ser feita.
    """
    _check_free(target)
    revision = await current_revision(engine)
    if revision is None or not revision.isdecimal():  # as que têm os mesmos nomes são de outro programa
        raise UsageError("Este banco ainda não tem as tabelas do coletor: não há o que copiar.")
    async with engine.connect() as connection:
        server, schema = await check_server(connection), await current_schema(connection)
        secrets = (acesso.name,) if with_tokens else (acesso.name, *_SECRETS)
        hidden = [table for table in secrets if await _exists(connection, table)]
    tools = await find_tools(server)
    partial = _private_file(target)
    try:
        answer = await client_tools.run(
            tools.program("pg_dump"),
            "--format=custom",
            f"--schema={quoted(schema)}",
            *(f"--exclude-table-data={quoted(schema)}.{table}" for table in hidden),
            f"--file={partial}",
            url=engine.url,
        )
        if answer.code:
            raise DatabaseError(f"A cópia não foi feita: {client_tools.cause(answer)}")
        return _finish(partial, target)
    finally:
        _discard(partial)


async def our_tables(connection: AsyncConnection) -> list[str]:
    """As tabelas do coletor que o schema presente tem."""
    names = [*metadata.tables, "alembic_version"]
    found = await connection.execute(
        text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename = ANY(:names)"),
        {"names": names},
    )
    return sorted(found.scalars())


async def _exists(connection: AsyncConnection, table: str) -> bool:
    return await connection.scalar(text("SELECT to_regclass(:name)"), {"name": table}) is not None


async def current_schema(connection: AsyncConnection) -> str:
    """O schema da conta nesta conexão."""
    name = await connection.scalar(text("SELECT current_schema()"))
    if name is None:
        raise DatabaseError("O schema de DATABASE_URL não existe neste banco. Crie-o com CREATE SCHEMA.")
    return str(name)


def _check_free(target: Path) -> None:
    if os.path.lexists(target):
        raise _taken(target)


def _taken(target: Path) -> UsageError:
    return UsageError(f"{target} já existe, e não o apago. Escolha outro nome.")


def _finish(partial: Path, target: Path) -> int:
    """Dá à cópia o seu nome, sem tomar o lugar de um arquivo que tenha surgido nele."""
    size = partial.stat().st_size
    try:
        try:
            os.link(partial, target)
        except FileExistsError:
            raise
        except OSError:  # um sistema de arquivos sem ligações (FAT, alguns de rede): o nome é tomado antes, vazio
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            partial.replace(target)
    except FileExistsError:
        raise _taken(target) from None
    except OSError as error:
        raise _unwritable(target, error) from error
    return size


def _discard(partial: Path) -> None:
    partial.unlink(missing_ok=True)


def _private_file(target: Path) -> Path:
    """O arquivo em que a cópia é escrita até estar inteira: novo, sempre, para que só o dono o leia."""
    _discard_the_dead(target)
    try:
        descriptor, name = tempfile.mkstemp(prefix=".copia-", suffix=".parcial", dir=target.parent)
    except OSError as error:
        raise _unwritable(target, error) from error
    os.close(descriptor)
    return Path(name)


def _discard_the_dead(target: Path) -> None:
    """O que ficou de uma cópia que morreu no meio: tem os dados dos clientes, e ninguém mais o termina."""
    for left in target.parent.glob(".copia-*.parcial"):
        with suppress(OSError):  # outro já o apagou, ou não é nosso
            if time.time() - left.stat().st_mtime > _DEAD_AFTER:
                left.unlink()


def _unwritable(target: Path, error: OSError) -> UsageError:
    return UsageError(f"Não consigo escrever em {target}: {os_cause(error)}.")
