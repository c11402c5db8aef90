"""Os gráficos: um SVG bem formado, sem nada que a política de conteúdo barre, e uma escala que serve."""

import re
from datetime import date, timedelta
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bling_collector.web.panel.charts import Group, Series, grouped_bars, meter, scale_top
from bling_collector.web.panel.tables.revenue import step_labels
from bling_collector.words import number

SVG = "{http://www.w3.org/2000/svg}"


def drawn(title: str = "Valor", tips: tuple[str, ...] = ("jan", "fev")) -> str:
    groups = [Group(tip, "2025", tip) for tip in tips]
    series = [
        Series("Agora", 1, [Decimal(10)] * len(tips)),
        Series("Antes", 2, [Decimal(5), *[Decimal(0)] * 9][: len(tips)]),
    ]
    return str(grouped_bars(title, "Descrição", groups, series, str))


def parsed(made: str) -> ET.Element:
    return ET.fromstring(str(made))  # noqa: S314 — é o nosso próprio texto


def test_the_chart_is_told_to_who_cannot_see() -> None:
    root = parsed(drawn())
    image = next(node for node in root.iter() if node.get("role") == "img")
    assert [child.text for child in image if child.tag in ("title", "desc")] == ["Valor", "Descrição"]
    assert [node.findtext("title") for node in image.iter("g")] == ["jan", "fev"]
    axis = next(node for node in root.iter() if node.get("class") == "plot-axis")
    assert axis.get("aria-hidden") == "true"


def linked(*links: str | None) -> list[tuple[str | None, str | None]]:
    """(o endereço, o nome) de cada enlace do gráfico de um grupo, de que a segunda barra não existe."""
    series = [Series("A receber", 1, [Decimal(10)]), Series("A pagar", 3, [Decimal(0)])]
    root = parsed(grouped_bars("Valor", "", [Group("1", "", "dia 1", links)], series, str))
    (image,) = (node for node in root.iter() if node.get("role"))
    assert image.get("role") == ("group" if any(links) else "img"), "dentro de uma imagem ninguém alcança um enlace"
    return [(node.get("href"), node.get("aria-label")) for node in root.iter("a")]


def test_a_bar_leads_to_what_is_behind_it() -> None:
    assert linked() == linked(None) == []
    assert linked("/a?b=1&c=2") == [("/a?b=1&c=2", "dia 1")]
    assert linked("/a", "/b") == [("/a", "A receber, dia 1")], "onde não há barra não há enlace"


def test_the_heights_are_those_of_the_values() -> None:
    root = parsed(drawn())
    bars = [node for node in root.iter("rect") if (node.get("class") or "").startswith("fill-")]
    heights = [(node.get("class"), float(node.get("height") or 0)) for node in bars]
    assert [name for name, _ in heights] == ["fill-1", "fill-2", "fill-1"], "um zero não tem barra"
    assert heights[0][1] == pytest.approx(2 * heights[1][1], abs=0.2)


def test_nothing_is_executed_or_styled_inside_it() -> None:
    evil = '"><script>alert(1)</script>'
    made = drawn(title=evil, tips=(evil, "</svg>"))
    assert "<script" not in made
    assert re.search(r"\s(style|on\w+)=", made) is None
    parsed(made)


@given(st.decimals(min_value=0, max_value=Decimal("1e15"), places=2))
def test_the_scale_covers_the_largest_without_crushing_it(highest: Decimal) -> None:
    top = scale_top(highest)
    assert top >= highest
    assert top % 4 == 0
    assert (top / 4) == (top / 4).to_integral_value()
    assert highest <= 12 or top <= highest * Decimal("1.7")


@pytest.mark.parametrize("huge", ["1e400", "9.99e130000", "1e-400", "123456789012345678901234567890.12"])
def test_a_value_of_any_size_is_still_a_chart(huge: str) -> None:
    value = Decimal(huge)
    assert scale_top(value) >= value
    series = [Series("Agora", 1, [value, -value, Decimal(0)])]
    groups = [Group("jan", "", "jan")] * 3
    made = str(grouped_bars("Valor", "", groups, series, number))
    assert made.count('class="fill-1"') == 1
    assert len(made) < 5000
    parsed(made)


def test_in_a_narrow_chart_the_labels_do_not_touch() -> None:
    months = ("jan", "fev", "mar", "abr", "mai", "jun", "jul", "ago", "set", "out", "nov", "dez")
    groups = [Group(name, "2025" if name == "jan" else "", name) for name in months]
    root = parsed(grouped_bars("Valor", "", groups, [Series("Agora", 1, [1] * 12)], number))
    texts = [(node.text, node.get("class")) for group in root.iter("g") for node in group.iter("text")]
    assert [text for text, kind in texts if kind is None] == ["jan", "2025", "mar", "mai", "jul", "set", "nov"]
    assert len(texts) == 13, "num largo aparecem todos"


@pytest.mark.parametrize(("first", "named"), [(30, ["dez/2026"]), (28, ["dez/2026"]), (15, ["nov/2026", "dez/2026"])])
def test_a_month_that_begins_is_named_rather_than_the_one_that_ends(first: int, named: list[str]) -> None:
    days = [date(2026, 11, first) + timedelta(days=n) for n in range(31)]
    groups = [Group(*step_labels(n, each, "dia", 31), tip="") for n, each in enumerate(days)]
    root = parsed(grouped_bars("Valor", "", groups, [Series("Agora", 1, [1] * 31)], number))
    texts = [(node.text, node.get("class")) for group in root.iter("g") for node in group.iter("text")]
    assert [text for text, kind in texts if kind is None and "/" in str(text)] == named, "num estreito"
    assert [text for text, _ in texts if "/" in str(text)][-1] == "dez/2026"
    assert ("1", None) in texts
    if first == 30:
        assert "nov/2026" not in [text for text, _ in texts], "nem num largo cabem os dois"


def test_a_period_with_nothing_is_still_a_chart() -> None:
    made = str(grouped_bars("Nada", "", [Group("jan", "", "jan")], [Series("Agora", 1, [0])], str))
    assert "fill-1" not in made
    assert made.count("grid-line") == 5


@pytest.mark.parametrize(("share", "width"), [(0.5, "50.00%"), (None, "0.00%"), (3, "100.00%"), (-1, "0.00%")])
def test_the_bar_of_a_cell(share: float | None, width: str) -> None:
    assert f'width="{width}" height="8" rx="4"/></svg>' in str(meter(share))
