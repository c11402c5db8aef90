"""O README do simulador nomeia tudo o que se pode regular."""

from dataclasses import fields
from pathlib import Path
from typing import get_args

import bling_simulator
from bling_simulator import FaultRule, SimulatorSettings
from bling_simulator.faults import FaultKind

README = (Path(bling_simulator.__file__).parent / "README.md").read_text(encoding="utf-8")


def test_every_setting_is_described() -> None:
    assert [field.name for field in fields(SimulatorSettings) if f"`{field.name}`" not in README] == []


def test_every_fault_is_described() -> None:
    names = [*get_args(FaultKind), *(field.name for field in fields(FaultRule) if field.name != "kind")]
    assert [name for name in names if f"`{name}`" not in README] == []
