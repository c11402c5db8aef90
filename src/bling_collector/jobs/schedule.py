"""SCHEDULE: a que horas o worker faz o quê. Linhas de cron, no horário de Brasília, com o nome da tarefa no fim."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from croniter import croniter
from croniter.croniter import CroniterError

from bling_collector.clock import BRASILIA
from bling_collector.config import Settings
from bling_collector.errors import ConfigurationError

EXPORT: Final = "exportar"
TASKS: Final = ("run", "look", "reconcile", EXPORT)
"""O que se pode agendar: a execução diária, a olhada, a conferência inteira que repara, e a exportação do que mudou."""
_FIELDS: Final = 5
_HOUR: Final = "diz uma hora que existe, como 0 6 * * * (todo dia às 6 h)"


@lru_cache(maxsize=1024)
def _next(cron: str, tick: datetime) -> datetime:
    found: datetime = croniter(cron, tick.astimezone(BRASILIA)).get_next(datetime)
    return found


@dataclass(frozen=True)
class Line:
    """Uma linha: cinco campos de cron e a tarefa."""

    cron: str
    task: str

    def last(self, now: datetime) -> datetime:
        """A última vez que era a hora dela, até `now`."""
        after = now.astimezone(BRASILIA).replace(microsecond=0) + timedelta(seconds=1)
        return croniter(self.cron, after).get_prev(datetime)

    def next(self, tick: datetime) -> datetime:
        """A hora seguinte à que é `tick`."""
        return _next(self.cron, tick)


def agenda(settings: Settings) -> tuple[Line, ...]:
    """As linhas de SCHEDULE. ConfigurationError se uma não serve, ou se exporta e não se diz para onde."""
    lines = parse(settings.schedule)
    if settings.export_to is None and any(line.task == EXPORT for line in lines):
        raise ConfigurationError("SCHEDULE manda exportar, e falta EXPORT_TO, que diz para que pasta ou URL.")
    return lines


def parse(written: str) -> tuple[Line, ...]:
    """As linhas, separadas por `;` ou quebras de linha. ConfigurationError, dizendo qual, se uma não serve."""
    lines = (line.strip() for line in re.split(r"[;\n]", written))
    return tuple(_line(line) for line in lines if line and not line.startswith("#"))


def _line(written: str) -> Line:
    *fields, task = written.split()
    if task not in TASKS:
        raise _wrong(written, f"acaba no nome do que fazer, que é {', '.join(TASKS[:-1])} ou {TASKS[-1]}")
    if len(fields) != _FIELDS:
        raise _wrong(written, "tem cinco campos antes do nome: minuto, hora, dia do mês, mês e dia da semana")
    if any(each.lower().startswith("r") for each in fields):  # para o croniter, um número ao acaso, outro a cada vez
        raise _wrong(written, _HOUR)
    line = Line(" ".join(fields), task)
    try:
        line.last(datetime.now(BRASILIA))
    except (CroniterError, ValueError, OverflowError):
        raise _wrong(written, _HOUR) from None
    return line


def _wrong(written: str, rule: str) -> ConfigurationError:
    return ConfigurationError(f"SCHEDULE: a linha «{written[:80]}» não serve; cada uma {rule}.")
