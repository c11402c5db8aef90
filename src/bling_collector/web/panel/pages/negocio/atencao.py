"""Atenção: o que os dados dizem que merece um olhar, cada sinal com o seu número e a sua regra."""

from typing import Final

from fastapi import APIRouter, Request, Response

from bling_collector.clock import today
from bling_collector.errors import UsageError
from bling_collector.insight.attention import RULES, Attention, load_attention
from bling_collector.insight.recursos import doubt, load_followed
from bling_collector.web.panel.downloads import csv_file, xlsx_file
from bling_collector.web.panel.forms import not_collected, only, unknown_table
from bling_collector.web.panel.render import page
from bling_collector.web.panel.tables.attention import figure_of, signal_table
from bling_collector.web.service import OneService

router = APIRouter(include_in_schema=False)
TOP: Final = 10
"""Linhas de cada sinal na página; o que se baixa tem todas."""


@router.get("/atencao")
async def atencao(request: Request, service: OneService) -> Response:
    only(request, ())
    async with service.opened() as account:
        found = await load_attention(account.engine, today(account.clock), account.settings.recursos, most=TOP)
        needed = {rule.recurso for rule in RULES.values()}
        recursos = await load_followed(account.engine, account.settings.recursos, needed, account.clock.now())
    unread = {each.recurso for each in recursos if not each.lido}
    return page(
        request,
        "atencao.html",
        section="situacao",
        found=found,
        signals=[(signal, figure_of(signal), signal_table(signal)) for signal in found.signals],
        raised=sum(1 for signal in found.signals if signal.rows),
        looked=sum(1 for signal in found.signals if signal.rows or signal.rule.recurso not in unread),
        unread=unread,
        doubt=doubt(recursos),
    )


@router.get("/atencao.csv")
async def atencao_csv(request: Request, service: OneService) -> Response:
    name = only(request, ("tabela",))["tabela"]
    if not name:
        raise UsageError(f"Diga a tabela: {', '.join(RULES)}.")
    table = signal_table((await _found(service, name)).signals[0])
    return csv_file(table, f"atencao-{name}")


@router.get("/atencao.xlsx")
async def atencao_xlsx(request: Request, service: OneService) -> Response:
    name = only(request, ("tabela",))["tabela"]
    found = await _found(service, name)
    about = ["O que pede atenção", *(f"{each.rule.title}: {each.rule.rule}" for each in found.signals)]
    return await xlsx_file([signal_table(each) for each in found.signals], about, f"atencao-{name or 'completo'}")


async def _found(service: OneService, name: str) -> Attention:
    if name and name not in RULES:
        raise unknown_table(name, RULES)
    async with service.opened() as account:
        names = [name] if name else list(RULES)
        found = await load_attention(
            account.engine, today(account.clock), account.settings.recursos, most=None, names=names
        )
    if not found.signals:
        raise not_collected([RULES[name].recurso])
    return found
