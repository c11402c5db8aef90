"""A primeira página: a frase, os números e o que fazer."""

from playwright.async_api import Page
from tests.browser.looking import MOST_BYTES, axe, fits, weight


async def test_all_is_well(page: Page) -> None:
    assert await weight(page, "/") < MOST_BYTES
    await axe(page)
    await fits(page)
