"""O que se mede: uma empresa, a demora de cada resposta, o limite da conta e quem coleta."""

from dataclasses import dataclass
from typing import Final

SOL: Final = 2926
"""Notas de saída da empresa de referência (2.966 com as de entrada)."""
EVERYONE: Final = ("nosso", "dlt", "sequencial")
CONCURRENT: Final = ("nosso", "dlt")
"""Sem o sequencial, que a um segundo por resposta levaria hora e meia."""


@dataclass(frozen=True)
class Scenario:
    name: str
    notes: int
    """De saída, mais ou menos: a empresa simulada é a de referência nesta proporção, com os anos arredondados."""
    latency: float = 0.0
    """Segundos de demora de cada resposta."""
    per_second: int = 0
    """O limite da conta; 0 é nenhum."""
    who: tuple[str, ...] = EVERYONE
    times: int = 3
    """Quantas vezes se mede cada um; vale a mediana."""

    @property
    def scale(self) -> float:
        return self.notes / SOL

    def title(self, notes: str) -> str:
        """O que se mediu, com as notas que a empresa tem."""
        wait = f"{self.latency * 1000:.0f} ms por resposta" if self.latency else "sem demora"
        limit = f"{self.per_second} requisições por segundo" if self.per_second else "sem limite"
        return f"`{self.name}`: {notes} notas de saída, {wait}, {limit}"


SHORT: Final = (
    Scenario("sol", SOL),
    Scenario("sol-50ms", SOL, latency=0.05, who=CONCURRENT, times=1),
    Scenario("sol-300ms", SOL, latency=0.3, who=CONCURRENT, times=1),
    Scenario("sol-1000ms", SOL, latency=1.0, who=CONCURRENT, times=1),
    Scenario("curta-50ms", 400, latency=0.05, times=1),
)
"""`make bench`. Com demora o tempo do sequencial é o número de requisições vezes ela: mede-se numa empresa menor."""

FULL: Final = (
    *SHORT,
    Scenario("20mil", 20_000),
    Scenario("sol-50ms-todos", SOL, latency=0.05, times=1),
    Scenario("curta-300ms", 150, latency=0.3, times=1),
    Scenario("curta-1000ms", 60, latency=1.0, times=1),
    Scenario("3-por-segundo", 150, per_second=3, times=1),
    Scenario("3-por-segundo-1000ms", 60, latency=1.0, per_second=3, times=1),
)
"""`make bench-full`."""
