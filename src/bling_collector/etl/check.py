"""A conferência: o que a listagem completa de uma janela mostra, registro por registro, ao lado do que o banco tem."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from bling_collector.db.proof import Held, Month
from bling_collector.windows import Window


@dataclass(frozen=True)
class Listed:
    """Uma linha da listagem, no que importa à conferência."""

    resumo: str
    day: date
    group: str


@dataclass(frozen=True)
class Differences:
    """Em que os dois lados diferem, em ids."""

    faltam: list[int]
    diferem: list[int]
    sobram: list[int]


def compare(
    listed: Mapping[int, Listed],
    held: Mapping[int, Held],
    elsewhere: Collection[int] = (),
    otherwise: Collection[int] = (),
) -> Differences:
    """O que falta aqui, o que mudou lá e o que só existe aqui.

    `elsewhere` são os listados que o banco tem, com que data seja: os que não estão em `held` mudaram de data; e
    `otherwise`, os que ele tem de outro jeito, ainda que a linha seja a que leu.
    """
    moved = (listed.keys() - held.keys()) & set(elsewhere)
    changed = {
        id_ for id_, row in listed.items() if id_ in held and (held[id_].resumo != row.resumo or id_ in otherwise)
    }
    return Differences(
        faltam=sorted(listed.keys() - held.keys() - moved),
        diferem=sorted(changed | moved),
        sobram=sorted(held.keys() - listed.keys()),
    )


def months_of(
    months: Iterable[Window],
    listed: Mapping[int, Listed],
    held: Mapping[int, Held],
    counts: Mapping[date, Counter[str]],
    before: Mapping[int, date] | None = None,
    otherwise: Collection[int] = (),
) -> list[Month]:
    """A conferência de cada mês; `before` traz o dia de cada divergência que se encontrou e tentou reparar, e
    `otherwise` é o de `compare`."""
    found = {m.inicio.replace(day=1): Month(m.inicio, m.fim) for m in months}
    for month in found.values():
        month.no_banco = counts.get(month.inicio.replace(day=1), Counter())
    for row in listed.values():
        if (first := row.day.replace(day=1)) in found:
            found[first].no_bling[row.group] += 1
    differences = compare(listed, held, otherwise=otherwise)
    days = {id_: row.day for id_, row in held.items()} | {id_: row.day for id_, row in listed.items()}
    for kind in ("faltam", "diferem", "sobram"):
        for id_ in getattr(differences, kind):
            if (first := days[id_].replace(day=1)) in found:
                getattr(found[first], kind).append(id_)
    left = {*differences.faltam, *differences.diferem, *differences.sobram}
    for id_, day in (before or {}).items():
        if id_ not in left and (first := day.replace(day=1)) in found:
            found[first].reparadas += 1
    return list(found.values())
