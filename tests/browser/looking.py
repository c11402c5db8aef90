"""O que se confere em toda página: acessibilidade, largura e peso."""

from importlib.resources import files
from typing import Any

from playwright.async_api import Page

MOST_BYTES = 200 * 1024
"""O que uma página pode pesar ao todo, com tudo o que carrega."""
_RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}


def harmless(said: str, *, outage: bool) -> bool:
    """Se o que o console disse é só o que o próprio teste provocou: uma página de erro ou, com `outage`, uma queda."""
    expected = ["the server responded with a status of 4"]
    if outage:
        expected += ["the server responded with a status of 503", "net::ERR_INCOMPLETE_CHUNKED_ENCODING"]
    return said.startswith(tuple(f"Failed to load resource: {why}" for why in expected))


async def axe(page: Page) -> None:
    """Nenhuma violação das regras do axe-core na página como está."""
    await page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text())
    result: dict[str, Any] = await page.evaluate("options => axe.run(document, options)", _RULES)
    found = [
        f"{broken['id']} ({broken['impact']}): {node['target']} {node['html'][:160]} — {node.get('failureSummary')}"
        for broken in result["violations"]
        for node in broken["nodes"]
    ]
    assert not found, "\n".join(found)


async def fits(page: Page) -> None:
    """A página não rola para o lado."""
    wide, there = await page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide <= there, await page.evaluate(
        "w => [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > w + 1)"
        ".slice(0, 5).map(e => e.outerHTML.slice(0, 120))",
        there,
    )


async def weight(page: Page, path: str) -> int:
    """Os bytes da página e de tudo o que ela carrega, como passam pela rede."""
    await page.goto(path)
    size: int = await page.evaluate(
        "performance.getEntries().filter(e => 'transferSize' in e).reduce((sum, e) => sum + e.encodedBodySize, 0)"
    )
    return size
