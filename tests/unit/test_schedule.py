"""SCHEDULE: o que serve, o que não, e a que horas."""

from datetime import UTC, datetime

import pytest

from bling_collector.config import SCHEDULE, Settings
from bling_collector.errors import ConfigurationError
from bling_collector.jobs.schedule import Line, agenda, check_agendas, parse
from bling_collector.plan.daily import LOOKS_A_DAY

RUN = Line("0 6 * * *", "run")


def test_the_usual_agenda() -> None:
    assert parse(SCHEDULE) == (RUN, Line("*/15 * * * *", "look"), Line("0 3 * * 0", "reconcile"))


def test_the_looks_of_a_day_are_those_of_the_usual_agenda() -> None:
    look, tick = parse(SCHEDULE)[1], datetime(2026, 2, 20, 2, 59, tzinfo=UTC)
    looks = 0
    while (tick := look.next(tick)) < datetime(2026, 2, 21, 3, tzinfo=UTC):
        looks += 1
    assert looks == LOOKS_A_DAY


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        ("", ()),
        (" ;\n; ", ()),
        ("0  6 * * *   run;", (RUN,)),
        ("0 6 * mar,apr FRI,thu run", (Line("0 6 * mar,apr FRI,thu", "run"),)),
        ("# de manhã\n0 6 * * * run\n\n*/5 8-18 * * 1-5 look", (RUN, Line("*/5 8-18 * * 1-5", "look"))),
    ],
)
def test_lines_come_by_semicolons_or_on_their_own(written: str, lines: tuple[Line, ...]) -> None:
    assert parse(written) == lines


def test_an_agenda_that_exports_says_where_to() -> None:
    lines = "0 6 * * * run; 0 6 * * * exportar"
    assert agenda(Settings(schedule=lines, export_to="pasta"))[1] == Line("0 6 * * *", "exportar")
    with pytest.raises(ConfigurationError, match=r"^SCHEDULE manda exportar, e falta EXPORT_TO"):
        agenda(Settings(schedule=lines))


@pytest.mark.parametrize(
    "written",
    [
        "0 6 * * *",
        "run",
        "0 6 * * run",
        "0 0 6 * * * run",
        "0 25 * * * run",
        "60 6 * * * run",
        "0 6 31 2 * run",
        "a b c d e run",
        "*/0 * * * * run",
        "-1 6 * * * run",
        "0 6 * * 9 run",
        "@daily run",
        "0 6 * * * sync",
        "0 6 * * * RUN; nada",
        "\x00 6 * * * run",
        "9" * 5000 + " 6 * * * run",
        "R R * * * run",
        "r 6 * * * run",
        "0 R(1-3) * * * run",
        "R/10 6 * * * run",
        "0 6 R * * run",
        "0 6 * R(1-2) * run",
        "0 6 * * r run",
        "H H * * * run",
        "*/99999 6 * * * run",
        "*/60 * * * * look",
        "0 0-12/24 * * * look",
        "0 6 * */13 * run",
    ],
)
def test_an_odd_line_is_one_clear_sentence(written: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^SCHEDULE: a linha «.{0,80}» não serve; cada uma .+\.$"):
        parse(written)


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (datetime(2026, 2, 20, 8, 59, 59, tzinfo=UTC), datetime(2026, 2, 19, 9, tzinfo=UTC)),
        (datetime(2026, 2, 20, 9, 0, 0, tzinfo=UTC), datetime(2026, 2, 20, 9, tzinfo=UTC)),
        (datetime(2026, 2, 20, 9, 0, 0, 5, tzinfo=UTC), datetime(2026, 2, 20, 9, tzinfo=UTC)),
        (datetime(2018, 11, 4, 8, 0, tzinfo=UTC), datetime(2018, 11, 4, 8, tzinfo=UTC)),  # o verão começou à meia-noite
    ],
)
def test_the_hours_are_those_of_brasilia(now: datetime, last: datetime) -> None:
    assert RUN.last(now) == last


def test_the_line_of_one_company_is_said_with_the_name_of_its_variable() -> None:
    settings = Settings(of_companies={"filial": {"schedule": "todo dia run"}, "loja": {"schedule": ""}})
    with pytest.raises(ConfigurationError, match=r"^SCHEDULE__FILIAL: a linha «todo dia run» não serve"):
        check_agendas(settings)
    check_agendas(settings.of("loja"))  # só dela se trata
    exporting = Settings(of_companies={"filial": {"schedule": "0 6 * * * exportar"}})
    with pytest.raises(ConfigurationError, match=r"^SCHEDULE__FILIAL manda exportar, e falta EXPORT_TO"):
        check_agendas(exporting)
    check_agendas(Settings(of_companies={"filial": {"schedule": "0 6 * * * exportar", "export_to": "pasta"}}))
