"""O click em português: os títulos da ajuda e os erros de uso."""

import click


class _Formatter(click.HelpFormatter):
    _HEADINGS = {"Options": "Opções", "Commands": "Comandos", "Arguments": "Argumentos"}  # noqa: RUF012 — constante

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(
            prog, args.replace("[OPTIONS]", "[OPÇÕES]").replace("COMMAND [ARGS]...", "COMANDO …"), "Uso: "
        )

    def write_heading(self, heading: str) -> None:
        super().write_heading(self._HEADINGS.get(heading, heading))


class _Context(click.Context):
    formatter_class = _Formatter


class Command(click.Command):
    context_class = _Context

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = "Mostra esta ajuda e sai."
        return option


class Group(Command, click.Group):
    command_class = Command
    group_class = type


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
        case click.BadOptionUsage():
            sentence = f"A opção {error.option_name} pede um valor."
        case click.NoSuchCommand():
            sentence = f"Não existe o comando {error.command_name}."
        case _ if "unexpected extra argument" in error.message:
            sentence = f"Sobra um argumento: {error.message.partition('(')[2].rstrip(')')}."
        case _ if "Missing command" in error.message:
            sentence = "Falta o comando."
    return sentence


def _wanted(parameter: click.Parameter, message: str) -> str:
    given = message.partition(" is ")[0]
    if isinstance(parameter.type, click.Choice):
        return f"{given}; use um destes: {', '.join(map(str, parameter.type.choices))}."
    if isinstance(parameter.type, click.IntRange):
        return f"precisa ser um número inteiro, de {parameter.type.min} a {parameter.type.max}."
    return f"{given}; precisa ser um número inteiro." if parameter.type is click.INT else message


def _name(parameter: click.Parameter) -> str:
    return parameter.opts[0] if isinstance(parameter, click.Option) else str(parameter.human_readable_name)
