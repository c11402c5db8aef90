"""Mede o que percorre as empresas todas de um banco: `PYTHONPATH=src:. .venv/bin/python -m tests.bench.companies 100`.

Cada uma com um ano de execuções e cinco de conferências, e algumas com o que dizer. De cada leitura, o menor tempo de
cinco, e quantos comandos pede ao banco.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

from tests.acceptance.service_fixtures import serving
from tests.bench.panel import PAGE, Watched
from tests.conftest import NOW
from tests.support.collecting import collector_settings
from tests.support.fakes import FakeClock
from tests.support.postgres import create_database, throwaway_server
from tests.support.proving import execute

from bling_collector.config import Secret, Settings
from bling_collector.db import schema
from bling_collector.db.companies.schemas import names, schema_named
from bling_collector.db.connection.database import close, create_engine, parse_url
from bling_collector.db.embedded.postgres import EmbeddedServer
from bling_collector.insight.companies import load_companies
from bling_collector.plan.asked import Asked, load_plans
from bling_collector.workplace.companies import bring_up_all

TIMES = 5
_FILLED = (
    "INSERT INTO empresa (id, bling_id, nome, cnpj) VALUES (1, current_schema(), current_schema(), '11222333000181')",
    """
    INSERT INTO oauth_tokens (id, access_token, refresh_token, expires_at, updated_at)
    VALUES (1, 'a', 'b', timestamptz '2026-02-21', timestamptz '2026-02-20')""",
    """
    INSERT INTO etl_controle (inicio, fim, status, tipo, data_inicio, data_fim, data_referencia, leu_o_presente)
    SELECT dia, dia + interval '9 minutes', CASE WHEN dia::date = '2026-02-20' AND hashtext(current_schema()) % 9 = 0
                                                 THEN 'error' ELSE 'success' END,
           'run', '2021-01-01', dia::date, dia::date, true
    FROM generate_series(timestamptz '2025-02-20 06:00-03', timestamptz '2026-02-20 06:00-03', interval '1 day') dia""",
    """
    INSERT INTO conferencias (recurso, mes, data_inicio, data_fim, conferida_em, no_bling, no_banco, faltam, sobram,
                              diferem)
    SELECT 'nfe', mes, mes, (mes + interval '1 month - 1 day')::date, timestamptz '2026-02-15', '{"6": 900, "7": 12}',
           '{"6": 900, "7": 12}', '{}', '{}', '{}'
    FROM generate_series(timestamp '2021-01-01', timestamp '2026-01-01', interval '1 month') mes""",
    "INSERT INTO alarmes (nome, mensagem) VALUES ('execucao', ''), ('autorizacao', ''), ('conferencia', '')",
    """
    INSERT INTO pendencias (recurso, recurso_id, erro) SELECT 'nfe', n::text, 'o Bling respondeu 500'
    FROM generate_series(1, abs(hashtext(current_schema()) % 4)) n WHERE hashtext(current_schema()) % 5 = 0""",
)


async def make(server: EmbeddedServer, number: int) -> str:
    """O banco com as empresas todas."""
    url = await create_database(server)
    engine = create_engine(parse_url(url))
    await schema.upgrade(engine)
    for place in (None, *(schema_named(f"e{n:03}") for n in range(1, number))):
        ours = engine if place is None else await schema.create(engine, place)
        await schema.upgrade(ours)
        await execute(ours, *_FILLED)
    await schema.unite(engine)
    await close(engine)
    return url


async def measure(url: str) -> None:
    settings = collector_settings("http://127.0.0.1:1", Secret(url))
    engine = create_engine(parse_url(url))
    known = await names(engine)
    sys.stdout.write(f"\n{len(known)} empresas\n\n| o quê | leva | comandos |\n| --- | ---: | ---: |\n")
    await _time("a lista das empresas", lambda: load_companies(engine, settings, known, NOW))
    await _time("começar, com todas em dia", lambda: bring_up_all(engine))
    plan = Asked("run")
    await _time("o plano da execução diária", lambda: load_plans(engine, FakeClock(NOW), settings, known, plan), 1)
    await close(engine)
    await _page(settings)


async def _page(settings: Settings) -> None:
    """A primeira vez: da segunda em diante, o que se leu ainda vale por um instante."""
    async with serving(settings, FakeClock(NOW)) as http:
        assert (await http.get("/status")).status_code == 200

        async def read() -> None:
            assert (await http.get("/empresas", headers=PAGE)).status_code == 200

        await _time("a página `/empresas`", read, times=1)


async def _time(name: str, work: Callable[[], Awaitable[object]], times: int = TIMES) -> None:
    took = []
    for _ in range(times):
        with Watched() as sql:
            began = time.perf_counter()
            await work()
            took.append((time.perf_counter() - began, len(sql.said)))
    seconds, statements = min(took)
    sys.stdout.write(f"| {name} | {seconds * 1000:.0f} ms | {statements} |\n")
    sys.stdout.flush()


async def main(server: EmbeddedServer, number: int) -> None:
    await measure(await make(server, number))


if __name__ == "__main__":
    with throwaway_server() as running:
        for size in sys.argv[1:] or ["100"]:
            asyncio.run(main(running, int(size)))
