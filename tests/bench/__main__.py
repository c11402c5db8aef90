"""Mede a busca de notas: `PYTHONPATH=src:. .venv/bin/python -m tests.bench 100000 1000000`.

Um milhão de notas leva uns doze minutos para ser gerado e ocupa 3 GB numa pasta temporária. Escreve uma tabela:
o tempo de cada busca como o painel a faz (a mediana de sete), a primeira página e as que partem do fundo.
"""

import asyncio
import statistics
import sys
import time

from sqlalchemy.ext.asyncio import AsyncEngine
from tests.bench.many_notes import fill
from tests.bench.searches import SEARCHES, pages, plans
from tests.support.postgres import create_database, throwaway_server

from bling_collector.db import schema
from bling_collector.db.connection.database import close, create_engine, parse_url
from bling_collector.db.embedded.postgres import EmbeddedServer
from bling_collector.insight.notas.search import Search, load_notas

TIMES = 7


async def milliseconds(engine: AsyncEngine, search: Search) -> float:
    """A mediana do tempo de `load_notas`."""
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        await load_notas(engine, search)
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


async def measure(server: EmbeddedServer, notas: int) -> None:
    engine = create_engine(parse_url(await create_database(server)))
    await schema.upgrade(engine)
    start = time.perf_counter()
    await fill(engine, notas)
    sys.stdout.write(f"\n{notas:,} notas, geradas em {time.perf_counter() - start:.0f} s\n\n".replace(",", "."))
    await report(engine)
    await close(engine)


async def report(engine: AsyncEngine) -> None:
    sys.stdout.write(
        "| busca | notas | primeira | do fundo | para trás | como |\n| --- | ---: | ---: | ---: | ---: | --- |\n"
    )
    for name, search in SEARCHES.items():
        found = await load_notas(engine, search)
        shown = " | ".join([f"{await milliseconds(engine, one):.0f} ms" for one in pages(search).values()])
        many = f"mais de {found.total}" if found.more else str(found.total)
        used = [plan async for step, plan in plans(engine, search) if step == ("andar" if found.more else "juntar")]
        used = used or [plan async for step, plan in plans(engine, search) if step == "andar"]
        sys.stdout.write(f"| {name} | {many} | {shown} | {used[0]} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    with throwaway_server() as running:
        for size in sys.argv[1:] or ["100000"]:
            asyncio.run(measure(running, int(size)))
