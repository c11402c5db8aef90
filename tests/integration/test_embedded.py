"""O PostgreSQL embutido, com processos de verdade: quem começa, quem morre, o que sobra."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn, Self

import psycopg
import pytest
from tests.support.postgres import create_database, drop_database, execute, libpq_url, scratch_folder, throwaway_server

from bling_collector.db.embedded import binaries as embedded_binaries
from bling_collector.db.embedded import files as embedded_files
from bling_collector.db.embedded import postgres as embedded
from bling_collector.db.embedded import server as embedded_server
from bling_collector.db.embedded.postgres import EmbeddedServer, embedded_postgres
from bling_collector.disk.locks import FileLock
from bling_collector.errors import ConfigurationError, DatabaseError, UsageError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="os processos são observados em /proc")
as_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="só como root")

COMMAND = """
import asyncio, json, os, sys
from pathlib import Path
import psycopg
from bling_collector.db.embedded.postgres import embedded_postgres
from bling_collector.errors import DatabaseError

async def main():
    async with embedded_postgres(Path(sys.argv[1])) as server:
        url = server.url.replace("+psycopg", "")
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            print(json.dumps({"url": server.url, "owned": server.owned}), flush=True)
            while await asyncio.to_thread(sys.stdin.readline):
                row = await (await connection.execute("select current_database()")).fetchone()
                print(json.dumps(row[0]), flush=True)

try:
    asyncio.run(main())
except DatabaseError as error:
    print(json.dumps({"error": str(error)}))
"""


class Command:
    """Um comando do coletor em outro processo: usa o servidor até que o mandem embora."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = process.pid

    @classmethod
    async def start(cls, home: Path, *wrapper: str) -> Self:
        return cls(
            await asyncio.create_subprocess_exec(
                *wrapper,
                sys.executable,
                "-c",
                COMMAND,
                home,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
        )

    async def says(self) -> Any:
        assert self._process.stdout
        return json.loads(await asyncio.wait_for(self._process.stdout.readline(), 120))

    async def asks(self) -> str:
        """Uma consulta, na mesma conexão de sempre."""
        assert self._process.stdin
        self._process.stdin.write(b"\n")
        answer = await self.says()
        assert isinstance(answer, str)
        return answer

    async def leave(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        await asyncio.wait_for(self._process.wait(), 120)

    async def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)
        await self.leave()


@asynccontextmanager
async def commands(home: Path, count: int = 1) -> AsyncIterator[list[Command]]:
    """Comandos que começam ao mesmo tempo; os que sobrarem são mortos ao sair."""
    started = [await Command.start(home) for _ in range(count)]
    try:
        yield started
    finally:
        for command in started:
            await command.kill()


def copy_to(target: Path, source: Path) -> None:
    subprocess.run(["cp", "-a", source, target], check=True)


@contextmanager
def folder() -> Iterator[Path]:
    created = scratch_folder()  # a pasta do pytest é 0700: o root teria de rodar sempre no espaço de nomes
    yield created
    wait_until(lambda: not processes(created))
    shutil.rmtree(created)


@pytest.fixture
def home() -> Iterator[Path]:
    """Uma pasta de dados vazia."""
    with folder() as created:
        yield created


@pytest.fixture(scope="module")
def model() -> Iterator[Path]:
    async def use(home: Path) -> None:
        async with embedded_postgres(home):
            pass

    with folder() as created:
        asyncio.run(use(created))
        yield created


@pytest.fixture
def used(home: Path, model: Path) -> Path:
    """Uma pasta de dados que já teve servidor."""
    copy_to(home, base(model))
    return home


def wait_until(condition: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "a condição não chegou a valer"
        time.sleep(0.01)


async def until(condition: Callable[[], object]) -> None:
    await asyncio.to_thread(wait_until, condition)


def base(home: Path) -> Path:
    return home / f"pg-{embedded_binaries.major_version(embedded_binaries.find_binaries())}"


def processes(home: Path) -> list[tuple[int, str]]:
    """Os processos vivos do servidor desta pasta: o vigia, os postgres, o initdb."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                where = os.readlink(entry / "cwd")  # noqa: PTH115  o alvo pode já não existir
                inside = "watch.main()" in command and str(home) in command
                if inside or where.startswith(str(base(home) / "data")):
                    found.append((int(entry.name), command))
    return found


def watcher(home: Path) -> int:
    return next(pid for pid, command in processes(home) if "watch.main()" in command)


def postmaster(home: Path) -> int | None:
    running = embedded_files.read_pid_file(base(home) / "data")
    return running.pid if running and running.ready else None


def users_may_come(home: Path) -> bool:
    users = FileLock(base(home) / "users.lock")
    try:
        return users.try_shared()
    finally:
        users.close()


def open_files(pid: int) -> set[Path]:
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            found.add(entry.readlink())
    return found


def owners(pids: list[int]) -> set[int]:
    """Whom the living ones run as: a server's background process may end between the listing and the look."""
    found = set()
    for pid in pids:
        with suppress(FileNotFoundError):
            found.add(Path(f"/proc/{pid}").stat().st_uid)
    return found


async def scalar(server: EmbeddedServer | str, query: str) -> Any:
    url = server if isinstance(server, str) else server.url
    async with await psycopg.AsyncConnection.connect(libpq_url(url), autocommit=True) as connection:
        row = await (await connection.execute(query.encode())).fetchone()
        return row[0] if row else None


# --- começar, usar, parar --------------------------------------------------------------------------------------


async def test_first_command_starts_it_and_the_data_stay(home: Path) -> None:
    async with embedded_postgres(home) as server:
        assert server.owned
        assert server.data_dir == base(home) / "data"
        assert await scalar(server, "select current_database()") == "bling"
        assert await scalar(server, "show server_encoding") == "UTF8"
        assert await scalar(server, "show fsync") == "on"
        assert await scalar(server, "select lower('ÇÃÉ')") == "çãé"
        await execute(server.url, "create table kept as select 42 as answer")
        async with embedded_postgres(home) as second:
            assert not second.owned
            assert second.url == server.url
        assert await scalar(server, "select answer from kept"), "quem se juntou não para o servidor ao sair"
    assert not embedded_files.read_pid_file(server.data_dir), "ao sair, o último espera que ele pare"

    async with embedded_postgres(home) as server:
        assert server.owned
        assert await scalar(server, "select answer from kept") == 42


@pytest.mark.slow
async def test_four_commands_at_once_make_one_server(home: Path) -> None:
    async with commands(home, 4) as four:
        said = [await command.says() for command in four]
        assert sorted(answer["owned"] for answer in said) == [False, False, False, True]
        assert len({answer["url"] for answer in said}) == 1
        assert {await command.asks() for command in four} == {"bling"}
        assert [entry.name for entry in base(home).glob("data*")] == ["data"]
        assert len([pid for pid, command in processes(home) if "watch.main()" in command]) == 1


@pytest.mark.slow
async def test_killed_starter_does_not_take_the_server_along(used: Path) -> None:
    async with commands(used) as [starter]:
        await starter.says()
        async with commands(used) as [other]:
            assert not (await other.says())["owned"]
            await starter.kill()
            assert await other.asks() == "bling"
            server = postmaster(used)
            async with embedded_postgres(used) as third:
                assert not third.owned
            assert await other.asks() == "bling"
            assert postmaster(used) == server
    await until(lambda: not processes(used))
    assert not (base(used) / "data" / "postmaster.pid").exists(), "parou, não morreu"


@pytest.mark.slow
async def test_nothing_is_left_behind(used: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        (base(used) / "postgres.log").unlink()
        async with commands(used) as [only]:
            await only.says()
            await only.kill(number)
        await until(lambda: not processes(used))
        left = sorted(entry.name for entry in base(used).iterdir())
        assert left == ["data", "postgres.log", "server.lock", "users.lock"]
        assert "database system is shut down" in (base(used) / "postgres.log").read_text()


@pytest.mark.slow
async def test_who_arrives_while_it_stops_gets_a_new_one(used: Path) -> None:
    async with commands(used) as [first]:
        await first.says()
        stopping = postmaster(used)
        assert stopping
        os.kill(stopping, signal.SIGSTOP)
        await first.kill()
    await until(lambda: not users_may_come(used))

    async with commands(used) as [newcomer]:
        await until(lambda: base(used) / "users.lock" in open_files(newcomer.pid))
        os.kill(stopping, signal.SIGCONT)
        assert (await newcomer.says())["owned"]
        assert postmaster(used) != stopping
        assert await newcomer.asks() == "bling"


@pytest.mark.slow
async def test_coming_and_going_all_the_time(used: Path) -> None:
    async def come_and_go(times: int) -> None:
        for _ in range(times):
            async with embedded_postgres(used) as server:
                assert await scalar(server, "select 1") == 1

    await asyncio.gather(come_and_go(6), come_and_go(7), come_and_go(8))


# --- aberto às ferramentas desta máquina -----------------------------------------------------------------------


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


async def enters(port: int, user: str, password: str) -> str | None:
    """Por que não entra; None se entra."""
    place = f"host=127.0.0.1 port={port} dbname=bling connect_timeout=5"
    try:
        async with await psycopg.AsyncConnection.connect(place, user=user, password=password) as connection:
            await connection.execute("select 1")
    except psycopg.OperationalError as error:
        return str(error)
    return None


@pytest.mark.slow
async def test_it_opens_only_when_asked_to_a_reader_with_its_password_and_to_this_machine(used: Path) -> None:
    port = free_port()
    async with embedded_postgres(used) as server:
        assert await scalar(server, "show listen_addresses") == ""
        await execute(server.url, "create role ana login password 'a senha'", "alter role bling password 'a senha'")
        assert not await embedded.choose_port(port, used), "vale quando recomeçar"
        assert await scalar(server, "show listen_addresses") == ""
    async with embedded_postgres(used) as server:
        assert await embedded.choose_port(port, used), "já é assim"
        assert await scalar(server, "show listen_addresses") == "127.0.0.1"
        assert await enters(port, "ana", "a senha") is None
        assert "password authentication failed" in str(await enters(port, "ana", "outra"))
        assert "rejects connection" in str(await enters(port, "bling", "a senha")), "o dono de tudo, nem com senha"
        async with embedded_postgres(used) as second:
            assert second.url == server.url
        killed = postmaster(used)
        assert killed
        os.kill(killed, signal.SIGKILL)
        await until(lambda: postmaster(used) not in (None, killed))
        assert await enters(port, "ana", "a senha") is None
        assert await scalar(server, "select 1") == 1
        assert not await embedded.choose_port(None, used)
    async with embedded_postgres(used) as server:
        assert await scalar(server, "show listen_addresses") == ""
        assert await enters(port, "ana", "a senha") is not None


async def test_a_port_in_use_is_refused_and_one_taken_later_does_not_stop_the_collecting(used: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(UsageError, match=f"A porta {taken} desta máquina já é de outro programa"):
            await embedded.choose_port(taken, used)
        embedded_server.choose_port(base(used), taken)
        async with embedded_postgres(used) as server:
            assert await scalar(server, "show listen_addresses") == ""
    (base(used) / "port").write_text("isto não é uma porta")
    async with embedded_postgres(used) as server:
        assert await scalar(server, "show listen_addresses") == ""


# --- o que uma queda deixa -------------------------------------------------------------------------------------


async def test_killed_server_comes_back_for_who_is_using_it(used: Path) -> None:
    async with embedded_postgres(used) as server:
        await execute(server.url, "create table kept as select 42 as answer")
        killed = postmaster(used)
        assert killed
        os.kill(killed, signal.SIGKILL)
        await until(lambda: postmaster(used) not in (None, killed))
        async with embedded_postgres(used) as again:
            assert again.url == server.url
        assert await scalar(server, "select answer from kept") == 42


@pytest.mark.slow
async def test_killed_watcher_and_killed_server(used: Path) -> None:
    async with commands(used) as [command]:
        await command.says()
        os.kill(watcher(used), signal.SIGKILL)
        await until(lambda: not processes(used))
        assert not (base(used) / "data" / "postmaster.pid").exists(), "sem o vigia, o servidor parou"
        async with embedded_postgres(used) as server:
            assert server.owned
            supervisor, supervised = watcher(used), postmaster(used)
            assert supervised
            os.kill(supervisor, signal.SIGSTOP)
            os.kill(supervised, signal.SIGKILL)
            os.kill(supervisor, signal.SIGKILL)
            async with embedded_postgres(used) as again:
                assert again.owned
                assert await scalar(again, "select 1") == 1


async def test_pid_of_an_innocent(used: Path) -> None:
    innocent = await asyncio.create_subprocess_exec("sleep", "60")
    try:
        data, socket = base(used) / "data", base(used) / "socket"
        socket.mkdir(mode=0o700)
        os.chown(socket, data.stat().st_uid, data.stat().st_gid)
        (socket / ".s.PGSQL.5432.lock").write_text(f"{innocent.pid}\n")
        lines = [innocent.pid, data, int(time.time()), 5432, socket, "", "5432001 32768", "ready   "]
        (data / "postmaster.pid").write_text("\n".join(map(str, lines)) + "\n")
        async with embedded_postgres(used) as server:
            assert await scalar(server, "select 1") == 1
        assert innocent.returncode is None
        os.kill(innocent.pid, 0)
    finally:
        innocent.kill()
        await innocent.wait()


@pytest.mark.slow
async def test_spoilt_pid_file(used: Path) -> None:
    for content in ("", "12", "lixo\n\n\n"):
        (base(used) / "data" / "postmaster.pid").write_text(content)
        async with embedded_postgres(used) as server:
            assert await scalar(server, "select 1") == 1


async def test_live_process_in_the_data_folder_is_respected(used: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_server, "STALE_SECONDS", 0)
    data = base(used) / "data"
    (data / "postmaster.pid").write_text("")
    inside = await asyncio.create_subprocess_exec("sleep", "60", cwd=data)
    try:
        assert embedded_files.processes_in(data) == [inside.pid]
        stopped = embedded_server.Server(embedded.find_binaries(), base(used))
        with pytest.raises(DatabaseError, match=str(inside.pid)):
            stopped.start()
        assert inside.returncode is None
        assert (data / "postmaster.pid").exists()
    finally:
        inside.kill()
        await inside.wait()


@pytest.mark.slow
async def test_killed_initdb_leaves_nothing(home: Path) -> None:
    async with commands(home) as [command]:
        await until(lambda: list(base(home).glob("data.new-*/PG_VERSION")))
        os.kill(watcher(home), signal.SIGKILL)
        await command.kill()
    assert not (base(home) / "data").exists()
    async with embedded_postgres(home) as server:
        assert await scalar(server, "select 1") == 1
        assert not list(base(home).glob("data.new-*"))


async def test_copied_folder_is_not_taken_for_the_original(used: Path, home: Path) -> None:
    copy = home / "copy"
    copy.mkdir()
    async with embedded_postgres(used):
        await asyncio.to_thread(copy_to, copy, base(used))
        async with embedded_postgres(copy) as second:
            assert second.owned
            assert await scalar(second, "show data_directory") == str(base(copy) / "data")


# --- onde --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@as_root
async def test_private_home_of_root(home: Path) -> None:
    os.chmod(home, 0o700)  # noqa: PTH101  o Path bloquearia o laço, dizem
    async with embedded_postgres(home / "a" / "b") as server:
        assert await scalar(server, "select 1") == 1
        assert embedded_files.is_private(server.data_dir, 0)
    assert embedded_files.is_private(home, 0), "ninguém abriu a pasta aos outros"
    async with embedded_postgres(home / "a" / "b") as server:
        assert await scalar(server, "select 1") == 1


@as_root
async def test_root_runs_it_as_the_owner_of_the_data(used: Path) -> None:
    async with embedded_postgres(used) as server:
        owner = server.data_dir.stat().st_uid
        assert owner != 0
        assert owners(embedded_files.processes_in(server.data_dir)) == {owner}


@pytest.mark.slow
async def test_long_path(home: Path) -> None:
    deep = home / ("comprido, com espaço: e acentuação " * 2) / ("x" * 80)
    async with embedded_postgres(deep) as server:
        assert await scalar(server, "select 1") == 1
        running = embedded_files.read_pid_file(server.data_dir)
        assert running
        assert Path(running.socket_folder).parent == Path(tempfile.gettempdir())
        async with embedded_postgres(deep) as second:
            assert not second.owned
    await until(lambda: not Path(running.socket_folder).exists())


@pytest.mark.slow
async def test_a_folder_with_odd_letters(home: Path) -> None:
    async with embedded_postgres(home / 'd\'água "x" %s \\ #1 \u00a0李') as server:
        assert await scalar(server, "select 1") == 1


@pytest.mark.parametrize("name", ["duas\nlinhas", os.fsdecode(b"latin-\xe7\xe3o")])
async def test_a_folder_that_the_server_could_not_name(home: Path, name: str) -> None:
    with pytest.raises(DatabaseError, match="tem no nome o que não são letras em UTF-8"):
        async with embedded_postgres(home / name):
            pass


async def test_socket_folder_of_a_stranger(used: Path) -> None:
    (base(used) / "socket").mkdir(mode=0o777)
    with pytest.raises(DatabaseError, match="não é privada"):
        async with embedded_postgres(used):
            pass


# --- o que se diz a quem lê --------------------------------------------------------------------------------------


def test_no_binaries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BLING_POSTGRES_BIN", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "embedded_postgres", None)
    monkeypatch.setattr(embedded_binaries, "SYSTEM_FOLDER", tmp_path)
    with pytest.raises(DatabaseError, match="Instale o embutido"):
        embedded.find_binaries()


def test_wrong_binaries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 9.6.24'\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("BLING_POSTGRES_BIN", str(tmp_path))
    with pytest.raises(DatabaseError, match=f"BLING_POSTGRES_BIN aponta para {tmp_path}"):
        embedded.find_binaries()


async def test_data_of_another_version(home: Path) -> None:
    (home / "pg-13" / "data").mkdir(parents=True)
    (home / "pg-13" / "data" / "PG_VERSION").write_text("13\n")
    with pytest.raises(DatabaseError, match="pg-13 são de outra versão"):
        async with embedded_postgres(home):
            pass
    (home / "pg-13").rename(base(home))
    with pytest.raises(DatabaseError, match="diz ser do PostgreSQL 13"):
        async with embedded_postgres(home):
            pass


async def test_failed_start_shows_the_log(used: Path) -> None:
    conf = base(used) / "data" / "postgresql.conf"
    conf.write_text(conf.read_text() + "nao_existe = 1\n")
    with pytest.raises(DatabaseError, match=r"não começou.\nFim do registro(.|\n)*nao_existe"):
        async with embedded_postgres(used):
            pass


@as_root
async def test_full_disk(home: Path) -> None:
    mount = f'mount -t tmpfs -o size=8m,mode=755 tmpfs {home} && exec "$@"'
    command = await Command.start(home, "unshare", "--mount", "sh", "-c", mount, "sh")
    said = await command.says()
    await command.leave()
    assert said["error"].startswith("O disco está cheio: libere espaço em")


def test_default_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", "relativo")
    assert embedded.default_data_home() == tmp_path / ".local" / "share" / "bling-collector"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "dados"))
    assert embedded.default_data_home() == tmp_path / "dados" / "bling-collector"


async def test_an_account_without_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(_: str) -> NoReturn:
        raise KeyError("uid não encontrado")

    monkeypatch.delenv("HOME")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", nowhere)  # um contêiner que roda com um número que o sistema não conhece
    with pytest.raises(ConfigurationError, match=r"não tem pasta própria.*DATABASE_URL.*HOME"):
        async with embedded_postgres():
            pass


@pytest.mark.slow
def test_throwaway_server_gives_each_test_its_database() -> None:
    with throwaway_server() as server:

        async def use() -> None:
            template = await create_database(server)
            await execute(template, "create table model as select 1 as one")
            copy = await create_database(server, template)
            assert await scalar(copy, "select one from model") == 1
            await drop_database(server, copy)
            with pytest.raises(psycopg.OperationalError):
                await scalar(copy, "select 1")

        asyncio.run(use())
    assert not server.data_dir.exists()
