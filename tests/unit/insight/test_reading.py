"""O que está em `insight` só lê."""

import re
from pathlib import Path

import bling_collector

WRITES = re.compile(r"\b(insert|update|delete)\(|\b(INSERT INTO|UPDATE \w+ SET|DELETE FROM|TRUNCATE)\b")


def test_nothing_is_written() -> None:
    modules = sorted((Path(bling_collector.__file__).parent / "insight").rglob("*.py"))
    assert len(modules) > 15
    assert [module.name for module in modules if WRITES.search(module.read_text("utf-8"))] == []
