"""Mede o que a busca custa a quem grava: `PYTHONPATH=src:. .venv/bin/python -m tests.bench.writing`.

Dez mil notas da empresa simulada gravadas como uma carga histórica as grava, em lotes de cinquenta, sem o Bling; depois
as mesmas, iguais; e outra vez, todas mudadas. Na mesma carga se cronometra a parte da busca, porque duas cargas
diferem mais entre si, numa máquina ocupada, do que a busca pesa.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.postgres import create_database, drop_database, throwaway_server

from bling_collector.db import schema
from bling_collector.db.connection.database import close, create_engine, parse_url
from bling_collector.db.embedded.postgres import EmbeddedServer
from bling_collector.db.models import nfe_pagamentos
from bling_collector.db.resources import nota_search, parcelas, repository
from bling_collector.etl.save import BATCH, Item, save
from bling_collector.payload import dumps, loads
from bling_collector.streams.notas.nfe import NFE
from bling_simulator.bling import Bling
from bling_simulator.settings import SimulatorSettings

NOTES = 10_000
TIMES = 3


def documents() -> list[dict[str, Any]]:
    """As notas do simulador, repetidas com outros ids até serem dez mil."""
    notes = [note for note in Bling(SimulatorSettings()).notes.values() if note["tipo"] == 1]
    found = []
    for place in range(NOTES):
        note: dict[str, Any] = loads(dumps(deepcopy(notes[place % len(notes)])))
        found.append(note | {"id": 10**10 + place, "numero": f"{place:06}"})
    return found


async def write(engine: AsyncEngine, notes: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """Os milissegundos por nota: de tudo, e da busca."""
    start, searching, now = time.perf_counter(), 0.0, datetime.now(UTC)
    for batch in _batches(notes):
        async with engine.begin() as connection:
            outcome = await save(connection, NFE, [Item(note, f"v{note['situacao']}") for note in batch], now)
            assert not outcome.refused
            written = outcome.created | outcome.updated
            await parcelas.fill_tipo_pagamento(connection, nfe_pagamentos, written)
            before = time.perf_counter()
            await nota_search.refresh(connection, written)
            searching += time.perf_counter() - before
        if batch[0] is notes[1000]:
            async with engine.begin() as connection:
                await repository.analyze(connection, [NFE.table])
    return (time.perf_counter() - start) * 1000 / len(notes), searching * 1000 / len(notes)


def _batches(notes: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    for start in range(0, len(notes), BATCH):
        yield notes[start : start + BATCH]


async def measure(server: EmbeddedServer) -> None:
    first = documents()
    changed = [note | {"situacao": 2, "contato": note["contato"] | {"nome": "Outro nome"}} for note in first]
    results: dict[str, list[tuple[float, float]]] = {}
    for _ in range(TIMES):
        url = await create_database(server)
        engine = create_engine(parse_url(url))
        await schema.upgrade(engine)
        for what, notes in (("novas", first), ("iguais", first), ("mudadas", changed)):
            results.setdefault(what, []).append(await write(engine, notes))
        await close(engine)
        await drop_database(server, url)
    sys.stdout.write("| notas | gravar uma | a parte da busca |\n| --- | ---: | ---: |\n")
    for what, taken in results.items():
        total, searching = (statistics.median(values) for values in zip(*taken, strict=True))
        line = f"| {what} | {total:.2f} ms | {searching:.2f} ms ({searching / total:.0%}) |\n"
        sys.stdout.write(line.replace(".", ","))


if __name__ == "__main__":
    with throwaway_server() as running:
        asyncio.run(measure(running))
