"""O andamento de uma execução: uma barra no terminal, linhas simples fora dele."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bling_collector.cli.screen.terminal import say
from bling_collector.etl.progress import Progress, ProgressSink, time_left
from bling_collector.words import duration, number, plural

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
        self._said = ("", "")
        self._started = time.monotonic()
        self._last = self._started - _PLAIN_EVERY

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        what = (progress.fase, (progress.espera or "").partition(", daqui")[0])
        if what != self._said or now - self._last >= _PLAIN_EVERY:
            self._said, self._last = what, now
            if progress.espera:
                say(f"{progress.fase} · {progress.espera}")
            else:
                say(f"{progress.fase}{_done(progress)} · {_pace(progress, now - self._started)}")


@contextmanager
def _bar() -> Iterator[ProgressSink]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("[dim]{task.fields[pace]}[/dim]"),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _BarSink(bar, bar.add_task("Início", total=None, pace=""), time.monotonic())


class _BarSink:
    """A fase, e a execução inteira: a barra, as requisições, o ritmo e o tempo que falta até o fim."""

    def __init__(self, bar: "Bar", task: Any, started: float) -> None:
        self._bar, self._task, self._started = bar, task, started

    def __call__(self, progress: Progress) -> None:
        done, total = progress.feitos, progress.total or None  # sem um plano, a da fase
        if progress.restam is not None:
            done, total = progress.requisicoes, progress.requisicoes + progress.restam
        pace = progress.espera or _pace(progress, time.monotonic() - self._started)
        self._bar.update(
            self._task, description=f"{progress.fase}{_done(progress)}", completed=done, total=total, pace=pace
        )


def _done(progress: Progress) -> str:
    return f" {number(progress.feitos)}/{number(progress.total)}" if progress.total else ""


def _pace(progress: Progress, seconds: float) -> str:
    said = [plural(progress.requisicoes, "requisição", "requisições")]
    if progress.requisicoes and seconds >= 1:
        said.append(f"{number(progress.requisicoes / seconds, 1)}/s")
    if progress.limitadas:
        said.append(f"{number(progress.limitadas)} × 429")
    left = time_left(progress.requisicoes, progress.restam, seconds)
    if left is not None:
        said.append(f"faltam cerca de {duration(left)}")
    return " · ".join(said)
