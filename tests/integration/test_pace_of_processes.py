"""Três processos numa conta só, com o relógio de verdade: um servidor anota quando cada requisição chega."""

import asyncio
import os
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from tests.unit.api.test_wall_clock import slow_server

from bling_collector.api import pace

ROOT = Path(__file__).parents[2]
SECONDS = 8
TOLERANCE = 0.03
"""Segundos que a rede e uma máquina ocupada tiram da distância entre as chegadas; as vezes dadas distam 1,05 s."""


@pytest.mark.slow
async def test_three_processes_never_pass_three_a_second(database_url: str) -> None:
    arrivals: list[float] = []
    async with slow_server(arrivals) as base_url:
        server = base_url.removesuffix("/Api/v3")
        processes = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.support.paced", server, database_url, str(SECONDS),
                cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )
            for _ in range(3)
        ]  # fmt: skip
        for process in processes:
            assert process.stdout
            assert (await process.stdout.readline()).strip() == b"pronto"
        warm = len(arrivals)
        await asyncio.gather(*(process.communicate(b"\n") for process in processes))

    assert all(process.returncode == 0 for process in processes)
    assert warm == 3
    assert all(
        later - earlier > pace.PERIOD - TOLERANCE for earlier, later in zip(arrivals, arrivals[3:], strict=False)
    )
    steady = arrivals[warm + 1 :]
    rate = (len(steady) - 1) / (steady[-1] - steady[0])
    assert rate >= 1.4, [round(later - earlier, 3) for earlier, later in pairwise(steady)]
