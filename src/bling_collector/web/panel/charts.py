"""Os gráficos, em SVG dentro da página: as larguras em porcentagem e os textos em pixels, para caberem em toda tela.

Nada aqui leva estilo próprio: as cores são classes, que o tema troca. Ao lado de cada gráfico há a tabela dele.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Final

from markupsafe import Markup, escape

from bling_collector.words import compact

HEIGHT: Final = 240
_TOP: Final = 12
_BOTTOM: Final = 38
_AXIS: Final = 64
_TICKS: Final = 4
_ROUND: Final = ("0.25", "0.3", "0.4", "0.5", "0.6", "0.8", "1", "1.5", "2", "2.5")
_LETTER: Final = 0.0146
"""A parte que uma letra ocupa da largura do mais estreito dos gráficos largos."""
_NARROW_LETTER: Final = 0.026
"""E do mais estreito de todos."""
_GAP: Final = 0.16
"""A parte de cada grupo que fica vazia, de cada lado."""


@dataclass(frozen=True)
class Series:
    """Uma cor do gráfico: `color` é de 1 a 6 (.fill-N)."""

    name: str
    color: int
    values: Sequence[Decimal | int]


@dataclass(frozen=True)
class Group:
    """Um lugar no eixo: o rótulo, a segunda linha dele (o ano, por exemplo) e o que se lê ao passar o mouse.

    `links` são os endereços do que está por trás: um do grupo todo, ou um de cada barra; None onde não há página.
    """

    label: str
    under: str
    tip: str
    links: Sequence[str | None] = ()


@dataclass(frozen=True)
class Chart:
    title: str
    svg: Markup
    legend: Sequence[tuple[str, int]]


def short_value(value: Decimal) -> str:
    """O valor do eixo: 500 mil, 1,5 mi."""
    return compact(value).replace(",0 ", " ")


def grouped_bars(
    title: str, description: str, groups: Sequence[Group], series: Sequence[Series], axis: Callable[[Decimal], str]
) -> Markup:
    """Barras lado a lado, uma por série, em cada grupo; `axis` escreve os valores do eixo."""
    top = scale_top(max((Decimal(value) for each in series for value in each.values), default=Decimal(0)))
    wide, narrow = _written(groups, _LETTER), _written(groups, _NARROW_LETTER)
    # O que está dentro de uma imagem ninguém alcança pelo teclado: com enlaces o gráfico é um grupo deles.
    role = "group" if any(any(group.links) for group in groups) else "img"
    return Markup(
        '<div class="plot">{axis}<svg class="plot-bars" role="{role}" height="{height}" width="100%">'
        "<title>{title}</title><desc>{description}</desc>{grid}{bars}</svg></div>"
    ).format(
        role=role,
        axis=_axis(top, axis),
        height=HEIGHT,
        title=title,
        description=description,
        grid=Markup().join(
            Markup('<line class="grid-line" x1="0" x2="100%" y1="{y}" y2="{y}"/>').format(y=f"{_y(tick, top):.1f}")
            for tick in _ticks(top)
        ),
        bars=Markup().join(
            _group(i, group, len(groups), series, top, (wide, narrow)) for i, group in enumerate(groups)
        ),
    )


_Written = tuple[set[int], set[int]]
"""Os lugares de que se escreve o rótulo, e os de que se escreve a segunda linha dele."""


def _written(groups: Sequence[Group], letter: float) -> _Written:
    """O que se escreve onde uma letra ocupa esta parte da largura: o rótulo de cada segunda linha vem antes dos
    outros."""
    unders = _apart([group.under for group in groups], letter)
    return _apart([group.label for group in groups], letter, unders), unders


def _apart(texts: Sequence[str], letter: float, before: Collection[int] = ()) -> set[int]:
    """Os que não se tocam: destes lugares (`before`), e depois dos outros, do primeiro em diante. O do começo cede aos
    que o tocam: está lá só por ser o primeiro, e um mês que começa a seguir diz de que são os dias todos dele."""
    kept: set[int] = set()
    places = (place for place, text in enumerate(texts) if text)
    for place in sorted(places, key=lambda each: (each not in before, each == 0, each)):
        if all(abs(place - other) / len(texts) >= (len(texts[min(place, other)]) + 1) * letter for other in kept):
            kept.add(place)
    return kept


def meter(share: Decimal | float | None, color: int = 1) -> Markup:
    """Uma barra fina, para dentro de uma célula que já diz o número."""
    width = min(max(float(share or 0), 0.0), 1.0) * 100
    return Markup(
        '<svg class="meter" width="100%" height="8" aria-hidden="true" focusable="false">'
        '<rect class="meter-track" width="100%" height="8" rx="4"/>'
        '<rect class="fill-{color}" width="{width}%" height="8" rx="4"/></svg>'
    ).format(color=color, width=f"{width:.2f}")


def scale_top(highest: Decimal) -> Decimal:
    """O alto do eixo: um número redondo que não fica abaixo do maior valor e se divide em quatro inteiros."""
    if not highest.is_finite() or highest <= 0:
        return Decimal(_TICKS)
    magnitude = Decimal(10) ** highest.adjusted()  # e não log10, que passa por float: um valor pode não caber nele
    step = next(Decimal(s) for s in _ROUND if magnitude * Decimal(s) * _TICKS >= highest)
    tick = magnitude * step
    return (tick if tick >= 10 else Decimal(ceil(tick))) * _TICKS


def _axis(top: Decimal, write: Callable[[Decimal], str]) -> Markup:
    labels = Markup().join(
        Markup('<text x="{x}" y="{y}" text-anchor="end" font-size="11">{text}</text>').format(
            x=_AXIS - 8, y=f"{_y(tick, top) + 4:.1f}", text=write(tick)
        )
        for tick in _ticks(top)
    )
    return Markup(
        '<svg class="plot-axis" width="{width}" height="{height}" aria-hidden="true" focusable="false">{labels}</svg>'
    ).format(width=_AXIS, height=HEIGHT, labels=labels)


def _ticks(top: Decimal) -> list[Decimal]:
    return [top * n / _TICKS for n in range(_TICKS + 1)]


def _y(value: Decimal, top: Decimal) -> float:
    return HEIGHT - _BOTTOM - float(value / top) * (HEIGHT - _TOP - _BOTTOM)


def _group(
    place: int,
    group: Group,
    of: int,
    series: Sequence[Series],
    top: Decimal,
    written: tuple[_Written, _Written],
) -> Markup:
    width = 100 / of
    left, middle = place * width, (place + 0.5) * width
    bar = width * (1 - 2 * _GAP) / len(series)
    texts = Markup().join(
        Markup('<text{hidden} x="{x}%" y="{y}" text-anchor="middle" font-size="11">{text}</text>').format(
            hidden="" if place in narrow else Markup(' class="plot-wide"'), x=f"{middle:.3f}", y=y, text=text
        )
        for y, text, wide, narrow in zip((HEIGHT - 22, HEIGHT - 7), (group.label, group.under), *written, strict=True)
        if place in wide
    )
    bars = [
        _bar(each, place, left + width * _GAP + n * bar, bar, top) if each.values[place] > 0 else None
        for n, each in enumerate(series)
    ]
    # Os enlaces repartem o grupo: um só o tem todo; se são das barras, cada um tem a sua coluna.
    links = group.links or (None,)
    if len(links) == 1:
        return _part(_joined(bars), texts, links[0], group.tip, left, width)
    column = width / len(links)
    parts = [
        _part(_joined(bars[n : n + 1]), Markup(), link, f"{series[n].name}, {group.tip}", left + n * column, column)
        for n, link in enumerate(links)
    ]
    return Markup("{parts}<g>{texts}</g>").format(parts=Markup().join(parts), texts=texts)


def _joined(bars: Sequence[Markup | None]) -> Markup:
    return Markup().join(each for each in bars if each is not None)


def _bar(series: Series, place: int, left: float, width: float, top: Decimal) -> Markup:
    y, ground = _y(Decimal(series.values[place]), top), _y(Decimal(0), top)
    return Markup('<rect class="fill-{color}" x="{x}%" y="{y}" width="{width}%" height="{height}" rx="1.5"/>').format(
        color=series.color, x=f"{left:.3f}", y=f"{y:.1f}", width=f"{width:.3f}", height=f"{max(ground - y, 0.5):.1f}"
    )


def _part(bars: Markup, texts: Markup, link: str | None, tip: str, left: float, width: float) -> Markup:
    """Uma coluna do gráfico, com o que nela se lê; um enlace, se há para onde ir e barra que o peça."""
    inside = Markup(
        '<title>{tip}</title><rect class="plot-hit" x="{x}%" y="{y}" width="{w}%" height="{h}"/>{bars}{texts}'
    ).format(
        tip=escape(tip),
        x=f"{left:.3f}",
        y=_TOP,
        w=f"{width:.3f}",
        h=HEIGHT - _TOP - _BOTTOM,
        bars=bars,
        texts=texts,
    )
    if link is None or not bars:
        return Markup("<g>{inside}</g>").format(inside=inside)
    return Markup('<a href="{link}" aria-label="{tip}">{inside}</a>').format(link=link, tip=tip, inside=inside)
