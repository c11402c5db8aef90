"""O coletor como processo, do jeito que se usa: pela linha de comando ou pelo serviço."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2

import bling_collector

KILLED = -int(signal.SIGKILL)
LONGEST = 90.0
"""Segundos depois dos quais uma execução está presa, e o teste falha."""
_BANNED = ("Traceback", "Erro inesperado", "erro inesperado")


def environment(given: Mapping[str, str], home: Path) -> dict[str, str]:
    """O ambiente do processo: o pedido, sem o que quem roda os testes tenha no seu."""
    source = Path(bling_collector.__file__).resolve().parent.parent
    own = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG", "TMPDIR") if name in os.environ}
    return own | {"HOME": str(home), "PYTHONPATH": str(source)} | dict(given)


@dataclass
class Run:
    """Uma execução em curso; `process` é None quando ela roda neste mesmo processo."""

    outcome: asyncio.Task[int]
    process: asyncio.subprocess.Process | None = None
    log: Path | None = None

    @property
    def over(self) -> bool:
        return self.outcome.done()

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    async def gone(self) -> None:
        """Espera que o processo acabe: o serviço sobrevive às suas execuções."""
        assert self.process is not None
        async with asyncio.timeout(LONGEST):
            await self.process.wait()

    async def ended(self) -> int:
        """O código de saída da execução. Nenhuma pode ter acabado numa pilha."""
        async with asyncio.timeout(LONGEST):
            code = await self.outcome
        everything = self.log.read_text(encoding="utf-8", errors="replace") if self.log else ""
        for word in _BANNED:
            before, found, after = everything.partition(word)
            assert not found, f"{before[-1500:]}{word}{after[:2500]}"
        return code

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:] if self.log else ""


class Collector:
    """Começa execuções num banco; guarda o que dizem em `folder`."""

    def __init__(self, env: Mapping[str, str], folder: Path) -> None:
        self._env = environment(env, folder)
        self._folder = folder
        self._count = 0
        self._service: tuple[asyncio.subprocess.Process, int, Path] | None = None

    async def command(self, *arguments: str) -> Run:
        """`bling-collector …` num processo."""
        process, log = await self._spawn(*arguments)
        return Run(asyncio.create_task(process.wait()), process, log)

    async def post(self, path: str) -> Run:
        """POST no serviço, que é começado se ainda não está no ar."""
        if self._service is None or self._service[0].returncode is not None:
            with socket.create_server(("127.0.0.1", 0)) as listener:
                port = listener.getsockname()[1]
            process, log = await self._spawn("serve", "--port", str(port))
            self._service = process, port, log
        process, port, log = self._service
        return Run(asyncio.create_task(_post(process, f"http://127.0.0.1:{port}", path)), process, log)

    async def close(self) -> None:
        if self._service is not None:
            process = self._service[0]
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _spawn(self, *arguments: str) -> tuple[asyncio.subprocess.Process, Path]:
        self._count += 1
        log = self._folder / f"{self._count}.log"
        with log.open("wb") as stream:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bling_collector",
                *arguments,
                cwd=self._folder,
                env=self._env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )
        return process, log


async def _post(process: asyncio.subprocess.Process, url: str, path: str) -> int:
    """A resposta do serviço na língua dos códigos de saída: 0, 1, 3, ou o do sinal que matou o processo."""
    async with httpx2.AsyncClient(base_url=url, timeout=LONGEST) as http:
        while process.returncode is None:
            try:
                answer = await http.post(path)
                break
            except httpx2.ConnectError:  # ainda não atende
                await asyncio.sleep(0.02)
            except httpx2.TransportError:  # morreu no meio
                return await process.wait()
        else:
            return process.returncode or 1  # acabou sem ter atendido
    body = answer.json()
    if answer.status_code == 200:
        return 0 if body["status"] == "success" else 1
    return 3 if body["type"].endswith("reauthorize") else 1
