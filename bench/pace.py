"""Quanto do ritmo que `API_RATE_LIMIT_DELAY` permite uma carga aproveita, quando o Bling demora a responder.

    PYTHONPATH=src:. .venv/bin/python -m bench.pace [--latencia S …] [--recursos NOMES] [--escala N] [--segundos S]

De cada demora: quantas requisições chegaram ao Bling simulado, da primeira da carga à última, e quantas podiam ter
chegado nesse tempo, de 0,35 em 0,35 s; e quantos 429. Com `--segundos`, a carga para aí, e não se conta o fim dela.
"""

import argparse
import asyncio
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.postgres import create_database, throwaway_server

from bench.contestants import CONTESTANTS, DELAY
from bench.scenarios import SOL, Scenario
from bench.stage import Simulator, simulator

LOOK: Final = 0.05
"""Segundos entre duas leituras do que o simulador contou."""


@dataclass(frozen=True)
class Paced:
    requests: int
    allowed: float
    throttled: int
    seconds: float
    quietest: tuple[float, int]
    """O pior trecho de dez segundos: quando começa, e quantas chegaram nele."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.pace", description=__doc__.partition("\n")[0])
    parser.add_argument("--latencia", type=float, nargs="+", default=[0.05, 1.0, 2.0], help="segundos por resposta")
    parser.add_argument("--recursos", default="", help="RECURSOS; sem ele, os de sempre")
    parser.add_argument("--escala", type=float, default=0.03, help="da empresa de referência")
    parser.add_argument("--segundos", type=float, help="para a carga depois destes")
    options = parser.parse_args(arguments)
    sys.stdout.write("| demora | requisições | segundos | do permitido | 429 | pior trecho de 10 s |\n")
    sys.stdout.write("| ---: | ---: | ---: | ---: | ---: | --- |\n")
    with throwaway_server() as server:
        for latency in options.latencia:
            scenario = Scenario("ritmo", round(options.escala * SOL), latency=latency, per_second=3)
            with simulator(scenario) as bling:
                database = asyncio.run(create_database(server))
                found = _load(bling, database, scenario, options.recursos, options.segundos)
            began, few = found.quietest
            sys.stdout.write(
                f"| {latency:g} s | {found.requests} | {found.seconds:.0f} | {found.requests / found.allowed:.1%} | "
                f"{found.throttled} | aos {began:.0f} s, {few} |\n"
            )
            sys.stdout.flush()
    return 0


def _load(bling: Simulator, database: str, scenario: Scenario, recursos: str, most: float | None) -> Paced:
    ours, home = CONTESTANTS["nosso"], Path(tempfile.mkdtemp(prefix="bling-ritmo-"))
    environment = {**ours.prepare(bling, database, scenario, home)}
    if recursos:
        environment["RECURSOS"] = recursos
    bling.control("counters", "DELETE")
    seen: list[tuple[float, int]] = []
    try:
        with (home / "saida.txt").open("wb") as output:
            process = subprocess.Popen(ours.command, env=environment, cwd=home, stdout=output, stderr=output)
            while process.poll() is None:
                time.sleep(LOOK)
                total = int(bling.control("counters")["total"])
                if total and (not seen or total > seen[-1][1]):
                    seen.append((time.monotonic(), total))
                if most is not None and seen and seen[-1][0] - seen[0][0] > most:
                    process.send_signal(signal.SIGTERM)
                    process.wait(60)
        if most is None and process.returncode:
            raise SystemExit((home / "saida.txt").read_text("utf-8", errors="replace")[-2000:])
        return _told(seen, int(bling.control("counters")["too_many_requests"]))
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _told(seen: list[tuple[float, int]], throttled: int) -> Paced:
    (began, first), (ended, last) = seen[0], seen[-1]
    seconds, requests = ended - began, last - first
    worst = (0.0, requests)
    for when, total in seen:
        if when + 10 > ended:
            break
        until = max(count for at, count in seen if at <= when + 10)
        worst = min(worst, (when - began, until - total), key=lambda each: each[1])
    return Paced(requests, seconds / float(DELAY), throttled, seconds, worst)


if __name__ == "__main__":
    raise SystemExit(main())
