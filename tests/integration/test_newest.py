"""Dois que leem o mesmo registro: fica o que se pediu depois, por quem quer que grave primeiro."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.collecting import rows

from bling_collector.db.models import contatos
from bling_collector.db.upsert import upsert

NOW = datetime(2026, 2, 20, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SAID = "SELECT nome, extraido_em FROM contatos WHERE id = 7"


async def keep(engine: AsyncEngine, nome: str, asked: datetime | None, **more: object) -> bool:
    row = {"id": 7, "nome": nome, "detalhe": {"nome": nome}, "extraido_em": asked} | more
    async with engine.begin() as connection:
        done = await upsert(connection, contatos, [row], now=NOW)
    return bool(done.written)


@pytest.mark.parametrize(
    ("held", "asked", "kept"),
    [
        (NOW - 5 * SECOND, NOW - 9 * SECOND, False),
        (NOW - 5 * SECOND, NOW - 5 * SECOND, True),
        (NOW - 5 * SECOND, NOW - SECOND, True),
        (NOW, NOW - SECOND, False),
        (NOW + SECOND, NOW - SECOND, True),  # um relógio que andou adiantado
        (None, NOW - SECOND, True),  # por reler
        (NOW - SECOND, None, True),
    ],
)
async def test_what_was_asked_for_later_stays(
    engine: AsyncEngine, held: datetime | None, asked: datetime | None, kept: bool
) -> None:
    assert await keep(engine, "antes", held)
    assert await keep(engine, "agora", asked) is kept
    assert await rows(engine, SAID) == [("agora", asked) if kept else ("antes", held)]


async def test_what_nobody_read_yet_is_not_newer(engine: AsyncEngine) -> None:
    """O que outro cita tem uma linha, sem documento, da hora em que se citou."""
    assert await keep(engine, "citado", NOW, detalhe=None)
    assert await keep(engine, "lido", NOW - 9 * SECOND)
    assert await rows(engine, SAID) == [("lido", NOW - 9 * SECOND)]


async def test_of_the_same_document_what_the_listing_says_is_still_kept(engine: AsyncEngine) -> None:
    """A impressão da linha que mostrou o registro, de quem o pediu antes e o grava depois."""
    assert await keep(engine, "igual", NOW - SECOND, situacao=None)
    assert await keep(engine, "igual", NOW - 9 * SECOND, situacao="A")
    assert await rows(engine, "SELECT situacao FROM contatos WHERE id = 7") == [("A",)]
