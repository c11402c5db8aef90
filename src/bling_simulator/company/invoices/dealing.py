"""Quem compra o quê: reparte contatos e produtos pelas notas, em ordem de data.

Cada contato e cada produto do elenco é apresentado numa nota viva (não cancelada) e pode voltar nas
seguintes; assim o número de cadastros referenciados é exato.
"""

from collections.abc import Sequence
from itertools import accumulate
from random import Random

LINES_PER_NOTE = ((1, 47), (2, 27), (3, 13), (4, 7), (5, 3), (6, 2), (7, 1))
MOST_LINES = 8


def deal_one_each(rng: Random, live: Sequence[bool], cast: int) -> list[int | None]:
    """Para cada nota, a posição do contato no elenco de `cast` nomes (None se ainda não há nenhum)."""
    debuts = _debut_positions(rng, [place for place, alive in enumerate(live) if alive], cast, forced=1)
    dealt: list[int | None] = []
    introduced = 0
    for place in range(len(live)):
        if place in debuts:
            dealt.append(introduced)
            introduced += 1
        else:
            dealt.append(_old_favourite(rng, introduced) if introduced else None)
    return dealt


def line_counts(rng: Random, live: Sequence[bool], live_total: int, most: int) -> list[int]:
    """Quantas mercadorias diferentes em cada nota; as das notas vivas somam `live_total`."""
    sizes, weights = zip(*LINES_PER_NOTE, strict=True)
    counts = [min(count, most) for count in rng.choices(sizes, weights, k=len(live))]
    alive = [place for place, is_alive in enumerate(live) if is_alive]
    reachable = max(len(alive), min(live_total, most * len(alive)))
    missing = reachable - sum(counts[place] for place in alive)
    step = 1 if missing > 0 else -1
    while missing:
        place = rng.choice(alive)
        if 1 <= counts[place] + step <= most:
            counts[place] += step
            missing -= step
    return counts


def deal_lines(
    rng: Random, live: Sequence[bool], counts: Sequence[int], cast: int
) -> tuple[list[list[int]], list[tuple[int, int]]]:
    """As mercadorias (posições no elenco) de cada nota e as linhas que são repetição.

    A segunda lista traz os pares (nota, linha) das notas vivas que não apresentam mercadoria nova: só
    essas podem perder o código sem que um produto deixe de ser referenciado.
    """
    starts = [0, *accumulate(count if alive else 0 for count, alive in zip(counts, live, strict=True))]
    debuts = _debut_positions(rng, range(starts[-1]), cast, forced=MOST_LINES + 1)
    notes: list[list[int]] = []
    repeats: list[tuple[int, int]] = []
    introduced = 0
    for place, alive in enumerate(live):
        chosen: list[int] = []
        for offset in range(counts[place]):
            if alive and starts[place] + offset in debuts:
                chosen.append(introduced)
                introduced += 1
            elif len(chosen) < introduced:
                chosen.append(_another(rng, introduced, chosen))
                if alive:
                    repeats.append((place, offset))
        notes.append(chosen)
    return notes, repeats


def _debut_positions(rng: Random, places: Sequence[int], cast: int, *, forced: int) -> frozenset[int]:
    """`cast` lugares onde se estreia: os `forced` primeiros, os outros ao acaso."""
    head = places[: min(forced, cast)]
    return frozenset(head) | frozenset(rng.sample(places[len(head) :], cast - len(head)))


def _old_favourite(rng: Random, introduced: int) -> int:
    """Um dos já apresentados; os antigos voltam mais."""
    return int(introduced * rng.random() ** 2)


def _another(rng: Random, introduced: int, taken: Sequence[int]) -> int:
    while (candidate := _old_favourite(rng, introduced)) in taken:
        pass
    return candidate
