"""A busca de notas: as mesmas notas que se acham percorrendo tudo, por páginas, e sem percorrer tudo."""

import itertools
from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.bench.many_notes import fill as fill_many
from tests.bench.plans import Read
from tests.bench.searches import SEARCHES, pages, plans
from tests.support.collecting import rows, scalar
from tests.support.noted import everything, fill, matches
from tests.support.variants import one_now

from bling_collector.db import schema
from bling_collector.db.models import nfe_busca
from bling_collector.db.resources import nota_search
from bling_collector.insight.notas import search as notas
from bling_collector.insight.notas.search import (
    EXCLUIDA,
    Matches,
    Search,
    SlowSearchError,
    WordlessSearchError,
    load_notas,
    read_place,
    written,
)
from bling_collector.insight.notas.terms import Term

TERMS: list[Term | None] = [
    None,
    Term("numero", "1"),
    Term("numero", "0"),
    Term("numero", "00002447"),
    Term("numero", "12345678"),
    Term("documento", "12345678000195"),
    Term("documento", "12345678"),
    Term("documento", "AB123456"),
    Term("documento", "12ABC34501DE35"),
    Term("chave", "12".rjust(44, "4")),
    Term("chave", "0" * 44),
    Term("texto", "jose"),
    Term("texto", "JOSÉ SILVA"),
    Term("texto", "an"),
    Term("texto", "a"),
    Term("texto", "eng0012a"),
    Term("texto", "ENG-0012"),
    Term("texto", "100%"),
    Term("texto", "_66"),
    Term("texto", "nada disto existe"),
    Term("cliente", "pedra ltda"),
    Term("cliente", "d'avila"),
    Term("cliente", "<script>"),
    Term("cliente", "'; DROP TABLE nfe_busca; --"),
    Term("cliente", "новак"),
    Term("cliente", "🙂"),
    Term("cliente", "C:\\temp"),
    Term("cliente", "x" * 200),
    Term("produto", "coroa aco"),
    Term("produto", "789123"),
    Term("produto", "é_%"),
    Term("produto", "palavra"),
    Term("produto", "rolamento 6204 zz"),
]
OTHERS = [
    Search(),
    Search(situacao=6),
    Search(situacao=EXCLUIDA),
    Search(situacao=3),
    Search(inicio=date(2025, 2, 1)),
    Search(fim=date(2025, 1, 31)),
    Search(inicio=date(2025, 2, 1), fim=date(2025, 2, 1)),
    Search(cliente="josé"),
    Search(produto="engrenagem"),
    Search(cliente="ltda", produto="correia"),
    Search(situacao=2, inicio=date(2025, 1, 1), fim=date(2025, 12, 31), cliente="pedra"),
]


async def all_pages(engine: AsyncEngine, search: Search, per_page: int) -> list[Matches]:
    """Da primeira página à última, por onde a página diz que a seguinte começa."""
    found = [await load_notas(engine, search, per_page)]
    while (after := found[-1].after) is not None:
        found.append(await load_notas(engine, replace(search, place=read_place(after)), per_page))
        assert len(found) < 1000, "as páginas não acabam"
    return found


def ids(found: Matches) -> list[int]:
    return [nota.id for nota in found.notas]


@pytest.fixture
async def filled(engine: AsyncEngine) -> AsyncEngine:
    await fill(engine)
    return engine


@pytest.mark.parametrize("every", one_now([11, 1]))
async def test_each_search_and_combination_finds_what_a_full_scan_does(filled: AsyncEngine, every: int) -> None:
    notes = await everything(filled)
    found_something = 0
    for term, other in itertools.islice(itertools.product(TERMS, OTHERS), 0, None, every):
        search = replace(other, term=term)
        found = await load_notas(filled, search, per_page=1000)
        expected = [note["id"] for note in notes if matches(note, search)]
        assert ids(found) == expected, search
        assert (found.total, found.more, found.before, found.after) == (len(expected), False, None, None)
        found_something += bool(expected)
    assert found_something > 100 // every, "as notas sorteadas dizem alguma coisa"
    for other in OTHERS[:3]:
        assert any(matches(note, other) for note in notes)


@pytest.mark.slow
@pytest.mark.parametrize("gathered", one_now([nota_search.GATHERED, 3]))
@pytest.mark.parametrize(
    "search", [Search(), Search(Term("texto", "jose")), Search(situacao=6), Search(cliente="ltda")]
)
async def test_the_pages_bring_each_nota_once_both_ways(
    filled: AsyncEngine, search: Search, gathered: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nota_search, "GATHERED", gathered)  # juntar e andar dão as mesmas páginas
    expected = [note["id"] for note in await everything(filled) if matches(note, search)]
    assert len({note["data_emissao"] for note in await everything(filled)}) < 10, "há muitos empates"
    for per_page in (1, 7, 50, len(expected), len(expected) + 1):
        forward = await all_pages(filled, search, per_page)
        assert [id_ for found in forward for id_ in ids(found)] == expected
        assert forward[0].before is None
        if per_page == 1:
            continue
        backward = [forward[-1]]
        while (before := backward[-1].before) is not None:
            earlier = replace(search, place=read_place(before), newer=True)
            backward.append(await load_notas(filled, earlier, per_page))
        assert [ids(found) for found in reversed(backward)] == [ids(found) for found in forward]


async def test_how_many_there_are_is_only_said_up_to_the_limit(
    filled: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    total = await scalar(filled, "SELECT count(*) FROM nfe_cabecalho")
    found = await load_notas(filled, Search(), per_page=10)
    assert (found.total, found.more) == (total, False)
    monkeypatch.setattr(notas, "MOST_COUNTED", 50)
    for search in (Search(), Search(Term("texto", "jose"))):
        found = await load_notas(filled, search, per_page=10)
        assert (found.total, found.more, len(found.notas)) == (50, True, 10)


async def test_without_any_word_it_says_why(filled: AsyncEngine) -> None:
    for typed in ("%", "_", "---", "' \" \\", "—"):
        with pytest.raises(WordlessSearchError, match="nenhuma letra"):
            await load_notas(filled, Search(Term("texto", typed)))


@pytest.mark.slow
async def test_a_slow_search_is_cut_and_says_what_to_do(filled: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notas, "SECONDS", 0.3)
    async with filled.connect() as other:
        await other.execute(text("LOCK TABLE nfe_busca IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(SlowSearchError, match="período"):
            await load_notas(filled, Search())
    assert (await load_notas(filled, Search())).notas


def test_a_place_goes_to_the_address_and_comes_back() -> None:
    for place in (
        nota_search.Position(datetime.fromisoformat("2025-01-31T23:59:59"), 17),
        nota_search.Position(nota_search.UNDATED, 10**17),
    ):
        assert read_place(written(place)) == place


@pytest.mark.parametrize(
    "wrong",
    [
        *("", "_", "2025-01-31", "2025-01-31T00:00:00_", "x_1", "2025-13-01_1", "2025-01-01T00:00:00Z_1", "_1"),
        *("2025-01-01_-1", "2025-01-01_" + "9" * 30, "2025-01-01_١", "2025-01-01_1\x00"),
    ],
)
def test_what_is_no_place_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 — a página diz o mesmo, seja qual for o motivo
        read_place(wrong)


async def test_the_table_follows_the_nota_and_goes_with_it(filled: AsyncEngine) -> None:
    id_ = await scalar(filled, "SELECT min(id) FROM nfe_cabecalho")
    before = await rows(filled, "SELECT ctid, * FROM nfe_busca ORDER BY nfe_id")
    async with filled.begin() as connection:
        everyone = (await connection.execute(text("SELECT id FROM nfe_cabecalho"))).scalars().all()
        await nota_search.refresh(connection, everyone)
    assert await rows(filled, "SELECT ctid, * FROM nfe_busca ORDER BY nfe_id") == before, "o que não mudou não é tocado"
    async with filled.begin() as connection:
        await connection.execute(
            text("UPDATE nfe_cabecalho SET contato_nome = 'Zulmira', data_emissao = NULL WHERE id = :id"), {"id": id_}
        )
        await nota_search.refresh(connection, [id_])
    assert ids(await load_notas(filled, Search(Term("cliente", "zulmira")))) == [id_]
    async with filled.begin() as connection:
        await connection.execute(text("DELETE FROM nfe_itens WHERE nfe_id = :id"), {"id": id_})
        await connection.execute(text("DELETE FROM nfe_cabecalho WHERE id = :id"), {"id": id_})
    assert await scalar(filled, "SELECT count(*) FROM nfe_busca WHERE nfe_id = :id", id=id_) == 0


@pytest.mark.slow
async def test_the_migration_fills_the_table_as_the_collection_would(empty_engine: AsyncEngine) -> None:
    await schema.upgrade(empty_engine)
    await fill(empty_engine, many=150)
    expected = await rows(empty_engine, "SELECT * FROM nfe_busca ORDER BY nfe_id")
    # Só a parte da busca volta atrás: as outras da mesma revisão não lhe interessam.
    async with empty_engine.begin() as connection:
        await connection.execute(text("DROP TABLE nfe_busca"))
        await connection.run_sync(_migrate_search_again)
    assert await rows(empty_engine, "SELECT * FROM nfe_busca ORDER BY nfe_id") == expected
    indexes = "SELECT count(*) FROM pg_indexes WHERE tablename = 'nfe_busca'"
    assert await scalar(empty_engine, indexes) == 1 + len(nfe_busca.indexes)


def _migrate_search_again(connection: object) -> None:
    from importlib import import_module

    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from sqlalchemy import Connection

    assert isinstance(connection, Connection)
    migration = import_module("bling_collector.db.migrations.versions.0005_panel")
    with Operations.context(MigrationContext.configure(connection)):
        migration._add_search()


@pytest.mark.slow
async def test_no_search_scans_a_whole_table(engine: AsyncEngine) -> None:
    await fill_many(engine, 20_000)
    for name, search in SEARCHES.items():
        for which, one in pages(search).items():
            async for step, plan in plans(engine, one):
                assert not plan.scans_a_table, f"{name}, {which}, {step}: {plan}"
                assert plan.nodes


MOST_BLOCKS = 4_000
"""Páginas de 8 KB."""


@pytest.mark.slow
async def test_with_100000_notas_no_search_reads_much(engine: AsyncEngine) -> None:
    """O que cada uma lê, que uma máquina ocupada não muda; o tempo mede-o `tests.bench`."""
    await fill_many(engine, 100_000)
    for name, search in SEARCHES.items():
        for which, one in pages(search).items():
            with Read() as read:
                await load_notas(engine, one)
            blocks = await read.blocks(engine)
            assert 0 < blocks < MOST_BLOCKS, f"{name}, {which}: {blocks} blocos"
