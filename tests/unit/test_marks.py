"""Uma linha que diz ✘ e um código de saída 0 nunca vão juntos, seja qual for o comando."""

from pathlib import Path

import click
import pytest

import bling_collector.cli
from bling_collector.cli.screen.portuguese import Group
from bling_collector.cli.screen.terminal import mark


@pytest.mark.parametrize(
    ("marks", "returned", "expected"),
    [([], 0, 0), ([True], 0, 0), ([True, False, True], 0, 1), ([False], 3, 3), ([False], None, 1), ([], None, 0)],
)
def test_a_cross_never_exits_with_zero(marks: list[bool], returned: int | None, expected: int) -> None:
    @click.group(cls=Group)
    def root() -> None:
        pass

    @root.group(cls=Group, name="dentro")
    def inner() -> None:
        pass

    @inner.command()
    def look() -> int | None:
        for ok in marks:
            click.echo(mark(ok))
        return returned

    assert root.main(["dentro", "look"], standalone_mode=False) == expected
    assert root.main(["dentro", "look"], standalone_mode=False) == expected, "a chamada anterior não conta nesta"


def test_only_one_place_writes_the_cross() -> None:
    folder = Path(next(iter(bling_collector.cli.__path__)))
    assert {file.name for file in folder.rglob("*.py") if "✘" in file.read_text(encoding="utf-8")} == {
        "terminal.py",
        "streams.py",  # que só diz com que letra se escreve onde ele não cabe
    }
