"""O ritmo das requisições: 3 por segundo na conta inteira (developer.bling.com.br/limites).

O limitador responde quantos segundos esperar e já reservou a vez; ele nunca dorme.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Turn:
    """A vez que acaba de ser reservada."""

    wait: float
    """Segundos até ela; 0.0 se é já."""
    alone: bool = False
    """É a de prova, depois de uma pausa: nada mais sai até a resposta dela."""


class RateLimiter(Protocol):
    async def reserve(self) -> Turn:
        """A vez seguinte.

        DailyLimitError se a cota do dia acabou; BlingPausedError se o disjuntor está aberto. Nada foi enviado.
        """
        ...

    async def reserve_again(self) -> Turn:
        """Outra vez, no lugar da que se perdeu: a perdida fica vazia, e a cota não é gasta de novo."""
        ...

    async def accepted(self, *, error: bool = False) -> None:
        """O Bling respondeu o que se espera dele, ou (`error`) um 4xx: o ritmo se refaz um pouco."""
        ...

    async def throttled(self) -> None:
        """Chegou um 429 por segundo: metade do ritmo, mais margem, e nada começa por um momento."""
        ...

    async def failed(self, *, blocked: bool = False, probe: bool = False, again: bool = False) -> None:
        """O Bling não respondeu, ou falhou; `blocked` se a resposta tem a cara de um IP bloqueado.

        `probe` se era a prova de que o Bling atende; `again` se o mesmo recurso já tinha falhado: não diz nada de novo.
        """
        ...

    async def exhausted(self) -> None:
        """O Bling diz que a cota do dia acabou."""
        ...
