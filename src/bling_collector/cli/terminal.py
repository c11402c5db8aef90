"""O que a pessoa vê: o andamento vai para stderr, o resultado para stdout."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click
import simplejson

from bling_collector.clock import BRASILIA
from bling_collector.etl.progress import Progress, ProgressSink

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

_PLAIN_EVERY = 10.0
"""Segundos entre duas linhas de andamento fora de um terminal."""


def say(message: str) -> None:
    """Fala com a pessoa, em stderr."""
    click.echo(message, err=True)


def emit_json(value: Any) -> None:
    """O resultado para um programa, em stdout."""
    click.echo(simplejson.dumps(value, ensure_ascii=False, indent=2, use_decimal=True))


def number(value: int) -> str:
    """1234567 → 1.234.567."""
    return f"{value:,}".replace(",", ".")


def money(value: Decimal) -> str:
    """1234.5 → 1.234,50."""
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


def duration(seconds: float) -> str:
    """O tempo como as pessoas o dizem: 45 s, 3 min 20 s, 1 h 05 min."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {seconds:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def moment(iso: str | None) -> str:
    """Uma hora em UTC, no relógio de Brasília."""
    return f"{datetime.fromisoformat(iso).astimezone(BRASILIA):%d/%m/%Y %H:%M}" if iso else "—"


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


def table(headers: list[str], rows: list[list[str]], *, footer: list[str] | None = None) -> None:
    """Uma tabela em stdout; a primeira coluna à esquerda, as outras à direita."""
    body = [*rows, *([footer] if footer else [])]
    widths = [max(len(line[i]) for line in [headers, *body]) for i in range(len(headers))]
    rule = "─" * (sum(widths) + 3 * (len(widths) - 1))

    def line(cells: list[str]) -> str:
        first, *others = (
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(cells, widths, strict=True))
        )
        return "   ".join([first, *others])

    click.echo(line(headers))
    click.echo(rule)
    for row in rows:
        click.echo(line(row))
    if footer:
        click.echo(rule)
        click.echo(line(footer))
