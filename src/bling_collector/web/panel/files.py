"""O que se baixa do painel, mandado aos pedaços: nenhum arquivo, por maior que seja, para as outras páginas."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import IO, Final

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
