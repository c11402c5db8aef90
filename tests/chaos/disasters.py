"""Os desastres: o que acontece durante uma carga. Cada um recebe a cena, a execução em curso e a sorte."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from tests.chaos.postgres import STOPS
from tests.chaos.process import Run
from tests.chaos.scene import Scene

from bling_simulator.faults import FaultKind, FaultRule

API = "^/(nfe|contatos|produtos|formas|categorias)"
"""Tudo menos o OAuth."""
Strike = Callable[[Scene, Run, Random], Awaitable[bool]]
"""Faz o estrago; diz se a execução ainda estava em curso."""
Weather = Callable[[Scene, Random], None]
"""Como o Bling está desde o começo da carga."""


@dataclass(frozen=True)
class Disaster:
    name: str
    strike: Strike
    share: int
    """Quantas vezes no caos inteiro, em relação às 200 mortes."""
    weathers: tuple[Weather, ...] = field(default=())
    """Um é sorteado a cada vez."""
    here: bool = False
    """A carga roda no processo do teste."""


# --- o tempo que faz no Bling ------------------------------------------------------------------------------


def calm(scene: Scene, rng: Random) -> None:
    pass


def slow(scene: Scene, rng: Random) -> None:
    scene.bling.configure(latency=0.02, latency_jitter=0.05)


def slower(scene: Scene, rng: Random) -> None:
    scene.bling.configure(latency=0.2, latency_jitter=0.8)


def silent(scene: Scene, rng: Random) -> None:
    scene.bling.fail(r"^/(nfe|contatos|produtos)", "hang", probability=0.03, seconds=1.0)
    scene.bling.fail(r"^/(nfe|contatos|produtos)", "drop", probability=0.03)
    scene.bling.fail(r"^/(nfe|contatos|produtos)", "lost_answer", probability=0.03)


def lying(scene: Scene, rng: Random) -> None:
    """6 % das respostas mentem, cada uma a seu modo."""
    error = '{"error": {"type": "SERVER_ERROR", "message": "x", "description": "Um erro interno ocorreu."}}'
    html = "<html><body><h1>Manutenção</h1></body></html>"
    stranger = '{"data": {"id": 1, "tipo": 1, "situacao": 6, "numero": "1", "itens": [], "parcelas": []}}'
    rows = '{"data": [{"id": 77, "tipo": 1, "situacao": 6, "dataEmissao": "2026-02-01 10:00:00"}]}'
    every: list[tuple[str, FaultKind, dict[str, Any]]] = [
        (API, "server_error", {}),
        (API, "bad_gateway", {}),
        (API, "error_with_200", {}),
        (API, "cut", {}),
        (API, "null", {}),
        (API, "empty", {}),
        (API, "body", {"status": 200, "body": error}),
        (API, "body", {"status": 200, "body": html, "content_type": "text/html"}),
        (r"^/(nfe|contatos)/\d+$", "body", {"status": 200, "body": stranger}),
        (r"^/nfe$", "body", {"status": 200, "body": rows, "times": 1}),
    ]
    for path, kind, more in every:
        scene.bling.faults.add(FaultRule(path, kind, **({"probability": 0.007} | more)))


# --- o processo --------------------------------------------------------------------------------------------


async def kill(scene: Scene, run: Run, rng: Random) -> bool:
    hit = await scene.moment(rng, run)
    run.send(signal.SIGKILL)
    return hit


async def kill_in_the_refresh(scene: Scene, run: Run, rng: Random) -> bool:
    """O token vence no meio e a morte chega junto com a renovação."""
    if not await scene.moment(rng, run):
        return False
    scene.bling.expire_access_tokens()
    while scene.bling.counters.token_calls == 0 and not run.over:  # noqa: ASYNC110 — quem conta é o simulador
        await asyncio.sleep(0.0005)
    await asyncio.sleep(rng.random() * 0.02)
    hit = not run.over
    run.send(signal.SIGKILL)
    return hit


async def terminate(scene: Scene, run: Run, rng: Random) -> bool:
    hit = await scene.moment(rng, run)
    run.send(signal.SIGTERM)
    await run.gone()
    return hit


async def freeze(scene: Scene, run: Run, rng: Random) -> bool:
    hit = await scene.moment(rng, run)
    run.send(signal.SIGSTOP)
    await asyncio.sleep(rng.random() * 2)
    run.send(signal.SIGCONT)
    return hit


async def clock_jumps(scene: Scene, run: Run, rng: Random) -> bool:
    hit = await scene.moment(rng, run)
    scene.clock.offset = timedelta(hours=rng.choice([-1, 1, 7, -30, 24, 24 * 40, -24 * 40]))
    return hit


# --- o PostgreSQL ------------------------------------------------------------------------------------------


def postgres_stops(how: str) -> Strike:
    async def strike(scene: Scene, run: Run, rng: Random) -> bool:
        hit = await scene.moment(rng, run)
        await scene.postgres.stop(STOPS[how])
        await asyncio.sleep(rng.random() * 0.5)
        scene.postgres.start()
        return hit

    return strike


async def sessions_end(scene: Scene, run: Run, rng: Random) -> bool:
    hit = await scene.moment(rng, run)
    await scene.postgres.terminate_backends(scene.database)
    return hit


async def database_is_cut(scene: Scene, run: Run, rng: Random) -> bool:
    hit = await scene.moment(rng, run)
    scene.to_postgres.cut()
    return hit


async def database_hangs(scene: Scene, run: Run, rng: Random) -> bool:
    hit = await scene.moment(rng, run)
    await scene.to_postgres.hang(rng.random() * 2)
    if rng.random() < 0.5:
        scene.to_postgres.cut()
    return hit


# --- o Bling -----------------------------------------------------------------------------------------------


async def nothing(scene: Scene, run: Run, rng: Random) -> bool:
    return not run.over


async def bling_is_cut(scene: Scene, run: Run, rng: Random) -> bool:
    hit = await scene.moment(rng, run)
    scene.to_bling.cut()
    return hit


async def bling_hangs(scene: Scene, run: Run, rng: Random) -> bool:
    hit = await scene.moment(rng, run)
    await scene.to_bling.hang(rng.random() * 2)
    return hit


async def token_expires(scene: Scene, run: Run, rng: Random) -> bool:
    hit = await scene.moment(rng, run)
    scene.bling.expire_access_tokens()
    return hit


async def throttled(scene: Scene, run: Run, rng: Random) -> bool:
    hit = await scene.moment(rng, run)
    scene.bling.configure(requests_per_second=3)
    await asyncio.wait([run.outcome], timeout=1.0 + rng.random())
    scene.bling.configure(requests_per_second=0)
    return hit


async def day_is_spent(scene: Scene, run: Run, rng: Random) -> bool:
    hit = await scene.moment(rng, run)
    scene.bling.configure(requests_per_day=1)
    return hit


DISASTERS = (
    Disaster("kill -9 do coletor", kill, 200, (calm, calm, calm, slow, lying)),
    Disaster("kill -9 durante a renovação do token", kill_in_the_refresh, 20),
    Disaster("SIGTERM", terminate, 6),
    Disaster("processo congelado e retomado", freeze, 6),
    Disaster("relógio salta de −40 a +40 dias", clock_jumps, 14, here=True),
    Disaster("PostgreSQL: parada rápida e volta", postgres_stops("rápida"), 10),
    Disaster("PostgreSQL: parada imediata e volta", postgres_stops("imediata"), 10),
    Disaster("PostgreSQL: kill -9 e volta", postgres_stops("kill -9"), 10),
    Disaster("PostgreSQL: sessões derrubadas", sessions_end, 10),
    Disaster("PostgreSQL: conexões cortadas na rede", database_is_cut, 10),
    Disaster("PostgreSQL: rede muda por até 2 s", database_hangs, 10),
    Disaster("Bling: conexões cortadas na rede", bling_is_cut, 8),
    Disaster("Bling: rede muda por até 2 s", bling_hangs, 8),
    Disaster("Bling lento (até 1 s por resposta)", nothing, 3, (slower,)),
    Disaster("Bling calado (9 % sem resposta)", nothing, 6, (silent,)),
    Disaster(
        "Bling mentindo: erro com 200, HTML, JSON pela metade, outro id, linhas de outra conta", nothing, 10, (lying,)
    ),
    Disaster("401 no meio da carga", token_expires, 10),
    Disaster("rajada de 429", throttled, 6),
    Disaster("cota do dia acaba no meio", day_is_spent, 10),
)
