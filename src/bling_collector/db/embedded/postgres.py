"""Um PostgreSQL de verdade sem instalar nada: começa com o primeiro comando e para com o último.

    <pasta de dados do usuário>/bling-collector/pg-18/
        data/           a pasta de dados (PGDATA)
        socket/         o soquete; na pasta temporária, se este caminho é longo demais
        postgres.log    o registro do servidor
        users.lock      compartilhado: cada comando que usa o servidor
        server.lock     exclusivo: o vigia, o processo que é pai do servidor

Quem começa o servidor não é o pai dele. Se fosse, ou o servidor morreria com o primeiro comando, deixando sem
banco os que chegaram depois, ou sobraria para sempre depois de um kill -9. O pai é o vigia (`watch.py`),
um processo pequeno e destacado que não faz nada além de esperar pelo trinco exclusivo de `users.lock`. O núcleo o
concede quando o último comando se vai, seja como for: fim, Ctrl-C, kill -9. Aí o vigia para o servidor, sem soltar o
trinco antes do fim, e acaba. A ordem é o que evita corridas:

- Um comando pega primeiro o compartilhado de `users.lock`. Com ele na mão, o vigia não pode parar o servidor; se
  já começou a parar, o comando espera que termine e começa outro.
- O vigia tem `server.lock` a vida inteira. De vários que comecem juntos, um o consegue, faz initdb e começa o
  servidor; os outros desistem na hora, e os seus comandos esperam por ele.
- O vigia é pai, e só ele recolhe o servidor: o número do processo não pode passar a outro antes disso. Nenhum
  sinal vai para um processo conhecido só pelo número.
- Se matam o servidor, o vigia o recomeça. Se matam o vigia, o Linux manda o servidor parar (PR_SET_PDEATHSIG). No
  macOS, que não tem isso, o servidor fica, e o próximo comando o usa.
"""

import asyncio
import logging
import os
import sys
import unicodedata
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from bling_collector.db.embedded import files, watch
from bling_collector.db.embedded import server as embedded_server
from bling_collector.db.embedded.binaries import BIN_VARIABLE, default_data_home, find_binaries, major_version
from bling_collector.disk.locks import FileLock
from bling_collector.errors import DatabaseError, UsageError, os_cause

__all__ = ["EmbeddedServer", "default_data_home", "embedded_postgres", "find_binaries"]

log = logging.getLogger(__name__)

DATABASE = "bling"
START_SECONDS = 120.0
"""Depois de uma queda, o servidor refaz o que faltava gravar antes de aceitar conexões; pode levar um minuto."""
STOP_SECONDS = 10.0
POLL = 0.02
WATCH = "import sys; sys.path.append(sys.argv[1]); from bling_collector.db.embedded import watch; watch.main()"
"""O programa do vigia: o Python isolado de quem o começa (-I), sem site-packages (-S) e com este pacote."""


@dataclass(frozen=True)
class EmbeddedServer:
    """Um servidor que aceita conexões enquanto durar o bloco que o deu."""

    url: str
    """URL do SQLAlchemy (`postgresql+psycopg://…`) do banco `bling`."""
    data_dir: Path
    bin_dir: Path
    owned: bool
    """Se foi este processo que o começou; se não, juntou-se a um que já rodava."""


@asynccontextmanager
async def embedded_postgres(data_home: Path | None = None) -> AsyncIterator[EmbeddedServer]:
    """Dá um servidor pronto, com o banco `bling`; começa-o se ninguém o começou.

    `data_home` é a pasta do coletor (sem ela, `default_data_home()`). Ao sair, o último espera até 10 s que o
    servidor pare, para que um contêiner que termine com o comando não o mate no meio. Levanta `DatabaseError`.
    """
    bin_dir = await asyncio.to_thread(find_binaries)
    base = await asyncio.to_thread(_prepare, data_home or default_data_home(), bin_dir)
    users = _open_users(base)
    try:
        address, owned = await _join_or_start(users, bin_dir, base)
        yield EmbeddedServer(url=address.url(), data_dir=base / "data", bin_dir=bin_dir, owned=owned)
    finally:
        await _leave(users, base)


async def choose_port(port: int | None, data_home: Path | None = None) -> bool:
    """Em que porta desta máquina o servidor atende às ferramentas de análise; None é nenhuma. Se já é assim agora.

    Vale da próxima vez que ele começar. UsageError se outro programa está na porta.
    """
    bin_dir = await asyncio.to_thread(find_binaries)
    base = await asyncio.to_thread(_prepare, data_home or default_data_home(), bin_dir)
    running = await asyncio.to_thread(_listening, base)
    if port is not None and running != port and not embedded_server.is_free(port):
        raise UsageError(f"A porta {port} desta máquina já é de outro programa. Escolha outra. Nada foi mudado.")
    try:
        embedded_server.choose_port(base, port)
    except OSError as error:
        raise DatabaseError(_unusable(base, error)) from error
    return running == port or not await asyncio.to_thread(_watched, base)


def _listening(base: Path) -> int | None:
    """A porta em que o servidor atende agora, se ele está no ar e aberto."""
    running = files.read_pid_file(base / "data") if _watched(base) else None
    return running.port if running is not None and running.listens else None


def _prepare(home: Path, bin_dir: Path) -> Path:
    """A pasta da versão, criada se falta; recusa dados que estes binários não leem."""
    home = home.expanduser().resolve()
    # Uma quebra de linha, ou bytes de outra codificação: o servidor não sabe dizer onde está.
    if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in str(home)):
        raise DatabaseError(
            f"A pasta de dados, {str(home)!a}, tem no nome o que não são letras em UTF-8. Escolha outra (no Linux, em "
            "XDG_DATA_HOME), ou diga em DATABASE_URL o endereço de um PostgreSQL."
        )
    major = major_version(bin_dir)
    base = home / f"pg-{major}"
    try:
        if not (base / "data").exists():
            others = sorted(path.parent.parent for path in home.glob("pg-*/data/PG_VERSION"))
            if others:
                raise DatabaseError(
                    f"Os dados em {others[-1]} são de outra versão do PostgreSQL; os binários em {bin_dir} são da "
                    f"{major}. Aponte {BIN_VARIABLE} para os da versão dos dados (com eles se pode fazer um pg_dump), "
                    "ou tire essa pasta daí para começar um banco vazio."
                )
        elif (found := (base / "data" / "PG_VERSION").read_text().strip()) != str(major):
            raise DatabaseError(f"A pasta {base / 'data'} diz ser do PostgreSQL {found}, e os binários são da {major}.")
        if not base.exists():
            home.mkdir(parents=True, exist_ok=True)
            base.mkdir(mode=0o700, exist_ok=True)
            if sys.platform != "win32" and os.geteuid() == 0:
                base.chmod(0o711)  # o servidor roda com outra conta, que só precisa atravessá-la
    except OSError as error:
        raise DatabaseError(_unusable(base, error)) from error
    return base


def _unusable(base: Path, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return (
            f"Sem permissão para {error.filename or base}. Se a pasta é de outra conta (o root, talvez), rode com ela, "
            "ou escolha outra pasta de dados."
        )
    return f"Não consegui preparar {base}: {os_cause(error)}"


def _open_users(base: Path) -> FileLock:
    try:
        return FileLock(base / files.USERS_LOCK)
    except OSError as error:
        raise DatabaseError(_unusable(base, error)) from error


async def _join_or_start(users: FileLock, bin_dir: Path, base: Path) -> tuple["Address", bool]:
    owned = False
    reason = "outro comando o está parando"
    try:
        async with asyncio.timeout(START_SECONDS):
            await _until(users.try_shared)
            reason = "o seu vigia não o dá por pronto"
            while True:
                try:
                    if address := await _join(base):
                        return address, owned
                except psycopg.Error as error:
                    reason = str(error).strip()
                if await asyncio.to_thread(_watched, base):
                    await asyncio.sleep(POLL)
                    continue
                outcome = await _launch(bin_dir, base)
                if outcome == watch.READY:
                    owned = True
                    log.info("PostgreSQL embutido começou em %s", base)
                elif outcome != watch.BUSY:
                    raise DatabaseError(outcome or f"O vigia do PostgreSQL embutido morreu ao começar, em {base}.")
    except TimeoutError:
        tail = await asyncio.to_thread(files.log_tail, base / files.LOG)
        raise DatabaseError(
            f"O PostgreSQL embutido em {base} não respondeu em {START_SECONDS:.0f} s ({reason}).{tail}"
        ) from None
    except OSError as error:
        raise DatabaseError(_unusable(base, error)) from error


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110  quem muda a condição é outro processo
        await asyncio.sleep(POLL)


def _watched(base: Path) -> bool:
    """Se há um vigia."""
    probe = FileLock(base / files.WATCH_LOCK)
    try:
        return not probe.try_exclusive()
    finally:
        probe.close()


async def _leave(users: FileLock, base: Path) -> None:
    """Deixa de ser usuário; se era o último, espera que o vigia pare o servidor."""
    running = files.read_pid_file(base / "data")
    # Ou o exclusivo é nosso, e não havia outro; ou é do vigia, que acordou antes; ou há outros usuários.
    last = users.try_exclusive() or not users.try_shared()
    users.close()
    if not (last and running):
        return

    def stopped() -> bool:
        now = files.read_pid_file(base / "data")
        return not _watched(base) or (now is not None and now.pid != running.pid)

    try:
        async with asyncio.timeout(STOP_SECONDS):
            await _until(stopped)
    except TimeoutError:
        log.warning("O PostgreSQL embutido em %s ainda está parando", base)


# --- achar o servidor que roda ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Address:
    """Onde o servidor atende: a pasta do soquete ou, no Windows, 127.0.0.1."""

    host: str
    port: int
    password: str | None = None

    def url(self) -> str:
        if self.password:
            return (
                f"postgresql+psycopg://{embedded_server.USER}:{quote(self.password)}@{self.host}:{self.port}/{DATABASE}"
            )
        host = quote(self.host, safe="")
        return f"postgresql+psycopg://{embedded_server.USER}@/{DATABASE}?host={host}&port={self.port}"


async def _join(base: Path) -> Address | None:
    """O endereço do servidor, se ele atende e é o desta pasta; cria o banco `bling` se falta.

    Levanta `psycopg.Error` se ele não atende.
    """
    data = base / "data"
    address = await asyncio.to_thread(_address, base)
    if address is None:
        return None
    connection = await psycopg.AsyncConnection.connect(
        host=address.host,
        port=address.port,
        user=embedded_server.USER,
        password=address.password,
        dbname="postgres",
        connect_timeout=5,
        autocommit=True,
    )
    async with connection:
        row = await (
            await connection.execute(
                "select current_setting('data_directory'), exists(select from pg_database where datname = %s)",
                [DATABASE],
            )
        ).fetchone()
        if row is None or not await asyncio.to_thread(_same, Path(row[0]), data):
            return None  # o postmaster.pid veio de uma cópia da pasta de outro servidor
        if not row[1]:
            # Outro comando pode chegar antes.
            with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                await connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
    return address


def _address(base: Path) -> Address | None:
    """O que o servidor disse de si em postmaster.pid, se a pasta do soquete é mesmo do dono dos dados."""
    running = files.read_pid_file(base / "data")
    if running is None or not running.ready:
        return None
    if sys.platform == "win32":
        return Address("127.0.0.1", running.port, (base / embedded_server.PASSWORD).read_text())
    folder = Path(running.socket_folder)
    try:
        private = files.is_private(folder, (base / "data").stat().st_uid)
    except FileNotFoundError:
        return None
    if not private:
        # Sem servidor nela, pode ser de um estranho que a criou depois de uma queda: o vigia escolherá a sua.
        raise psycopg.OperationalError(f"a pasta do soquete, {folder}, não é privada do dono dos dados")
    return Address(running.socket_folder, running.port)


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except FileNotFoundError:
        return False


# --- começar o vigia -------------------------------------------------------------------------------------------


async def _launch(bin_dir: Path, base: Path) -> str:
    """Começa um vigia e espera que ele diga o que conseguiu (`watch` diz as respostas)."""
    package = Path(__file__).parents[3]  # a pasta de que este pacote foi importado, instalado ou não
    command = [sys.executable, "-I", "-S", "-c", WATCH, str(package), str(bin_dir), str(base)]
    if sys.platform == "win32":
        # O laço de eventos que a psycopg aceita no Windows não sabe de subprocessos.
        return await asyncio.to_thread(_launch_on_windows, command)
    read_end, write_end = os.pipe()
    pipe = os.fdopen(read_end, "rb", buffering=0)
    try:
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=write_end,
                stderr=write_end,
                cwd="/",
                start_new_session=True,  # o Ctrl-C do terminal não é para ele
            )
        finally:
            os.close(write_end)
        await process.wait()  # só o que se bifurca; o vigia segue, com a outra ponta do pipe
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        try:
            return (await reader.read()).decode(errors="replace").strip()
        finally:
            transport.close()
    finally:
        pipe.close()


if sys.platform == "win32":
    import subprocess

    def _launch_on_windows(command: list[str]) -> str:
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
        process = subprocess.Popen(  # noqa: S603  o Python que nos roda, com um arquivo deste pacote
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            creationflags=flags,
        )
        assert process.stdout
        with process.stdout:
            answer = process.stdout.read().decode(errors="replace").strip()
        process.returncode = 0  # ele segue sem nós: o Popen não deve avisar que ficou
        return answer
