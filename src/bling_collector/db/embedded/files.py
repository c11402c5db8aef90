"""Os arquivos da pasta do servidor embutido: trincos, postmaster.pid, registro."""

import errno
import os
import shutil
import stat
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

USERS_LOCK = "users.lock"
WATCH_LOCK = "server.lock"
LOG = "postgres.log"
LOG_LIMIT = 1_000_000
_CANNOT: Final = {errno.EACCES, errno.EBADF, errno.EINVAL, errno.ENOTSUP, errno.EISDIR}
"""Como um sistema de arquivos (ou o Windows) diz que uma pasta não se manda para o disco."""


class FileLock:
    """Um trinco num arquivo, que o sistema solta quando o processo acaba, seja como for."""

    def __init__(self, path: Path) -> None:
        self._fd = open_private(path)

    def close(self) -> None:
        os.close(self._fd)

    def is_at(self, path: Path) -> bool:
        """Se é ainda o arquivo que tem este nome: quem o tinha trancado pode tê-lo apagado, e já há outro."""
        if os.name == "nt":  # lá não se apaga um arquivo aberto
            return True
        try:
            return os.path.samestat(os.fstat(self._fd), path.stat())
        except FileNotFoundError:
            return False

    if sys.platform == "win32":
        # Não há trinco compartilhado em `msvcrt`: cada usuário fica com um byte, o exclusivo com todos.
        _SLOTS = 512

        def _try(self, start: int, count: int) -> bool:
            os.lseek(self._fd, start, os.SEEK_SET)
            try:
                msvcrt.locking(self._fd, msvcrt.LK_NBLCK, count)
            except OSError:
                return False
            self._held = (start, count)
            return True

        def _release(self) -> None:
            if held := getattr(self, "_held", None):
                os.lseek(self._fd, held[0], os.SEEK_SET)
                msvcrt.locking(self._fd, msvcrt.LK_UNLCK, held[1])
                del self._held

        def try_shared(self) -> bool:
            self._release()
            return any(self._try((os.getpid() // 4 + step) % self._SLOTS, 1) for step in range(16))

        def try_exclusive(self) -> bool:
            self._release()
            return self._try(0, self._SLOTS)

        def wait_exclusive(self) -> None:
            while not self.try_exclusive():
                time.sleep(0.2)
    else:

        def try_shared(self) -> bool:
            """Trinco compartilhado, se ninguém tem o exclusivo; o que este objeto tinha é trocado."""
            return self._try(fcntl.LOCK_SH)

        def try_exclusive(self) -> bool:
            """Trinco exclusivo, se ninguém tem nenhum; o que este objeto tinha é perdido de todo modo."""
            return self._try(fcntl.LOCK_EX)

        def wait_exclusive(self) -> None:
            """Espera até ter o trinco exclusivo; bloqueia quem chama."""
            fcntl.flock(self._fd, fcntl.LOCK_EX)

        def _try(self, kind: int) -> bool:
            try:
                fcntl.flock(self._fd, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True


def open_private(path: Path, flags: int = 0) -> int:
    """Abre (ou cria, 0600) um arquivo da pasta do servidor; não segue um link simbólico plantado nela."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | flags, 0o600)
    if sys.platform != "win32" and os.geteuid() == 0:
        # O que o root cria na pasta de um usuário (sudo) fica do usuário, que precisará abri-lo depois.
        owner = path.parent.stat()
        os.fchown(fd, owner.st_uid, owner.st_gid)
    return fd


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


def keep_names(folder: Path) -> None:
    """Põe no disco os nomes que a pasta tem agora, onde isso se pode pedir: sem isto, uma queda de energia devolveria a
    um arquivo o nome provisório."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
