"""A cena: um Bling, um PostgreSQL e, entre os dois, o coletor; e o que precisa valer depois de cada desastre."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.chaos.postgres import Postgres, mortal_postgres
from tests.chaos.process import Collector, Run
from tests.chaos.proxy import Proxy, proxy
from tests.support.collecting import authorise, collector_settings
from tests.support.truth import assert_equals_truth

from bling_collector.clock import SystemClock
from bling_collector.config import Secret, Settings
from bling_collector.db import schema
from bling_collector.db.connection.database import close, create_engine, parse_url
from bling_collector.etl.save import BATCH
from bling_collector.runs.reader import IN_FLIGHT
from bling_collector.streams.notas.nota import FINAL
from bling_collector.workplace.account import Account, open_account
from bling_simulator.bling import Bling
from bling_simulator.server import running
from bling_simulator.settings import SimulatorSettings

START = date(2021, 1, 1)
IN_HAND = BATCH + IN_FLIGHT
"""As notas que podem ter chegado sem estar salvas: o lote por confirmar e o que está em voo."""
FULL = ("run-full", "--data-inicio", START.isoformat())


class JumpingClock(SystemClock):
    """O relógio do sistema, adiantado ou atrasado de repente."""

    offset = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.offset


@dataclass(frozen=True)
class Calm:
    """Uma carga sem desastre, para saber onde os momentos podem cair."""

    seconds: float
    requests: int


class Scene:
    """Um banco novo a cada desastre, diante da mesma empresa."""

    def __init__(self, bling: Bling, postgres: Postgres, to_bling: Proxy, to_postgres: Proxy, folder: Path) -> None:
        self.bling = bling
        self.postgres = postgres
        self.to_bling = to_bling
        self.to_postgres = to_postgres
        self.clock = JumpingClock()
        self.calm = Calm(1.0, 100)
        self._folder = folder
        self._template: str | None = None
        self._stack = AsyncExitStack()
        self.database = ""
        self.collector = Collector({}, folder)
        self._service = False

    # --- preparar ---------------------------------------------------------------------------------------

    async def prepare(self) -> None:
        """O banco modelo e a medida de uma carga em paz."""
        self._template = await self.postgres.create()
        engine = create_engine(parse_url(self.postgres.url(self._template)))
        await schema.upgrade(engine)
        await close(engine)
        await self.begin(Random(0))
        began = asyncio.get_running_loop().time()
        run = await self.collector.command(*FULL)
        assert await run.ended() == 0, run.said()
        self.calm = Calm(asyncio.get_running_loop().time() - began, self.bling.counters.total)
        await self.check()

    async def begin(self, rng: Random) -> None:
        """Um banco novo, já autorizado, e o Bling em paz."""
        await self.end()
        self.restore()
        self.database = await self.postgres.create(self._template)
        self._service = rng.random() < 0.25
        self.collector = Collector(self._environment(), self._folder)
        async with self.opened() as account:
            await authorise(account, self.bling)
        self.bling.counters.reset()

    async def end(self) -> None:
        await self.collector.close()
        if self.database:
            await self.postgres.drop(self.database)
            self.database = ""

    def restore(self) -> None:
        """Tudo no ar e em paz."""
        self.postgres.start()
        self.clock.offset = timedelta(0)
        self.bling.faults.clear()
        self.bling.ip_limits.forgive()
        self.bling.configure(latency=0.0, latency_jitter=0.0, requests_per_second=0, requests_per_day=0)

    # --- executar ---------------------------------------------------------------------------------------

    async def load(self) -> Run:
        """Começa a carga histórica: pela linha de comando ou, às vezes, pelo serviço."""
        if self._service:
            return await self.collector.post(f"/run/full?data_inicio={START}")
        return await self.collector.command(*FULL)

    async def load_here(self) -> Run:
        """A mesma carga neste processo, onde o relógio pode saltar."""

        async def collect() -> int:
            async with self.opened() as account:
                return (await account.pipeline.run_full(START)).exit_code

        return Run(asyncio.create_task(collect()))

    async def recover(self) -> Run:
        """Mais uma execução: a diária, se alguma já começou; senão a mesma carga."""
        async with self.engine() as engine, engine.connect() as connection:
            begun = await connection.scalar(text("SELECT count(*) FROM etl_controle"))
        if self._service:
            return await self.collector.post("/run" if begun else f"/run/full?data_inicio={START}")
        return await self.collector.command(*(("run",) if begun else FULL))

    async def moment(self, rng: Random, run: Run) -> bool:
        """Espera um momento sorteado da carga; diz se ela ainda estava em curso."""
        if rng.random() < 0.7 or run.process is None:
            wanted = rng.randrange(self.calm.requests)
            while self.bling.counters.total < wanted and not run.over:  # noqa: ASYNC110 — quem conta é o simulador
                await asyncio.sleep(0.001)
            await asyncio.sleep(rng.random() * 0.02)
        else:
            await asyncio.wait([run.outcome], timeout=rng.random() * self.calm.seconds)
        return not run.over

    async def a_day_passes(self) -> None:
        """O que o banco lembra dos limites do Bling (a cota gasta, a pausa, o 429) passa a ser de ontem."""
        async with self.engine() as engine, engine.begin() as connection:
            moments = ("segurado_ate", "pausada_ate", "sonda_ate", "erros_desde")
            shifted = [f"{name} = {name} - interval '1 day'" for name in moments]
            await connection.execute(
                text(f"UPDATE limites_bling SET dia = dia - 1, esgotada_em = esgotada_em - 1, {', '.join(shifted)}")
            )

    # --- conferir ---------------------------------------------------------------------------------------

    async def saved_notes(self) -> set[int]:
        """As notas já confirmadas no banco e em situação final: ninguém tem por que buscá-las outra vez."""
        async with self.engine() as engine, engine.connect() as connection:
            found = await connection.execute(
                text("SELECT id FROM nfe_cabecalho WHERE situacao = ANY(:final)"), {"final": list(FINAL)}
            )
            return set(found.scalars())

    def delivered(self) -> dict[int, int]:
        """Nota → quantas vezes o Bling entregou o seu detalhe."""
        details = self.bling.counters.details
        return {int(path.rpartition("/")[2]): n for path, n in details.items() if path.startswith("/nfe/")}

    async def check(self) -> None:
        """O banco é igual ao Bling, nenhuma execução ficou aberta, nada é devido e o token serve."""
        async with self.engine() as engine:
            await assert_equals_truth(engine, self.bling)
            async with engine.connect() as connection:
                for what in (
                    "etl_controle WHERE status = 'running'",
                    "janelas_devidas",
                    "pendencias",
                ):
                    left = await connection.scalar(text(f"SELECT count(*) FROM {what}"))
                    assert left == 0, f"{left} em {what}"
        async with self.opened() as account:
            assert (await account.client.get("/empresas/me/dados-basicos"))["data"]["id"]

    async def reauthorise(self) -> None:
        async with self.opened() as account:
            await authorise(account, self.bling)

    @asynccontextmanager
    async def engine(self) -> AsyncIterator[AsyncEngine]:
        """O banco, sem passar pelo intermediário."""
        engine = create_engine(parse_url(self.postgres.url(self.database)))
        try:
            yield engine
        finally:
            await close(engine)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Account]:
        async with open_account(self._settings(), clock=self.clock) as account:
            yield account

    @property
    def database_url(self) -> str:
        return f"postgresql://bling@127.0.0.1:{self.to_postgres.port}/{self.database}"

    def _settings(self) -> Settings:
        api = f"http://127.0.0.1:{self.to_bling.port}/Api/v3"
        return collector_settings(api, Secret(self.database_url))

    def _environment(self) -> dict[str, str]:
        return environment_of(self._settings())


def environment_of(settings: Settings) -> dict[str, str]:
    """As configurações como variáveis de ambiente."""
    given = {name.upper(): value for name, value in vars(settings).items() if value is not None}
    return {n: str(v.get_secret_value() if isinstance(v, Secret) else v) for n, v in given.items()}


@asynccontextmanager
async def scene(scale: float) -> AsyncIterator[Scene]:
    """Tudo no ar, e uma carga em paz já medida."""
    settings = SimulatorSettings(
        scale=scale, requests_per_second=0, requests_per_day=0, errors_per_10s=0, token_calls_per_minute=0
    )
    async with AsyncExitStack() as stack:
        bling = await stack.enter_async_context(running(settings))
        postgres = await stack.enter_async_context(mortal_postgres())
        port = urlsplit(bling.url).port
        to_bling = await stack.enter_async_context(proxy(lambda: asyncio.open_connection("127.0.0.1", port)))
        to_postgres = await stack.enter_async_context(proxy(postgres.connect))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bling-caos-")))
        found = Scene(bling.bling, postgres, to_bling, to_postgres, folder)
        await found.prepare()
        try:
            yield found
        finally:
            found.restore()
            await found.end()
