"""Variantes de um teste: a primeira roda sempre; as que só repetem o mesmo caminho com outro dado, entre os lentos."""

from collections.abc import Sequence
from typing import Any

import pytest
from _pytest.mark import ParameterSet


def one_now(values: Sequence[Any]) -> list[ParameterSet]:
    """Os valores para `parametrize`: o primeiro como é, os outros lentos. Um valor de vários parâmetros é uma tupla."""
    first, *others = [value if isinstance(value, tuple) else (value,) for value in values]
    return [pytest.param(*first), *(pytest.param(*other, marks=pytest.mark.slow) for other in others)]
