"""O andamento de uma execução: o que a linha de comando mostra e o banco guarda."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol


@dataclass
class Progress:
    """Uma foto do andamento; os contadores só crescem, menos os da fase, que recomeçam com ela."""

    fase: str = "Início"
    feitos: int = 0
    total: int = 0
    saved: Counter[str] = field(default_factory=Counter)
    """Registros salvos, por stream."""
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

    @property
    def stats(self) -> dict[str, int]:
        """As contagens que as respostas mostram."""
        return {"nfes": self.saved["nfe"], "contatos": self.saved["contatos"], "produtos": self.saved["produtos"]}


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
