"""Contar o que um banco ouve."""

from collections import Counter
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


class Counted:
    """Os comandos que um banco recebe, pela primeira palavra."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.by_word: Counter[str] = Counter()
        event.listen(engine.sync_engine, "before_cursor_execute", self._note)

    def _note(self, _connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        self.by_word[statement.split(None, 1)[0].upper()] += 1

    @property
    def total(self) -> int:
        return self.by_word.total()
