"""O que a pessoa vê: o andamento vai para stderr, o resultado para stdout."""

import sys
from typing import Any

import click

from bling_collector.cli.screen.streams import in_unicode

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
    click.echo(message, err=True)


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


def emit_json(value: Any) -> None:
    """O resultado para um programa, em stdout; as letras que não cabem na codificação dela vão escapadas, inteiras."""
    import simplejson

    from bling_collector.insight.snapshots import as_json

    click.echo(simplejson.dumps(as_json(value), ensure_ascii=not in_unicode(), indent=2, use_decimal=True))


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
