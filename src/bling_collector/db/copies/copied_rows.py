"""As linhas de uma tabela, como o pg_restore as tira de uma cópia: chegam aos poucos e vão ao banco como dados.

O texto do pg_restore é um programa do psql, e quem fez o arquivo escolheu o que vem nele. Aqui ninguém o executa: dele
se leem o nome das colunas e as linhas, e o comando que as grava é nosso.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import text

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.connection.database import quoted
from bling_collector.db.copies.client_tools import Answer, Tools, cause
from bling_collector.errors import UsageError

log = logging.getLogger(__name__)

_PIECE: Final = 256 * 1024
_END: Final = b"\\."
_HEADER: Final = re.compile(rb"COPY [^\n]+ \(([^()\n]*)\) FROM stdin;")
_ENCODING: Final = re.compile(rb"SET client_encoding = '([^'\n]*)';")


async def load_table(connection: AsyncConnection, tools: Tools, source: Path, schema: str, table: str) -> None:
    """Põe na tabela as linhas que a cópia tem dela, e só elas.

    As colunas que a tabela não tem ficam de fora, e o log o diz.

    UsageError se o arquivo não se deixa ler até o fim. O erro da psycopg se o banco não aceita uma linha.
    """
    known = await _columns(connection, table)
    database = (await connection.get_raw_connection()).driver_connection
    assert database is not None
    async with _opened(tools, source, schema, table) as copied:
        given = await copied.columns()
        if not known:
            log.warning("As linhas de %s ficam de fora: a revisão da cópia não tem essa tabela.", table)
            return
        places = [place for place, column in enumerate(given) if column in known]
        if extra := [column for column in given if column not in known]:
            log.warning("De %s ficam de fora colunas que não são do coletor: %s.", table, ", ".join(extra))
        columns = ", ".join(quoted(given[place]) for place in places)
        await database.execute(f"DELETE FROM {quoted(table)}")  # as linhas com que a migração a começa
        async with database.cursor() as cursor, cursor.copy(f"COPY {quoted(table)} ({columns}) FROM STDIN") as copy:
            async for lines in copied.rows():
                await copy.write(_joined(lines if not extra else _only(lines, places)))


def _only(lines: list[bytes], places: list[int]) -> list[bytes]:
    """As mesmas linhas, só com as colunas que se querem; no formato do COPY um tab só aparece entre duas."""
    rows = (line.split(b"\t") for line in lines)
    return [b"\t".join(row[place] for place in places) for row in rows]


def _joined(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


async def _columns(connection: AsyncConnection, table: str) -> set[str]:
    found = await connection.execute(
        text(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() "
            "AND table_name = :table AND is_generated = 'NEVER'"
        ),
        {"table": table},
    )
    return set(found.scalars())


class _Copied:
    """O que o pg_restore escreve de uma tabela, lido enquanto ele o escreve."""

    def __init__(self, process: asyncio.subprocess.Process, source: Path) -> None:
        assert process.stdout is not None
        self._output = process.stdout
        self._source = source
        self._lines: list[bytes] = []
        self._rest = b""

    async def columns(self) -> list[str]:
        """As colunas das linhas que vêm a seguir."""
        while await self._more():
            while self._lines:
                line = self._lines.pop(0)
                encoding = _ENCODING.fullmatch(line)
                if encoding and encoding[1] != b"UTF8":
                    raise UsageError(f"{self._source} está em {encoding[1].decode()}, e não em UTF8. Nada foi mudado.")
                if header := _HEADER.fullmatch(line):
                    return [name.strip('"') for name in header[1].decode().split(", ")]
        raise UsageError(f"{self._source} não foi feita por `bling-collector db backup`. Nada foi mudado.")

    async def rows(self) -> AsyncIterator[list[bytes]]:
        """As linhas, sem o fim de cada uma, aos punhados."""
        while self._lines or await self._more():
            lines, self._lines = self._lines, []
            if _END in lines:
                yield lines[: lines.index(_END)]
                return
            yield lines
        raise UsageError(f"{self._source} acaba no meio de uma tabela. Nada foi mudado.")

    async def drain(self) -> None:
        """Lê o que falta, sem o usar."""
        while await self._output.read(_PIECE):
            pass

    async def _more(self) -> bool:
        piece = await self._output.read(_PIECE)
        *self._lines, self._rest = (self._rest + piece).split(b"\n")
        return bool(piece)


@asynccontextmanager
async def _opened(tools: Tools, source: Path, schema: str, table: str) -> AsyncIterator[_Copied]:
    options = ("--data-only", f"--schema={schema}", f"--table={table}", "--file=-")
    process = await asyncio.create_subprocess_exec(
        tools.program("pg_restore"),
        *options,
        str(source),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    said = asyncio.create_task(process.stderr.read())
    try:
        copied = _Copied(process, source)
        try:
            yield copied
            await copied.drain()
        except UsageError:  # o que ele diz do arquivo explica melhor
            await copied.drain()
            await _check(process, await said, source)
            raise
        await _check(process, await said, source)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await said


async def _check(process: asyncio.subprocess.Process, said: bytes, source: Path) -> None:
    if code := await process.wait():
        answer = Answer(code, b"", said.decode(errors="replace").strip())
        raise UsageError(f"{source} não se deixa ler ({cause(answer)}). Nada foi mudado.")
