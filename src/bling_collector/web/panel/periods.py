"""O período que uma página soma: o que o endereço pede, o formulário que o pede, e os períodos prontos."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request

from bling_collector.clock import today
from bling_collector.insight.sales.periods import PRESETS, ComparedPeriod
from bling_collector.insight.sales.revenue import load_period
from bling_collector.web.panel.forms import only
from bling_collector.workplace.account import Account

_PARAMETERS: Final = ("periodo", "de", "ate")
Load = Callable[..., Awaitable[ComparedPeriod]]
"""Quem escolhe o período e sabe, do que a página soma, o primeiro dia e o último que o banco tem."""


async def read_period(
    request: Request, account: Account, *others: str, load: Load = load_period
) -> tuple[dict[str, str], ComparedPeriod]:
    """O que o endereço traz (no período e nestes outros parâmetros), e o período que ele pede.

    UsageError para um parâmetro que não existe, ou um período que não faz sentido.
    """
    typed = only(request, (*_PARAMETERS, *others))
    preset, de, ate = (typed[name] or None for name in _PARAMETERS)
    return typed, await load(account.engine, today(account.clock), preset=preset, de=de, ate=ate)


async def default_period(account: Account) -> ComparedPeriod:
    """O que se mostra quando ninguém pede outro."""
    return await load_period(account.engine, today(account.clock))


def form_of(path: str, period: ComparedPeriod) -> Mapping[str, Any]:
    """O que o formulário do período desta página mostra; `query` é o período num endereço."""
    return {
        "error": None,
        "presets": _presets(path, period),
        "de": period.inicio.isoformat(),
        "ate": period.fim.isoformat(),
        "query": query_of(period),
    }


def form_refused(
    path: str, request: Request, error: Exception, instead: ComparedPeriod | None = None
) -> Mapping[str, Any]:
    """O mesmo de um pedido que não serve: o que se escreveu, e por que não; `instead` é o período que se usa."""
    given = request.query_params
    return {
        "error": str(error),
        "presets": _presets(path, None),
        "de": given.get("de", ""),
        "ate": given.get("ate", ""),
        "query": query_of(instead) if instead else "",
    }


def query_of(period: ComparedPeriod) -> str:
    """O período num endereço, sempre o mesmo período amanhã também."""
    return urlencode({"de": period.inicio.isoformat(), "ate": period.fim.isoformat()})


def _presets(path: str, period: ComparedPeriod | None) -> list[tuple[str, str, bool]]:
    """As abas dos períodos prontos desta página, e qual é a atual."""
    current = period.preset if period else None
    return [(f"{path}?{urlencode({'periodo': name})}", label, name == current) for name, label in PRESETS.items()]
