"""Um PostgreSQL só destes testes, que se pode parar, derrubar e matar."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from tests.support.postgres import create_database, drop_database, libpq_url, scratch_folder

from bling_collector.db.embedded.binaries import find_binaries
from bling_collector.db.embedded.files import read_pid_file
from bling_collector.db.embedded.postgres import EmbeddedServer
from bling_collector.db.embedded.server import USER, Server

STOPS = {"rápida": signal.SIGINT, "imediata": signal.SIGQUIT, "kill -9": signal.SIGKILL}
"""As maneiras de o servidor acabar."""


class Postgres:
    """O servidor: `stop` o derruba de um dos modos de `STOPS`, `start` o levanta de novo."""

    def __init__(self, server: Server) -> None:
        self._server = server

    @property
    def socket(self) -> str:
        found = read_pid_file(self._server.data)
        assert found is not None, "o servidor não está no ar"
        return f"{found.socket_folder}/.s.PGSQL.{found.port}"

    def url(self, database: str) -> str:
        """O endereço direto, sem intermediário."""
        folder = self.socket.rpartition("/")[0]
        return f"postgresql+psycopg://{USER}@/{database}?host={folder}&port=5432"

    async def stop(self, how: signal.Signals) -> None:
        found = read_pid_file(self._server.data)
        assert found is not None
        os.kill(found.pid, how)
        while self._server.alive():  # noqa: ASYNC110 — quem acaba é outro processo
            await asyncio.sleep(0.005)

    def start(self) -> None:
        if not self._server.alive():
            self._server.start()

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Uma conexão com o soquete, para o intermediário. OSError se o servidor não está no ar."""
        found = read_pid_file(self._server.data)
        if found is None:
            raise ConnectionRefusedError
        return await asyncio.open_unix_connection(f"{found.socket_folder}/.s.PGSQL.{found.port}")

    async def terminate_backends(self, database: str) -> int:
        """Derruba as sessões do banco, como faz um administrador; devolve quantas."""
        query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s"
        async with await psycopg.AsyncConnection.connect(libpq_url(self.url("postgres"))) as connection:
            row = await (await connection.execute(query, [database])).fetchone()
        return int(row[0]) if row else 0

    async def create(self, template: str | None = None) -> str:
        """O nome de um banco novo, cópia de `template`."""
        source = self.url(template) if template else None
        return (await create_database(self._as_embedded(), source)).partition("?")[0].rpartition("/")[2]

    async def drop(self, database: str) -> None:
        await drop_database(self._as_embedded(), self.url(database))

    def _as_embedded(self) -> EmbeddedServer:
        return EmbeddedServer(self.url("postgres"), self._server.data, self._server.bin_dir, owned=True)


@asynccontextmanager
async def mortal_postgres() -> AsyncIterator[Postgres]:
    """Um servidor numa pasta temporária, com as garantias de gravação ligadas."""
    home = scratch_folder()
    base = home / "pg"
    base.mkdir(mode=0o755)
    server = Server(find_binaries(), base)
    try:
        server.create()
        server.start()
        yield Postgres(server)
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)
