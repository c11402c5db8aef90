"""Quantas empresas um processo coleta ao mesmo tempo, cada uma ao ritmo dela.

    PYTHONPATH=src:. .venv/bin/python -m bench.companies [--empresas N …] [--segundos S]

Noutro processo, um Bling simulado para cada empresa, com o limite de 3 por segundo. O limite por IP fica desligado
(`API_IP_LIMIT=0`), como se os endereços de saída fossem vários: com um só, vinte empresas ao ritmo inteiro enchem-no.
"""

import argparse
import asyncio
import resource
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import date
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.support.collecting import collector_settings
from tests.support.postgres import create_database, throwaway_server

from bench.contestants import DELAY
from bling_collector.config import Secret
from bling_collector.db import schema
from bling_collector.db.companies.schemas import schema_named
from bling_collector.db.connection.database import create_engine, parse_url
from bling_collector.workplace.account import Account
from bling_collector.workplace.companies import open_companies
from bling_simulator.bling import Bling
from bling_simulator.server import running
from bling_simulator.settings import SimulatorSettings

WARM_UP = 10.0
"""Segundos até começar a medir: o começo de todas ao mesmo tempo é outra coisa."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.companies", description=__doc__.partition("\n")[0])
    parser.add_argument("--empresas", type=int, nargs="+", default=[20, 50, 100])
    parser.add_argument("--segundos", type=float, default=30.0, help="quanto se mede")
    options = parser.parse_args(arguments)
    sys.stdout.write(
        "| empresas | a mais lenta | a do meio | processador do coletor | por requisição | MB por empresa |\n"
    )
    sys.stdout.write("| ---: | ---: | ---: | ---: | ---: | ---: |\n")
    with throwaway_server() as server:
        for number in options.empresas:
            here, there = get_context("spawn").Pipe()
            simulators = get_context("spawn").Process(target=_simulate, args=(number, there), daemon=True)
            simulators.start()
            database = Secret(asyncio.run(create_database(server)))
            # Noutro processo: o que as migrações gastam de memória não se confunde com o de cada empresa.
            making = get_context("spawn").Process(target=_make, args=(database.get_secret_value(), number))
            making.start()
            making.join()
            sys.stdout.write(asyncio.run(_measure(here, database, number, options.segundos)))
            sys.stdout.flush()
            here.send(None)
            simulators.join()
    return 0


async def _measure(simulators: Connection, database: Secret, number: int, seconds: float) -> str:
    urls: list[str] = await asyncio.to_thread(simulators.recv)
    names = _names(number)
    theirs = {
        name: {"bling_api_base_url": url, "bling_oauth_url": f"{url}/oauth/token"}
        for name, url in zip(names, urls, strict=True)
    }
    settings = collector_settings(
        urls[0], database, api_rate_limit_delay=float(DELAY), api_ip_limit=0, of_companies=theirs
    )
    async with open_companies(settings) as companies:
        before = _megabytes()
        accounts = [await companies.account(name) for name in names]
        for place, account in enumerate(accounts):
            await _authorise(account, simulators, place)
        stop = asyncio.Event()
        runs = [asyncio.create_task(account.pipeline.run_full(date(2021, 1, 1), stop=stop)) for account in accounts]
        await asyncio.sleep(WARM_UP)
        first, began, used = await _asked(simulators), time.monotonic(), _processor()
        await asyncio.sleep(seconds)
        last, took, used = await _asked(simulators), time.monotonic() - began, _processor() - used
        stop.set()
        await asyncio.gather(*runs)
        after = _megabytes()
    asked = [after - one for one, after in zip(first, last, strict=True)]
    allowed = took / float(DELAY)
    return (
        f"| {number} | {min(asked) / allowed:.1%} | {statistics.median(asked) / allowed:.1%} | {used / took:.0%} | "
        f"{used / sum(asked) * 1000:.1f} ms | {(after - before) / number:.1f} |\n"
    )


def _make(database: str, number: int) -> None:
    asyncio.run(_create(database, number))


async def _create(database: str, number: int) -> None:
    """As empresas, ainda sem nada."""
    engine = create_engine(parse_url(database))
    await schema.upgrade(engine)
    for name in _names(number):
        await schema.upgrade(await schema.create(engine, schema_named(name)))
    await engine.dispose()


def _names(number: int) -> list[str]:
    return [f"e{n:03}" for n in range(number)]


async def _authorise(account: Account, simulators: Connection, place: int) -> None:
    url = await account.oauth.start_authorization()
    simulators.send(place)
    code = await asyncio.to_thread(simulators.recv)
    # Os pedidos de token contam-se por IP: aqui os endereços são vários.
    async with account.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE public.limites_bling SET pedidos_de_token = '{}'")
    await account.oauth.exchange_authorization_code(code, parse_qs(urlsplit(url).query)["state"][0])


async def _asked(simulators: Connection) -> list[int]:
    simulators.send("quantas")
    counts: list[int] = await asyncio.to_thread(simulators.recv)
    return counts


def _simulate(number: int, pipe: Connection) -> None:
    asyncio.run(_serve(number, pipe))


async def _serve(number: int, pipe: Connection) -> None:
    """Serve as empresas, e responde: a um número, o código da autorização dela; a «quantas», as que cada uma ouviu."""
    async with AsyncExitStack() as stack:
        blings: list[Bling] = []
        urls: list[str] = []
        for seed in range(number):
            simulated = SimulatorSettings(seed=seed, scale=0.15, token_calls_per_minute=0, requests_per_10s=0)
            server = await stack.enter_async_context(running(simulated))
            blings.append(server.bling)
            urls.append(server.api_url)
        pipe.send(urls)
        while (asked := await asyncio.to_thread(pipe.recv)) is not None:
            pipe.send([each.counters.total for each in blings] if asked == "quantas" else blings[asked].authorise())


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    raise SystemExit(main())
