"""Do aviso à linha: quanto se demora a responder ao Bling, e até que o banco mostre o que mudou.

    PYTHONPATH=src:. .venv/bin/python -m bench.webhooks [--por-segundo N] [--segundos N] [--registros N] [--limite N]

Um processo é o Bling simulado, outro `serve --with-worker`. Cada aviso é de uma nota que acaba de mudar; a linha está
certa quando mostra essa mudança, ou uma mais nova. Com `--limite 0` o Bling atende sem limite, e cada nota se lê assim
que é a vez dela; com 3, como numa conta de verdade, só chegam a tempo as mudanças de poucos registros.
"""

import argparse
import asyncio
import hmac
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import httpx2
import psycopg
from tests.support.postgres import create_database, libpq_url, throwaway_server

from bench.contestants import CONTESTANTS
from bench.measuring import cpu_of
from bench.scenarios import Scenario
from bench.stage import ROOT, Simulator, postgres_cpu, simulator
from bling_simulator.settings import SimulatorSettings

HEADER = "X-Bling-Signature-256"
PATIENCE = 120.0
"""Segundos que se espera, no fim, pelo que ainda não chegou."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.webhooks", description=__doc__.partition("\n")[0])
    parser.add_argument("--por-segundo", type=float, default=50, help="avisos por segundo")
    parser.add_argument("--segundos", type=int, default=60)
    parser.add_argument("--registros", type=int, default=0, help="notas diferentes que mudam; zero são todas")
    parser.add_argument("--limite", type=int, default=0, help="requisições por segundo que o Bling aceita; zero, todas")
    parser.add_argument("--demora", type=float, default=0.05, help="segundos por resposta do Bling")
    options = parser.parse_args(arguments)
    scenario = Scenario("avisos", 1000, latency=options.demora, per_second=options.limite)
    with throwaway_server() as server, simulator(scenario) as bling, tempfile.TemporaryDirectory() as folder:
        database = asyncio.run(create_database(server))
        environment = {
            **CONTESTANTS["nosso"].prepare(bling, database, scenario, Path(folder)),
            "SCHEDULE": "",
            "ALLOW_UNAUTHENTICATED": "true",
            "PYTHONPATH": str(ROOT / "src"),
            "LOG_LEVEL": "WARNING",
        }
        subprocess.run(
            [sys.executable, "-m", "bling_collector", "run-full", "--data-inicio", "2021-01-01"],
            env=environment | {"API_RATE_LIMIT_DELAY": "0"},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        stored, simulated = postgres_cpu(server), bling.cpu()
        said, ours = asyncio.run(_measured(bling, database, environment, options))
        sys.stdout.write(
            f"{said}processador: o nosso {ours:.1f} s, o banco {postgres_cpu(server) - stored:.1f} s, o Bling simulado "
            f"{bling.cpu() - simulated:.1f} s\n"
        )
    return 0


async def _measured(
    bling: Simulator, database: str, environment: Mapping[str, str], options: argparse.Namespace
) -> tuple[str, float]:
    port = 18099
    serving = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bling_collector", "serve", "--with-worker", "--port", str(port), env=dict(environment)
    )
    try:
        async with (
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as http,
            httpx2.AsyncClient(base_url=bling.url, timeout=60, trust_env=False) as control,
            await psycopg.AsyncConnection.connect(libpq_url(database), autocommit=True) as connection,
        ):
            await _until_it_answers(http)
            stage = Stage(http, control, connection)
            said = await stage.measure(options.por_segundo, options.segundos, options.registros)
            return said, cpu_of(serving.pid)
    finally:
        serving.send_signal(signal.SIGTERM)
        await serving.wait()


class Stage:
    """Muda notas, avisa, e olha para o banco até que ele o mostre."""

    def __init__(
        self, http: httpx2.AsyncClient, control: httpx2.AsyncClient, connection: "psycopg.AsyncConnection[object]"
    ) -> None:
        self._http = http
        self._control = control
        self._connection = connection
        self._waiting: dict[int, list[tuple[int, float]]] = {}
        """Nota → o valor que se espera dela, e quando se avisou; do mais velho ao mais novo."""
        self.answers: list[float] = []
        self.rows: list[float] = []

    async def measure(self, per_second: float, seconds: int, records: int) -> str:
        company = await self._one("SELECT bling_id FROM empresa")
        found = await self._connection.execute("SELECT id FROM nfe_cabecalho WHERE tipo = 1 AND situacao = 6")
        notes = [row[0] for row in await found.fetchall()]
        random.Random(1).shuffle(notes)  # noqa: S311 — nada aqui é segredo
        notes = notes[: records or len(notes)]
        before = await self._asked()
        watching = asyncio.create_task(self._watch())
        began, sent = time.monotonic(), []
        for number in range(int(per_second * seconds)):
            await asyncio.sleep(max(0.0, began + number / per_second - time.monotonic()))
            note = notes[number % len(notes)]
            sent.append(asyncio.create_task(self._change(note, 10_000 + number, str(company))))
        await asyncio.gather(*sent)
        deadline = time.monotonic() + PATIENCE
        while any(self._waiting.values()) and time.monotonic() < deadline:  # noqa: ASYNC110 — quem as tira olha o banco
            await asyncio.sleep(0.05)
        watching.cancel()
        asked = await self._asked() - before
        late = sum(map(len, self._waiting.values()))
        return (
            f"{len(sent)} avisos de {len(notes)} notas, {per_second:g} por segundo, {asked} requisições ao Bling\n"
            f"resposta: {_shown(self.answers)}\nlinha: {_shown(self.rows)}\npor chegar: {late}\n"
        )

    async def _change(self, note: int, value: int, company: str) -> None:
        await self._control.patch(f"/_control/notes/{note}", json={"valorNota": value})
        body = json.dumps(
            {
                "eventId": str(uuid.uuid4()),
                "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "version": "v1",
                "event": "invoice.updated",
                "companyId": company,
                "data": {"id": note, "tipo": 1},
            }
        ).encode()
        signature = hmac.new(SimulatorSettings().client_secret.encode(), body, sha256).hexdigest()
        at = time.monotonic()
        self._waiting.setdefault(note, []).append((value, at))
        answer = await self._http.post("/webhooks/bling", content=body, headers={HEADER: f"sha256={signature}"})
        self.answers.append(time.monotonic() - at)
        if answer.status_code != 200:
            raise SystemExit(answer.text)

    async def _watch(self) -> None:
        while True:
            notes = [note for note, waiting in self._waiting.items() if waiting]
            found = await self._connection.execute(
                "SELECT id, total_nota FROM nfe_cabecalho WHERE id = ANY(%s)", (notes,)
            )
            for note, value in await found.fetchall():
                now, waiting = time.monotonic(), self._waiting[note]
                while waiting and waiting[0][0] <= value:
                    self.rows.append(now - waiting.pop(0)[1])
            await asyncio.sleep(0.03)

    async def _asked(self) -> int:
        counted = (await self._control.get("/_control/counters")).json()["requests"]
        return sum(counted.values()) if isinstance(counted, dict) else int(counted)

    async def _one(self, query: str) -> object:
        row = await (await self._connection.execute(query)).fetchone()
        return row[0]


def _shown(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    at = {name: ordered[min(int(len(ordered) * part), len(ordered) - 1)] for name, part in _PARTS.items()}
    return ", ".join(f"{name} {value * 1000:.0f} ms" for name, value in at.items())


_PARTS = {"mediana": 0.5, "p95": 0.95, "p99": 0.99, "máximo": 1.0}


async def _until_it_answers(http: httpx2.AsyncClient) -> None:
    for _ in range(600):
        try:
            if (await http.get("/status")).status_code == 200:
                return
        except httpx2.ConnectError:
            pass
        await asyncio.sleep(0.1)
    raise SystemExit("O serviço não começou.")


if __name__ == "__main__":
    sys.exit(main())
