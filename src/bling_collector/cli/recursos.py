"""`recursos`."""

from bling_collector.cli.running import run_to_end, settings
from bling_collector.cli.screen import report
from bling_collector.cli.screen.terminal import emit_json
from bling_collector.clock import SystemClock
from bling_collector.config import Settings
from bling_collector.insight.recursos import load_recursos
from bling_collector.opening import open_database


def show(*, json_: bool) -> int:
    """Mostra cada recurso: se se coleta, quanto há dele e o que está provado."""
    return run_to_end(_show(settings(), json_=json_))


async def _show(settings: Settings, *, json_: bool) -> int:
    async with open_database(settings) as (engine, _):
        found = await load_recursos(engine, settings.recursos, SystemClock().now())
    if json_:
        emit_json(found)
    else:
        report.recursos(found)
    return 0
