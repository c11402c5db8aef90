"""Requisições no ritmo da conta, num processo só dele.

`python -m tests.support.paced URL_DO_SERVIDOR URL_DO_BANCO SEGUNDOS`.
Faz uma, que abre a conexão, escreve `pronto`, espera uma linha na entrada e segue por SEGUNDOS, com duas por vez.
"""

import asyncio
import sys
import time

import httpx2

from bling_collector.api.account_limits import PgRateLimiter
from bling_collector.api.transport import PacedTransport
from bling_collector.clock import SystemClock
from bling_collector.db.connection.database import close, create_engine, parse_url


async def main(server: str, database_url: str, seconds: str) -> None:
    engine, clock = create_engine(parse_url(database_url)), SystemClock()
    wire = PacedTransport(httpx2.AsyncHTTPTransport(), PgRateLimiter(engine, clock), clock)
    async with httpx2.AsyncClient(transport=wire, base_url=server, timeout=60) as http:
        await http.get("/1")
        print("pronto", flush=True)  # noqa: T201 — é a resposta deste comando
        await asyncio.to_thread(sys.stdin.readline)
        until = time.monotonic() + float(seconds)

        async def worker() -> None:
            while time.monotonic() < until:
                await http.get("/1")

        await asyncio.gather(*(worker() for _ in range(2)))
    await close(engine)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
