"""O andamento de uma execução: o que a linha de comando mostra e o banco guarda, e o que ela ainda deve pedir."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

from bling_collector.windows import Window

CONTACTS: Final = 0.35
"""Contatos novos por nota nova, enquanto o banco não tem de que tirar a conta."""
STEPS: Final = 10
"""O que os passos dos cadastros pedem, haja ou não notas novas."""
_LISTING: Final = 3
"""A página vazia do fim, e as das canceladas."""


@dataclass
class Progress:
    """Uma foto do andamento; os contadores só crescem, menos os da fase, que recomeçam com ela."""

    fase: str = "Início"
    feitos: int = 0
    total: int = 0
    saved: Counter[str] = field(default_factory=Counter)
    """Registros salvos, por recurso."""
    requisicoes: int = 0
    limitadas: int = 0
    restam: int | None = None
    """Requisições que se calcula que a execução inteira ainda faça; None se não se sabe."""
    espera: str | None = None
    """Por que nada anda, se o Bling se cala."""

    each: float = 1.0
    """Requisições por item da fase."""

    def start(self, fase: str, total: int = 0, each: float = 1.0) -> None:
        self.fase, self.feitos, self.total, self.each = fase, 0, total, each


def time_left(requisicoes: int, restam: int | None, seconds: float | None) -> float | None:
    """Segundos que faltam à execução inteira, ao ritmo que ela teve em `seconds`; None se não se sabe."""
    if restam is None or not requisicoes or not seconds:
        return None
    return restam * seconds / requisicoes


class ProgressSink(Protocol):
    def __call__(self, progress: Progress) -> None:
        """Recebe o andamento a cada passo; não espera e não falha."""
        ...


def silent(progress: Progress) -> None:
    """Um destino que não mostra nada."""


@dataclass
class Outlook:
    """O que a execução inteira ainda deve pedir ao Bling: o plano do começo, corrigido pelo que ela vai encontrando.

    As janelas por ler, com as notas que se espera buscar em cada uma (None: não se sabe), e os cadastros."""

    ahead: dict[tuple[str, Window], int | None] = field(default_factory=dict)
    contacts: float = CONTACTS
    """Por nota nova."""
    page_size: int = 100
    fetches: bool = True
    """As notas de cada janela são buscadas, e não só listadas; e depois delas vêm os cadastros."""
    _new: int = 0
    _days: int = 0
    _registers_begun: bool = False

    def listed(self, recurso: str, window: Window, new: int) -> None:
        """A janela foi lida: há `new` registros por buscar, que já contam como a fase em curso."""
        if (recurso, window) not in self.ahead:  # lida outra vez, ou de um dia só
            return
        del self.ahead[recurso, window]
        self._new += new
        self._days += (window.fim - window.inicio).days + 1

    def more(self, recurso: str, windows: Iterable[Window]) -> None:
        """Janelas que só agora se soube que é preciso ler."""
        for window in windows:
            self.ahead.setdefault((recurso, window), None)

    def registers(self) -> None:
        """As notas acabaram: dali em diante cada fase diz quanto lhe falta."""
        self.ahead.clear()
        self._registers_begun = True

    def left(self) -> int | None:
        """Requisições por fazer depois da fase em curso; None enquanto não se sabe."""
        notes = 0.0
        for (_, window), expected in self.ahead.items():
            days = (window.fim - window.inicio).days + 1
            if expected is None:
                if not self._days:
                    return None
                expected = math.ceil(self._new / self._days * days)  # noqa: PLW2901 — a conta desta janela
            notes += expected
        pages = notes / self.page_size + _LISTING * len(self.ahead)
        if not self.fetches:
            return math.ceil(pages)
        registers = 0.0 if self._registers_begun else (self._new + notes) * self.contacts + STEPS
        return math.ceil(pages + notes + registers)
