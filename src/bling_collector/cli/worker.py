"""O worker como um processo: o log em JSON, como o do serviço, e a parada com jeito."""

from bling_collector import logs
from bling_collector.cli.process.running import run_to_end, settings_to_collect
from bling_collector.cli.process.signals import gentle_stop
from bling_collector.config import Settings
from bling_collector.jobs import worker
from bling_collector.jobs.schedule import check_agendas
from bling_collector.workplace.companies import open_companies
from bling_collector.workplace.database import telling_who_watches


def work() -> int:
    """Trabalha até um sinal de parada. ConfigurationError se SCHEDULE não serve."""
    return run_to_end(_work(settings_to_collect()))


async def _work(settings: Settings) -> int:
    check_agendas(settings)  # um engano nela é dito antes de abrir o banco
    logs.configure(settings.log_level, secrets=settings.secrets)
    with gentle_stop() as stop:
        async with open_companies(settings) as companies:
            async with telling_who_watches(settings):
                await companies.account(settings.company)
            await worker.work(companies, stop)
    return 0
