"""Os arquivos da pasta do servidor embutido: os nomes dos trincos, postmaster.pid, registro."""

import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

USERS_LOCK = "users.lock"
WATCH_LOCK = "server.lock"
LOG = "postgres.log"
LOG_LIMIT = 1_000_000


def is_private(folder: Path, owner: int) -> bool:
    """Se é uma pasta de verdade (não um link) daquele dono e de mais ninguém."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == owner and not found.st_mode & 0o077


@dataclass(frozen=True)
class PidFile:
    """O que o servidor escreve em postmaster.pid; pode ser velho, ou mentira."""

    pid: int
    port: int
    socket_folder: str
    listens: bool
    """Se atende também por TCP."""
    ready: bool


def read_pid_file(data: Path) -> PidFile | None:
    """O postmaster.pid da pasta de dados; None se não há, está pela metade ou não se entende."""
    try:
        lines = os.fsdecode((data / "postmaster.pid").read_bytes()).splitlines()
        ready = len(lines) > 7 and lines[7].strip() == "ready"
        return PidFile(int(lines[0]), int(lines[3]), lines[4], bool(lines[5].strip()), ready)
    except (OSError, ValueError, IndexError):
        return None


def log_tail(log: Path, start: int = 0) -> str:
    """As últimas linhas do registro do servidor, a partir de uma posição, com um título; vazio se não há nada."""
    try:
        text = log.read_bytes()[start:][-2000:].decode(errors="replace").strip()
    except OSError:
        text = ""
    return f"\nFim do registro ({log}):\n{text}" if text else ""


def processes_in(folder: Path) -> list[int]:
    """Os processos vivos (um zumbi não é) que têm a pasta por pasta atual."""
    if sys.platform != "linux":
        command = ["lsof", "-t", "-a", "-d", "cwd", str(folder)]
        answer = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
        return [int(pid) for pid in answer.stdout.split()]
    target = folder.stat()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            here = (entry / "cwd").stat()
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue  # já terminou, ou é de outro dono
        if os.path.samestat(here, target) and state not in "ZX":
            found.append(int(entry.name))
    return found


def trim_log(log: Path) -> None:
    """Passado o limite, guarda o registro como `.1` e o recomeça; o servidor escreve no fim, onde quer que seja."""
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        shutil.copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)
