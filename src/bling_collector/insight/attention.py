"""O que pede atenção: cada sinal com a sua regra, e só os de que se coletam os dados."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Row

from bling_collector.db.connection.core import AsyncEngine
from bling_collector.db.connection.database import one_instant
from bling_collector.db.reports.attention import read_signal
from bling_collector.db.reports.revenue import NOTAS, read_bounds
from bling_collector.insight.recursos import load_collected
from bling_collector.windows import EARLIEST


@dataclass(frozen=True)
class Rule:
    """Um sinal: o título, a regra numa frase, e o recurso de que precisa."""

    title: str
    rule: str
    recurso: str = "nfe"


RULES: Final[Mapping[str, Rule]] = {
    "clientes-parados": Rule(
        "Bons clientes que pararam de comprar",
        "Dos que somam 80% das vendas de dois anos e compraram em três dias ou mais: os que não compram há mais de 60 "
        "dias e de duas vezes o intervalo que costumam deixar.",
    ),
    "produtos-em-queda": Rule(
        "Produtos que caem",
        "Os que faziam ao menos 0,5% das vendas e, nos últimos 90 dias, venderam menos da metade do que nos 90 "
        "de antes.",
    ),
    "concentracao": Rule(
        "Vendas em poucas mãos",
        "Um cliente faz mais de 20% das vendas dos últimos 12 meses, ou cinco fazem mais da metade.",
    ),
    "cancelamentos": Rule(
        "Cancelamentos fora do costume",
        "Nos últimos 30 dias a parte das notas que foi cancelada é o dobro, ou mais, da dos 12 meses de antes, e são "
        "ao menos três.",
    ),
    "receber-vencidas": Rule(
        "Contas a receber vencidas", "As que estão em aberto, no todo ou em parte, e já venceram.", "contas_receber"
    ),
    "pagar-vencidas": Rule(
        "Contas a pagar vencidas", "As que estão em aberto, no todo ou em parte, e já venceram.", "contas_pagar"
    ),
    "estoque-acaba": Rule(
        "Estoque que acaba",
        "Os produtos que venderam nos últimos 90 dias e cujo saldo acabou, ou acaba em 30 dias nesse passo.",
        "estoques",
    ),
}


@dataclass(frozen=True)
class Signal:
    """O que um sinal mostra; sem linhas, nada pede atenção."""

    name: str
    rule: Rule
    rows: Sequence[Row[Any]]

    @property
    def of(self) -> int:
        return self.rows[0].de if self.rows else 0


@dataclass(frozen=True)
class Attention:
    day: date | None
    """O último dia de que há notas, de que partem as regras das vendas; None se não há nenhuma."""
    signals: list[Signal]
    off: list[Rule]
    """Os sinais de que não se coletam os dados."""


async def load_attention(
    engine: AsyncEngine,
    today: date,
    recursos: Collection[str] | None,
    *,
    most: int | None,
    names: Collection[str] = tuple(RULES),
) -> Attention:
    """Os sinais destes nomes, com até `most` linhas cada um."""
    on = await load_collected(engine, recursos)
    async with one_instant(engine).connect() as connection:
        last = (await read_bounds(connection, NOTAS, EARLIEST, today + timedelta(days=1))).last
        day = last or today
        signals = [
            Signal(name, rule, await read_signal(connection, name, day, today, most))
            for name, rule in RULES.items()
            if name in names and rule.recurso in on
        ]
    return Attention(last, signals, [rule for rule in RULES.values() if rule.recurso not in on])
