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

    def start(self, fase: str, total: int = 0) -> None:
        self.fase, self.feitos, self.total = fase, 0, total

    @property
    def stats(self) -> dict[str, int]:
        """As contagens que as respostas mostram."""
        return {"nfes": self.saved["nfe"], "contatos": self.saved["contatos"], "produtos": self.saved["produtos"]}


class ProgressSink(Protocol):
    def __call__(self, progress: Progress) -> None:
        """Recebe o andamento a cada passo; não espera e não falha."""
        ...


def silent(progress: Progress) -> None:
    """Um destino que não mostra nada."""
