"""As tabelas de uma página como arquivos, CSV e XLSX, que saem aos poucos."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from tempfile import TemporaryFile
from typing import IO, Final

from fastapi import Response
from starlette.responses import StreamingResponse

from bling_collector.web.panel.tables import Table, csv_lines, write_xlsx

_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CHUNK: Final = 64 * 1024


def csv_answer(table: Table, name: str) -> Response:
    """A tabela, num arquivo deste nome, sem a extensão."""
    chunks = _unblocked(csv_lines(table))
    return StreamingResponse(chunks, media_type="text/csv; charset=utf-8", headers=_attachment(f"{name}.csv"))


async def xlsx_answer(tables: Sequence[Table], about: Sequence[str], name: str) -> Response:
    """As tabelas, uma por folha; `about` são as frases da primeira."""
    file = await asyncio.to_thread(_workbook, tables, about)
    return StreamingResponse(_read(file), media_type=_XLSX, headers=_attachment(f"{name}.xlsx"))


def _attachment(file: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{file}"'}


def _workbook(tables: Sequence[Table], about: Sequence[str]) -> IO[bytes]:
    file = TemporaryFile()  # noqa: SIM115 — quem a manda a fecha, no fim
    write_xlsx(file, tables, about)
    file.seek(0)
    return file


async def _read(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk


async def _unblocked(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Cada pedaço é montado fora do laço: uma tabela comprida não para as outras páginas."""
    while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
        yield chunk
