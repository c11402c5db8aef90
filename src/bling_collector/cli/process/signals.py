"""Parar com calma: Ctrl-C e SIGTERM pedem, e só o segundo interrompe."""

import asyncio
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bling_collector.cli.screen.terminal import say

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def gentle_stop() -> Iterator[asyncio.Event]:
    """O evento que o primeiro Ctrl-C ou SIGTERM levanta; o segundo encerra o processo na hora."""
    stop = asyncio.Event()
    # No Windows o laço de eventos não recebe sinais: Ctrl-C interrompe, e o banco fica são. Noutra thread também não.
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        yield stop
        return
    loop = asyncio.get_running_loop()

    def ask() -> None:
        say("Parando: termino o que está em voo e salvo o que chegou…")
        stop.set()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)

    for number in _SIGNALS:
        loop.add_signal_handler(number, ask)
    try:
        yield stop
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
