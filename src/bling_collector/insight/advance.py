"""Se a coleta avança, embora as execuções parem no seu limite antes do fim: uma carga que pede dez delas anda, e não
falha dez vezes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, select

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.models import etl_controle

_LOOKED_AT = 3


@dataclass(frozen=True)
class Cut:
    """Uma execução que parou no seu limite."""

    fim: datetime
    left: int
    """As requisições que lhe faltavam."""
    saved: int
    """Os registros que gravou."""


def advances(cuts: Sequence[Cut]) -> bool:
    """Se as últimas execuções seguidas que pararam no limite, da mais nova à mais velha, vão deixando menos por pedir.

    O que falta é uma estimativa, que cresce quando se descobre mais: só duas vezes seguidas sem diminuir, ou uma que
    nada gravou, dizem que a coleta não anda.
    """
    if not cuts:
        return False
    newest, *before = cuts
    if not before or newest.left < before[0].left:
        return True
    return newest.saved > 0 and (len(before) == 1 or before[0].left < before[1].left)


def _latest(*columns: ColumnElement[Any]) -> Select[Any]:
    c = etl_controle.c
    ended = c.tipo.in_(["run", "run-full", "reconcile", "retry"]), c.status != "running"
    return select(*columns).where(*ended).order_by(c.id.desc())


WAS_CUT: Final = _latest(etl_controle.c.restam.is_not(None)).limit(1).scalar_subquery()
"""Se a última execução parou no limite; nulo se não houve nenhuma."""


async def advanced_at(connection: AsyncConnection) -> datetime | None:
    """O fim da última execução, se ela parou no limite e a coleta avança."""
    c = etl_controle.c
    saved: list[str] = ["nfes_processadas", "contatos_novos", "produtos_novos", "salvos"]
    latest = _latest(c.fim, c.restam, *(c[name] for name in saved)).limit(_LOOKED_AT)
    cuts: list[Cut] = []
    for fim, left, *counts, others in await connection.execute(latest):
        if left is None or fim is None:  # chegou ao fim, ou parou por outra coisa
            break
        more = others.values() if isinstance(others, Mapping) else []
        cuts.append(Cut(fim, left, sum(count or 0 for count in counts) + sum(more)))
    return cuts[0].fim if advances(cuts) else None
