"""O que a pessoa vê: o andamento vai para stderr, o resultado para stdout."""

import sys
from collections.abc import Collection
from contextvars import ContextVar
from typing import Any

import click

from bling_collector.cli.screen.streams import in_unicode

company: ContextVar[str | None] = ContextVar("empresa", default=None)
"""A empresa de que se trata, se não é a principal."""
_FAILED = f"{__name__}.failed"


def mark(ok: bool) -> str:
    """✔ ou ✘. Um comando que pôs um ✘ em qualquer linha não sai com 0: quem o garante é `exit_code`."""
    context = click.get_current_context(silent=True)
    if not ok and context is not None:
        context.meta[_FAILED] = True
    return "✔" if ok else "✘"


def exit_code(code: int | None) -> int:
    """O código com que o comando sai: o que ele deu, ou 1 se deu 0 tendo dito que algo não está bem."""
    return code or int(click.get_current_context().meta.get(_FAILED, False))


def say(message: str) -> None:
    """Fala com a pessoa, em stderr."""
    click.echo(spoken(message), err=True)


def spoken(message: str) -> str:
    """O que se diz, com os comandos da empresa de que se trata."""
    if (empresa := company.get()) is None:
        return message
    from bling_collector.words import of_company  # só quem trata de uma empresa que não é a principal

    return of_company(message, empresa)


def tell(message: str = "") -> None:
    """O que se veio saber, em stdout."""
    click.echo(spoken(message))


def confirm(question: str) -> bool:
    """Pergunta em stderr até que a resposta seja sim ou não; vazia, ou sem mais o que ler, é não."""
    while True:
        click.echo(f"{question} [s/N] ", err=True, nl=False)
        answer = sys.stdin.readline().strip().casefold()
        if answer in ("s", "sim"):
            return True
        if answer in ("", "n", "nao", "não"):
            return False
        say("Responda s (sim) ou n (não).")


def ask(question: str) -> str:
    """Pergunta em stderr e devolve o que se escreveu, sem os brancos em volta."""
    click.echo(question, err=True, nl=False)
    return sys.stdin.readline().strip()


def emit_json(value: Any) -> None:
    """O resultado para um programa, em stdout; as letras que não cabem na codificação dela vão escapadas, inteiras."""
    import simplejson

    from bling_collector.insight.snapshots import as_json

    click.echo(simplejson.dumps(as_json(value), ensure_ascii=not in_unicode(), indent=2, use_decimal=True))


def table(
    headers: list[str], rows: list[list[str]], *, footer: list[str] | None = None, left: Collection[int] = (0,)
) -> None:
    """Uma tabela em stdout; as colunas `left` à esquerda, as outras à direita."""
    body = [*rows, *([footer] if footer else [])]
    widths = [max(len(line[i]) for line in [headers, *body]) for i in range(len(headers))]
    rule = "─" * (sum(widths) + 3 * (len(widths) - 1))

    def line(cells: list[str]) -> str:
        placed = (
            cell.ljust(w) if i in left else cell.rjust(w) for i, (cell, w) in enumerate(zip(cells, widths, strict=True))
        )
        return "   ".join(placed).rstrip()

    click.echo(line(headers))
    click.echo(rule)
    for row in rows:
        click.echo(line(row))
    if footer:
        click.echo(rule)
        click.echo(line(footer))
