"""Nenhum cômodo tem tantos módulos que não se saiba, olhando, onde mora uma linha."""

from collections import Counter
from pathlib import Path

import pytest

_SOURCE = Path(__file__).parents[2] / "src"
_MOST = 16
"""CONTRIBUTING.md o diz."""


def test_no_room_is_crowded() -> None:
    modules = Counter(
        path.parent.relative_to(_SOURCE)
        for path in _SOURCE.rglob("*.py")
        if path.name != "__init__.py" and path.parent.name != "versions"
    )
    assert {str(room): count for room, count in modules.items() if count > _MOST} == {}, (
        "reparta-se o cômodo: um dentro dele, do que nele anda junto"
    )


@pytest.mark.parametrize("init", sorted(_SOURCE.rglob("__init__.py")), ids=lambda init: init.parent.name)
def test_every_room_says_what_it_holds(init: Path) -> None:
    assert init.read_text("utf-8").startswith(('"""', "#")) or init.parent.name == "versions"
