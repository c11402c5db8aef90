"""O vigia: o processo destacado que é pai do PostgreSQL embutido, e o para quando o último usuário se vai.

Começa-o `postgres.py`, onde está o desenho inteiro. Só importa a biblioteca padrão e os vizinhos que também só
importam ela: roda sem site-packages, o que divide por dois o tempo de começar.

Escreve na saída padrão uma de três coisas e a fecha: `ready` (o servidor aceita conexões), `busy` (outro vigia já
cuida dele) ou, em português, por que não conseguiu. Depois disso vive enquanto viver o servidor.
"""

import contextlib
import os
import queue
import signal
import sys
import threading
from pathlib import Path

from bling_collector.db.embedded.files import USERS_LOCK, WATCH_LOCK, trim_log
from bling_collector.db.embedded.server import Server, explain
from bling_collector.disk.locks import FileLock, open_private
from bling_collector.errors import DatabaseError

READY = "ready"
BUSY = "busy"
RESTARTS = 3


def main() -> None:
    """O processo inteiro; os argumentos são a pasta dos binários e a do servidor."""
    bin_dir, base = (Path(argument) for argument in sys.argv[-2:])
    if sys.platform != "win32":
        if os.fork():
            os._exit(0)  # quem nos começou recolhe este; o vigia não é filho de ninguém que possa esquecê-lo
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.umask(0o077)
    lock = FileLock(base / WATCH_LOCK)  # até o fim do processo, que é quem o solta
    if not lock.try_exclusive():
        report(BUSY)
        return
    try:
        server = Server(bin_dir, base)
        server.create()
        server.start()
    except DatabaseError as error:
        report(str(error))
        return
    except OSError as error:
        report(explain(base, str(error)) or f"Não consegui preparar {base}: {error}")
        return
    report(READY)
    redirect(server.log)
    watch(server, FileLock(base / USERS_LOCK))


def report(text: str) -> None:
    """Diz o resultado a quem nos começou."""
    with contextlib.suppress(BrokenPipeError):  # já se foi; sem outro usuário, o servidor será parado em seguida
        os.write(1, text.encode())


def redirect(log: Path) -> None:
    """Fecha a saída, que é o sinal de que não há mais o que esperar dela; o que vier depois vai para o registro."""
    target = open_private(log, os.O_APPEND)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(target)


def watch(server: Server, users: FileLock) -> None:
    """Vive até o último usuário sair, ou até o servidor parar de vez. Se o matam, recomeça-o, umas poucas vezes."""
    events: queue.SimpleQueue[str] = queue.SimpleQueue()
    interval = 3600.0

    def wait_for_nobody() -> None:
        users.wait_exclusive()
        events.put("nobody")

    signal.signal(signal.SIGTERM, lambda *_: events.put("terminate"))
    if sys.platform == "win32":
        interval = 5.0
    else:
        signal.signal(signal.SIGCHLD, lambda *_: events.put("child"))
    threading.Thread(target=wait_for_nobody, daemon=True).start()
    events.put("child")  # o servidor pode ter parado antes de o sinal ter quem o ouvisse
    restarts = 0
    while True:
        try:
            event = events.get(timeout=interval)
        except queue.Empty:
            event = "time"
            trim_log(server.log)
        if event in ("nobody", "terminate"):
            server.stop()
            return
        if server.alive():
            continue
        if not server.crashed() or restarts == RESTARTS:
            return
        restarts += 1
        server.start()
