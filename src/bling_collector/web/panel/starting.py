"""Começar uma execução do painel: em segundo plano, e logo a página dela."""

from datetime import date
from functools import partial

from fastapi import Request, Response
from starlette.responses import RedirectResponse

from bling_collector.errors import RunInProgressError, UsageError
from bling_collector.insight.live import running_id
from bling_collector.runs.unpark import unpark
from bling_collector.web.runs import Begin
from bling_collector.web.service import Service
from bling_collector.windows import parse_day
from bling_collector.workplace.account import Account


async def start(request: Request, service: Service, tipo: str, given: dict[str, str]) -> Response:
    """Põe em curso a execução de `tipo` e vai à página dela; se já há uma, vai à dessa.

    UsageError para um tipo que não existe ou um período impossível; os erros de `Pipeline` que a recusam.
    """
    _ = service.settings.credentials
    async with service.opened() as account:
        return await launch(service, account, await _chosen(account, tipo, given))


async def launch(service: Service, account: Account, begin: Begin) -> Response:
    """Põe a execução em curso e vai à página dela; se já há uma, vai à dessa."""
    try:
        run_id: int | None = await service.runner.start(begin).started()
    except RunInProgressError:
        run_id = await running_id(account.engine)
    return RedirectResponse(f"/execucoes/{run_id}" if run_id else "/executar", 303)


async def _chosen(account: Account, tipo: str, given: dict[str, str]) -> Begin:
    match tipo:
        case "run":
            return account.pipeline.run
        case "run-full":
            return partial(account.pipeline.run_full, *asked(given))
        case "retry":  # a coleta do dia tenta também o pendente e, ao contrário de só tentá-lo, confere o que releu
            await unpark(account.engine)
            return account.pipeline.run
        case "reconcile":
            return partial(account.pipeline.reconcile, repair=True)
        case "aceitar-exclusoes":
            return partial(account.pipeline.reconcile, repair=True, accept_deletions=True)
    raise UsageError(f"Não há execução do tipo {tipo!r}.")


def asked(given: dict[str, str]) -> tuple[date, date | None]:
    """O período de uma carga histórica, como o formulário o traz. UsageError para um que não é."""
    if not given.get("data_inicio"):
        raise UsageError("Diga o primeiro dia da carga histórica.")
    fim = given.get("data_fim")
    return parse_day(given["data_inicio"], "Primeiro dia"), parse_day(fim, "Último dia") if fim else None
