"""Os programas do PostgreSQL: achar, numa versão que sirva ao servidor, e rodar sem mostrar a senha."""

import asyncio
import os
import re
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg.pq import Conninfo
from sqlalchemy import URL

from bling_collector.db.embedded.binaries import BIN_VARIABLE, SYSTEM_FOLDER, VERSIONS, package_binaries
from bling_collector.errors import DatabaseError

PROGRAMS = ("pg_dump", "pg_restore")


@dataclass(frozen=True)
class Tools:
    """Uma pasta com `pg_dump` e `pg_restore` da mesma versão principal."""

    folder: Path
    version: int

    def program(self, name: str) -> str:
        return str(shutil.which(name, path=str(self.folder)))


@dataclass(frozen=True)
class Answer:
    """Como um programa terminou."""

    code: int
    output: bytes
    errors: str


async def run(program: str, *arguments: str, url: URL | None = None) -> Answer:
    """Roda o programa até o fim.

    O endereço do banco vai no ambiente, com a senha: a linha de comando, qualquer conta da máquina pode ler.
    """
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        env=environment(url) | {"LC_ALL": "C"} if url is not None else None,  # o que ele diz é lido por `cause`
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    return Answer(process.returncode or 0, output, errors.decode(errors="replace").strip())


async def attended(program: str, *arguments: str, url: URL) -> int:
    """Roda um programa que conversa com a pessoa, e devolve o código dele. O Ctrl-C é para ele, e não para nós."""
    process = await asyncio.create_subprocess_exec(program, *arguments, env=environment(url))
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return await process.wait()
    finally:
        signal.signal(signal.SIGINT, before)


def environment(url: URL) -> dict[str, str]:
    """O ambiente em que a libpq acha o banco de `url`."""
    given: dict[str, object] = url.translate_connect_args(database="dbname", username="user") | dict(url.query)
    known = {option.keyword.decode(): option.envvar for option in Conninfo.get_defaults()}
    ours = {name.decode(): str(given[key]) for key, name in known.items() if name is not None and key in given}
    return os.environ | {"PGCONNECT_TIMEOUT": "10", "PGCLIENTENCODING": "UTF8"} | ours


async def find_psql(server: int) -> str:
    """O `psql` da versão que serve ao servidor ou, sem ela, o mais novo.

    DatabaseError, dizendo o que instalar, se não há.
    """
    versions = [
        (await _version(Path(path)), path) for each in candidates() if (path := shutil.which("psql", path=each))
    ]
    found = sorted((version, path) for version, path in versions if version)
    if good := [path for version, path in found if version >= server] or [path for _, path in found[-1:]]:
        return good[0]
    raise DatabaseError(
        f"Não achei o psql. Instale-o (no Debian e no Ubuntu: apt install postgresql-client-{server}) ou os programas "
        f"embutidos (pip install 'bling_collector[embedded]'), ou aponte {BIN_VARIABLE} para a pasta que o tem."
    )


async def find_tools(server: int) -> Tools:
    """Os programas da versão mais antiga que serve ao servidor: a dele, ou uma mais nova.

    DatabaseError, dizendo o que instalar, se não há.
    """
    found = [tools for folder in candidates() if (tools := await _tools_in(folder)) is not None]
    if good := sorted((t for t in found if t.version >= server), key=lambda t: t.version):
        return good[0]
    where = "; ".join(f"{t.version} em {t.folder}" for t in found)
    raise DatabaseError(
        f"O servidor é PostgreSQL {server}, e os programas de cópia não podem ser mais antigos que ele "
        f"({f'achei os da {where}' if where else 'não achei nenhum'}). Instale os da versão {server} (no Debian e no "
        f"Ubuntu: apt install postgresql-client-{server}) ou os embutidos (pip install 'bling_collector[embedded]'), "
        f"ou aponte {BIN_VARIABLE} para a pasta que os tem."
    )


def candidates() -> Sequence[Path]:
    """Onde procurar: os do sistema e, depois, os embutidos."""
    folders = [Path(chosen).absolute()] if (chosen := os.environ.get(BIN_VARIABLE)) else []
    installed = (shutil.which(program) for program in ("pg_dump", "psql"))
    folders += [Path(program).absolute().parent for program in installed if program]
    folders += [SYSTEM_FOLDER / str(version) / "bin" for version in VERSIONS]
    if embedded := package_binaries():
        folders.append(embedded)
    return folders


async def _tools_in(folder: Path) -> Tools | None:
    if not all(shutil.which(name, path=str(folder)) for name in PROGRAMS):
        return None
    version = await _version(Path(str(shutil.which("pg_dump", path=str(folder)))))
    return Tools(folder, version) if version else None


async def _version(program: Path) -> int | None:
    """A versão principal do programa; None se não roda aqui."""
    try:
        said = await run(str(program), "--version")
    except OSError:
        return None  # por exemplo, o pacote da glibc num sistema musl
    version = re.search(rb"PostgreSQL\) (\d+)", said.output)
    return int(version[1]) if version and said.code == 0 else None


def cause(answer: Answer) -> str:
    """O que o programa disse do que o impediu, numa frase."""
    lines = [line for line in answer.errors.splitlines() if line.strip()]
    if not lines:
        killed = f" (sinal {-answer.code})" if answer.code < 0 else f" (código {answer.code})"
        return f"o programa do PostgreSQL acabou sem dizer por quê{killed}."
    chosen = next((line for line in lines if "error:" in line or "ERROR:" in line), lines[0] if lines else "")
    return re.sub(r"^\S*pg_\w+: ", "", chosen).strip().rstrip(".") + "."
