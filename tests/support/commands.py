"""A linha de comando como uma pessoa a usa, numa pasta vazia e sem outra variável do projeto.

`run` digita o comando neste processo, que assim não paga cada vez o começo do Python; `start`, num processo de verdade,
para quem precisa matá-lo, mandar-lhe um sinal ou ver como ele mesmo acaba.
"""

import asyncio
import io
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bling_collector.cli import main
from bling_collector.config import Settings
from bling_simulator.server import RunningServer

COMMAND = (sys.executable, "-m", "bling_collector")


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Terminal:
    """Uma pasta e as variáveis do ambiente."""

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """A pasta, o ambiente e as saídas são do processo inteiro: um comando por vez."""

    async def run(self, *arguments: str, **changes: str) -> Done:
        """Noutra thread, porque o comando começa o seu próprio laço de eventos."""
        async with self._turn:
            return await asyncio.to_thread(self._run, arguments, changes)

    def _run(self, arguments: tuple[str, ...], changes: Mapping[str, str]) -> Done:
        out, err = io.StringIO(), io.StringIO()
        code: object = 0
        with self._environment(changes), redirect_stdout(out), redirect_stderr(err):
            try:
                main(list(arguments))
            except SystemExit as left:
                code = left.code
        return Done(int(str(code or 0)), out.getvalue(), err.getvalue())

    async def start(self, *arguments: str, **changes: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *COMMAND,
            *arguments,
            cwd=self.folder,
            env=self._everything(changes),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run_apart(self, *arguments: str, **changes: str) -> Done:
        """O mesmo que `run`, num processo de verdade."""
        process = await self.start(*arguments, **changes)
        out, err = await process.communicate()
        return Done(process.returncode or 0, out.decode(), err.decode())

    def _everything(self, changes: Mapping[str, str]) -> dict[str, str]:
        system = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
        home = {"HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder), "PYTHONUTF8": "1"}
        return system | home | dict(self.variables) | dict(changes)

    @contextmanager
    def _environment(self, changes: Mapping[str, str]) -> Iterator[None]:
        before, folder = dict(os.environ), Path.cwd()
        os.environ.clear()
        os.environ.update(self._everything(changes))
        os.chdir(self.folder)
        try:
            yield
        finally:
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(before)


def variables_for(settings: Settings, server: RunningServer) -> dict[str, str]:
    """O ambiente de quem coleta do simulador no banco do teste, sem ritmo."""
    assert settings.database_url is not None
    assert settings.bling_client_secret is not None
    return {
        "BLING_CLIENT_ID": str(settings.bling_client_id),
        "BLING_CLIENT_SECRET": settings.bling_client_secret.get_secret_value(),
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "BLING_API_BASE_URL": server.api_url,
        "BLING_OAUTH_URL": f"{server.api_url}/oauth/token",
        "BLING_AUTHORIZE_URL": f"{server.api_url}/oauth/authorize",
        "API_RATE_LIMIT_DELAY": "0",
    }
