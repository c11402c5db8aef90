"""Uma nota como o banco a tem: com as linhas, os pagamentos, o contato e o que nela mudou."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Table, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bling_collector.db.models import contatos, historico, nfe_cabecalho, nfe_itens, nfe_pagamentos
from bling_collector.errors import CollectorError


class UnknownNotaError(CollectorError):
    """O banco não tem esta nota."""

    http_status = 404
    exit_code = 2
    title = "Nota desconhecida"


async def load_nota(engine: AsyncEngine, nfe_id: int) -> dict[str, Any]:
    """O cabeçalho, mais `itens`, `linhas`, `pagamentos`, `contato` e `historico`. UnknownNotaError se não há."""
    async with engine.connect() as connection:
        found = await _rows(connection, nfe_cabecalho, "id", nfe_id)
        if not found:
            raise UnknownNotaError(f"Este banco não tem a nota {nfe_id}. `bling-collector sync nfe {nfe_id}` a busca.")
        nota = found[0]
        lines = await connection.execute(
            text("SELECT * FROM vw_nfe_linhas WHERE nfe_id = :id ORDER BY linha"), {"id": nfe_id}
        )
        contato = await _rows(connection, contatos, "id", nota["contato_id"])
        changes = await connection.execute(
            select(historico.c.quando, historico.c.run_id, historico.c.mudancas)
            .where(historico.c.tabela == nfe_cabecalho.name, historico.c.registro_id == nfe_id)
            .order_by(historico.c.id)
        )
        return nota | {
            "itens": await _rows(connection, nfe_itens, "nfe_id", nfe_id),
            "linhas": [plain(dict(row)) for row in lines.mappings()],
            "pagamentos": await _rows(connection, nfe_pagamentos, "nfe_id", nfe_id),
            "contato": contato[0] if contato else None,
            "historico": [plain(dict(row)) for row in changes.mappings()],
        }


async def _rows(connection: AsyncConnection, table: Table, column: str, value: object) -> list[dict[str, Any]]:
    kept = [c for c in table.c if c.name not in ("detalhe", "resumo_lista")]
    found = await connection.execute(select(*kept).where(table.c[column] == value).order_by(table.c.id))
    return [plain(dict(row)) for row in found.mappings()]


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A linha com as datas em texto."""
    return {k: v.isoformat() if isinstance(v, date | datetime) else v for k, v in row.items()}
