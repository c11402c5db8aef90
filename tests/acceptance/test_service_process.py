"""O serviço como processo: atende num soquete, registra em JSON e para com jeito ao receber SIGTERM."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.acceptance.service_fixtures import authorise, problem
from tests.support.collecting import until

from bling_collector.config import Settings
from bling_simulator.bling import Bling

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="o Windows não tem SIGTERM")

SERVE = (
    "-c",
    "import sys; from bling_collector.config import load_settings; from bling_collector.serving import serve; "
    "serve(load_settings(), '127.0.0.1', int(sys.argv[1]))",
)
UVICORN = ("-m", "uvicorn", "bling_collector.main:create_app", "--factory", "--port")
FULL = "/run/full?data_inicio=2021-01-01"


@dataclass
class Process:
    http: httpx2.AsyncClient
    running: asyncio.subprocess.Process
    log: list[dict[str, Any]] = field(default_factory=list)
    """As linhas do log, depois do fim."""

    async def terminate(self) -> tuple[int, float]:
        """SIGTERM; devolve o código de saída e os segundos que levou, que só um teste lento confere."""
        began = time.monotonic()
        self.running.send_signal(signal.SIGTERM)
        async with asyncio.timeout(120):
            code = await self.running.wait()
        return code, time.monotonic() - began


@asynccontextmanager
async def process(command: tuple[str, ...], settings: Settings, folder: Path) -> AsyncIterator[Process]:
    """O serviço num processo, já a atender; morto ao sair, se ainda vive."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    given = {name.upper(): value for name, value in vars(settings).items() if value is not None}
    given = {name: getattr(value, "get_secret_value", lambda v=value: v)() for name, value in given.items()}
    environment = os.environ | {name: str(value) for name, value in given.items()}
    log = folder / f"{port}.log"
    with log.open("wb") as stream:
        running = await asyncio.create_subprocess_exec(
            sys.executable, *command, str(port), cwd=folder, env=environment, stdout=stream, stderr=stream
        )
        try:
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
                await _until_it_answers(http, running, log)
                found = Process(http, running)
                yield found
        finally:
            if running.returncode is None:
                running.kill()
                await running.wait()
    found.log.extend(_json_lines(log))


async def _until_it_answers(http: httpx2.AsyncClient, running: asyncio.subprocess.Process, log: Path) -> None:
    async def answers() -> bool:
        assert running.returncode is None, _text(log)
        try:
            return (await http.get("/health")).status_code == 200
        except httpx2.ConnectError:
            return False

    await until(answers)


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8")


def _json_lines(log: Path) -> list[dict[str, Any]]:
    lines = []
    for line in _text(log).splitlines():
        if line.startswith("{"):
            lines.append(json.loads(line))
        else:
            assert line.startswith("INFO:"), line  # o que o uvicorn direto diz antes de a aplicação começar
    return lines


async def _scalar(engine: AsyncEngine, query: str) -> Any:
    async with engine.connect() as connection:
        return await connection.scalar(text(query))


async def _some_notes(engine: AsyncEngine) -> None:
    await until(lambda: _scalar(engine, "SELECT count(*) FROM nfe_cabecalho"))


@pytest.mark.slow
@pytest.mark.bling(latency=0.2, scale=0.1)
async def test_sigterm_saves_what_is_in_hand_and_the_next_run_completes(
    settings: Settings, bling: Bling, engine: AsyncEngine, tmp_path: Path
) -> None:
    async with process(SERVE, settings, tmp_path) as first:
        code_sent = bling.authorise()
        state = (await first.http.get("/auth/start")).json()["auth_url"].rpartition("state=")[2]
        await first.http.get("/auth/callback", params={"code": code_sent, "state": state})
        waiting = asyncio.create_task(first.http.post(FULL))
        await _some_notes(engine)
        code, _ = await first.terminate()
        body = problem(await waiting, 503)
    assert (code, body["run_status"]) == (0, "partial")
    there = bling.totals_by_year()
    total = sum(year.notes for year in there.values())
    saved = await _scalar(engine, "SELECT count(*) FROM nfe_cabecalho")
    assert 0 < saved < total
    assert body["stats"]["nfes"] == saved
    assert await _scalar(engine, "SELECT status FROM etl_controle WHERE id = 1") == "partial"

    _is_cloud_logging(first.log, run_id=body["run_id"])
    everything = json.dumps(first.log)
    tokens = await _scalar(engine, "SELECT access_token || ' ' || refresh_token FROM oauth_tokens")
    for secret in (code_sent, state, *tokens.split(), bling.settings.client_secret):
        assert secret not in everything
    assert '"GET /auth/callback HTTP/1.1" 200' in [entry["message"].partition(" - ")[2] for entry in first.log]

    bling.configure(latency=0.0)
    async with process(SERVE, settings, tmp_path) as second:
        answer = await second.http.post("/run")
        assert answer.json()["status"] == "success"
        assert (await second.terminate())[0] == 0
    assert await _scalar(engine, "SELECT count(*) FROM nfe_cabecalho") == total


def _is_cloud_logging(log: list[dict[str, Any]], *, run_id: int) -> None:
    for entry in log:
        assert {"severity", "time", "message", "logging.googleapis.com/sourceLocation"} <= entry.keys()
        assert entry["time"].endswith("Z")
    of_the_run = [entry for entry in log if entry.get("run_id") == run_id]
    assert any(entry["logger"] == "bling_collector.runs.ending" for entry in of_the_run)
    loggers = {entry["logger"] for entry in log}
    assert {"uvicorn.access", "uvicorn.error"} <= loggers
    said = "\n".join(entry["message"] for entry in log if entry["logger"] != "uvicorn.access")
    assert not re.search(r"(?i)\b(the|server|process|waiting|running|application|complete|context|success)\b", said)


@pytest.mark.slow
@pytest.mark.bling(latency=0.2, scale=0.1)
async def test_the_same_under_uvicorn_itself(
    settings: Settings, bling: Bling, engine: AsyncEngine, tmp_path: Path
) -> None:
    async with process(UVICORN, settings, tmp_path) as service:
        await authorise(service.http, bling)
        waiting = asyncio.create_task(service.http.post(FULL))
        await _some_notes(engine)
        problem(await service.http.post("/run"), 409)
        code, _ = await service.terminate()
        assert problem(await waiting, 503)["run_status"] == "partial"
    assert code == -signal.SIGTERM
    assert service.log


@pytest.mark.slow
@pytest.mark.bling(latency=0.2, scale=0.1)
async def test_sigterm_reaches_a_background_run(
    settings: Settings, bling: Bling, engine: AsyncEngine, tmp_path: Path
) -> None:
    async with process(SERVE, settings, tmp_path) as service:
        await authorise(service.http, bling)
        assert (await service.http.post(FULL, headers={"Prefer": "respond-async"})).status_code == 202
        await _some_notes(engine)
        code, _ = await service.terminate()
    assert code == 0
    assert await _scalar(engine, "SELECT status FROM etl_controle") == "partial"


@pytest.mark.slow
async def test_a_run_stuck_in_a_listing_stops_at_once(
    settings: Settings, bling: Bling, engine: AsyncEngine, tmp_path: Path
) -> None:
    """O Bling não responde: a execução não espera por ele, e a seguinte paga o que ficou devido."""
    async with process(SERVE, settings, tmp_path) as service:
        await authorise(service.http, bling)
        bling.fail("^/nfe$", "hang", seconds=30)
        answer = await service.http.post(FULL, headers={"Prefer": "respond-async"})
        assert answer.status_code == 202
        code, seconds = await service.terminate()
        assert code == 0
        assert seconds < 25, "esperou pelo Bling"
    bling.faults.clear()
    async with process(SERVE, settings, tmp_path) as service:
        assert (await service.http.post("/run")).json()["status"] == "success"
        assert (await service.http.get("/runs/1")).json()["status"] == "partial"


@pytest.mark.slow
async def test_the_port_is_taken(settings: Settings, tmp_path: Path) -> None:
    async with process(SERVE, settings, tmp_path) as service:
        port = service.http.base_url.port
        code = (
            "import asyncio; from bling_collector.serving import *; from bling_collector.config import load_settings\n"
        )
        code += f"try: serve(load_settings(), '127.0.0.1', {port})\nexcept UsageError as error: print(error)"
        second = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        said, _ = await second.communicate()
        assert "A porta está em uso?" in said.decode()
        assert second.returncode == 0
        await service.terminate()
