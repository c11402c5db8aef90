"""Cobertura: mês a mês, quanto do que o Bling lista está aqui; um mês por dentro, e o botão que o confere."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final

from fastapi import APIRouter, Depends, Request, Response

from bling_collector.clock import today
from bling_collector.errors import UsageError
from bling_collector.insight.live import running_id
from bling_collector.insight.proof.coverage import (
    MOST_NOTES,
    CitedNota,
    MonthCoverage,
    MonthDetails,
    load_coverage,
    load_month_coverage,
    load_month_gaps,
)
from bling_collector.insight.recursos import load_others
from bling_collector.insight.sales.periods import month_end, next_month, parse_month
from bling_collector.insight.sales.situacoes import situacao
from bling_collector.web.door.origin import same_origin
from bling_collector.web.panel.forms import fields
from bling_collector.web.panel.render import fragment, page, wants_fragment
from bling_collector.web.panel.starting import launch
from bling_collector.web.panel.tables.coverage import STATES, cell
from bling_collector.web.service import OneService
from bling_collector.windows import EARLIEST
from bling_collector.words import agreed, lower_first, number, plural, upper_first
from bling_collector.workplace.account import Account

router = APIRouter(include_in_schema=False)
_NAMES: Final = (
    "janeiro",
    "fevereiro",
    "março",
    "abril",
    "maio",
    "junho",
    "julho",
    "agosto",
    "setembro",
    "outubro",
    "novembro",
    "dezembro",
)


@router.get("/cobertura")
async def cobertura(request: Request, service: OneService) -> Response:
    async with service.opened() as account:
        found = await load_coverage(account.engine, today(account.clock))
        running = await running_id(account.engine)
        others = await load_others(account.engine, account.settings.recursos, account.clock.now())
    cells = {month.mes: cell(month, running=running is not None) for year in found.anos for month in year.meses}
    years = [(year, [(month, cells[month.mes], month_name(month.mes)) for month in year.meses]) for year in found.anos]
    states = Counter(each.state for each in cells.values())
    return page(
        request,
        "cobertura.html",
        section="cobertura",
        now=service.clock.now(),
        coverage=found,
        years=years,
        legend=[(STATES[state], state, states[state]) for state in STATES if states[state]],
        sentence=_sentence(states),
        running=running,
        others=others,
        checked=any(month.checked is not None for year in found.anos for month in year.meses),
    )


@router.get("/cobertura/{mes}")
async def one_month(request: Request, mes: str, service: OneService) -> Response:
    month = parse_month(mes)
    async with service.opened() as account:
        day = today(account.clock)
        found = await load_month_coverage(account.engine, month, day)
        running = await running_id(account.engine)
        wanted = wants_fragment(request.scope) or "numeracao" in request.query_params
        gaps = await load_month_gaps(account.engine, month) if wanted else None
    if wants_fragment(request.scope):
        return fragment("cobertura_mes.html", "numeracao", gaps=gaps, month=found.month)
    return page(
        request,
        "cobertura_mes.html",
        section="cobertura",
        now=service.clock.now(),
        name=month_name(month),
        details=found,
        month=found.month,
        running=running,
        verdict=_verdict(found, running=running is not None),
        checkable=_checkable(found, day),
        previous=_before(month),
        following=_link(next_month(month)) if next_month(month) <= day else None,
        lists=_lists(found),
        gaps=gaps,
        situacao=situacao,
    )


@router.post("/cobertura/{mes}/conferir", dependencies=[Depends(same_origin)])
async def check_month(request: Request, mes: str, service: OneService) -> Response:
    """Confere o mês agora e, se `reparar` veio no formulário, busca o que falta; leva à página da execução."""
    month = parse_month(mes)
    repair = (await fields(request)).get("reparar") == "sim"
    _ = service.settings.credentials
    async with service.opened() as account:
        inicio, fim = await _window(account, month)
        return await launch(service, account, partial(account.pipeline.reconcile, inicio, fim, repair=repair))


async def _window(account: Account, month: date) -> tuple[date, date]:
    """Os dias do mês que se conferem: desde o começo da coleta, até hoje."""
    day = today(account.clock)
    found = await load_month_coverage(account.engine, month, day)
    if not _checkable(found, day):
        raise UsageError(
            f"{upper_first(month_name(month))} não pode ser conferido: {lower_first(STATES[found.month.state])}."
        )
    return max(month, found.scope or month), min(month_end(month), day)


def _checkable(found: MonthDetails, day: date) -> bool:
    return found.scope is not None and found.month.mes <= day and month_end(found.month.mes) >= found.scope


def month_name(month: date) -> str:
    """março de 2025"""
    return f"{_NAMES[month.month - 1]} de {month.year}"


def _before(month: date) -> str | None:
    before = date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)
    return _link(before) if before >= EARLIEST else None


def _link(month: date) -> str:
    return f"/cobertura/{month:%Y-%m}"


def _sentence(states: Counter[str]) -> tuple[str, str]:
    """O tom e a frase do alto da página, das piores às melhores."""
    if coming := states["curso"]:
        return "running", f"Carga em curso: {_count(coming)} ainda por buscar."
    wrong = [state for state in ("devido", "difere", "nunca") if states[state]]
    if not wrong:
        return "good", "Todos os meses desde o começo da coleta foram conferidos, e os dois lados são iguais."
    parts = [f"{_count(states[state])} {agreed(states[state], *_SAID[state])}" for state in wrong]
    tone = "warning" if wrong == ["nunca"] else "bad"
    return tone, f"{'; '.join(parts)}."


_SAID: Final = {
    "devido": ("tem o que buscar ainda", "têm o que buscar ainda"),
    "difere": ("difere do Bling", "diferem do Bling"),
    "nunca": ("não foi conferido", "não foram conferidos"),
}


def _count(months: int) -> str:
    return plural(months, "mês", "meses")


def _verdict(found: MonthDetails, *, running: bool) -> tuple[str, str, str]:
    """O tom, a frase e o conselho de um mês."""
    month = found.month
    if cell(month, running=running).state == "curso":
        return "running", "Carga em curso: este mês ainda está por buscar.", "Acompanhe a execução."
    if month.state == "igual":
        if month.no_bling == 1:
            return "good", "A nota que o Bling lista está aqui, e é igual.", ""
        return "good", f"As {number(month.no_bling)} notas que o Bling lista estão aqui, e são iguais.", ""
    if month.state == "difere":
        return "bad", _difference(month), "Conferir e reparar busca o que falta e marca o que sumiu do Bling."
    return _VERDICTS[month.state]


_VERDICTS: Final = {
    "vazio": ("good", "O Bling não tem notas neste mês, e o banco também não.", ""),
    "devido": ("bad", "Há o que buscar neste mês.", "A próxima execução tenta de novo; reparar tenta agora."),
    "nunca": ("warning", "Este mês ainda não foi conferido por inteiro.", "Conferir lista as notas dele no Bling."),
    "fora": ("neutral", "Este mês é anterior ao começo da coleta.", "Para o ter, faça uma carga histórica."),
    "futuro": ("neutral", "Este mês ainda não chegou.", ""),
}


def _difference(month: MonthCoverage) -> str:
    checked = month.checked.differences if month.checked else {}
    parts = [
        f"{len(checked[kind])} {words[len(checked[kind]) != 1]}"
        for kind, words in (
            ("faltam", ("falta aqui", "faltam aqui")),
            ("sobram", ("não está mais no Bling", "não estão mais no Bling")),
            ("diferem", ("mudou no Bling", "mudaram no Bling")),
        )
        if checked.get(kind)
    ]
    return f"Das notas deste mês: {', '.join(parts) or 'as contagens dos dois lados diferem'}."


@dataclass(frozen=True)
class NoteList:
    """As notas de que se fala, por um motivo: as que o banco tem, e o que se sabe das outras."""

    name: str
    title: str
    text: str
    notes: list[CitedNota]
    unknown: list[str | int]
    of: int

    @property
    def shown(self) -> int:
        return len(self.notes) + len(self.unknown)


def _lists(found: MonthDetails) -> list[NoteList]:
    names = {int(each.id): each.descricao for each in found.pendencias if each.recurso == "nfe"}
    differences = found.month.checked.differences if found.month.checked else {}
    lists = []
    for kind, (title, text) in _LISTS.items():
        ids = differences.get(kind, [])
        shown = ids[:MOST_NOTES]
        known = [found.known[id_] for id_ in shown if id_ in found.known]
        unknown = [names.get(id_, id_) for id_ in shown if id_ not in found.known]
        lists.append(NoteList(kind, title, text, known, unknown, len(ids)))
    text = "Ficam no banco, marcadas, e não contam."
    lists.append(NoteList("excluidas", "Excluídas no Bling", text, found.excluidas, [], found.excluidas_de))
    return [each for each in lists if each.of]


_LISTS: Final = {
    "faltam": ("Faltam aqui", "O Bling as lista e o banco não as tem."),
    "diferem": ("Mudaram no Bling", "O banco as tem como eram antes."),
    "sobram": ("Não estão mais no Bling", "Reparar as marca como excluídas."),
}
