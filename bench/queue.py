"""Quanto ocupa a fila de tarefas depois de muitas: o que fica delas, e quanto se demora a pôr e a tirar uma.

    PYTHONPATH=src:. .venv/bin/python -m bench.queue [--tarefas N] [--falhadas N]

As tarefas passam pelas funções da fila, no banco, como as de um worker: postas, tomadas, acabadas e apagadas. As que
falham ficam, com uma semana e um dia, e apaga-as a limpeza que o worker faz de hora em hora.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence

import psycopg
from tests.support.postgres import create_database, libpq_url, throwaway_server

from bling_collector.db.connection.database import create_engine, parse_url
from bling_collector.jobs.broker import open_queue

PORTION = 1_000
_TABLES = ("procrastinate_jobs", "procrastinate_events", "procrastinate_workers", "procrastinate_periodic_defers")
_FAILED = """
    WITH novas AS (
        INSERT INTO procrastinate_jobs (queue_name, task_name, status, attempts)
        SELECT 'public', 'read', 'failed', 1 FROM generate_series(1, %s) RETURNING id)
    INSERT INTO procrastinate_events (job_id, type, at)
    SELECT id, 'failed', now() - interval '8 days' FROM novas"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.queue", description=__doc__.partition("\n")[0])
    parser.add_argument("--tarefas", type=int, default=1_000_000)
    parser.add_argument("--falhadas", type=int, default=100_000)
    options = parser.parse_args(arguments)
    with throwaway_server() as server:
        asyncio.run(_measure(asyncio.run(create_database(server)), options.tarefas, options.falhadas))
    return 0


async def _measure(database: str, jobs: int, failed: int) -> None:
    engine = create_engine(parse_url(database))
    queue = await open_queue(engine)
    async with await psycopg.AsyncConnection.connect(
        libpq_url(database), autocommit=True, options="-c search_path=procrastinate"
    ) as connection:
        await connection.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
        began = last = time.monotonic()
        for done in range(0, jobs, PORTION):
            await connection.execute(_PORTION)
            if (done + PORTION) % (jobs // 10) == 0:
                now = time.monotonic()
                each = (now - last) * 1e6 / (jobs // 10)
                last = now
                _say(f"{done + PORTION:>9} tarefas, {each:.0f} µs cada uma: {await _sizes(connection)}")
        _say(f"ao todo, {time.monotonic() - began:.0f} s")
        await connection.execute(_FAILED, (failed,))
        began = time.monotonic()
        async with queue.app.open_async():
            await queue.prune()
        _say(f"a limpeza de {failed} falhadas: {time.monotonic() - began:.1f} s; {await _sizes(connection)}")
    await engine.dispose()


_PORTION = f"""
    DO $$ DECLARE job procrastinate_jobs; BEGIN
        FOR number IN 1..{PORTION} LOOP
            PERFORM procrastinate_defer_jobs_v1(ARRAY[ROW(
                'public', 'read', 0, 'public:nfe', 'public:nfe', '{{}}', NULL)::procrastinate_job_to_defer_v1]);
            COMMIT;
            job := procrastinate_fetch_job_v2(ARRAY['public']::varchar[], 1);
            COMMIT;
            PERFORM procrastinate_finish_job_v1(job.id, 'succeeded', true);
            COMMIT;
        END LOOP;
    END $$"""


async def _sizes(connection: "psycopg.AsyncConnection[tuple[object, ...]]") -> str:
    said = []
    for table in _TABLES[:2]:
        found = await connection.execute(
            f"SELECT count(*), pg_size_pretty(pg_total_relation_size('{table}')) FROM {table}"
        )
        rows, size = await found.fetchone() or (0, "")
        said.append(f"{table.removeprefix('procrastinate_')} {rows} linhas, {size}")
    return "; ".join(said)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
