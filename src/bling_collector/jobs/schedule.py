"""SCHEDULE: a que horas o worker faz o quê. Linhas de cron, no horário de Brasília, com o nome da tarefa no fim."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from croniter import croniter
from croniter.croniter import CroniterError

from bling_collector.clock import BRASILIA
from bling_collector.errors import ConfigurationError

TASKS: Final = ("run", "look", "reconcile")
"""O que se pode agendar: a execução diária, a olhada, e a conferência inteira que repara."""
_FIELDS: Final = 5


@dataclass(frozen=True)
class Line:
    """Uma linha: cinco campos de cron e a tarefa."""

    cron: str
    task: str

    def last(self, now: datetime) -> datetime:
        """A última vez que era a hora dela, até `now`."""
        after = now.astimezone(BRASILIA).replace(microsecond=0) + timedelta(seconds=1)
        return croniter(self.cron, after).get_prev(datetime)


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
    line = Line(" ".join(fields), task)
    try:
        line.last(datetime.now(BRASILIA))
    except (CroniterError, ValueError, OverflowError):
        raise _wrong(written, "diz uma hora que existe, como 0 6 * * * (todo dia às 6 h)") from None
    return line


def _wrong(written: str, rule: str) -> ConfigurationError:
    return ConfigurationError(f"SCHEDULE: a linha «{written[:80]}» não serve; cada uma {rule}.")
