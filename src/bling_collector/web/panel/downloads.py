"""O que se baixa do painel, mandado aos pedaços: nenhum arquivo, por maior que seja, para as outras páginas."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from tempfile import TemporaryFile
from typing import IO, Final

from starlette.responses import Response, StreamingResponse

from bling_collector.web.panel.tables.table import Table, csv_lines, write_xlsx

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CHUNK: Final = 64 * 1024


def attachment(name: str, extension: str) -> dict[str, str]:
    """O cabeçalho que faz do que se manda um arquivo com este nome."""
    return {"Content-Disposition": f'attachment; filename="{name}.{extension}"'}


async def read_file(file: IO[bytes]) -> AsyncIterator[bytes]:
    """O arquivo, que se fecha no fim."""
    with file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk


async def unblocked(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Cada pedaço é montado fora do laço: uma tabela comprida não para as outras páginas."""
    while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
        yield chunk


def csv_file(table: Table, name: str) -> Response:
    """A tabela em CSV; `name` é o nome do arquivo, sem a extensão."""
    chunks = unblocked(csv_lines(table))
    return StreamingResponse(chunks, media_type="text/csv; charset=utf-8", headers=attachment(name, "csv"))


async def xlsx_file(tables: Sequence[Table], about: Sequence[str], name: str) -> Response:
    """As tabelas numa pasta de trabalho, uma folha cada uma; `about` são as frases da primeira folha."""
    file = await asyncio.to_thread(_workbook, tables, about)
    return StreamingResponse(read_file(file), media_type=XLSX, headers=attachment(name, "xlsx"))


def _workbook(tables: Sequence[Table], about: Sequence[str]) -> IO[bytes]:
    file = TemporaryFile()  # noqa: SIM115 — quem a manda a fecha, no fim
    write_xlsx(file, tables, about)
    file.seek(0)
    return file
