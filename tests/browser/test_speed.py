"""Diante de cem mil notas, nenhuma página demora a pintar-se no navegador: o que cada uma leva, mostra-se."""

import pytest
from playwright.async_api import Page
from tests.acceptance.test_panel_speed import CHECKED
from tests.bench.many_notes import fill
from tests.browser.conftest import Panel
from tests.browser.looking import MOST_BYTES, weight
from tests.support.collecting import scalar
from tests.support.proving import execute

from bling_collector.db.sums import fold

MOST_MILLISECONDS = 5000
"""Com a máquina parada é um décimo disto, ou menos; numa ocupada, só se vê o que cresceu muito."""
PAGES = ("/", "/cobertura", "/cobertura/2025-03", "/execucoes", "/faturamento", "/notas", "/notas?q=ltda")
_FIRST_PAINT = """() => new Promise(painted => new PerformanceObserver(
    list => painted(list.getEntriesByName("first-contentful-paint")[0].startTime)
).observe({ type: "paint", buffered: true }))"""


@pytest.mark.slow
@pytest.mark.company(loaded=False)
async def test_the_first_paint(page: Page, panel: Panel, capsys: pytest.CaptureFixture[str]) -> None:
    await fill(panel.engine, 100_000)
    await execute(panel.engine, *CHECKED)
    await fold(panel.engine)  # como ao fim de uma execução
    nota = await scalar(panel.engine, "SELECT max(id) FROM nfe_cabecalho")
    took: dict[str, float] = {}
    for path in (*PAGES, f"/notas/{nota}"):
        assert await weight(page, path) < MOST_BYTES
        times = []
        for _ in range(5):
            await page.goto(path, wait_until="networkidle")  # o que se carrega depois não pesa na vez seguinte
            times.append(await page.evaluate(_FIRST_PAINT))
        took[path] = min(times)
    with capsys.disabled():
        print("", *(f"{milliseconds:6.0f} ms  {path}" for path, milliseconds in took.items()), sep="\n")  # noqa: T201
    assert {path: took[path] for path in took if took[path] > MOST_MILLISECONDS} == {}
