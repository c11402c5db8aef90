"""O palco: o Bling simulado, num processo só dele, e um banco vazio por medida no PostgreSQL embutido."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.measuring import cpu_of
from bench.scenarios import Scenario
from bling_collector.db.embedded.postgres import EmbeddedServer

ROOT = Path(__file__).parents[1]
START_SECONDS = 120.0


@dataclass(frozen=True)
class Simulator:
    url: str
    pid: int

    @property
    def api(self) -> str:
        return f"{self.url}/Api/v3"

    def control(self, path: str, method: str = "GET") -> Any:
        """A resposta da interface de controle."""
        request = urllib.request.Request(f"{self.url}/_control/{path}", method=method)  # noqa: S310 — é a nossa
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 — idem
            body = answer.read()
        return json.loads(body) if body else None

    def token(self) -> str:
        """Um token de acesso, sem navegador."""
        return str(self.control("tokens", "POST")["access_token"])

    def code(self) -> str:
        """Um código de autorização, como se alguém tivesse consentido."""
        return str(self.control("tokens/code", "POST")["code"])

    def cpu(self) -> float:
        return cpu_of(self.pid)


@contextmanager
def simulator(scenario: Scenario) -> Iterator[Simulator]:
    """O Bling simulado deste cenário, já de pé."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    options = {
        "--port": port,
        "--scale": scenario.scale,
        "--latency": scenario.latency,
        "--requests-per-second": scenario.per_second,
        "--requests-per-day": 0,
    }
    words = [str(word) for option in options.items() for word in option]
    process = subprocess.Popen(
        [sys.executable, "-m", "bling_simulator", *words], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        running = Simulator(f"http://127.0.0.1:{port}", process.pid)
        _wait(running, process)
        yield running
    finally:
        process.terminate()
        process.wait(30)


def _wait(running: Simulator, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            running.control("settings")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("O Bling simulado não começou.")


def postgres_cpu(server: EmbeddedServer) -> float:
    """Segundos de processador do servidor e das conexões dele."""
    return cpu_of(int((server.data_dir / "postmaster.pid").read_text().split()[0]))
