"""A conferência guardada: o que se conferiu, e quando."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from bling_collector.clock import DOUBT
from bling_collector.db import proof
from bling_collector.db.core import AsyncConnection, AsyncEngine
from bling_collector.db.models import conferencias
from bling_collector.streams.nfe import NFE
from bling_collector.windows import Window, whole_months


async def load_reconciliation(engine: AsyncEngine, now: datetime | None = None) -> dict[str, Any]:
    """O que as últimas conferências dizem, sem perguntar nada ao Bling: os totais dos dois lados, se são iguais, desde
    quando (a mais antiga das conferências, `completo_em`) e mês a mês.

    Enquanto há meses por conferir entre o começo da coleta e a última conferência (`por_conferir`), nada se afirma do
    todo: `completo_em` é None, e `igual`, False. Uma conferência do futuro, visto de `now` (o
    presente, se omitido), não conta.
    """
    async with engine.connect() as connection:
        return await read_reconciliation(connection, now or datetime.now(UTC))


async def read_reconciliation(connection: AsyncConnection, now: datetime) -> dict[str, Any]:
    """O mesmo, numa conexão que já se tem."""
    c = conferencias.c
    until = now + DOUBT
    past = select(conferencias).where(c.recurso == NFE.name, c.conferida_em <= until).order_by(c.mes)
    rows = (await connection.execute(past)).all()
    scope = await proof.scope_start(connection)
    missing = []
    if rows and scope is not None:
        checked = {row.mes: row.data_inicio for row in rows}
        for month in whole_months(Window(scope, rows[-1].data_fim), scope, rows[-1].data_fim):
            first = month.inicio.replace(day=1)
            if first not in checked or checked[first] > month.inicio:
                missing.append(f"{first:%Y-%m}")
    months = [
        {
            "mes": f"{row.mes:%Y-%m}",
            "data_inicio": row.data_inicio.isoformat(),
            "data_fim": row.data_fim.isoformat(),
            "conferida_em": row.conferida_em.isoformat(),
            "run_id": row.run_id,
            "no_bling": {"total": sum(row.no_bling.values()), "situacoes": row.no_bling},
            "no_banco": {"total": sum(row.no_banco.values()), "situacoes": row.no_banco},
            "faltam": row.faltam,
            "sobram": row.sobram,
            "diferem": row.diferem,
            "reparadas": row.reparadas,
            "igual": row.no_bling == row.no_banco and not (row.faltam or row.sobram or row.diferem),
        }
        for row in rows
    ]
    return {
        "completo_em": None if missing else min((month["conferida_em"] for month in months), default=None),
        "igual": bool(months) and not missing and all(month["igual"] for month in months),
        "por_conferir": missing,
        "no_bling": sum(month["no_bling"]["total"] for month in months),
        "no_banco": sum(month["no_banco"]["total"] for month in months),
        "meses": months,
    }
