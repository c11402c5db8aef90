"""Uma execução num processo só dela: `python -m tests.support.one_run URL_DA_API URL_DO_BANCO AGORA [DATA_INICIO]`.

Escreve `pronto`, espera uma linha na entrada, executa e escreve o resultado, uma linha de JSON.
"""

import asyncio
import json
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any, Self

from tests.support.collecting import collector_settings
from tests.support.fakes import FakeClock

from bling_collector.config import Secret
from bling_collector.errors import CollectorError
from bling_collector.workplace.account import open_account
from bling_simulator.server import RunningServer

ROOT = Path(__file__).parents[2]
NOW = "2026-02-20T21:30:00+00:00"


class OneRun:
    """O outro processo, visto por quem o começa."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, server: RunningServer, database_url: str, *inicio: str) -> Self:
        command = (sys.executable, "-m", "tests.support.one_run", server.api_url, database_url, NOW, *inicio)
        pipe = asyncio.subprocess.PIPE
        return cls(await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=pipe, stdout=pipe))

    async def ready(self) -> None:
        assert self._process.stdout
        assert (await self._process.stdout.readline()).strip() == b"pronto"

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()

    async def finish(self) -> dict[str, Any]:
        """Começa a execução e devolve o que ela disse; vazio se o processo morreu antes."""
        out, _ = await self._process.communicate(b"\n")
        answer: dict[str, Any] = json.loads(out or b"{}")
        return answer


async def main(api_url: str, database_url: str, now: str, inicio: str | None = None) -> dict[str, object]:
    settings = collector_settings(api_url, Secret(database_url))
    async with open_account(settings, clock=FakeClock(datetime.fromisoformat(now))) as account:
        print("pronto", flush=True)  # noqa: T201 — é a resposta deste comando
        await asyncio.to_thread(sys.stdin.readline)
        try:
            result = await (account.pipeline.run_full(date.fromisoformat(inicio)) if inicio else account.pipeline.run())
        except CollectorError as error:
            return {"error": type(error).__name__, "message": str(error)}
    return {"status": result.status, "message": result.message, "peak": _peak()}


def _peak() -> int:
    """O pico de memória, em KB. O de getrusage herda o do processo que nos começou."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))), flush=True)  # noqa: T201 — é a resposta deste comando
