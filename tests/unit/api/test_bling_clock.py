"""A hora do Bling, ouvida nas respostas dele."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest
from tests.support.fakes import FakeClock

from bling_collector.api.bling_clock import FRESH, BlingClock, HeardTransport, in_words

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Machine(FakeClock):
    """Uma máquina cujo relógio se pode acertar."""

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        super().__init__(NOW)
        self.ahead = ahead

    def now(self) -> datetime:
        return super().now() + self.ahead

    @property
    def true(self) -> datetime:
        return super().now()


def heard(machine: Machine, *, wrong: timedelta = timedelta(), times: int = 1) -> BlingClock:
    clock = BlingClock(machine)
    for _ in range(times):
        say(clock, machine.true + wrong)
    return clock


def say(clock: BlingClock, moment: datetime) -> None:
    clock.hear(format_datetime(moment.astimezone(UTC), usegmt=True))


def test_until_it_hears_it_is_the_machine_s() -> None:
    machine = Machine(timedelta(days=370))
    clock = BlingClock(machine)
    assert clock.now() == machine.now()
    assert not clock.sure


def test_one_answer_that_agrees_is_enough() -> None:
    machine = Machine(timedelta(milliseconds=700))
    clock = heard(machine)
    assert clock.sure
    assert clock.now() == machine.now()


@pytest.mark.parametrize("ahead", [timedelta(days=370), timedelta(minutes=2), timedelta(days=-370), timedelta()])
def test_it_follows_bling_and_needs_two_to_be_sure(ahead: timedelta) -> None:
    machine = Machine(ahead)
    clock = heard(machine)
    assert abs(clock.now() - machine.true) < timedelta(seconds=1)
    if ahead:
        assert not clock.sure
    say(clock, machine.true)
    assert clock.sure
    machine.advance(300)
    assert abs(clock.now() - machine.true) < timedelta(seconds=1)
    machine.ahead = timedelta()  # alguém acertou o relógio
    assert abs(clock.now() - machine.true) < timedelta(seconds=1)
    assert clock.sure == (not ahead)


def test_a_machine_that_was_off_for_years_is_put_right() -> None:
    machine = Machine(datetime(1970, 1, 1, tzinfo=UTC) - NOW)
    assert abs(heard(machine, times=2).now() - NOW) < timedelta(seconds=1)


@pytest.mark.parametrize(
    "header",
    [
        *("", "ontem", "2026-03-02T12:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"),
        *("Mon, 99 Foo 2026 12:00:00 GMT", "0", "Fri, 31 Dec 9999 23:59:59 -2359", "Sat, 01 Jan 0001 00:00:00 +2359"),
    ],
)
def test_what_cannot_be_read_or_is_absurd_does_not_count(header: str) -> None:
    machine = Machine()
    for clock in (BlingClock(machine), heard(machine)):
        before = clock.sure
        for _ in range(3):
            clock.hear(header)
        assert clock.now() == machine.now()
        assert clock.sure == before


def test_a_single_answer_with_another_hour_does_not_move_it() -> None:
    machine = Machine()
    clock = heard(machine)
    say(clock, NOW + timedelta(days=365))
    assert clock.now() == machine.now()
    say(clock, machine.true)
    say(clock, NOW + timedelta(days=365))
    assert clock.now() == machine.now()


def test_a_single_wrong_answer_at_first_is_undone_by_the_next_two() -> None:
    machine = Machine()
    clock = heard(machine, wrong=timedelta(days=365))
    assert not clock.sure
    say(clock, machine.true)
    say(clock, machine.true)
    assert clock.sure
    assert clock.now() == machine.now()


def test_of_answers_that_took_their_time_the_latest_hour_counts() -> None:
    machine = Machine(timedelta(hours=1))
    clock = heard(machine, times=2)
    say(clock, machine.true - timedelta(seconds=40))
    assert abs(clock.now() - machine.true) < timedelta(seconds=1)


def test_what_was_heard_long_ago_or_before_a_sleep_is_asked_again() -> None:
    machine = Machine()
    clock = heard(machine)
    machine.advance(FRESH.total_seconds() + 1)
    assert not clock.sure
    clock = heard(machine)
    machine.ahead += timedelta(hours=8)  # a máquina dormiu, e o relógio que não volta atrás dormiu com ela
    assert not clock.sure


@pytest.mark.parametrize(
    ("status", "content_type", "counts"),
    [
        (200, "application/json", True),
        (404, "application/json", True),
        (429, "application/json; charset=utf-8", True),
        (401, "", True),
        (302, "application/json", False),
        (403, "text/html", False),
    ],
)
async def test_only_the_api_is_heard(status: int, content_type: str, *, counts: bool) -> None:
    heard: list[str] = []
    headers = {"Date": "x", "Content-Type": content_type}
    wire = httpx2.MockTransport(lambda request: httpx2.Response(status, headers=headers))
    async with httpx2.AsyncClient(transport=HeardTransport(wire, heard.append)) as http:
        await http.get("https://bling/nfe")
    assert heard == (["x"] if counts else [])


@pytest.mark.parametrize(
    ("seconds", "words"), [(45, "45 s"), (-150, "2 min"), (7300, "2 h"), (3 * 86400 + 5, "3 dias")]
)
def test_the_difference_in_words(seconds: int, words: str) -> None:
    assert in_words(timedelta(seconds=seconds)) == words
