"""Enquanto uma execução corre: os seus registros vão para o banco, o andamento também, e quem pede que pare é ouvido.

Nada disto a derruba: se o banco não atende, o que importa é a execução, e ela tem como esperar por ele.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from bling_collector.config import Settings
from bling_collector.db import control, run_log
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.db.run_lock import is_locked
from bling_collector.db.run_log import Line
from bling_collector.errors import CollectorError, RunInProgressError, UsageError
from bling_collector.etl.context import RunContext
from bling_collector.logs import current_company, current_run
from bling_collector.redaction import redact

log = logging.getLogger(__name__)

BEAT: Final = 1.0
"""Segundos entre duas anotações do andamento."""
_LAST_BEAT: Final = 10.0
"""Segundos que se espera, no fim, por uma anotação já a caminho do banco."""
MOST_LINES: Final = 500
"""Linhas que se guardam de uma execução; das que passam disso, só os avisos e os erros, até o dobro."""
LONGEST: Final = 2000
_ENOUGH: Final = "Daqui em diante só os avisos e os erros; as outras linhas estão no log de quem a executou."
_LEVELS: Final = ((logging.ERROR, "erro"), (logging.WARNING, "aviso"))
_OURS: Final = logging.getLogger("bling_collector")


class _Capture(logging.Handler):
    """Junta o que o coletor registra durante a execução; o que é de outra não é com ele."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__(logging.INFO)
        self.lines: list[Line] = []
        self._secrets = tuple(secrets)
        self._seen = 0
        self._level_before: int = next((each._level_before for each in _captures()), _OURS.level)

    def start(self) -> None:
        if _OURS.getEffectiveLevel() > logging.INFO:
            _OURS.setLevel(logging.INFO)  # o destino do log tem o seu próprio nível
        _OURS.addHandler(self)

    def stop(self) -> None:
        _OURS.removeHandler(self)
        if not _captures():
            _OURS.setLevel(self._level_before)

    def emit(self, record: logging.LogRecord) -> None:
        if _capturing.get() is not self:
            return
        important = record.levelno >= logging.WARNING
        if self._seen > MOST_LINES and not (important and self._seen < 2 * MOST_LINES):
            return
        self._seen += 1
        level = next((name for least, name in _LEVELS if record.levelno >= least), "info")
        message = record.getMessage() if self._seen != MOST_LINES + 1 or important else _ENOUGH
        if record.exc_info and (error := record.exc_info[1]) is not None:
            message += f" ({type(error).__name__}: {error})"
        when = datetime.fromtimestamp(record.created, UTC)
        self.lines.append(Line(when, level, redact(message, self._secrets)[:LONGEST]))


def _captures() -> list[_Capture]:
    """Os das execuções em curso, que podem ser de contas diferentes."""
    return [each for each in _OURS.handlers if isinstance(each, _Capture)]


_capturing: ContextVar[_Capture | None] = ContextVar("capturing", default=None)
"""Quem junta o que aqui se registra: só o número não o diz, que outra conta pode ter uma execução com o mesmo."""


@asynccontextmanager
async def reported(ctx: RunContext, run_id: int, settings: Settings) -> AsyncIterator[None]:
    """Acompanha a execução `run_id` enquanto o bloco corre."""
    capture = _Capture(settings.secrets)
    run, capturing = current_run.set(run_id), _capturing.set(capture)
    empresa = current_company.set(settings.empresa)
    capture.start()
    over = asyncio.Event()
    beating = asyncio.create_task(_beat(ctx, run_id, capture, over))
    try:
        yield
    finally:
        over.set()
        try:
            # Cortado a meio, não se saberia o que do diário já se gravou.
            await asyncio.wait({beating}, timeout=_LAST_BEAT)
        finally:
            beating.cancel()
            capture.stop()
            await _flush(ctx, run_id, capture)
            current_company.reset(empresa)
            _capturing.reset(capturing)
            current_run.reset(run)


async def _beat(ctx: RunContext, run_id: int, capture: _Capture, over: asyncio.Event) -> None:
    """Anota o andamento de segundo em segundo: o tempo de verdade, que o relógio do coletor pode ser outro."""
    said = ""
    with suppress(SQLAlchemyError, CollectorError, OSError):
        async with ctx.engine.begin() as connection:
            await run_log.prune(connection, run_id)
    while not await _is_over(over):
        phase = _phase(ctx)  # também sem o banco: é aqui que se nota que o tempo acabou
        try:
            async with ctx.engine.begin() as connection:
                if await control.note_progress(connection, run_id, **phase):
                    ctx.stop.set()
        except RunInProgressError:
            pass  # quem grava o nota primeiro, e para
        except (SQLAlchemyError, CollectorError, OSError) as error:
            if (why := type(error).__name__) != said:
                said = why
                log.warning("O andamento desta execução não está sendo anotado no banco (%s).", why)
        await _flush(ctx, run_id, capture)


async def _is_over(over: asyncio.Event) -> bool:
    """Se acabou, sem esperar que passe o resto do segundo."""
    with suppress(TimeoutError):
        await asyncio.wait_for(over.wait(), BEAT)
    return over.is_set()


def _phase(ctx: RunContext) -> dict[str, object]:
    """Só o que não depende do que já se gravou: as contagens são da transação que grava."""
    ctx.show()
    progress = ctx.progress
    return {
        "fase": progress.fase,
        "feitos": progress.feitos,
        "total": progress.total,
        "requisicoes": progress.requisicoes,
        "limitadas": progress.limitadas,
        "restam": progress.restam,
        "espera": progress.espera,
    }


async def _flush(ctx: RunContext, run_id: int, capture: _Capture) -> None:
    lines = list(capture.lines)
    if not lines:
        return
    with suppress(SQLAlchemyError, CollectorError, OSError):
        async with ctx.engine.begin() as connection:
            await run_log.append(connection, run_id, lines)
        del capture.lines[: len(lines)]  # as que chegaram entretanto ficam para a próxima vez


async def stop(engine: AsyncEngine, run_id: int) -> None:
    """Pede que a execução pare com jeito: salva o que já chegou, e o resto fica devido. UsageError se já acabou."""
    async with engine.begin() as connection:
        if not await is_locked(engine) or not await control.ask_to_stop(connection, run_id):
            raise UsageError(f"A execução {run_id} não está em curso: não há o que parar.")
