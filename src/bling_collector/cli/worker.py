"""O worker como um processo: o log em JSON, como o do serviço, e a parada com jeito."""

from bling_collector import logs
from bling_collector.cli.collecting import opened
from bling_collector.cli.running import run_to_end, settings_to_collect
from bling_collector.cli.signals import gentle_stop
from bling_collector.config import Settings
from bling_collector.jobs import worker
from bling_collector.jobs.schedule import parse


def work() -> int:
    """Trabalha até um sinal de parada. ConfigurationError se SCHEDULE não serve."""
    return run_to_end(_work(settings_to_collect()))


async def _work(settings: Settings) -> int:
    lines = parse(settings.schedule)
    logs.configure(settings.log_level, secrets=settings.secrets)
    with gentle_stop() as stop:
        async with opened(settings) as account:
            await worker.work(account, lines, stop)
    return 0
