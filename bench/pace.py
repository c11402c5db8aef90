"""Quanto do ritmo que `API_RATE_LIMIT_DELAY` permite uma carga aproveita, quando o Bling demora a responder.

    PYTHONPATH=src:. .venv/bin/python -m bench.pace [--latencia S …] [--recursos NOMES] [--escala N]

O relógio só anda quando todos esperam pelo Bling: o resultado não depende da máquina, nem de o que mais ela faz. O que
não se vê assim é o que o banco e o processador demorem; `make bench-full` mede-os, com `3-por-segundo`.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import date
from unittest.mock import patch

from tests.support.collecting import authorise, collector_settings
from tests.support.fakes import START
from tests.support.postgres import create_database, throwaway_server
from tests.support.slow_bling import SlowWire, VirtualClock

from bench.contestants import DELAY
from bling_collector.config import Secret
from bling_collector.db.embedded.postgres import EmbeddedServer
from bling_collector.workplace import account as composition
from bling_simulator.server import running
from bling_simulator.settings import SimulatorSettings

FIRST = date(2021, 1, 1)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.pace", description=__doc__.partition("\n")[0])
    parser.add_argument("--latencia", type=float, nargs="+", default=[0.05, 1.0, 2.0], help="segundos por resposta")
    parser.add_argument("--recursos", default="", help="RECURSOS; sem ele, os de sempre")
    parser.add_argument("--escala", type=float, default=0.3, help="da empresa de referência")
    options = parser.parse_args(arguments)
    sys.stdout.write("| demora | requisições | segundos | do permitido | em voo | 429 |\n")
    sys.stdout.write("| ---: | ---: | ---: | ---: | ---: | ---: |\n")
    with throwaway_server() as server:
        for latency in options.latencia:
            names = tuple(filter(None, options.recursos.split(",")))
            sys.stdout.write(asyncio.run(_load(server, latency, names, options.escala)))
            sys.stdout.flush()
    return 0


async def _load(server: EmbeddedServer, latency: float, recursos: tuple[str, ...], scale: float) -> str:
    clock = VirtualClock(START)
    wire, delay = SlowWire(clock, latency), float(DELAY)
    simulated = SimulatorSettings(scale=scale, requests_per_second=3)
    asked = {"recursos": recursos} if recursos else {}
    async with running(simulated, clock=clock) as simulator:
        database = Secret(await create_database(server))
        settings = collector_settings(simulator.api_url, database, api_rate_limit_delay=delay, **asked)
        with patch.object(composition, "routes", lambda: wire):
            async with composition.open_account(settings, clock=clock) as account:
                await authorise(account, simulator.bling)
                clock.begin(account.engine)
                result = await account.pipeline.run_full(FIRST)
    if result.status != "success":
        raise SystemExit(result.message)
    seconds = wire.sent[-1][0] - wire.sent[0][0]
    throttled = simulator.bling.counters.too_many_requests
    return (
        f"| {latency:g} s | {len(wire.sent)} | {seconds:.0f} | {wire.pace(delay):.1%} | {wire.most_flying} | "
        f"{throttled} |\n"
    )


if __name__ == "__main__":
    raise SystemExit(main())
