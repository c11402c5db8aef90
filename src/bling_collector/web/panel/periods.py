"""O período que uma página soma: o que o endereço pede, e os endereços dos períodos prontos."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from bling_collector.clock import today
from bling_collector.insight.sales.periods import PRESETS, SalesPeriod
from bling_collector.insight.sales.revenue import load_period
from bling_collector.workplace.account import Account

PARAMETERS: Final = ("periodo", "de", "ate")


async def read_period(account: Account, typed: Mapping[str, str]) -> SalesPeriod:
    """O período pedido; os erros de `choose_period`."""
    preset, de, ate = (typed[name] or None for name in PARAMETERS)
    return await load_period(account.engine, today(account.clock), preset=preset, de=de, ate=ate)


def presets_of(path: str, period: SalesPeriod | None) -> list[tuple[str, str, bool]]:
    """As abas dos períodos prontos desta página, e qual é a atual."""
    current = period.preset if period else None
    return [(f"{path}?{urlencode({'periodo': name})}", label, name == current) for name, label in PRESETS.items()]


def query_of(period: SalesPeriod) -> str:
    """O período num endereço, sempre o mesmo período amanhã também."""
    return urlencode({"de": period.inicio.isoformat(), "ate": period.fim.isoformat()})
