"""A cópia do banco e a volta dela: igual ao original, linha por linha."""

import errno
import os
import stat
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.fakes import FakeClock
from tests.support.postgres import create_database, drop_database, execute
from tests.support.truth import assert_equals_truth
from tests.support.variants import one_now

from bling_collector.config import Secret
from bling_collector.db import schema
from bling_collector.db.connection.database import close, create_engine, parse_url
from bling_collector.db.copies import client_tools
from bling_collector.db.copies.backup import backup
from bling_collector.db.copies.client_tools import environment, find_psql, find_tools
from bling_collector.db.copies.grants import read_grants
from bling_collector.db.copies.restore import Restored, restore
from bling_collector.db.embedded.binaries import BIN_VARIABLE
from bling_collector.db.embedded.postgres import EmbeddedServer
from bling_collector.db.migrations import HEAD
from bling_collector.db.run_lock import run_lock
from bling_collector.errors import DatabaseError, RunInProgressError, UsageError
from bling_collector.insight.status import load_status
from bling_collector.workplace.account import Account, open_account
from bling_simulator.bling import Bling

SECRETS = {"oauth_tokens", "oauth_states"}


async def rows(engine: AsyncEngine) -> dict[str, list[str]]:
    """Cada tabela e cada view, linha por linha; menos os dias por somar, que ao repor são todos."""
    found: dict[str, list[str]] = {}
    async with engine.connect() as connection:
        names = await connection.execute(
            text(
                "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                "WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'v') AND c.relname <> 'dias_por_somar'"
            )
        )
        for name in names.scalars().all():
            listed = await connection.execute(text(f"SELECT t::text FROM {name} t"))
            found[name] = sorted(listed.scalars())
    return found


async def structure(engine: AsyncEngine) -> list[str]:
    """Colunas, índices e restrições, um por linha."""
    async with engine.connect() as connection:
        listed = await connection.execute(
            text("""
            SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default)
            FROM information_schema.columns WHERE table_schema = current_schema()
            UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()
            UNION ALL SELECT concat(conrelid::regclass, ' ', conname, ' ', pg_get_constraintdef(oid))
            FROM pg_constraint WHERE connamespace = quote_ident(current_schema())::regnamespace""")
        )
        return sorted(listed.scalars())


async def structure_of_today(engine: AsyncEngine) -> list[str]:
    await schema.upgrade(engine)
    return await structure(engine)


@pytest.fixture
async def loaded(account: Account) -> AsyncEngine:
    """O banco depois de uma carga."""
    return account.engine


@pytest.mark.loaded(date(2025, 1, 1))
async def test_a_restored_database_is_the_original(
    loaded: AsyncEngine, empty_engine: AsyncEngine, tmp_path: Path
) -> None:
    target = tmp_path / "copia.dump"
    assert await backup(loaded, target) == target.stat().st_size > 1000
    if sys.platform != "win32":
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert _names(tmp_path) == ["copia.dump"]

    assert await restore(empty_engine, target) == Restored(HEAD, has_tokens=False)
    before, after = await rows(loaded), await rows(empty_engine)
    assert before["oauth_tokens"]
    assert after["oauth_tokens"] == after["oauth_states"] == []
    assert {n: r for n, r in after.items() if n not in SECRETS} == {n: r for n, r in before.items() if n not in SECRETS}
    assert len(before["nfe_cabecalho"]) > 20
    assert before["vw_faturamento_mes"]
    assert await structure(empty_engine) == await structure(loaded)
    async with empty_engine.begin() as connection:  # as sequências continuam de onde estavam
        await connection.execute(text("INSERT INTO etl_controle (status) VALUES ('success')"))
        never_counted = "SELECT count(*) FROM pg_class WHERE oid = 'nfe_cabecalho'::regclass AND reltuples <= 0"
        assert await connection.scalar(text(never_counted)) == 0


@pytest.mark.slow
@pytest.mark.loaded(date(2025, 1, 1))
async def test_with_the_tokens_when_asked(loaded: AsyncEngine, empty_engine: AsyncEngine, tmp_path: Path) -> None:
    await backup(loaded, tmp_path / "copia", with_tokens=True)
    assert (await restore(empty_engine, tmp_path / "copia", with_tokens=True)).has_tokens
    assert await rows(empty_engine) == await rows(loaded)


@pytest.mark.slow
@pytest.mark.loaded(date(2025, 1, 1))
@pytest.mark.parametrize("asked", one_now([False, True]))
async def test_the_live_authorisation_stays_even_over_a_copy_that_has_one(
    loaded: AsyncEngine, tmp_path: Path, asked: bool
) -> None:
    await backup(loaded, tmp_path / "copia", with_tokens=True)
    async with loaded.begin() as connection:
        await connection.execute(text("UPDATE oauth_tokens SET refresh_token = 'o de agora', refresh_in_doubt = true"))
    live = (await rows(loaded))["oauth_tokens"]
    assert (await restore(loaded, tmp_path / "copia", overwrite=True, with_tokens=asked)).has_tokens
    assert (await rows(loaded))["oauth_tokens"] == live
    async with loaded.begin() as connection:  # sem nenhuma, a da cópia só vale se pedida
        await connection.execute(text("DELETE FROM oauth_tokens"))
    assert (await restore(loaded, tmp_path / "copia", overwrite=True, with_tokens=asked)).has_tokens is asked
    assert bool((await rows(loaded))["oauth_tokens"]) is asked


@pytest.mark.slow
async def test_a_pair_still_unconfirmed_never_comes_back_from_a_copy(
    account: Account, empty_engine: AsyncEngine, tmp_path: Path
) -> None:
    async with account.engine.begin() as connection:
        await connection.execute(
            text("""
                INSERT INTO oauth_tokens (id, access_token, refresh_token, expires_at)
                SELECT 2, 'proposto', 'proposto', expires_at FROM oauth_tokens WHERE id = 1""")
        )
    await backup(account.engine, tmp_path / "copia", with_tokens=True)
    assert (await restore(empty_engine, tmp_path / "copia", with_tokens=True)).has_tokens
    (kept,) = (await rows(empty_engine))["oauth_tokens"]
    assert kept.startswith("(1,")


@pytest.mark.slow
async def test_a_spent_pair_that_came_in_a_copy_is_never_sent(
    account: Account, bling: Bling, empty_engine: AsyncEngine, empty_database_url: str, clock: FakeClock, tmp_path: Path
) -> None:
    """O servidor morreu dias depois da cópia: o par dela já foi trocado, e o novo perdeu-se com o banco."""
    await backup(account.engine, tmp_path / "copia", with_tokens=True)
    clock.advance(86_400)
    assert (await account.pipeline.run()).status == "success"
    await restore(empty_engine, tmp_path / "copia")
    bling.counters.reset()
    elsewhere = replace(account.settings, database_url=Secret(empty_database_url))
    async with open_account(elsewhere, clock=clock) as another:
        result = await another.pipeline.run()
        assert (result.status, result.exit_code) == ("error", 3)
        assert "bling-collector auth" in (result.message or "")
        assert (await load_status(another.engine, another.cipher)).oauth.needs_authorization is True
    assert bling.counters.token_calls == 0


@pytest.mark.slow
@pytest.mark.parametrize("revision", one_now(["0003", "0001"]))
async def test_an_old_copy_does_not_make_a_lost_authorisation_look_good(
    engine: AsyncEngine, empty_engine: AsyncEngine, tmp_path: Path, revision: str
) -> None:
    """A cópia é de quando o banco ainda não sabia que um par pode ter sido gasto, nem que foi recusado."""
    async with empty_engine.begin() as connection:
        await connection.run_sync(schema.migrate, revision)
    await backup(empty_engine, tmp_path / "copia")
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO oauth_tokens (id, access_token, refresh_token, expires_at, refresh_in_doubt, refused_at) "
                "VALUES (1, 'acesso', 'gasto', now(), true, now())"
            )
        )
    live = (await rows(engine))["oauth_tokens"]
    assert (await restore(engine, tmp_path / "copia", then=partial(schema.upgrade, engine))).revision == revision
    assert (await rows(engine))["oauth_tokens"] == live
    assert await structure(engine) == await structure_of_today(empty_engine)


@pytest.mark.slow
async def test_a_new_copy_over_a_database_not_yet_upgraded(
    engine: AsyncEngine, empty_engine: AsyncEngine, tmp_path: Path
) -> None:
    await backup(engine, tmp_path / "copia")
    async with empty_engine.begin() as connection:
        await connection.run_sync(schema.migrate, "0001")
        await connection.execute(
            text(
                "INSERT INTO oauth_tokens (id, access_token, refresh_token, expires_at) "
                "VALUES (1, 'acesso', 'renova', now())"
            )
        )
    assert (await restore(empty_engine, tmp_path / "copia")).has_tokens
    async with empty_engine.connect() as connection:
        kept = await connection.execute(text("SELECT refresh_token, refresh_in_doubt, refused_at FROM oauth_tokens"))
        assert kept.all() == [("renova", False, None)]


@pytest.mark.loaded(date(2021, 1, 1))
@pytest.mark.slow
async def test_data_is_only_overwritten_when_said(account: Account, bling: Bling, tmp_path: Path) -> None:
    copied = await rows(account.engine)
    await backup(account.engine, tmp_path / "copia")
    bling.issue_note()
    assert (await account.pipeline.run()).status == "success"
    changed = await rows(account.engine)
    assert changed != copied

    with pytest.raises(UsageError, match="--sobrescrever"):
        await restore(account.engine, tmp_path / "copia")
    assert await rows(account.engine) == changed

    assert (await restore(account.engine, tmp_path / "copia", overwrite=True)).has_tokens
    assert await rows(account.engine) == copied  # e a autorização que o banco tinha ficou
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.loaded(date(2025, 1, 1))
async def test_tables_that_the_copy_has_not(loaded: AsyncEngine, empty_engine: AsyncEngine, tmp_path: Path) -> None:
    """Uma cópia anterior à última migração, sobre um banco que já a tem."""
    async with loaded.begin() as connection:
        await connection.execute(text("ALTER TABLE contatos ADD COLUMN apelido text DEFAULT 'de um analista'"))
        await connection.execute(text("DROP TABLE alarmes"))
        await connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))
    await backup(loaded, tmp_path / "copia")
    await schema.upgrade(empty_engine)
    of_today = await structure(empty_engine)
    assert (await restore(empty_engine, tmp_path / "copia")).revision == "0003"
    assert await structure(empty_engine) == of_today  # e sem a coluna que não é nossa
    before, after = await rows(loaded), await rows(empty_engine)
    for table in ("nfe_cabecalho", "nfe_itens", "nfe_pagamentos", "produtos", "etl_controle"):
        assert len(after[table]) == len(before[table]) > 0


# --- quem fez o arquivo --------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.loaded(date(2025, 1, 1))
async def test_a_hostile_copy_runs_nothing(
    loaded: AsyncEngine, empty_engine: AsyncEngine, empty_database_url: str, tmp_path: Path
) -> None:
    """Objetos de outro, gatilhos, regras e padrões que executam, com os direitos de um superusuário do servidor."""
    before = (await rows(loaded))["contatos"]
    proof, said = tmp_path / "executado", (tmp_path / "executado").as_posix()
    async with loaded.begin() as connection:
        for statement in (
            "CREATE FUNCTION mau() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"COPY (SELECT 1) TO PROGRAM 'touch {said}'; RETURN NEW; END $$",
            "CREATE TRIGGER mau BEFORE INSERT ON contatos FOR EACH ROW EXECUTE FUNCTION mau()",
            "ALTER TABLE contatos ENABLE ALWAYS TRIGGER mau",
            "CREATE FUNCTION pior() RETURNS text LANGUAGE plpgsql AS $$ BEGIN "
            f"COPY (SELECT 1) TO PROGRAM 'touch {said}'; RETURN 'x'; END $$",
            "CREATE VIEW vw_ma AS SELECT pior()",
            "CREATE TABLE de_outro (id int, x text DEFAULT pior())",
            "CREATE INDEX mau ON produtos ((lower(nome)))",
            "CREATE RULE ma AS ON INSERT TO produtos DO ALSO SELECT pior()",
            f"COMMENT ON TABLE produtos IS E'\n\\! touch {said}\n'",
            f'CREATE TABLE "x\n\\! touch {said}\n" (id int)',
        ):
            await connection.exec_driver_sql(statement)
    await backup(loaded, tmp_path / "copia")
    await restore(empty_engine, tmp_path / "copia")
    assert not proof.exists()
    async with empty_engine.connect() as connection:
        strange = await connection.execute(
            text(
                "SELECT relname FROM pg_class WHERE relname IN ('mau', 'vw_ma', 'de_outro') UNION ALL "
                "SELECT proname FROM pg_proc WHERE proname IN ('mau', 'pior') UNION ALL "
                "SELECT rulename FROM pg_rules WHERE rulename = 'ma'"
            )
        )
        assert strange.all() == []
    assert (await rows(empty_engine))["contatos"] == before


@pytest.mark.slow
@pytest.mark.loaded(date(2025, 1, 1))
async def test_what_analysts_may_read_they_may_read_afterwards(
    loaded: AsyncEngine, database_url: str, tmp_path: Path
) -> None:
    role = f"analista 100%s_{uuid4().hex[:8]}"
    await backup(loaded, tmp_path / "copia")
    try:
        async with loaded.begin() as connection:
            for statement in (
                f'CREATE ROLE "{role}"',
                f'GRANT SELECT ON nfe_cabecalho, vw_faturamento_mes TO "{role}" WITH GRANT OPTION',
                f'GRANT SELECT (id, nome) ON contatos TO "{role}"',
                f'GRANT USAGE ON SEQUENCE nfe_itens_id_seq TO "{role}"',
                "GRANT SELECT ON produtos TO PUBLIC",
            ):
                await connection.execute(text(statement))
        before = await granted(loaded)
        assert len(before) >= 6
        await restore(loaded, tmp_path / "copia", overwrite=True)
        assert await granted(loaded) == before
    finally:
        async with loaded.begin() as connection:
            await connection.execute(text(f'DROP OWNED BY "{role}"'))
            await connection.execute(text(f'DROP ROLE "{role}"'))


async def granted(engine: AsyncEngine) -> list[str]:
    """As permissões de quem não é o dono, uma por linha."""
    async with engine.connect() as connection:
        return [command for _, _, command in await read_grants(connection)]


@pytest.mark.slow
@pytest.mark.loaded(date(2025, 1, 1))
async def test_another_schema(loaded: AsyncEngine, empty_database_url: str, tmp_path: Path) -> None:
    await backup(loaded, tmp_path / "copia")
    await execute(empty_database_url, "CREATE SCHEMA outra_empresa")
    url = make_url(empty_database_url).update_query_dict({"options": "-csearch_path=outra_empresa"})
    other = create_engine(parse_url(url.render_as_string(hide_password=False)))
    assert (await restore(other, tmp_path / "copia")).revision == HEAD
    here, there = await rows(loaded), await rows(other)
    assert {n: r for n, r in there.items() if n not in SECRETS} == {n: r for n, r in here.items() if n not in SECRETS}
    await close(other)


@pytest.mark.slow
async def test_a_schema_whose_name_needs_quotes(empty_database_url: str, tmp_path: Path) -> None:
    await execute(empty_database_url, 'CREATE SCHEMA "Outra ""Coisa"""')
    url = make_url(empty_database_url).update_query_dict({"options": r'-csearch_path="Outra\ ""Coisa"""'})
    engine = create_engine(parse_url(url.render_as_string(hide_password=False)))
    try:
        await schema.upgrade(engine)
        await backup(engine, tmp_path / "copia")
        before = await structure(engine)
        assert before
        assert (await restore(engine, tmp_path / "copia")).revision == HEAD
        assert await structure(engine) == before
    finally:
        await close(engine)


@pytest.mark.slow
@pytest.mark.loaded(date(2025, 1, 1))
async def test_a_view_of_someone_else_stops_it_and_nothing_changes(loaded: AsyncEngine, tmp_path: Path) -> None:
    await backup(loaded, tmp_path / "copia")
    async with loaded.begin() as connection:
        await connection.execute(text("CREATE VIEW relatorio AS SELECT * FROM nfe_cabecalho"))
    before = await rows(loaded)
    with pytest.raises(DatabaseError, match=r"views suas.*apague-as"):
        await restore(loaded, tmp_path / "copia", overwrite=True)
    assert await rows(loaded) == before


@pytest.mark.loaded(date(2025, 1, 1))
async def test_not_during_a_run(loaded: AsyncEngine, tmp_path: Path) -> None:
    await backup(loaded, tmp_path / "copia")
    async with run_lock(loaded):
        with pytest.raises(RunInProgressError):
            await restore(loaded, tmp_path / "copia", overwrite=True)


# --- o arquivo -----------------------------------------------------------------------------------------------------


async def test_what_a_killed_copy_left_goes_away_with_the_next(engine: AsyncEngine, tmp_path: Path) -> None:
    old, fresh, other = (tmp_path / name for name in (".copia-a1.parcial", ".copia-b2.parcial", ".outra-c3.parcial"))
    for path in (old, fresh, other):
        path.write_text("os dados dos clientes")
    for path in (old, other):
        os.utime(path, (1, 1))
    await backup(engine, tmp_path / "hoje")
    assert sorted(_names(tmp_path)) == [".copia-b2.parcial", ".outra-c3.parcial", "hoje"]


@pytest.mark.skipif(sys.platform == "win32", reason="os modos são do Unix")
async def test_a_file_left_where_the_copy_is_written_does_not_show_it(engine: AsyncEngine, tmp_path: Path) -> None:
    left = tmp_path / ".copia.parcial"
    left.write_text("")
    left.chmod(0o666)
    elsewhere = tmp_path / "de outro"
    (tmp_path / ".outra.parcial").symlink_to(elsewhere)
    for name in ("copia", "outra"):
        await backup(engine, tmp_path / name)
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        assert not (tmp_path / name).is_symlink()
    assert left.read_text() == ""
    assert not elsewhere.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="os programas de mentira são do sh")
@pytest.mark.parametrize("links", [True, False])
async def test_a_file_that_appears_meanwhile_is_not_overwritten(
    engine: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    if not links:
        _without_links(monkeypatch)
    target = tmp_path / "copia"
    _fake_programs(tmp_path / "bin", f'echo "de outro" > {target}; echo "pg_dump (PostgreSQL) 99.1"')
    monkeypatch.setattr(client_tools, "candidates", lambda: [tmp_path / "bin"])
    with pytest.raises(UsageError, match="já existe, e não o apago"):
        await backup(engine, target)
    assert target.read_text() == "de outro\n"
    assert sorted(_names(tmp_path)) == ["bin", "copia"]


@pytest.mark.slow
async def test_where_the_file_system_has_no_links(
    engine: AsyncEngine, empty_engine: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_links(monkeypatch)
    await backup(engine, tmp_path / "copia")
    assert _names(tmp_path) == ["copia"]
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / "copia").stat().st_mode) == 0o600
    assert (await restore(empty_engine, tmp_path / "copia")).revision == HEAD


def _without_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """Como um sistema de arquivos FAT."""

    def refuse(source: Path, target: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)


# --- o que não serve -----------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_files_that_are_not_a_copy(engine: AsyncEngine, empty_engine: AsyncEngine, tmp_path: Path) -> None:
    (tmp_path / "texto").write_text("isto não é uma cópia")
    await backup(engine, tmp_path / "copia")
    whole = (tmp_path / "copia").read_bytes()
    (tmp_path / "metade").write_bytes(whole[: len(whole) // 2])
    for name, words in (("nada", "não existe"), ("texto", "não é uma cópia"), ("metade", "metade")):
        with pytest.raises(UsageError, match=words):
            await restore(empty_engine, tmp_path / name)
        assert await rows(empty_engine) == {}
    with pytest.raises(UsageError, match="já existe"):
        await backup(engine, tmp_path / "copia")
    with pytest.raises(UsageError, match="Não consigo escrever"):
        await backup(engine, tmp_path / "pasta que não há" / "copia")
    with pytest.raises(UsageError, match="não há o que copiar"):
        await backup(empty_engine, tmp_path / "vazia")


async def test_a_copy_of_a_newer_program(engine: AsyncEngine, empty_engine: AsyncEngine, tmp_path: Path) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await backup(engine, tmp_path / "copia")
    with pytest.raises(UsageError, match=r"revisão 9999.*Atualize-o"):
        await restore(empty_engine, tmp_path / "copia")
    assert await rows(empty_engine) == {}


# --- os programas --------------------------------------------------------------------------------------------------


@pytest.fixture
async def guarded_url(postgres: EmbeddedServer) -> AsyncIterator[str]:
    url = await create_database(postgres)
    yield make_url(url).set(password="muito secreta").render_as_string(hide_password=False)
    await drop_database(postgres, url)


def test_the_password_goes_in_the_environment() -> None:
    url = make_url(
        "postgresql+psycopg://eu:muito%20secreta@servidor:5433/banco?sslmode=require&options=-csearch_path%3Dx"
    )
    found = environment(url)
    assert (found["PGUSER"], found["PGPASSWORD"], found["PGHOST"], found["PGPORT"], found["PGDATABASE"]) == (
        "eu",
        "muito secreta",
        "servidor",
        "5433",
        "banco",
    )
    assert (found["PGSSLMODE"], found["PGOPTIONS"]) == ("require", "-csearch_path=x")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="os programas de mentira são do sh")
async def test_the_password_is_not_in_the_command_line(
    guarded_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, variables = tmp_path / "disse", tmp_path / "ambiente"
    _fake_programs(tmp_path / "bin", f'echo "$@" >> {said}; env >> {variables}; echo "pg_dump (PostgreSQL) 99.1"')
    monkeypatch.setenv(BIN_VARIABLE, str(tmp_path / "bin"))
    monkeypatch.setattr(client_tools, "candidates", lambda: [tmp_path / "bin"])
    engine = create_engine(parse_url(guarded_url))
    await schema.upgrade(engine)
    await backup(engine, tmp_path / "copia")
    await close(engine)
    assert "--format=custom" in said.read_text()
    assert "secreta" not in said.read_text()
    assert "PGPASSWORD=muito secreta" in variables.read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="os programas de mentira são do sh")
async def test_programs_older_than_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in (14, 16, 18):
        _fake_programs(tmp_path / str(version), f'echo "pg_dump (PostgreSQL) {version}.3 (Debian)"')
    monkeypatch.setattr(client_tools, "candidates", lambda: [tmp_path / v for v in ("18", "14", "16", "não há")])
    assert (await find_tools(14)).version == 14
    assert (await find_tools(15)).folder == tmp_path / "16"
    with pytest.raises(DatabaseError, match=r"servidor é PostgreSQL 19.*18 em .*apt install postgresql-client-19"):
        await find_tools(19)
    monkeypatch.setattr(client_tools, "candidates", list)
    with pytest.raises(DatabaseError, match="não achei nenhum"):
        await find_tools(14)


@pytest.mark.skipif(sys.platform == "win32", reason="os programas de mentira são do sh")
async def test_the_psql_is_of_the_servers_version_or_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in (14, 16, 18):
        _fake_programs(tmp_path / str(version), f'echo "psql (PostgreSQL) {version}.3 (Debian)"', ["psql"])
    monkeypatch.setattr(client_tools, "candidates", lambda: [tmp_path / v for v in ("18", "14", "16", "não há")])
    assert [await find_psql(server) for server in (14, 15, 99)] == [
        str(tmp_path / version / "psql") for version in ("14", "16", "18")
    ]
    monkeypatch.setattr(client_tools, "candidates", lambda: [tmp_path / "não há"])
    with pytest.raises(DatabaseError, match=r"Não achei o psql. Instale-o .*apt install postgresql-client-17"):
        await find_psql(17)


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def _fake_programs(folder: Path, script: str, names: Sequence[str] = client_tools.PROGRAMS) -> None:
    folder.mkdir()
    for name in names:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)


@pytest.mark.parametrize("revision", ["9999", "abcdef"])
async def test_a_database_of_a_newer_program_or_of_another_is_not_overwritten(
    loaded: AsyncEngine, engine: AsyncEngine, tmp_path: Path, revision: str
) -> None:
    await backup(loaded, tmp_path / "boa.dump")
    await _run(engine, "CREATE TABLE novidade (id int)", f"UPDATE alembic_version SET version_num = '{revision}'")
    before = await rows(engine)
    why = f"^O banco está na revisão {revision}, que este programa .* não conhece.*atualize o programa"
    with pytest.raises(DatabaseError, match=why):
        await restore(engine, tmp_path / "boa.dump", overwrite=True)
    assert await rows(engine) == before


async def test_what_another_program_has_is_not_taken_for_a_copy(empty_engine: AsyncEngine, tmp_path: Path) -> None:
    await _run(
        empty_engine,
        "CREATE TABLE contatos (id int)",
        "CREATE TABLE alembic_version (version_num text)",
        "INSERT INTO alembic_version VALUES ('abcdef')",
    )
    with pytest.raises(UsageError, match="ainda não tem as tabelas do coletor"):
        await backup(empty_engine, tmp_path / "outra.dump")
    assert not (tmp_path / "outra.dump").exists()


async def _run(engine: AsyncEngine, *statements: str) -> None:
    async with engine.begin() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)


@pytest.mark.parametrize("overwrite", [False, True])
async def test_the_tables_of_another_program_stay(
    loaded: AsyncEngine, empty_engine: AsyncEngine, tmp_path: Path, overwrite: bool
) -> None:
    await backup(loaded, tmp_path / "boa.dump")
    await _run(empty_engine, "CREATE TABLE contatos (id int, nome text)", "INSERT INTO contatos VALUES (1, 'Ana')")
    with pytest.raises(UsageError, match=r"já tem tabelas com os nomes das do coletor \(contatos.*db upgrade"):
        await restore(empty_engine, tmp_path / "boa.dump", overwrite=overwrite)
    with pytest.raises(UsageError, match="ainda não tem as tabelas do coletor"):
        await backup(empty_engine, tmp_path / "outra.dump")
    assert (await rows(empty_engine))["contatos"] == ["(1,Ana)"]


def test_a_program_that_dies_without_a_word_is_said_to_have() -> None:
    assert client_tools.cause(client_tools.Answer(-9, b"", "")) == (
        "o programa do PostgreSQL acabou sem dizer por quê (sinal 9)."
    )
    assert client_tools.cause(client_tools.Answer(1, b"", "pg_dump: error: disco\n")) == "error: disco."
