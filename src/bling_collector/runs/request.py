"""O que se pede a uma execução, quem a acompanha, e como ela terminou."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypedDict

from bling_collector.clock import STOP_SECONDS
from bling_collector.errors import CollectorError
from bling_collector.etl.context import Found
from bling_collector.etl.progress import ProgressSink, silent
from bling_collector.payload import storable
from bling_collector.words import number, plural

INTERRUPTED = "Interrompida a pedido; o que faltou ficou devido e a próxima execução continua daqui."


@dataclass(frozen=True)
class Limit:
    """O mais que uma execução pode demorar, desde que se pediu."""

    seconds: float
    why: str
    """Quem o põe, como se diz depois de «parou ao fim de tantos segundos»."""

    @property
    def runs_for(self) -> float:
        """Segundos até que se peça que pare: o que está em voo ainda tem de chegar e ser salvo antes do fim."""
        return self.seconds - min(STOP_SECONDS, self.seconds / 2)

    def said(self, seconds: float, *, repair: bool) -> str:
        """Por que parou ao fim de `seconds`; uma conferência que não repara (`repair`) nada deve."""
        then = "o que faltou ficou devido e a próxima execução continua daqui" if repair else "o resto não se conferiu"
        return f"Parou ao fim de {number(round(seconds))} s, {self.why}; {then}."


def limit_of(seconds: int) -> Limit | None:
    """O de RUN_MAX_SECONDS; None se não há."""
    return Limit(seconds, "como RUN_MAX_SECONDS manda") if seconds else None


SCHEDULER: Final = Limit(840, "antes dos 15 minutos que o Cloud Scheduler espera")
"""Um minuto a menos: os 900 s dele contam também o serviço que ainda abre."""


@dataclass(frozen=True)
class RunResult:
    """Como a execução terminou: `success`, `partial` ou `error`, e por quê."""

    run_id: int
    status: str
    stats: dict[str, int]
    data_referencia: date | None
    message: str | None
    requisicoes: int
    error: CollectorError | None = None
    found: Found = field(default_factory=Found)
    """O que as varreduras encontraram diferente, antes de reparar."""
    goes_on: bool = False
    """Parou no seu limite, e a coleta avança: a próxima continua."""
    disallowed: tuple[str, ...] = ()
    """Os títulos do que ficou de fora por o aplicativo não ter a permissão: não é uma falha, e diz-se."""

    @property
    def exit_code(self) -> int:
        """O código com que o comando sai: 0 só se acabou completa; senão o do erro, ou 1."""
        if self.status == "success":
            return 0
        return self.error.exit_code if self.error else 1


class Watching(TypedDict, total=False):
    """Os parâmetros de quem acompanha: os campos de `Watch`."""

    sink: ProgressSink
    stop: asyncio.Event
    on_start: Callable[[int], None]
    asked_at: float | None
    limit: Limit | None


@dataclass
class Watch:
    """Quem acompanha uma execução: o que vê dela e como pede que pare."""

    sink: ProgressSink = silent
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    on_start: Callable[[int], None] = lambda run_id: None
    """Recebe o id da execução assim que ela existe."""
    asked_at: float | None = None
    """Quando se pediu, no relógio que não volta atrás; None é agora."""
    limit: Limit | None = None
    """Quanto espera quem a pediu; vale se for menos que RUN_MAX_SECONDS."""


@dataclass(frozen=True)
class RunRequest:
    """O que se pediu a uma execução."""

    tipo: str
    inicio: date | None = None
    fim: date | None = None
    windows: bool = True
    """Percorre janelas de tempo; sem elas, só o que está pendente."""
    repair: bool = True
    accept_deletions: bool = False
    everything: bool = False
    recursos: Collection[str] | None = None
    """Os de que se trata desta vez; None são os que se coletam."""

    @property
    def daily(self) -> bool:
        """A coleta do dia, sem datas pedidas: a que também relê a história aos poucos e as notas ainda abertas."""
        return self.tipo == "run" and self.inicio is None and self.fim is None


def message_of(error: CollectorError | None, problems: list[str], pendencias: int, janelas: int) -> str | None:
    """Por que a execução não é um sucesso; None se é."""
    parts = [str(error)] if error else []
    parts += problems[:3]
    if len(problems) > 3:
        parts.append(f"e mais {plural(len(problems) - 3, 'problema', 'problemas')}")
    if pendencias:
        parts.append(
            f"{plural(pendencias, 'registro pendente', 'registros pendentes')}, que as próximas execuções retomam"
        )
    if janelas:
        parts.append(f"{plural(janelas, 'período devido', 'períodos devidos')}, que a próxima execução percorre")
    return storable("; ".join(part.rstrip(".") for part in parts) + ".") if parts else None
