"""Um PostgreSQL descartável para os testes, e um banco novo para cada um, copiado de um modelo.

    @pytest.fixture(scope="session")
    def postgres() -> Iterator[EmbeddedServer]:
        with throwaway_server() as server:
            yield server

Cada processo do pytest-xdist começa o seu. Com BLING_POSTGRES_BIN, a mesma suíte roda noutra versão.
"""

import asyncio
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from bling_collector.db.embedded.postgres import EmbeddedServer, embedded_postgres

_COPIES_BY_THE_WAL = 150_000
"""A versão do PostgreSQL em que um banco novo passou a copiar-se pelo WAL, se não se disser outra coisa."""


@contextmanager
def throwaway_server() -> Iterator[EmbeddedServer]:
    """Um servidor numa pasta temporária, sem fsync, apagado ao sair; serve a qualquer laço de eventos."""
    home = scratch_folder()
    try:
        with asyncio.Runner() as runner:
            server_context = embedded_postgres(home)
            server = runner.run(server_context.__aenter__())
            try:
                runner.run(execute(server.url, "alter system set fsync = off", "select pg_reload_conf()"))
                yield server
            finally:
                runner.run(server_context.__aexit__(None, None, None))
    finally:
        shutil.rmtree(home, ignore_errors=True)


def scratch_folder() -> Path:
    """Uma pasta nova, na memória se há espaço para os servidores: o disco é o que mais demora nestes testes."""
    memory = Path("/dev/shm")  # noqa: S108  mkdtemp cria nela uma pasta privada, de nome imprevisível
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2**31
    folder = Path(tempfile.mkdtemp(prefix="bling-", dir=memory if roomy else None))
    folder.chmod(0o755)  # o root roda o servidor com outra conta, que precisa atravessá-la
    return folder


async def create_database(server: EmbeddedServer, template: str | None = None) -> str:
    """A URL do SQLAlchemy de um banco novo, vazio ou igual ao da URL `template`, que não pode ter conexões."""
    name = f"t_{uuid.uuid4().hex}"
    source = str(make_url(template).database) if template else "template1"
    create = sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(source))
    async with await psycopg.AsyncConnection.connect(libpq_url(server.url), autocommit=True) as connection:
        if connection.info.server_version >= _COPIES_BY_THE_WAL:
            # Copiar os arquivos, que antes era o único modo, leva metade do tempo.
            create += sql.SQL(" strategy file_copy")
        await connection.execute(create)
    return make_url(server.url).set(database=name).render_as_string(hide_password=False)


async def drop_database(server: EmbeddedServer, url: str) -> None:
    """Apaga o banco, mesmo com conexões abertas."""
    name = sql.Identifier(str(make_url(url).database))
    await execute(server.url, sql.SQL("drop database if exists {} with (force)").format(name))


def libpq_url(url: str) -> str:
    """A URL do SQLAlchemy como a psycopg e o psql a entendem."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


async def execute(url: str, *statements: sql.Composed | str) -> None:
    """Executa comandos fora de transação."""
    async with await psycopg.AsyncConnection.connect(libpq_url(url), autocommit=True) as connection:
        for statement in statements:
            await connection.execute(statement if isinstance(statement, sql.Composed) else statement.encode())
