"""A entrada e a saída do processo: o que foi digitado, o código com que termina e o erro que a pessoa lê."""

import sys

import click

from bling_collector.cli.commands import cli
from bling_collector.cli.screen import streams
from bling_collector.cli.screen.portuguese import explain
from bling_collector.cli.screen.terminal import company, emit_json, say
from bling_collector.errors import CollectorError, os_cause
from bling_collector.redaction import redact


def main(arguments: list[str] | None = None) -> None:
    """O ponto de entrada; termina o processo com o código de saída do comando."""
    streams.prepare()
    company.set(None)
    arguments = sys.argv[1:] if arguments is None else arguments
    verbose, json_ = bool({"-v", "--verbose"} & set(arguments)), "--json" in arguments
    try:
        code = cli.main(arguments, prog_name="bling-collector", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        say(error.message)  # a ajuda do grupo: quem não disse qual comando quer vê os que há
        code = 2
    except click.UsageError as error:
        say(f"Erro: {explain(error)}")
        say(f"Veja `{error.ctx.command_path if error.ctx else 'bling-collector'} --help`.")
        code = 2
    except CollectorError as error:
        if verbose:
            _show_stack()
        if json_:
            emit_json({"status": "error", "title": error.title, "detail": redact(str(error))})
        say(f"Erro: {redact(str(error))}")
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say("Interrompido.")
        code = 1
    except Exception as error:  # noqa: BLE001 — a última fronteira: a cadeia de causas, e não uma pilha, para a pessoa
        if verbose:
            _show_stack()
        say(f"Erro inesperado: {redact(' ← '.join(_chain(error)))}. Rode de novo com -v para ver a pilha.")
        code = 1
    if lost := streams.failure():
        say(f"O que se mostrou está incompleto: a saída não pôde ser escrita ({os_cause(lost)}).")
    sys.exit(code or 0)


def _show_stack() -> None:
    import traceback

    say(redact(traceback.format_exc()))


def _chain(error: BaseException | None) -> list[str]:
    causes = []
    while error is not None:
        causes.append(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else '—'}")
        error = error.__cause__ or error.__context__
    return causes
