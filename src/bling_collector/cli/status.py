"""`status`."""

from bling_collector.auth.token_cipher import TokenCipher
from bling_collector.cli.process.running import run_to_end, settings
from bling_collector.cli.screen import report
from bling_collector.cli.screen.terminal import emit_json
from bling_collector.clock import SystemClock
from bling_collector.config import Settings
from bling_collector.insight.failures import load_failures
from bling_collector.insight.status import load_status
from bling_collector.workplace.database import open_database


def show(*, json_: bool) -> int:
    """Mostra a última execução, o que se deve e a autorização."""
    return run_to_end(_show(settings(), json_=json_))


async def _show(settings: Settings, *, json_: bool) -> int:
    async with open_database(settings) as (engine, _):
        now = SystemClock().now()
        situation = await load_status(engine, TokenCipher(settings.token_keys), now)
        parked = []
        if situation.owed.estacionadas:
            parked = [each for each in (await load_failures(engine)).pendencias if each.estacionada]
    if json_:
        emit_json(situation)
    else:
        report.status(situation, now, settings.alert_no_run_hours, parked)
    return 0
