"""A página das empresas: a frase de cada uma cabe num celular, e acha-se uma entre muitas."""

import pytest
from playwright.async_api import Page, expect
from tests.browser.conftest import Panel
from tests.browser.looking import axe

from bling_collector.db.companies.schemas import of_company
from bling_collector.workplace.companies import add

pytestmark = pytest.mark.company(loaded=False)


@pytest.mark.slow
@pytest.mark.browser(width=360, theme="dark")
async def test_the_sentence_of_each_company_fits(panel: Panel, page: Page) -> None:
    await add(panel.engine, "sul")
    async with of_company(panel.engine, "sul").begin() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    await page.goto("/empresas")
    await expect(page.get_by_text("2 empresas pedem atenção, de 2.")).to_be_visible()
    for badge in await page.locator("#empresas .badge").all():
        box = await badge.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 360
    await axe(page)
    await page.goto("/empresas?q=SÚL")
    await expect(page.get_by_role("row", name="sul")).to_be_visible()
    await expect(page.get_by_text("principal")).to_have_count(0)
