"""O andamento de uma execução: uma barra no terminal, linhas simples fora dele."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bling_collector.cli.terminal import say
from bling_collector.etl.progress import Progress, ProgressSink
from bling_collector.words import duration, number

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

_PLAIN_EVERY = 10.0
"""Segundos entre duas linhas de andamento fora de um terminal."""


@contextmanager
def progress() -> Iterator[ProgressSink]:
    """O andamento de uma execução: uma barra no terminal, linhas simples fora dele."""
    if sys.stderr.isatty():
        with _bar() as sink:
            yield sink
    else:
        yield _Lines()


class _Lines:
    def __init__(self) -> None:
        self._fase = ""
        self._last = -_PLAIN_EVERY

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.fase != self._fase or now - self._last >= _PLAIN_EVERY:
            self._fase, self._last = progress.fase, now
            done = f" {number(progress.feitos)}/{number(progress.total)}" if progress.total else ""
            say(f"{progress.fase}{done} · {number(progress.requisicoes)} requisições{_throttled(progress)}")


@contextmanager
def _bar() -> Iterator[ProgressSink]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    started = time.monotonic()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[done]}"),
        TextColumn("[dim]{task.fields[pace]}[/dim]"),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Início", total=None, done="", pace="")
        yield _BarSink(bar, task, started)


class _BarSink:
    """A fase, o feito e o por fazer, as requisições, o ritmo e o tempo que falta para a fase."""

    def __init__(self, bar: "Bar", task: Any, started: float) -> None:
        self._bar, self._task = bar, task
        self._started = self._phase_started = started
        self._fase = ""

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.fase != self._fase:
            self._fase, self._phase_started = progress.fase, now
        rate = progress.requisicoes / max(now - self._started, 0.001)
        pace = f"{number(progress.requisicoes)} requisições · {rate:.1f}/s{_throttled(progress)}"
        if progress.feitos:
            left = (now - self._phase_started) / progress.feitos * (progress.total - progress.feitos)
            pace += f" · faltam {duration(left)}"
        done = f"{number(progress.feitos)}/{number(progress.total)}" if progress.total else ""
        self._bar.update(
            self._task,
            description=progress.fase,
            completed=progress.feitos,
            total=progress.total or None,
            done=done,
            pace=pace,
        )


def _throttled(progress: Progress) -> str:
    return f" · {number(progress.limitadas)} × 429" if progress.limitadas else ""
