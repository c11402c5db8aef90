"""Quando cada nota é emitida: dias úteis e horário comercial, com algumas no último segundo."""

from calendar import monthrange
from collections import defaultdict
from datetime import date, datetime, time, timedelta
from random import Random

LAST_SECOND = time(23, 59, 59)


def emission_times(rng: Random, year: int, count: int, last_day: date) -> list[datetime]:
    """As `count` emissões do ano, em ordem; nenhuma depois de `last_day`.

    Num ano completo há uma nota no primeiro e uma no último segundo, e uma no último segundo de
    cada mês movimentado; no ano corrente a última sai na manhã de `last_day`.
    """
    end = min(last_day, date(year, 12, 31)) if last_day.year == year else date(year, 12, 31)
    days = _business_days(date(year, 1, 1), end)
    times = sorted(datetime.combine(rng.choice(days), office_hour(rng)) for _ in range(count))
    times = _push_to_month_ends(times, end)
    final = datetime.combine(end, LAST_SECOND if end == date(year, 12, 31) else time(11, 47, 12))
    if count >= 3:
        times[0] = datetime.combine(date(year, 1, 1), time())
        times[-1] = final
    return sorted(min(moment, final) for moment in times)


def _business_days(first: date, last: date) -> list[date]:
    span = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    return [day for day in span if day.weekday() < 5] or span


def office_hour(rng: Random) -> time:
    return time(rng.randrange(8, 18), rng.randrange(60), rng.randrange(60))


def _push_to_month_ends(times: list[datetime], end: date) -> list[datetime]:
    by_month: dict[int, list[datetime]] = defaultdict(list)
    for moment in times:
        by_month[moment.month].append(moment)
    for month, moments in by_month.items():
        last = date(end.year, month, monthrange(end.year, month)[1])
        if len(moments) >= 4 and last < end:
            moments[-1] = datetime.combine(last, LAST_SECOND)
            moments[1] = datetime.combine(moments[1].date(), LAST_SECOND)
    return sorted(moment for moments in by_month.values() for moment in moments)
