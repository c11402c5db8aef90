"""O click em português: os títulos da ajuda e os erros de uso."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import click

from bling_collector.cli.screen.terminal import exit_code

_WORDS: Final = (
    (r"\[COMMAND\] \[ARGS\]\.\.\.", "[COMANDO …]"),
    (r"COMMAND \[ARGS\]\.\.\.", "COMANDO …"),
    (r"\[OPTIONS\]", "[OPÇÕES]"),
    (r"\bINTEGER(?: RANGE)?$", "NÚMERO"),
    (r"\bTEXT$", "TEXTO"),
)
"""O que o click põe nas linhas de uso e nos valores das opções."""
_EXTRAS: Final = (
    (r"\benv var: ", "variável: "),
    (r"\bdefault: ", "padrão: "),
    (r"\brequired\b", "obrigatória"),
    (r"(\d+)<=x<=(\d+)", r"de \1 a \2"),
    (r"\bx>=(\d+)", r"de \1 em diante"),
)
"""O que ele põe, entre colchetes, depois da ajuda de uma opção."""
_LAST: Final = re.compile(r"\[[^\[\]]*\]$")


def _translated(text: str, words: Sequence[tuple[str, str]]) -> str:
    for english, portuguese in words:
        text = re.sub(english, portuguese, text)
    return text


class _Formatter(click.HelpFormatter):
    _HEADINGS = {"Options": "Opções", "Commands": "Comandos", "Arguments": "Argumentos"}  # noqa: RUF012 — constante

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, _translated(args, _WORDS), "Uso: ")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        shown = [
            (_translated(name, _WORDS), _LAST.sub(lambda found: _translated(found[0], _EXTRAS), said))
            for name, said in rows
        ]
        super().write_dl(shown, col_max, col_spacing)

    def write_heading(self, heading: str) -> None:
        super().write_heading(self._HEADINGS.get(heading, heading))


class _Context(click.Context):
    formatter_class = _Formatter


COMPANY: Final = "empresa"
"""No `meta` do comando: o que `--empresa` diz."""


def _note_company(ctx: click.Context, _: click.Parameter, values: Sequence[str]) -> None:
    said = dict.fromkeys([*ctx.meta.get(COMPANY, ()), *values])
    if len(said) > 1:
        raise click.UsageError(f"--empresa diz mais de uma: {', '.join(said)}. É uma por comando.", ctx)
    ctx.meta[COMPANY] = tuple(said)


def asked_company() -> str | None:
    """A empresa que `--empresa` diz; None se não se disse."""
    said: Sequence[str] = click.get_current_context().meta.get(COMPANY, ())
    return said[0] if said else None


def refuse_company() -> None:
    """click.UsageError se se disse `--empresa` a um comando que não é de nenhuma."""
    if (said := asked_company()) is not None:
        context = click.get_current_context()
        raise click.UsageError(f"Este comando não é de uma empresa: repita-o sem --empresa {said}.", context)


class Command(click.Command):
    """Um comando, que aceita `--empresa` também depois do nome dele; a ajuda só a mostra uma vez, na do programa."""

    context_class = _Context

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        root = ctx.parent is None
        option = click.Option(
            ["--empresa"],
            metavar="NOME",
            multiple=True,
            expose_value=False,
            callback=_note_company,
            hidden=not root,
            help="De que empresa, se há mais de uma (veja `empresas`); ou na variável EMPRESA.",
        )
        *others, help_option = super().get_params(ctx)
        return [*others, option, help_option]

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = "Mostra esta ajuda e sai."
        return option


class Group(Command, click.Group):
    command_class = Command
    group_class = type

    def invoke(self, ctx: click.Context) -> Any:
        return exit_code(super().invoke(ctx))


def explain(error: click.UsageError) -> str:
    """A frase que diz o que há de errado no comando digitado."""
    sentence = error.message
    match error:
        case click.MissingParameter(param=click.Parameter() as parameter):
            sentence = f"Falta {_name(parameter)}."
        case click.NoSuchOption():
            likely = f" Seria {' ou '.join(error.possibilities)}?" if error.possibilities else ""
            sentence = f"Não existe a opção {error.option_name}.{likely}"
        case click.BadParameter(param=click.Parameter() as parameter):
            sentence = f"O valor de {_name(parameter)} não serve: {_wanted(parameter, error.message)}"
        case click.BadOptionUsage() if "does not take a value" in error.message:
            sentence = f"A opção {error.option_name} não leva valor."
        case click.BadOptionUsage():
            sentence = f"A opção {error.option_name} pede um valor."
        case click.NoSuchCommand():
            sentence = f"Não existe o comando {error.command_name}.{_likely(error)}"
        case _ if "unexpected extra argument" in error.message:
            sentence = f"Sobra um argumento: {error.message.partition('(')[2].rstrip(')')}."
        case _ if "Missing command" in error.message:
            sentence = "Falta o comando."
    return sentence


def _likely(error: click.NoSuchCommand) -> str:
    """«Seria db backup?»: os comandos parecidos com o que se digitou, também os de dentro de outro grupo."""
    from difflib import get_close_matches

    if error.ctx is None:
        return ""
    group, typed = error.ctx.command, error.command_name.lower()
    if not isinstance(group, click.Group):
        return ""
    path = error.ctx.command_path.split()[1:]
    here = {" ".join([*path, *names]): names[-1] for names in _names(group)}
    root = error.ctx.find_root().command
    there = {" ".join(names): names[-1] for names in _names(root)} if isinstance(root, click.Group) else {}
    for known in (here, there):  # os do mesmo grupo primeiro
        close = get_close_matches(typed, {*known.values()}, n=2, cutoff=0.65)
        likely = [full for word in close for full, last in known.items() if last == word]
        if likely:  # `run`, e não `plan run`
            nearest = min(full.count(" ") for full in likely)
            likely = [full for full in likely if full.count(" ") == nearest]
            return f" Seria {' ou '.join(likely[:3])}?"
    return ""


def _names(group: click.Group, path: tuple[str, ...] = ()) -> Iterable[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from _names(command, (*path, name))


def _wanted(parameter: click.Parameter, message: str) -> str:
    given = message.partition(" is ")[0]
    if isinstance(parameter.type, click.Choice):
        return f"{given}; use um destes: {', '.join(map(str, parameter.type.choices))}."
    if isinstance(parameter.type, click.IntRange):
        return f"precisa ser um número inteiro, de {parameter.type.min} a {parameter.type.max}."
    return f"{given}; precisa ser um número inteiro." if parameter.type is click.INT else message


def _name(parameter: click.Parameter) -> str:
    return parameter.opts[0] if isinstance(parameter, click.Option) else parameter.human_readable_name.rstrip(".")
