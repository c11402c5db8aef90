"""O juízo da situação, caso a caso, e qual vence quando há mais de um."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bling_collector.insight import verdict
from bling_collector.insight.account.quota import Quota
from bling_collector.insight.account.token_status import TokenStatus
from bling_collector.insight.alarms import Alarm
from bling_collector.insight.freshness import Freshness
from bling_collector.insight.proof.reconciliation import MonthCheck, Proven, Side
from bling_collector.insight.sales.periods import month_end
from bling_collector.insight.status import Debts, Run, RunPeriod, Status, Step
from bling_collector.insight.verdict import Verdict, judge

NOW = datetime(2026, 2, 20, 21, 0, tzinfo=UTC)


def hours_ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def status(**changes: Any) -> Status:
    """A situação de quem está em dia; `oauth`, `owed` e `quota` só trocam o que se diz."""
    token = TokenStatus(
        has_token=True,
        expires_at=NOW + timedelta(hours=6),
        token_updated_at=hours_ago(100),
        needs_authorization=False,
        refresh_expires_at=NOW + timedelta(days=25),
        refresh_days_left=25,
        encrypted=True,
        readable=True,
        warning=None,
    )
    quota = Quota(NOW.date(), 400, 120_000, 5000, exhausted=False, pace=1.0, paused_until=None)
    whole = Status(
        empresa=None,
        last_successful_run=None,
        last_run=last("success"),
        running=False,
        data_referencia=NOW.date(),
        started=True,
        freshness=read(4, 1000),
        owed=replace(Debts(0, 0, [], 0), **changes.pop("owed", {})),
        oauth=replace(token, **changes.pop("oauth", {})),
        quota=replace(quota, **changes.pop("quota", {})),
    )
    return replace(whole, **changes)


def read(hours: float | None, since: float) -> Freshness:
    return Freshness(hours_ago(hours) if hours is not None else None, hours_ago(since))


def last(how: str, message: str | None = None) -> Run:
    return Run(
        8,
        "run",
        how,
        hours_ago(4),
        hours_ago(3),
        RunPeriod(None, None),
        None,
        {},
        Step(None, 0, 0, None, None),
        0,
        0,
        message,
    )


def month(number: int, **ids: list[int]) -> MonthCheck:
    """A conferência deste mês de 2026."""
    first = date(2026, number, 1)
    side = Side(1463, {})
    different: dict[str, list[int]] = {"faltam": [], "sobram": [], "diferem": []} | ids
    return MonthCheck(
        first, first, month_end(first), hours_ago(3), 7, side, side, **different, reparadas=0, igual=not ids
    )


def reconciliation(*different: MonthCheck, **changes: Any) -> Proven:
    return replace(Proven(hours_ago(3), hours_ago(3), [], 2926, 2926, list(different)), **changes)


def alarm(name: str, state: str = "erro", hours: float = 1) -> Alarm:
    return Alarm(name, "x", state, hours_ago(hours), "O que houve.")


def judged(
    state: Status | None = None,
    checked: Proven | None = None,
    alarms: list[Alarm] | None = None,
    missing: str | None = None,
) -> Verdict:
    return judge(
        state or status(), checked or reconciliation(), alarms or [], now=NOW, no_run_hours=26, missing=missing
    )


NEVER = status(oauth={"has_token": False, "needs_authorization": True}, last_run=None, started=False)
LOST = {"needs_authorization": True}


@pytest.mark.parametrize(
    ("given", "case", "tone", "action"),
    [
        (judged(), "certo", verdict.GOOD, None),
        (judged(NEVER), "sem-autorizacao", verdict.NEUTRAL, verdict.AUTHORISE),
        (judged(NEVER, missing="Falta BLING_CLIENT_ID."), "sem-credenciais", verdict.NEUTRAL, None),
        (judged(status(last_run=last("success"), started=False)), "sem-execucao", verdict.NEUTRAL, verdict.LOAD),
        (judged(status(oauth=LOST)), "autorizacao-perdida", verdict.BAD, verdict.AUTHORISE),
        (judged(status(oauth={"has_token": False} | LOST)), "autorizacao-perdida", verdict.BAD, verdict.AUTHORISE),
        (judged(status(oauth={"readable": False} | LOST)), "autorizacao-fechada", verdict.BAD, verdict.AUTHORISE),
        (judged(alarms=[alarm("autorizacao-recusada")]), "autorizacao-recusada", verdict.BAD, verdict.AUTHORISE),
        (
            judged(status(oauth={"refresh_days_left": 0, "warning": "Acaba hoje."})),
            "autorizacao-no-fim",
            verdict.BAD,
            verdict.AUTHORISE,
        ),
        (judged(alarms=[alarm("token-nao-salvo")]), "token", verdict.BAD, None),
        (judged(status(running=True, last_run=last("running"))), "em-curso", verdict.RUNNING, verdict.FOLLOW),
        (judged(status(last_run=last("error", "O Bling não atende"))), "falhou", verdict.BAD, verdict.RUN),
        (judged(status(last_run=last("running"))), "falhou", verdict.BAD, verdict.RUN),
        (judged(status(freshness=read(27, 999))), "velhos", verdict.BAD, verdict.RUN),
        (
            judged(status(freshness=read(None, 30), last_run=last("partial"))),
            "velhos",
            verdict.BAD,
            verdict.RUN,
        ),
        (judged(status(owed={"pendencias": 1})), "devidas", verdict.WARNING, verdict.RETRY),
        (judged(status(owed={"pendencias": 2, "janelas": 1})), "devidas", verdict.WARNING, verdict.RUN),
        (judged(status(owed={"janelas": 3})), "devidas", verdict.WARNING, verdict.RUN),
        (judged(status(last_run=last("partial", "Interrompida"))), "em-parte", verdict.WARNING, verdict.RUN),
        (judged(checked=reconciliation(month(1, faltam=[1]))), "difere", verdict.WARNING, verdict.REPAIR),
        (
            judged(status(oauth={"refresh_days_left": 5, "warning": "Acaba em 5."})),
            "autorizacao-acabando",
            verdict.WARNING,
            verdict.RUN,
        ),
        (
            judged(checked=reconciliation(completo_em=None, por_conferir=[date(2025, 1, 1), date(2025, 2, 1)])),
            "por-conferir",
            verdict.WARNING,
            verdict.REPAIR,
        ),
        (
            judged(checked=reconciliation(completo_em=None, mais_nova=None)),
            "por-conferir",
            verdict.WARNING,
            verdict.REPAIR,
        ),
    ],
)
def test_each_case(given: Verdict, case: str, tone: str, action: str | None) -> None:
    assert (given.case, given.tone, given.action) == (case, tone, action)
    assert given.sentence.endswith(".")


def test_all_is_well_says_how_much_and_since_when() -> None:
    assert judged().sentence == "Tudo certo: 2.926 de 2.926 notas, conferido há 3 h."
    assert judged().detail == ""
    weekly = judged(checked=reconciliation(completo_em=hours_ago(120)))
    assert weekly.sentence.endswith("conferido há 5 dias.")
    assert "a mais nova foi há 3 h" in weekly.detail
    assert judged(checked=reconciliation(completo_em=hours_ago(0.5))).sentence.endswith("conferido há 30 min.")
    assert judged(checked=reconciliation(completo_em=hours_ago(0.005))).sentence.endswith("conferido agora mesmo.")
    assert judged(checked=reconciliation(completo_em=hours_ago(72))).sentence.endswith("conferido há 3 dias.")


def test_the_sentences_say_what_is_wrong() -> None:
    assert judged(status(owed={"pendencias": 1})).sentence == "Falta uma parte: 1 registro que não pôde ser salvo."
    both = judged(status(owed={"pendencias": 1200, "janelas": 2, "estacionadas": 1}))
    assert both.sentence == "Falta uma parte: 1.200 registros que não puderam ser salvos e 2 períodos por ler."
    assert both.detail == "1 registro já falhou dez vezes e só volta a ser tentado a pedido."
    both = judged(status(owed={"pendencias": 5, "estacionadas": 2}))
    assert both.detail == "2 registros já falharam dez vezes e só voltam a ser tentados a pedido."
    assert judged(status(last_run=last("error", "O Bling não atende"))).detail.startswith("O Bling não atende. O que")
    old = judged(status(freshness=read(27, 999)))
    assert old.sentence == "Os dados estão velhos: desde 19/02/2026 15:00 não se lê o que há de novo no Bling."
    differs = judged(checked=reconciliation(month(1, faltam=[1, 2], diferem=[3]), month(2, sobram=[4])))
    assert differs.sentence == "O banco difere do Bling em 2 meses."
    assert differs.detail.startswith("2 notas faltam no banco, 1 só existe no banco e 1 mudou no Bling.")
    ending = judged(status(oauth={"refresh_days_left": 1, "warning": "Acaba."}))
    assert ending.sentence == "A autorização do Bling acaba em 1 dia."
    one = judged(checked=reconciliation(completo_em=None, por_conferir=[date(2025, 1, 1)]))
    assert one.sentence == "Os dados estão em dia, mas 1 mês ainda não foi conferido."


def test_a_spent_day_asks_for_nothing_until_midnight() -> None:
    spent = judged(status(owed={"janelas": 1}, quota={"exhausted": True}))
    assert (spent.case, spent.action) == ("devidas", None)
    assert "cota de hoje do Bling acabou" in spent.detail
    assert judged(status(quota={"exhausted": True})).case == "certo"


def test_a_refusal_older_than_the_token_is_past() -> None:
    renewed = status(oauth={"token_updated_at": hours_ago(0.5)})
    assert judged(renewed, alarms=[alarm("autorizacao-recusada", hours=1)]).case == "certo"
    assert judged(alarms=[alarm("autorizacao-recusada", "normal")]).case == "certo"


def test_the_gravest_wins() -> None:
    """Tudo ao mesmo tempo, e um mal a menos de cada vez."""
    everything: dict[str, Any] = {
        "oauth": LOST | {"refresh_days_left": 3, "warning": "x"},
        "running": True,
        "last_run": last("error"),
        "freshness": read(50, 999),
        "owed": {"pendencias": 1},
    }
    bad = reconciliation(month(1, faltam=[1]))
    order = []
    cures: tuple[dict[str, Any], ...] = (
        {},
        {"oauth": {"refresh_days_left": 3, "warning": "x"}},
        {"running": False},
        {"last_run": last("partial")},
        {"freshness": read(4, 999)},
        {"owed": {}},
        {"last_run": last("success")},
    )
    for cure in cures:
        everything |= cure
        order.append(
            judged(status(**{k: dict(v) if isinstance(v, dict) else v for k, v in everything.items()}), bad).case
        )
    assert order == ["autorizacao-perdida", "em-curso", "falhou", "velhos", "devidas", "em-parte", "difere"]
