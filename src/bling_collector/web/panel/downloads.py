"""As tabelas do painel, como arquivos que se baixam."""

import asyncio
from collections.abc import Sequence
from tempfile import TemporaryFile
from typing import IO

from starlette.responses import Response, StreamingResponse

from bling_collector.web.panel.files import XLSX, attachment, read_file, unblocked
from bling_collector.web.panel.tables import Table, csv_lines, write_xlsx


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
