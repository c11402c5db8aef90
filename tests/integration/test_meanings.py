"""Os comentários do banco são os da fonte, em toda tabela, view e coluna."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.collecting import rows
from tests.support.proving import execute

from bling_collector.db import schema
from bling_collector.db.meanings import describe, meanings

COMMENTS = """
    SELECT c.relname, a.attname, CASE WHEN a.attnum IS NULL THEN obj_description(c.oid, 'pg_class')
                                      ELSE col_description(c.oid, a.attnum) END
    FROM pg_class c LEFT JOIN LATERAL (
        SELECT attname, attnum FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
        UNION ALL SELECT NULL, NULL) a ON true
    WHERE c.relnamespace = quote_ident(current_schema())::regnamespace AND c.relkind IN ('r', 'v')
    ORDER BY c.relname, a.attnum
"""


async def test_every_table_view_and_column_has_the_comment_of_the_source(engine: AsyncEngine) -> None:
    found = await rows(engine, COMMENTS)
    said = meanings()
    expected = {
        (name, column): text
        for name, about in said.items()
        for column, text in ((None, about.text), *about.columns.items())
    }
    assert {row[:2]: row[2] for row in found} == expected
    in_order = [(name, column) for name, column, _ in found if column and name.startswith("vw_")]
    assert in_order == [
        (name, column) for name in sorted(said) if name.startswith("vw_") for column in said[name].columns
    ]


async def test_the_second_time_nothing_is_written_and_a_change_is_undone(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        assert await connection.run_sync(describe) == 0
    await execute(engine, "COMMENT ON COLUMN nfe_itens.quantidade IS 'outra coisa'")
    await execute(engine, "COMMENT ON VIEW vw_dre_mes IS NULL")
    assert await schema.finish(engine) == 2
    assert await schema.finish(engine) == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["empresa_um", "A “B” 'c' %s \"d\""])
async def test_the_tables_of_another_schema_say_it_too(engine: AsyncEngine, name: str) -> None:
    other = await schema.create(engine, name)
    await schema.upgrade(other)
    assert await rows(other, COMMENTS) == await rows(engine, COMMENTS)


async def test_what_belongs_to_another_user_does_not_stop_a_migration(engine: AsyncEngine) -> None:
    await execute(engine, "COMMENT ON VIEW vw_dre_mes IS 'outra coisa'")
    async with engine.begin() as connection:
        await connection.exec_driver_sql("CREATE ROLE so_daqui")
        await connection.exec_driver_sql("GRANT CREATE ON SCHEMA public TO so_daqui")
        await connection.exec_driver_sql("SET LOCAL ROLE so_daqui")
        assert await connection.run_sync(describe) == 0
        await connection.rollback()
