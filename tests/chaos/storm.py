"""A tempestade: um desastre por vez, uma execução a mais depois de cada um, e a conferência."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from random import Random

from tests.chaos.disasters import Disaster
from tests.chaos.scene import IN_HAND, Scene

REAUTHORISE = 3


@dataclass
class Tally:
    """O que se viu de um desastre, somado."""

    name: str
    times: int = 0
    hits: int = 0
    """Vezes em que a execução estava em curso."""
    interrupted: int = 0
    """Vezes em que ela não chegou ao fim, ou ficou devendo."""
    refetched: int = 0
    """O máximo de notas buscadas outra vez por causa de um desastre."""
    reauthorised: int = 0
    """Vezes em que o dono teve de autorizar de novo."""


def plan(disasters: Iterable[Disaster], kills: int, rng: Random) -> list[Disaster]:
    """Os desastres na proporção de `kills` mortes, em ordem sorteada."""
    todo = [d for d in disasters for _ in range(max(1, round(d.share * kills / 200)))]
    rng.shuffle(todo)
    return todo


def seeds(seed: int) -> Iterator[Random]:
    """A sorte de cada desastre, para que se possa repetir um só."""
    n = 0
    while True:
        yield Random(f"{seed}/{n}")
        n += 1


async def storm(
    scene: Scene, todo: Iterable[Disaster], seed: int, say: Callable[[str], None] = lambda line: None
) -> dict[str, Tally]:
    """Passa por todos; AssertionError diz qual, e com que semente, deixou o banco diferente do Bling."""
    tallies: dict[str, Tally] = {}
    for number, (disaster, rng) in enumerate(zip(todo, seeds(seed), strict=False), start=1):
        tally = tallies.setdefault(disaster.name, Tally(disaster.name))
        began = time.monotonic()
        try:
            await survive(scene, disaster, rng, tally)
        except BaseException as error:
            error.add_note(f"desastre {number} ({disaster.name}), semente {seed}")
            raise
        say(f"{number:4} {time.monotonic() - began:5.1f} s  {disaster.name}")
    return tallies


async def survive(scene: Scene, disaster: Disaster, rng: Random, tally: Tally) -> None:
    """Uma carga, o desastre, mais uma execução, e tudo conferido."""
    await scene.begin(rng)
    if disaster.weathers:
        rng.choice(disaster.weathers)(scene, rng)
    run = await (scene.load_here() if disaster.here else scene.load())
    tally.times += 1
    tally.hits += await disaster.strike(scene, run, rng)
    code = await run.ended()
    scene.restore()
    if code == 0:
        await scene.check()  # quem diz que terminou tem de ter terminado
    tally.interrupted += code != 0
    await scene.a_day_passes()
    saved, before = await scene.saved_notes(), scene.delivered()
    if rng.random() < 0.3:
        scene.bling.issue_note()
    again = await scene.recover()
    code = await again.ended()
    if code == REAUTHORISE:
        tally.reauthorised += 1
        await scene.reauthorise()
        again = await scene.recover()
        code = await again.ended()
    assert code == 0, f"a execução seguinte saiu com {code}: {again.said()}"
    await scene.check()
    after = scene.delivered()
    repeated = [id_ for id_ in saved if after.get(id_, 0) > before.get(id_, 0)]
    assert not repeated, f"{len(repeated)} notas já salvas foram buscadas de novo: {repeated[:5]}"
    lost = sum(n - 1 for id_, n in before.items() if n > 1) + sum(1 for id_ in before if after[id_] > before[id_])
    assert lost <= IN_HAND, f"{lost} notas buscadas outra vez; o que se tem na mão é no máximo {IN_HAND}"
    tally.refetched = max(tally.refetched, lost)
