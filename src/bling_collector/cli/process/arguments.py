"""O que os comandos têm em comum no que se digita: dias, ids, portas, `--json`."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final, TypeVar

import click

from bling_collector import ids
from bling_collector.errors import ConfigurationError
from bling_collector.windows import EARLIEST, asked_period, parse_day

F = TypeVar("F", bound=Callable[..., Any])

as_json: Final = click.option("--json", "json_", is_flag=True, help="Escreve o resultado em JSON.")
PORT: Final = click.IntRange(1, 65535)
ID: Final = click.IntRange(1, ids.LARGEST)


class Host(click.ParamType[str]):
    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        # Vazio, o serviço atenderia a todas as máquinas.
        return str(value).strip() or self.fail(
            "está vazio; o desta máquina é 127.0.0.1, e o de todas 0.0.0.0.", param, ctx
        )


class Day(click.ParamType[date]):
    name = "AAAA-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        return value if isinstance(value, date) else parse_day(value, param.opts[0] if param else "data")


class Record(click.ParamType[tuple[str, Any]]):
    """Um registro pelo nome que ele tem em toda parte: `contatos/55`; onde o id é um texto, `documentos/4326…`."""

    name = "RECURSO/ID"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        if isinstance(value, tuple):
            return value
        recurso, _, id_ = str(value).partition("/")
        try:
            ids.checked(id_)
            from bling_collector.streams.registry import record  # só quem busca um registro os carrega

            found, known = record(recurso, id_)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return found.name, known


class Recursos(click.ParamType[tuple[str, ...]]):
    """Nomes de recursos, separados por vírgula, ou `todos`."""

    name = "NOMES"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        from bling_collector.config.values import names  # só quem os diz os carrega
        from bling_collector.streams.registry import chosen

        try:
            found = names(str(value))
            chosen(found)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)
        except ConfigurationError as error:
            self.fail(str(error).partition(": ")[2], param, ctx)
        return found


only_recursos: Final = click.option(
    "--recursos",
    type=Recursos(),
    help="Só estes desta vez, separados por vírgula, ou `todos`; se omitido, os de sempre.",
)


def first_day(said: str, *, required: bool = False) -> Callable[[F], F]:
    """A opção `--data-inicio`."""
    return click.option("--data-inicio", type=Day(), required=required, help=said)


def last_day(said: str) -> Callable[[F], F]:
    """A opção `--data-fim`."""
    return click.option("--data-fim", type=Day(), help=said)


def refuse_impossible_period(inicio: date | None, fim: date | None) -> None:
    """Recusa o período antes de abrir o banco: um engano de digitação não cria tabelas."""
    if inicio is None and fim is None:
        return
    from bling_collector.clock import DOUBT, SystemClock, today

    # O relógio desta máquina pode estar atrasado: dos dias próximos é a hora do Bling que diz se estão no futuro.
    asked_period(inicio, fim, default_inicio=EARLIEST, today=today(SystemClock()), doubt=DOUBT)
