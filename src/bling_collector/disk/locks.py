"""Um trinco entre processos, num arquivo que só o dono lê."""

import os
import sys
import time
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


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
