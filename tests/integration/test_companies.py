"""As empresas de um banco: criadas, juntas nas views, postas em dia uma a uma e apagadas, sem que uma toque noutra."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.support.collecting import rows, scalar
from tests.support.counting import Counted
from tests.support.fakes import FakeClock
from tests.support.inbox import open_inbox
from tests.support.postgres import execute

from bling_collector.alarms.channels import channels
from bling_collector.alarms.watch import Alarms
from bling_collector.auth.token_cipher import TokenCipher
from bling_collector.cli import database as cli
from bling_collector.config import Secret, Settings
from bling_collector.db import broker, readers, schema
from bling_collector.db.companies import access, united
from bling_collector.db.companies.schemas import names, of_company
from bling_collector.db.connection.database import check_server, close, create_engine, parse_url
from bling_collector.db.copies import client_tools
from bling_collector.db.copies.backup import backup
from bling_collector.db.copies.client_tools import find_tools
from bling_collector.db.copies.restore import restore
from bling_collector.db.meanings import meanings
from bling_collector.db.migrations import HEAD
from bling_collector.db.run_lock import run_lock
from bling_collector.db.schema import create, finish
from bling_collector.errors import CollectorError, DatabaseError, RunInProgressError, UnknownCompanyError, UsageError
from bling_collector.insight.companies import load_companies
from bling_collector.jobs.asked import ask
from bling_collector.plan.asked import Asked, load_plans
from bling_collector.runs.request import RunRequest
from bling_collector.workplace.companies import add, bring_up_all, remove
from bling_collector.workplace.database import bring_up

NOW = datetime(2026, 2, 20, 9, tzinfo=UTC)
_SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'empresa%' ORDER BY 1"
_VIEWS = "SELECT count(*) FROM pg_views WHERE schemaname = 'public' AND viewname LIKE 'vw_todas%'"


async def _contact(engine: AsyncEngine, id_: int, name: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO contatos (id, nome, extraido_em) VALUES (:id, :name, now())"), {"id": id_, "name": name}
        )


async def test_who_has_one_company_sees_nothing_of_others(engine: AsyncEngine) -> None:
    assert await names(engine) == ["principal"]
    assert await scalar(engine, _VIEWS) == 0
    assert await rows(engine, "SELECT FROM pg_proc WHERE proname = 'todas'") == []


async def test_the_views_unite_every_company_each_row_with_its_name(engine: AsyncEngine) -> None:
    sul = await add(engine, "sul")
    for each, name in ((engine, "da principal"), (sul, "do sul")):
        await _contact(each, 7, name)
    norte = await add(engine, "norte")
    await _contact(norte, 8, "do norte")
    assert await names(engine) == ["principal", "norte", "sul"]
    assert await rows(engine, "SELECT empresa, id, nome FROM vw_todas_contatos ORDER BY 1") == [
        ("norte", 8, "do norte"),
        ("principal", 7, "da principal"),
        ("sul", 7, "do sul"),
    ]
    assert await rows(sul, "SELECT id, nome FROM contatos") == [(7, "do sul")]
    await remove(engine, "sul")
    assert await rows(engine, "SELECT empresa FROM vw_todas_contatos ORDER BY 1") == [("norte",), ("principal",)]
    await remove(engine, "norte")
    assert await scalar(engine, _VIEWS) == 0
    assert await rows(engine, "SELECT nome FROM contatos") == [("da principal",)]


_JOBS = "SELECT DISTINCT queue_name FROM procrastinate.procrastinate_jobs ORDER BY 1"


async def _asked(engine: AsyncEngine, names: Sequence[str]) -> None:
    for name in names:
        ours = of_company(engine, name)
        await broker.upgrade(ours)
        await ask(ours, RunRequest("run"))


async def test_what_a_company_left_in_the_queue_goes_with_it(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("norte", "sul"):
        await add(engine, name)
    await _asked(engine, ("norte", "sul"))

    async def cut(connection: AsyncConnection, queue: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("bling_collector.db.broker.forget", cut)
        with pytest.raises(KeyboardInterrupt):
            await remove(engine, "norte")
    assert "norte" in await names(engine), "ou se tira tudo, ou nada"
    assert await rows(engine, _JOBS) == [("empresa_norte",), ("empresa_sul",)]
    await remove(engine, "norte")
    assert await rows(engine, _JOBS) == [("empresa_sul",)]


@pytest.mark.slow
async def test_the_turn_to_create_lasts_as_long_as_it_takes(database_url: str) -> None:
    impatient = parse_url(database_url).update_query_dict({"options": "-cidle_in_transaction_session_timeout=2000"})
    engine = create_engine(impatient)
    try:
        async with schema.one_at_a_time(engine):
            await asyncio.sleep(3)  # o relógio é o do servidor: nada lhe diz que passou
    finally:
        await close(engine)


async def test_a_new_company_has_nothing_in_the_queue(engine: AsyncEngine) -> None:
    """O worker que ainda não soube que outra com o mesmo nome se tirou pode ter posto nela o que fazer."""
    await _asked(engine, ("principal",))
    async with engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE procrastinate.procrastinate_jobs SET queue_name = 'empresa_norte'")
    await add(engine, "norte")
    assert await rows(engine, _JOBS) == []


@pytest.mark.slow
async def test_one_that_collects_is_not_removed_and_the_refusal_says_whose_status(engine: AsyncEngine) -> None:
    norte = await add(engine, "norte")
    async with run_lock(norte):
        with pytest.raises(RunInProgressError, match="`bling-collector --empresa norte status`"):
            await remove(engine, "norte")
    assert await names(engine) == ["principal", "norte"]


@pytest.mark.slow
async def test_the_united_views_that_nobody_came_to_make_are_made_by_the_next_command(
    engine: AsyncEngine, database_url: str
) -> None:
    """Quem pôs as tabelas em dia pode ter morrido antes de as juntar."""
    await add(engine, "norte")
    settings = Settings(database_url=Secret(database_url))
    for bring in (partial(bring_up, engine), partial(cli._upgrade, settings)):
        await execute(database_url, "DROP FUNCTION todas CASCADE")
        assert await scalar(engine, _VIEWS) == 0
        await bring()
        assert await scalar(engine, _VIEWS) > 0


@pytest.mark.slow
async def test_every_table_and_view_of_the_business_is_united_and_can_be_read(engine: AsyncEngine) -> None:
    await add(engine, "sul")
    listed = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')"
    every = {name for (name,) in await rows(engine, listed)}
    joined = {name for name in every if name.startswith(united.PREFIX)}
    readable = {name for name, meaning in meanings().items() if meaning.readable} | {n for n in every if n[:3] == "vw_"}
    assert joined == {united.PREFIX + name.removeprefix("vw_") for name in readable - joined}
    assert not joined & {f"{united.PREFIX}{name}" for name in ("oauth_tokens", "oauth_states", "acesso", "alarmes")}
    for name in joined:
        assert await rows(engine, f"SELECT * FROM {name} LIMIT 1") is not None
    silent = """
        SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        WHERE c.relname LIKE 'vw_todas%'
          AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid, 'pg_class') IS NULL)"""
    assert await rows(engine, silent) == []


@pytest.mark.slow
async def test_a_company_behind_or_half_there_is_left_out_and_the_others_are_shown(engine: AsyncEngine) -> None:
    sul, norte = await add(engine, "sul"), await add(engine, "norte")
    for each in (sul, norte):
        await _contact(each, 1, "um contato")
    async with sul.begin() as connection:
        await connection.execute(text("ALTER TABLE contatos DROP COLUMN nome CASCADE"))
    assert await rows(engine, "SELECT empresa FROM vw_todas_contatos") == [("norte",)]


@pytest.mark.slow
async def test_a_view_of_the_analyst_over_the_united_ones_stays(engine: AsyncEngine) -> None:
    await add(engine, "sul")
    async with engine.begin() as connection:
        await connection.execute(
            text("CREATE VIEW minha AS SELECT empresa, count(*) FROM vw_todas_contatos GROUP BY 1")
        )
        await connection.execute(text("COMMENT ON FUNCTION todas IS 'de uma revisão antiga'"))
    await schema.unite(engine)
    assert await rows(engine, "SELECT * FROM minha") == []


async def test_a_company_is_made_whole_or_not_at_all(engine: AsyncEngine) -> None:
    made = await asyncio.gather(*(add(engine, "sul") for _ in range(3)), return_exceptions=True)
    assert sorted(isinstance(each, UsageError) for each in made) == [False, True, True]
    for name, sentence in (
        ("sul", "já existe"),
        ("principal", "já existe"),
        ("Sul", "minúsculas"),
        ('a"; DROP SCHEMA public CASCADE; --', "minúsculas"),
        ("<script>", "minúsculas"),
        ("", "minúsculas"),
        ("public", "reservado"),
    ):
        with pytest.raises(UsageError, match=sentence):
            await add(engine, name)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE SCHEMA empresa_alheia"))
    with pytest.raises(UsageError, match="não é de uma empresa"):
        await add(engine, "alheia")
    assert await names(engine) == ["principal", "sul"]
    assert await rows(engine, _SCHEMAS) == [("empresa_alheia",), ("empresa_sul",)]


@asynccontextmanager
async def _alone(url: str, place: str) -> AsyncIterator[AsyncEngine]:
    """Um coletor só seu, como se fazia antes de haver empresas: outro DATABASE_URL, noutro schema do mesmo banco."""
    await execute(url, f"CREATE SCHEMA IF NOT EXISTS {place}")
    where = make_url(url).update_query_dict({"options": f"-csearch_path={place}"})
    engine = create_engine(parse_url(where.render_as_string(hide_password=False)))
    await bring_up(engine)
    yield engine
    await close(engine)


@pytest.mark.slow
async def test_a_schema_someone_made_alone_is_nobodys_company_until_it_is_added(
    engine: AsyncEngine, database_url: str
) -> None:
    async with _alone(database_url, "empresa_sul") as sul, _alone(database_url, "empresa_leste") as leste:
        await _contact(sul, 7, "do sul")
        for each in (engine, sul, leste):
            assert await names(each) == ["principal"]
        assert await bring_up_all(engine) == {"principal": None}
        await add(engine, "sul")
        assert await names(engine) == ["principal", "sul"]
        assert await rows(engine, "SELECT empresa, nome FROM vw_todas_contatos") == [("sul", "do sul")]
        assert await names(sul) == await names(leste) == ["principal"], "quem aponta para um schema só vê esse"


@pytest.mark.slow
async def test_two_collectors_of_one_database_do_not_see_each_others_companies(
    engine: AsyncEngine, database_url: str
) -> None:
    await add(engine, "sul")
    async with _alone(database_url, "segundo") as second:
        await add(second, "norte")
        assert (await names(engine), await names(second)) == (["principal", "sul"], ["principal", "norte"])
        await _contact(of_company(second, "norte"), 8, "do norte")
        assert await rows(engine, "SELECT empresa FROM vw_todas_contatos") == []
        with pytest.raises(UsageError, match="Escolha outro nome"):
            await add(second, "sul")
        async with engine.begin() as connection:
            reader = await connection.run_sync(readers.make, "ana_de_um", everything=True)
        assert reader.schemas == ["public", "empresa_sul"]
        await finish(second)
        readable = "SELECT has_table_privilege('ana_de_um', '{}.contatos', 'SELECT')"
        for place, can in (("empresa_sul", True), ("segundo", False), ("empresa_norte", False)):
            assert await scalar(engine, readable.format(place)) is can, place
        async with engine.begin() as connection:
            await connection.run_sync(readers.remove, "ana_de_um")


@pytest.mark.slow
async def test_a_company_that_died_while_it_was_made_is_made_the_second_time(engine: AsyncEngine) -> None:
    await create(engine, "empresa_sul")
    assert await names(engine) == ["principal"]
    await add(engine, "sul")
    assert await names(engine) == ["principal", "sul"]


@pytest.mark.slow
async def test_a_migration_that_fails_in_one_company_leaves_the_others_in_order(engine: AsyncEngine) -> None:
    broken, behind = await add(engine, "a"), await schema.create(engine, "empresa_b")
    async with broken.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    async with behind.begin() as connection:
        await connection.run_sync(schema.migrate, "0031")
    done = await bring_up_all(engine)
    assert list(done) == ["principal", "a", "b"]
    assert isinstance(done["a"], DatabaseError)
    assert (done["principal"], done["b"]) == (None, None)
    assert await scalar(of_company(engine, "b"), "SELECT version_num FROM alembic_version") == HEAD
    shown = await load_companies(engine, Settings(), await names(engine), NOW)
    assert [(each.nome, each.is_well) for each in shown] == [("a", False), ("b", True), ("principal", True)]
    assert "9999" in shown[0].frase


@pytest.mark.slow
async def test_a_company_in_use_is_not_removed_and_one_that_is_not_there_is_said(engine: AsyncEngine) -> None:
    sul = await add(engine, "sul")
    async with run_lock(sul):
        with pytest.raises(RunInProgressError):
            await remove(engine, "sul")
    for name, error in (("norte", UnknownCompanyError), ("principal", UsageError)):
        with pytest.raises(error):
            await remove(engine, name)
    assert await names(engine) == ["principal", "sul"]


@pytest.mark.slow
async def test_a_company_that_someone_reads_is_removed_all_the_same(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quem lê tem uma tabela e quer a outra, que já se apagava: o banco corta um dos dois, e a remoção insiste."""
    monkeypatch.setattr("bling_collector.db.schema.LOCK_PAUSE", 0.05)
    sul = await add(engine, "sul")
    async with sul.connect() as reader:
        await reader.execute(text("LOCK TABLE alarmes IN ACCESS SHARE MODE"))
        removing = asyncio.create_task(remove(engine, "sul"))
        waiting = "SELECT FROM pg_locks WHERE NOT granted AND relation = 'empresa_sul.alarmes'::regclass"
        while not await rows(engine, waiting):  # noqa: ASYNC110  o que se espera é o banco que o sabe
            await asyncio.sleep(0)
        with suppress(DBAPIError):  # a leitura que se corta é a que perde
            for table in ("contatos", "nfe_cabecalho", "etl_controle"):
                await reader.execute(text(f"LOCK TABLE {table} IN ACCESS SHARE MODE"))
    await removing
    assert await names(engine) == ["principal"]


@pytest.mark.slow
async def test_the_token_of_a_company_is_kept_as_its_digest_and_another_ends_it(engine: AsyncEngine) -> None:
    sul = await add(engine, "sul")
    first = await access.give(sul, "sul", NOW)
    second = await access.give(sul, "sul", NOW)
    assert access.company_of(first) == access.company_of(second) == "sul"
    assert await access.known(sul) == access.digest(second) != access.digest(first)
    assert await rows(sul, "SELECT count(*) FROM acesso WHERE impressao LIKE '%.%'") == [(0,)]
    assert await access.known(engine) is None
    assert await access.revoke(sul)
    assert not await access.revoke(sul)


@pytest.mark.slow
async def test_a_copy_of_one_company_is_restored_in_another_and_opens_nothing_there(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    sul, norte = await add(engine, "sul"), await add(engine, "norte")
    for name, each in (("sul", sul), ("norte", norte)):
        await access.give(each, name, NOW)
    await _contact(sul, 7, "do sul")
    ours = await access.known(norte)
    await backup(sul, tmp_path / "sul", with_tokens=True)
    async with sul.connect() as connection:
        tools = await find_tools(await check_server(connection))
    listed = await client_tools.run(tools.program("pg_restore"), "--list", str(tmp_path / "sul"))
    assert b"TABLE DATA empresa_sul contatos" in listed.output
    assert b"TABLE DATA empresa_sul acesso" not in listed.output
    await access.revoke(sul)
    await restore(norte, tmp_path / "sul")
    assert await rows(norte, "SELECT nome FROM contatos") == [("do sul",)]
    assert await access.known(norte) == ours
    await restore(sul, tmp_path / "sul", overwrite=True)
    assert await access.known(sul) is None, "o que se revogou não volta com a cópia"


@pytest.mark.slow
async def test_a_copy_that_comes_back_to_the_principal_leaves_the_united_views(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    await add(engine, "sul")
    await _contact(engine, 7, "da principal")
    await backup(engine, tmp_path / "copia")
    await restore(engine, tmp_path / "copia", overwrite=True)
    assert await rows(engine, "SELECT empresa, nome FROM vw_todas_contatos") == [("principal", "da principal")]


@pytest.mark.slow
async def test_one_more_company_costs_a_few_commands_and_none_to_a_start(engine: AsyncEngine) -> None:
    async def asked() -> list[int]:
        known, counted, totals = await names(engine), Counted(engine), [0]
        for work in (
            load_companies(engine, Settings(), known, NOW),
            bring_up_all(engine),
            load_plans(engine, FakeClock(NOW), Settings(), known, Asked("run")),
        ):
            await work
            totals.append(counted.total)
        return [after - before for before, after in pairwise(totals)]

    await add(engine, "sul")
    before = await asked()
    await add(engine, "norte")
    listing, starting, planning = (after - before for before, after in zip(before, await asked(), strict=True))
    assert (listing <= 4, starting, planning <= 30) == (True, 0, True)


@pytest.mark.slow
async def test_one_whose_tables_are_in_use_does_not_keep_the_others_waiting(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bling_collector.db.schema.LOCK_SECONDS", 1)
    monkeypatch.setattr("bling_collector.db.schema.LOCK_PAUSE", 0.05)
    busy, free = [await schema.create(engine, f"empresa_{name}") for name in ("a", "b")]
    for each in (busy, free):
        async with each.begin() as connection:
            await connection.run_sync(schema.migrate, "0001")
    async with busy.connect() as reader:
        await reader.execute(text("LOCK TABLE etl_controle IN ACCESS SHARE MODE"))
        migrating = asyncio.create_task(schema.upgrade(busy))
        waiting = "SELECT FROM pg_locks WHERE NOT granted AND relation = 'empresa_a.etl_controle'::regclass"
        while not await rows(engine, waiting):  # noqa: ASYNC110  o que se espera é o banco que o sabe
            await asyncio.sleep(0)
        await schema.upgrade(free)
        assert not migrating.done()
    await migrating


@pytest.mark.slow
async def test_an_error_that_nobody_foresaw_in_one_company_leaves_the_others(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        await schema.create(engine, f"empresa_{name}")
        async with of_company(engine, name).begin() as connection:
            await connection.run_sync(schema.migrate, "0031")
    migrate = schema.migrate

    def broken(connection: Connection) -> None:
        if connection.scalar(text("SELECT current_schema()")) == "empresa_a":
            raise KeyError("um defeito")
        migrate(connection)

    monkeypatch.setattr(schema, "migrate", broken)
    done = await bring_up_all(engine)
    assert [name for name, error in done.items() if error is not None] == ["a"]
    assert await scalar(of_company(engine, "b"), "SELECT version_num FROM alembic_version") == HEAD


@pytest.mark.slow
async def test_an_error_in_one_company_is_what_is_shown_of_it(engine: AsyncEngine) -> None:
    await add(engine, "sul")
    async with of_company(engine, "sul").begin() as connection:
        await connection.execute(text("DROP TABLE etl_controle CASCADE"))
    only, _ = await load_companies(engine, Settings(), await names(engine), NOW)
    assert (only.nome, only.caso) == ("sul", "banco")
    assert issubclass(DatabaseError, CollectorError)
    assert "não tem uma tabela do coletor" in only.frase


@pytest.mark.slow
async def test_an_alarm_says_of_which_company_it_is(engine: AsyncEngine) -> None:
    sul = await add(engine, "sul")
    with open_inbox() as inbox:
        alarms = Alarms(sul, TokenCipher(), FakeClock(NOW), channels(inbox.url, "sul"), no_run_hours=26)
        await alarms.raise_("autorizacao", "Autorize com `bling-collector auth`.")
        assert inbox.titles[0].startswith("Coletor Bling (sul): ")
        assert "`bling-collector --empresa sul auth`" in str(inbox.received[0])
