"""SCHEDULE: a que horas o worker faz o quê. Linhas de cron, no horário de Brasília, com o nome da tarefa no fim."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from croniter import croniter
from croniter.croniter import CroniterError

from bling_collector.clock import BRASILIA
from bling_collector.config import OF_ONE, Settings
from bling_collector.errors import ConfigurationError

EXPORT: Final = "exportar"
TASKS: Final = ("run", "look", "reconcile", EXPORT)
"""O que se pode agendar: a execução diária, a olhada, a conferência inteira que repara, e a exportação do que mudou."""
_LARGEST_STEP: Final = (59, 23, 31, 12, 7)
"""De cada campo. Um passo maior, que o croniter aceita, seria só o primeiro valor: quem o escreveu quis outra coisa."""
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
    """As linhas de SCHEDULE, ou da que é só da empresa. ConfigurationError se uma não serve, ou se exporta e não se diz
    para onde."""
    of_one = "schedule" in settings.of_companies.get(settings.company, {})
    name = f"SCHEDULE{OF_ONE}{settings.company.upper()}" if of_one else "SCHEDULE"
    lines = parse(settings.schedule, name)
    if settings.export_to is None and any(line.task == EXPORT for line in lines):
        raise ConfigurationError(f"{name} manda exportar, e falta EXPORT_TO, que diz para que pasta ou URL.")
    return lines


def check_agendas(settings: Settings) -> None:
    """ConfigurationError se a agenda não serve, ou a de uma empresa que tem a sua; as configurações são as da principal
    ou, se só de uma empresa se trata, as dela."""
    agenda(settings)
    for name in settings.of_companies if settings.empresa is None else ():
        agenda(settings.of(name))


def parse(written: str, name: str = "SCHEDULE") -> tuple[Line, ...]:
    """As linhas, separadas por `;` ou quebras de linha. ConfigurationError, dizendo qual, se uma não serve; `name` é o
    da variável."""
    lines = (line.strip() for line in re.split(r"[;\n]", written))
    return tuple(_line(line, name) for line in lines if line and not line.startswith("#"))


def _line(written: str, name: str) -> Line:
    *fields, task = written.split()
    if task not in TASKS:
        raise _wrong(name, written, f"acaba no nome do que fazer, que é {', '.join(TASKS[:-1])} ou {TASKS[-1]}")
    if len(fields) != len(_LARGEST_STEP):
        raise _wrong(name, written, "tem cinco campos antes do nome: minuto, hora, dia do mês, mês e dia da semana")
    if any(each.lower().startswith("r") for each in fields):  # para o croniter, um número ao acaso, outro a cada vez
        raise _wrong(name, written, _HOUR)
    line = Line(" ".join(fields), task)
    try:
        line.last(datetime.now(BRASILIA))
    except (CroniterError, ValueError, OverflowError):
        raise _wrong(name, written, _HOUR) from None
    for each, most in zip(fields, _LARGEST_STEP, strict=True):
        if any(int(step) > most for step in re.findall(r"/(\d+)", each)):
            raise _wrong(name, written, _HOUR)
    return line


def _wrong(name: str, written: str, rule: str) -> ConfigurationError:
    return ConfigurationError(f"{name}: a linha «{written[:80]}» não serve; cada uma {rule}.")
