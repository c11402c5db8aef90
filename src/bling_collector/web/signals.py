"""O pedido de parada do sistema chega também às execuções, e não só ao servidor HTTP.

O servidor, ao receber SIGTERM, espera as respostas em curso antes de avisar a aplicação; um POST /run só responde
quando a execução termina. Sem este aviso os dois esperariam um pelo outro.
"""

import asyncio
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

STOP_SIGNALS = [signal.SIGINT, signal.SIGTERM]
if sys.platform == "win32":
    STOP_SIGNALS.append(signal.SIGBREAK)


@contextmanager
def on_stop_signal(stop: Callable[[], None]) -> Iterator[None]:
    """Enquanto o bloco roda, um sinal de parada chama `stop` no laço de eventos, e depois quem já o tratava."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before: dict[signal.Signals, Any] = {number: signal.getsignal(number) for number in STOP_SIGNALS}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop)
        previous = before[signal.Signals(number)]
        if callable(previous):
            previous(number, frame)

    # Só onde alguém já trata o sinal: sem servidor, o sinal mata o processo, e assim deve continuar.
    ours = [number for number in STOP_SIGNALS if callable(before[number])]
    for number in ours:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in ours:
            if signal.getsignal(number) is handle:
                signal.signal(number, before[number])
