"""Cada erro tem um nome só seu, de que sai o `type` com que um programa o reconhece; e o que o sistema diz."""

import errno
import importlib
import os
import pkgutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import bling_collector
from bling_collector.errors import CollectorError, os_cause


def _all(error: type[CollectorError]) -> Iterator[type[CollectorError]]:
    yield error
    for child in error.__subclasses__():
        yield from _all(child)


def test_no_two_errors_have_the_same_name() -> None:
    for module in pkgutil.walk_packages(bling_collector.__path__, "bling_collector."):
        if not any(part in module.name for part in ("__main__", "migrations")):
            importlib.import_module(module.name)
    times = Counter(error.__name__ for error in _all(CollectorError) if error.__module__.startswith("bling_collector"))
    assert [name for name, many in times.items() if many > 1] == []


def test_what_the_system_refuses_is_said_in_portuguese(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        (tmp_path / "nada").read_text()
    assert os_cause(missing.value) == "não existe"
    with pytest.raises(IsADirectoryError) as folder:
        tmp_path.read_text()
    assert os_cause(folder.value) == "é uma pasta"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.EIO, "AWS Error NO_SUCH_BUCKET"), "AWS Error NO_SUCH_BUCKET"),
        (OSError("sem número"), "sem número"),
        (OSError(), "OSError"),
        (OSError(errno.EDOM, os.strerror(errno.EDOM)), os.strerror(errno.EDOM)),
    ],
)
def test_what_is_not_known_is_said_as_it_came(error: OSError, said: str) -> None:
    assert os_cause(error) == said
