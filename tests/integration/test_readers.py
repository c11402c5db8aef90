"""Os leitores: o que leem, o que não leem, e o que lhes fica depois de uma migração, de uma cópia, de outra empresa."""

from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.collecting import rows, scalar
from tests.support.postgres import create_database, drop_database, libpq_url
from tests.support.postgres import execute as run
from tests.support.proving import execute
from tests.support.variants import one_now

from bling_collector.db import schema
from bling_collector.db.connection.database import address, close, create_engine, in_schema, parse_url, quoted, shown
from bling_collector.db.copies.backup import backup
from bling_collector.db.copies.restore import restore
from bling_collector.db.embedded.postgres import EmbeddedServer
from bling_collector.db.meanings import meanings
from bling_collector.db.readers import MARK, ReaderRole, RemovedRole, make, remove
from bling_collector.errors import CollectorError, DatabaseError, UsageError

HIDDEN = {name for name, about in meanings().items() if not about.readable}
NAMES = ["ana", "Ana", "José da Silva", 'a"b', "a'b; DROP TABLE nfe_itens --", "%s %(x)s", "select", "á" * 31, "a.b\\c"]


@pytest.fixture
async def engine(postgres: EmbeddedServer, database_url: str) -> AsyncIterator[AsyncEngine]:
    """O banco do teste; os usuários são do servidor inteiro, e os que o teste deixa tiram-se no fim."""
    before = await _roles(postgres.url)
    engine = create_engine(parse_url(database_url))
    yield engine
    await close(engine)
    for name in await _roles(postgres.url) - before:
        await run(database_url, f"DROP OWNED BY {quoted(name)} CASCADE", f"DROP ROLE {quoted(name)}")


async def _roles(url: str) -> set[str]:
    async with await psycopg.AsyncConnection.connect(libpq_url(url)) as connection:
        found = await connection.execute("SELECT rolname FROM pg_roles")
        return {name for (name,) in await found.fetchall()}


async def made(engine: AsyncEngine, name: str = "ana", *, everything: bool = False, ours: bool = False) -> ReaderRole:
    async with engine.begin() as connection:
        return await connection.run_sync(make, name, everything=everything, ours=ours)


async def removed(engine: AsyncEngine, name: str = "ana") -> RemovedRole:
    async with engine.begin() as connection:
        return await connection.run_sync(remove, name)


async def connected(engine: AsyncEngine, name: str = "ana") -> psycopg.AsyncConnection:
    url = shown(address(engine).set(username=name), password=True)
    return await psycopg.AsyncConnection.connect(url, autocommit=True)


async def denied(connection: psycopg.AsyncConnection, tables: set[str]) -> set[str]:
    """As que não se deixam ler."""
    found = set()
    for table in tables:
        try:
            await connection.execute(f"SELECT * FROM {table} LIMIT 0".encode())
        except psycopg.errors.InsufficientPrivilege:
            found.add(table)
    return found


async def everything_in(engine: AsyncEngine) -> set[str]:
    query = """
        SELECT relname FROM pg_class
        WHERE relkind IN ('r', 'v') AND relnamespace = quote_ident(current_schema())::regnamespace"""
    return {name for (name,) in await rows(engine, query)}


async def test_a_reader_reads_everything_but_the_secrets_and_writes_nothing(engine: AsyncEngine) -> None:
    await execute(engine, "CREATE TABLE nova (segredo text)")
    reader = await made(engine)
    assert (reader.schemas, reader.hidden, reader.tables) == (
        ["public"],
        sorted(HIDDEN),
        len(meanings()) - len(HIDDEN),
    )
    assert reader.password is not None
    assert await scalar(engine, "SELECT rolpassword FROM pg_authid WHERE rolname = 'ana'") != reader.password
    async with await connected(engine) as connection:
        assert await denied(connection, await everything_in(engine)) == HIDDEN | {"nova"}
        settings = (
            "default_transaction_read_only",
            "statement_timeout",
            "idle_in_transaction_session_timeout",
            "timezone",
        )
        shown = [await (await connection.execute(f"SHOW {each}".encode())).fetchone() for each in settings]
        assert shown == [("on",), ("5min",), ("1min",), ("America/Sao_Paulo",)]
        await connection.execute("SET default_transaction_read_only = off")
        for statement in ("DELETE FROM nfe_itens", "UPDATE cfops_da_empresa SET motivo = ''"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await connection.execute(statement.encode())
        try:
            await connection.execute("DO $$ BEGIN CREATE TABLE x (); DROP TABLE x; END $$")
            created = ["public"]  # até o PostgreSQL 14, qualquer um pode no `public`
        except psycopg.errors.InsufficientPrivilege:
            created = []
        assert reader.can_create == created


async def test_where_the_database_is_only_ours_it_keeps_nothing_there(engine: AsyncEngine) -> None:
    await made(engine, ours=True)
    async with await connected(engine) as connection:
        await connection.execute("SET default_transaction_read_only = off")
        for statement in ("lo_create(0)", "lo_creat(-1)", "lo_from_bytea(0, 'x')"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await connection.execute(f"SELECT {statement}".encode())


async def test_the_second_time_its_rights_are_renewed_and_it_is_the_same(engine: AsyncEngine) -> None:
    first = await made(engine)
    await execute(engine, "REVOKE ALL ON nfe_itens FROM ana")
    await execute(engine, "GRANT SELECT ON oauth_tokens TO ana")
    before = await rows(engine, "SELECT rolpassword FROM pg_authid WHERE rolname = 'ana'")
    again = await made(engine)
    assert (again.password, again.tables) == (None, first.tables)
    assert await rows(engine, "SELECT rolpassword FROM pg_authid WHERE rolname = 'ana'") == before
    async with await connected(engine) as connection:
        assert await denied(connection, await everything_in(engine)) == HIDDEN


async def test_where_everybody_may_create_tables_it_is_said(engine: AsyncEngine) -> None:
    """É assim no schema public do PostgreSQL 14."""
    await execute(engine, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    assert (await made(engine)).can_create == []
    await execute(engine, "GRANT CREATE ON SCHEMA public TO PUBLIC")
    assert (await made(engine)).can_create == ["public"]


@pytest.mark.slow
async def test_a_migration_gives_back_what_a_view_made_again_lost(engine: AsyncEngine) -> None:
    old = await schema.create(engine, "empresa_antiga")
    async with old.begin() as connection:
        await connection.run_sync(schema.migrate, "0031")
    await made(old)
    definition = await scalar(old, "SELECT pg_get_viewdef('vw_dre_mes'::regclass)")
    await execute(old, "DROP VIEW vw_dre_mes")
    await execute(old, f"CREATE VIEW vw_dre_mes AS {definition}")
    async with await connected(engine) as connection:
        assert "vw_dre_mes" in await denied(connection, {"vw_dre_mes"})
        await schema.upgrade(old)
        assert await denied(connection, await everything_in(old)) == HIDDEN


@pytest.mark.slow
async def test_a_copy_that_comes_back_is_read_by_whoever_read_before(engine: AsyncEngine, tmp_path: Path) -> None:
    await backup(engine, tmp_path / "copia")
    await made(engine)
    await restore(engine, tmp_path / "copia", overwrite=True)
    async with await connected(engine) as connection:
        assert await denied(connection, await everything_in(engine)) == HIDDEN


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_that_needs_quotes_is_only_a_name(engine: AsyncEngine, name: str) -> None:
    await made(engine, name)
    async with await connected(engine, name) as connection:
        found = await (await connection.execute("SELECT current_user, current_schema()")).fetchone()
        assert found == (name, "public")
        assert await denied(connection, {"vw_dre_mes", "oauth_tokens"}) == {"oauth_tokens"}
    assert (await removed(engine, name)).elsewhere == []
    assert name not in await _roles(engine.url.render_as_string(hide_password=False))


@pytest.mark.parametrize(
    "name", ["", " ", " ana", "ana ", "pg_ana", "public", "none", "á" * 32, "a" * 64, "a\nb", "a\x00b", "a\udce3b"]
)
async def test_a_name_that_does_not_serve_changes_nothing(engine: AsyncEngine, name: str) -> None:
    before = await _roles(engine.url.render_as_string(hide_password=False))
    for work in (made, removed):
        with pytest.raises(UsageError, match=r"^O nome do leitor, .*\. Nada foi mudado\.$"):
            await work(engine, name)
    assert await _roles(engine.url.render_as_string(hide_password=False)) == before


async def test_a_user_that_is_not_ours_is_left_alone(engine: AsyncEngine) -> None:
    await execute(engine, "CREATE ROLE metabase LOGIN")
    await execute(engine, f"COMMENT ON ROLE metabase IS 'não {MARK}'")
    for work in (made, removed):
        with pytest.raises(UsageError, match="usuário metabase, que `db leitor` não fez"):
            await work(engine, "metabase")
    assert await scalar(engine, "SELECT has_table_privilege('metabase', 'nfe_itens', 'SELECT')") is False
    with pytest.raises(UsageError, match="Não há um usuário ninguem"):
        await removed(engine, "ninguem")


@pytest.fixture
async def owned(engine: AsyncEngine, postgres: EmbeddedServer) -> AsyncIterator[AsyncEngine]:
    """Um banco cujas tabelas são de um usuário comum, que é quem o abre."""
    await execute(engine, "CREATE ROLE dono LOGIN")
    url = await create_database(postgres)
    await run(url, f'ALTER DATABASE "{make_url(url).database}" OWNER TO dono')
    await run(url, "ALTER SCHEMA public OWNER TO dono")
    engine = create_engine(parse_url(url).set(username="dono"))
    await schema.upgrade(engine)
    yield engine
    await close(engine)
    await drop_database(postgres, url)


@pytest.mark.slow
async def test_without_the_right_it_says_what_to_ask_for_and_then_it_works(
    engine: AsyncEngine, owned: AsyncEngine
) -> None:
    with pytest.raises(DatabaseError) as refused:
        await made(owned)
    assert "O usuário do banco, dono, não pode criar" in str(refused.value)
    asked = str(refused.value).partition("rode nele: ")[2].partition("; e repita")[0]
    url = owned.url.set(username=engine.url.username).render_as_string(hide_password=False)
    await run(url, *asked.split("; "))
    assert (await made(owned)).password is None
    async with await connected(owned) as connection:
        assert await denied(connection, await everything_in(owned)) == HIDDEN
    with pytest.raises(DatabaseError, match=r'não pode tirar o leitor ana.*DROP ROLE "ana"'):
        await removed(owned)
    assert "ana" in await _roles(url)


@pytest.mark.slow
async def test_who_may_create_users_without_being_the_administrator_makes_and_removes_one(
    engine: AsyncEngine, owned: AsyncEngine
) -> None:
    await execute(engine, "ALTER ROLE dono CREATEROLE")
    await made(owned, everything=True)
    async with await connected(owned) as connection:
        assert await denied(connection, await everything_in(owned)) == HIDDEN
        assert await removed(owned) == RemovedRole(1, [])
        with pytest.raises(psycopg.OperationalError):
            await connection.execute("SELECT 1")


@pytest.mark.slow
async def test_who_does_not_own_the_tables_gives_nothing(engine: AsyncEngine, owned: AsyncEngine) -> None:
    await execute(engine, "CREATE ROLE outro LOGIN CREATEROLE")
    other = create_engine(owned.url.set(username="outro"))
    try:
        with pytest.raises(CollectorError, match=r"de que não é dono\. Rode este comando com o dono das tabelas"):
            await made(other)
    finally:
        await close(other)
    assert "ana" not in await _roles(engine.url.render_as_string(hide_password=False))


@pytest.mark.slow
async def test_of_two_databases_it_leaves_one_at_a_time(engine: AsyncEngine, postgres: EmbeddedServer) -> None:
    url = await create_database(postgres)
    other = create_engine(parse_url(url))
    try:
        await schema.upgrade(other)
        await made(engine)
        assert (await made(other)).password is None
        assert await removed(engine) == RemovedRole(0, [str(other.url.database)])
        async with await connected(engine) as connection:
            assert await denied(connection, {"nfe_itens"}) == {"nfe_itens"}
        async with await connected(other) as connection:
            assert await denied(connection, {"nfe_itens"}) == set()
        assert await removed(other) == RemovedRole(0, [])
    finally:
        await close(other)
        await drop_database(postgres, url)


async def test_what_a_reader_owns_is_not_lost_with_it(engine: AsyncEngine) -> None:
    await made(engine)
    await execute(engine, "CREATE TABLE dela ()")
    await execute(engine, "ALTER TABLE dela OWNER TO ana")
    with pytest.raises(UsageError, match="O leitor ana é dono de table dela"):
        await removed(engine)
    async with await connected(engine) as connection:
        assert await denied(connection, {"nfe_itens"}) == set()


@pytest.mark.slow
async def test_of_every_company_also_of_those_to_come(engine: AsyncEngine) -> None:
    one = await schema.create(engine, "empresa_Um")
    await schema.upgrade(one)
    await schema.create(engine, "empresa_de_outro_programa")
    for name in ("nfe_cabecalho", "dre_mes", "oauth_tokens", "segredos"):
        await execute(engine, f"CREATE VIEW vw_todas_{name} AS SELECT 1 AS um")
    only = await made(one, "so_um")
    assert only.schemas == ["empresa_Um"]
    await made(engine, "so_esta")
    reader = await made(in_schema(one, None), everything=True)
    assert reader.schemas == ["public", "empresa_Um"]
    two = await schema.create(engine, "empresa_dois")
    await schema.upgrade(two)
    secret = {f"{place}.oauth_tokens" for place in ("public", "empresa_dois", '"empresa_Um"')}
    secret |= {"public.vw_todas_oauth_tokens", "public.vw_todas_segredos"}
    together = {"public.vw_todas_nfe_cabecalho", "public.vw_todas_dre_mes"}
    places = {"public.vw_dre_mes", '"empresa_Um".vw_dre_mes', "empresa_dois.vw_dre_mes"}
    for name, lacking in (
        ("ana", set()),
        ("so_esta", together | places - {"public.vw_dre_mes"}),
        ("so_um", together | places - {'"empresa_Um".vw_dre_mes'}),
    ):
        async with await connected(engine, name) as connection:
            assert await denied(connection, together | places | secret) == lacking | secret, name
            assert await denied(connection, {"nfe_itens"}) == set(), "o schema de cada um se vê sem o dizer"
    # O que já lê uma empresa passa a ler outra, sem que mude o que ele vê primeiro.
    await made(two, "so_um")
    async with await connected(engine, "so_um") as connection:
        found = await (await connection.execute("SELECT current_schemas(false)")).fetchone()
        assert found == (["empresa_Um", "empresa_dois"],)
    assert (await made(engine, "so_um", everything=True)).schemas == ["empresa_Um", "empresa_dois", "public"]


@pytest.mark.parametrize(
    "path", one_now(["public, empresa_dois", "naoexiste", "''", '"$user"', "pg_catalog, information_schema"])
)
async def test_what_a_reader_says_of_itself_gives_it_nothing(engine: AsyncEngine, path: str) -> None:
    two = await schema.create(engine, "empresa_dois")
    await schema.upgrade(two)
    first = await made(engine)
    async with await connected(engine) as connection:
        await connection.execute("SET default_transaction_read_only = off")
        database = str(engine.url.database)
        await connection.execute(f'ALTER ROLE ana IN DATABASE "{database}" SET search_path = {path}'.encode())
        assert await schema.finish(two) >= 0
        assert await denied(connection, {"empresa_dois.vw_dre_mes"}) == {"empresa_dois.vw_dre_mes"}
        again = await made(engine)
        assert (again.schemas, again.tables) == (["public"], first.tables)
        assert await denied(connection, {"empresa_dois.vw_dre_mes"}) == {"empresa_dois.vw_dre_mes"}
    async with await connected(engine) as connection:
        assert await denied(connection, {"nfe_itens"}) == set(), "o começo das sessões dele também se repõe"


async def test_what_ends_with_its_sessions_does_not_keep_a_reader(engine: AsyncEngine) -> None:
    await made(engine)
    async with await connected(engine) as connection:
        await connection.execute("SET default_transaction_read_only = off")
        await connection.execute("CREATE TEMP TABLE rascunho (id int)")
        assert await removed(engine) == RemovedRole(1, [])
    assert "ana" not in await _roles(engine.url.render_as_string(hide_password=False))
