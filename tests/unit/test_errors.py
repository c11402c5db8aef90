"""Cada erro tem um nome só seu: é dele que sai o `type` com que um programa o reconhece."""

import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterator

import bling_collector
from bling_collector.errors import CollectorError


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
