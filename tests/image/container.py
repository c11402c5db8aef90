"""Um contêiner da imagem, como o Cloud Run o põe a atender: a porta vem de PORT, e o banco, de um soquete."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from tests.image.building import IMAGE, Buildah, CannotCheckError

SOCKET = "/cloudsql/sol"
LONGEST = 120.0
"""Segundos que se espera que ele atenda, ou que acabe."""


@dataclass
class Container:
    """`settings` são as variáveis dele; `postgres`, a pasta do soquete do banco."""

    tool: Buildah
    settings: Mapping[str, str]
    postgres: Path
    name: str = ""
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.name = self.tool("from", "--quiet", "--pull=never", IMAGE)
        self.log = self.tool.folder / "contêiner.log"

    @property
    def configuration(self) -> Any:
        return self.tool.configuration(self.name, "container")

    def run(self, *command: str) -> str:
        """Um comando dentro dele, com as suas variáveis."""
        return self.tool("run", *self._options(), self.name, "--", *command)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Serving"]:
        """O comando da imagem, até que se saia. CannotCheckError se ele não atende."""
        with self.log.open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *self.tool.command("run", *self._options(), self.name, "--", *self.configuration["Cmd"]),
                env=self.tool.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        service = Serving(process, f"http://127.0.0.1:{self.settings['PORT']}", self.log)
        try:
            await service.answers()
            yield service
        finally:
            for pid in service.processes():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            await process.wait()

    def _options(self) -> list[str]:
        variables = [part for name, value in self.settings.items() for part in ("--env", f"{name}={value}")]
        return [*variables, "--volume", f"{self.postgres}:{SOCKET}"]


@dataclass
class Serving:
    process: asyncio.subprocess.Process
    url: str
    log: Path

    async def answers(self) -> None:
        """Volta quando `/health` responde."""
        began = time.monotonic()
        async with httpx2.AsyncClient(timeout=5) as http:
            while time.monotonic() - began < LONGEST and self.process.returncode is None:
                with suppress(httpx2.TransportError):
                    if (await http.get(f"{self.url}/health")).status_code == 200:
                        return
                await asyncio.sleep(0.02)
        raise CannotCheckError(f"O contêiner não atendeu. O que ele disse:\n{self.said()}")

    async def stop(self) -> int:
        """SIGTERM a quem atende, e o código com que saiu."""
        os.kill(self.processes()[-1], signal.SIGTERM)
        async with asyncio.timeout(LONGEST):
            return await self.process.wait()

    def processes(self) -> list[int]:
        """O buildah e os que dele descendem; o último é o do contêiner."""
        found = [self.process.pid] if self.process.returncode is None else []
        for pid in found:
            with suppress(OSError):
                for children in Path(f"/proc/{pid}/task").glob("*/children"):
                    found += map(int, children.read_text().split())
        return found

    def user(self) -> int:
        """A conta de quem atende."""
        return Path(f"/proc/{self.processes()[-1]}").stat().st_uid

    def cpu(self) -> float:
        """Os segundos de processador que já usou: numa máquina ocupada, dizem mais do que os do relógio."""
        after_name = Path(f"/proc/{self.processes()[-1]}/stat").read_text().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")

    def said(self) -> str:
        return self.log.read_text("utf-8", "replace")[-3000:]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
