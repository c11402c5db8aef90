"""O andamento de uma execução: o que a linha de comando mostra e o banco guarda, e o que ela ainda deve pedir."""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol

from bling_collector.windows import Window


@dataclass(eq=False)
class Phase:
    """O que se faz agora, e quanto disso; ou, enquanto várias coisas correm ao lado umas das outras, o que faz cada
    uma (`parts`, na ordem em que começaram)."""

    fase: str = ""
    feitos: int = 0
    total: int = 0
    each: float = 1.0
    """Requisições por item."""
    parts: list["Phase"] = field(default_factory=list)

    @property
    def shown(self) -> "Phase":
        """A que se mostra: das que correm ao lado umas das outras, a que começou primeiro."""
        return next((part.shown for part in self.parts if part.shown.fase), self)

    @property
    def left(self) -> int:
        """Requisições que falta fazer; menos as que se fizeram do que ainda se conta como por ler."""
        return math.ceil((self.total - self.feitos) * self.each) + sum(part.left for part in self.parts)


_here: ContextVar[Phase] = ContextVar("here")


@dataclass
class Progress:
    """Uma foto do andamento; os contadores só crescem, menos os da fase, que recomeçam com ela."""

    whole: Phase = field(default_factory=lambda: Phase("Início"))
    saved: Counter[str] = field(default_factory=Counter)
    """Registros salvos, por recurso."""
    requisicoes: int = 0
    limitadas: int = 0
    restam: int | None = None
    """Requisições que se calcula que a execução inteira ainda faça; None se não se sabe."""
    espera: str | None = None
    """Por que nada anda, se o Bling se cala."""

    @property
    def fase(self) -> str:
        return self.whole.shown.fase

    @property
    def feitos(self) -> int:
        return self.whole.shown.feitos

    @property
    def total(self) -> int:
        return self.whole.shown.total

    @property
    def here(self) -> Phase:
        """A fase de quem pergunta."""
        return _here.get(self.whole)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """O que corre no bloco corre ao lado de outras coisas, e tem a sua fase."""
        parent, part = self.here, Phase()
        parent.parts.append(part)
        token = _here.set(part)
        try:
            yield
        finally:
            _here.reset(token)
            parent.parts.remove(part)


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

    As janelas por ler, com os registros que se espera buscar em cada uma (None: não se sabe), e o resto de cada
    recurso."""

    ahead: dict[tuple[str, Window], int | None]
    listing: Callable[[str, float], float]
    """Recurso, e quantos registros tem uma janela dele → requisições da listagem dela."""
    rest: Callable[[Mapping[str, float], Collection[str]], float]
    """Recurso → registros novos, e os recursos cujo resto já começou → requisições do resto dos outros."""
    fetches: bool = True
    """Os registros de cada janela são buscados, e não só listados; e depois delas vem o resto."""
    _new: Counter[str] = field(default_factory=Counter)
    _days: Counter[str] = field(default_factory=Counter)
    _begun: set[str] = field(default_factory=set)
    _left: tuple[int | None] | None = None
    """A última conta, que se pergunta a cada registro e só muda com as janelas."""

    def listed(self, recurso: str, window: Window, new: int) -> None:
        """A janela foi lida: há `new` registros por buscar, que já contam como a fase em curso."""
        if (recurso, window) not in self.ahead:  # lida outra vez, ou de um dia só
            return
        self._left = None
        del self.ahead[recurso, window]
        self._new[recurso] += new
        self._days[recurso] += (window.fim - window.inicio).days + 1

    def more(self, recurso: str, windows: Iterable[Window]) -> None:
        """Janelas que só agora se soube que é preciso ler."""
        self._left = None
        for window in windows:
            self.ahead.setdefault((recurso, window), None)

    def begin(self, recurso: str) -> None:
        """As janelas acabaram, e começa o resto deste recurso: dali em diante cada fase diz quanto lhe falta."""
        self._left = None
        self.ahead.clear()
        self._begun.add(recurso)

    def left(self) -> int | None:
        """Requisições por fazer depois da fase em curso; None enquanto não se sabe."""
        if self._left is None:
            self._left = (self._reckon(),)
        return self._left[0]

    def _reckon(self) -> int | None:
        coming, pages = Counter[str](), 0.0
        for (recurso, window), expected in self.ahead.items():
            days = (window.fim - window.inicio).days + 1
            if expected is None:
                # De um recurso de que ainda não se leu janela nenhuma, espera-se o que os outros mostraram.
                new, seen = (self._new[recurso], self._days[recurso]) if self._days[recurso] else self._usual
                if not seen:
                    return None
                expected = math.ceil(new / seen * days)  # noqa: PLW2901 — a conta desta janela
            coming[recurso] += expected
            pages += self.listing(recurso, expected)
        if not self.fetches:
            return math.ceil(pages)
        return math.ceil(pages + coming.total() + self.rest(self._new + coming, self._begun))

    @property
    def _usual(self) -> tuple[int, int]:
        """Registros e dias das janelas já lidas, de um recurso como a média deles."""
        return self._new.total(), self._days.total()
