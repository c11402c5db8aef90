"""A conferência guardada: o que se conferiu, quando, e que parte da história é a vez de reler."""

import math
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bling_collector.clock import today
from bling_collector.db import proof
from bling_collector.db.models import conferencias
from bling_collector.etl.check import due_windows
from bling_collector.etl.context import RunContext
from bling_collector.etl.windows import Window, plan

FRESH = timedelta(days=7)
"""Toda a história é conferida a cada semana."""
_TURNS = 6
"""Em quantas execuções diárias: seis, para que sobre um dia."""


async def due_portion(ctx: RunContext) -> list[Window]:
    """As janelas da história que esta execução deve reler: uma parte do que não foi conferido na última semana."""
    if ctx.scope is None:
        return []
    now, day = ctx.clock.now(), today(ctx.clock)
    async with ctx.engine.connect() as connection:
        checked = await proof.checked_months(connection)
    fresh = [month for month, (_, when) in checked.items() if now - when < FRESH]
    due = plan(due_windows(ctx.scope, day, checked, fresh))
    portion = math.ceil(len(plan([Window(ctx.scope, day)])) / _TURNS)
    return due[-portion:]


async def load_reconciliation(engine: AsyncEngine) -> dict[str, Any]:
    """O que as últimas conferências dizem, sem perguntar nada ao Bling: os totais dos dois lados, se são iguais, desde
    quando (a mais antiga das conferências, `completo_em`) e mês a mês."""
    async with engine.connect() as connection:
        rows = (await connection.execute(select(conferencias).order_by(conferencias.c.mes))).all()
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
        "completo_em": min((month["conferida_em"] for month in months), default=None),
        "igual": bool(months) and all(month["igual"] for month in months),
        "no_bling": sum(month["no_bling"]["total"] for month in months),
        "no_banco": sum(month["no_banco"]["total"] for month in months),
        "meses": months,
    }
