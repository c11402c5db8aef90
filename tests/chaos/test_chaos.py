"""Um pouco do caos a cada `make test-slow`; o inteiro é `make chaos`."""

import sys
from random import Random

import pytest
from tests.chaos.disasters import DISASTERS
from tests.chaos.scene import scene
from tests.chaos.storm import plan, storm

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="os sinais são os do POSIX")

FEW = (
    "kill -9 do coletor",
    "kill -9 durante a renovação do token",
    "PostgreSQL: kill -9 e volta",
    "cota do dia acaba no meio",
)


@pytest.mark.slow
async def test_few_disasters() -> None:
    todo = plan([d for d in DISASTERS if d.name in FEW], 1, Random(1))
    async with scene(0.03) as stage:
        tallies = await storm(stage, todo, seed=1)
    assert [tallies[name].times for name in FEW] == [1] * len(FEW)
    assert tallies["kill -9 do coletor"].interrupted == 1


async def test_the_plan_has_the_share_of_each() -> None:
    names = [disaster.name for disaster in plan(DISASTERS, 200, Random(3))]
    assert {name: names.count(name) for name in FEW} == {d.name: d.share for d in DISASTERS if d.name in FEW}
    assert names == [disaster.name for disaster in plan(DISASTERS, 200, Random(3))]
