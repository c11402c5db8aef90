"""O que se lê do Bling sem ser uma execução: a olhada, um registro que se pede, os de que ele avisou."""

import asyncio
import logging
from collections import defaultdict
from contextlib import suppress
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from bling_collector.api.bling_client import BlingClient
from bling_collector.api.bling_clock import BlingClock
from bling_collector.api.transport import AccessTokens, Requests, counting
from bling_collector.config import Settings
from bling_collector.db import control, events, proof, schema, sums
from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.connection.database import explained
from bling_collector.db.run_lock import RunLock, run_lock
from bling_collector.empresa import Empresa
from bling_collector.errors import CollectorError, UsageError
from bling_collector.etl.context import Found, RunContext
from bling_collector.etl.resource import Id
from bling_collector.etl.strategies.again import sync_one
from bling_collector.etl.strategies.cited import read_cited
from bling_collector.etl.strategies.whole import read_whole
from bling_collector.runs.announced import AT_ONCE, read, read_owed, unannounced
from bling_collector.runs.collection import look_at
from bling_collector.runs.confirm import ask_empresa, confirm_empresa
from bling_collector.runs.first_look import first_look
from bling_collector.runs.request import Watch
from bling_collector.streams.registry import RESOURCES, SYNCED, chosen, collected, named, registers
from bling_collector.together import Stopped
from bling_collector.windows import EARLIEST, look_starts
from bling_collector.words import plural

log = logging.getLogger(__name__)

PRINCIPAL: Final = next(resource for resource in RESOURCES if resource.principal)
_LISTENS: Final = 3
"""Respostas que se pedem, no máximo, para saber que horas são no Bling: a que desmente a nossa precisa de outra."""
_LISTENS_FOR: Final = 10.0
"""Segundos que essas respostas têm, juntas: quem espera pela execução ainda não a vê."""
ASK_AGAIN_AFTER: Final = timedelta(hours=20)
"""Uma permissão que faltava é procurada de novo em toda execução diária."""
IN_FLIGHT: Final = 64
"""Requisições ao mesmo tempo: a 3 por segundo, uma resposta pode demorar 20 s sem atrasar o ritmo."""


class Reader:
    """Lê do Bling para um banco."""

    def __init__(
        self, engine: AsyncEngine, client: BlingClient, tokens: AccessTokens, clock: BlingClock, settings: Settings
    ) -> None:
        self._engine = engine
        self._client = client
        self._tokens = tokens
        self._clock = clock
        self._settings = settings
        self._announced = defaultdict[str, set[str]](set)
        """Os registros de cada recurso, dos que o Bling avisou, que se leem agora."""
        self._settling = asyncio.Lock()
        chosen(settings.recursos)  # um nome que não existe é dito logo

    async def look(self, *, stop: asyncio.Event | None = None) -> int | None:
        """A olhada: o que é novo ou mudou há pouco, pelo que menos custa. Devolve quantas requisições fez; None se
        ainda nada se coletou, e só uma execução pode começar.

        Tem a tranca, e não é uma execução: não se anota, não deve nada e não diz que um dia está coberto. Levanta o
        erro que a interrompeu; o que chegou até ali fica salvo.
        """
        async with explained(self._engine.url), run_lock(self._engine) as lock:
            with counting() as requests:
                return await self._look(lock, requests, stop or asyncio.Event())

    async def _look(self, lock: RunLock, requests: Requests, stop: asyncio.Event) -> int | None:
        async with self._engine.connect() as connection:
            await schema.check_usable(connection)
            scope = await begin_of(connection)
        if scope is None:
            return None
        told = await self._hear()
        async with self._engine.connect() as connection:
            now = self._clock.now()
            resources = await collected(connection, self._settings.recursos)
            refused = await control.refused(connection, (each.name for each in resources), now, ASK_AGAIN_AFTER)
            whole = await registers(connection, self._settings.recursos)
            before = await control.checkpoint(connection, control.LOOKED)
            self._client.short_go_on |= await control.checkpoint(connection, control.SHORT_PAGES) is not None
        mine = {"resources": resources, "registers": whole, "scope": scope, "disallowed": refused, "started": now}
        ctx = self._context(None, Watch(stop=stop), requests, **mine, keep_lock=lock.keep)
        with suppress(Stopped):
            await ctx.asking(confirm_empresa(self._engine, self._client, self._clock, told))
            await read_owed(ctx, self._clock.own)
            news = await look_at(ctx, look_starts(before, now))
            async with ctx.transaction() as connection:
                if before is not None:
                    await events.note_unannounced(connection, unannounced(resources, news), before, now)
                await control.move_checkpoint(connection, control.LOOKED, now)
        asked = plural(requests.total, "requisição", "requisições")
        log.info("Olhada: %s%s.", asked, f"; {'; '.join(ctx.problems)}" if ctx.problems else "")
        return requests.total

    async def first_look(self, *, again: bool = False) -> int:
        """Faz as perguntas da conta, se ainda não se fizeram, ou outra vez; devolve quantas tiveram resposta. Uma que
        não a tem não falha."""
        async with explained(self._engine.url):
            async with self._engine.connect() as connection:
                asked = await control.checkpoint(connection, control.FIRST_LOOK)
                resources = await collected(connection, self._settings.recursos)
            if asked is not None and not again:
                return 0
            return await first_look(self._engine, self._client, self._clock, resources)

    async def sync(self, recurso: str, id_: Id) -> str:
        """Busca e salva um registro; devolve `criado`, `atualizado` ou `igual`. UsageError para um recurso que não há.

        Não precisa da tranca: vale também no meio de uma execução.
        """
        resource = named(recurso)
        if resource not in SYNCED:
            offered = ", ".join(each.singular for each in SYNCED)
            raise UsageError(f"Não se busca um registro de {recurso!r}; os recursos são {offered}.")
        with counting() as requests:
            async with explained(self._engine.url):
                async with self._engine.connect() as connection:
                    resources = await collected(connection, self._settings.recursos)
                ctx = self._context(None, Watch(), requests, resources=resources)
                await confirm_empresa(self._engine, self._client, self._clock)
                said = await sync_one(ctx, resource, id_)
                await _read_lacking(ctx)
                return said

    async def read_announced(self, recurso: str, *, most: int) -> int:
        """Lê outra vez os registros do recurso de que o Bling avisou e de que é a vez, até `most`, e paga os avisos
        deles; devolve quantos leu. Como `sync`, não precisa da tranca."""
        with counting() as requests:
            async with explained(self._engine.url):
                async with self._engine.begin() as connection:
                    most = min(most, AT_ONCE)
                    which = await events.take(
                        connection, recurso, most=most, now=self._clock.own.now(), besides=self._announced[recurso]
                    )
                    mine = {
                        "resources": await collected(connection, self._settings.recursos),
                        "registers": await registers(connection, self._settings.recursos),
                        "scope": await begin_of(connection),
                    }
                if which:
                    ctx = self._context(None, Watch(), requests, **mine, settling=self._settling)
                    ids = {each.id for each in which}
                    self._announced[recurso] |= ids
                    try:
                        await read(ctx, self._clock.own, recurso, which)
                    finally:
                        self._announced[recurso] -= ids
                    await _read_lacking(ctx)
                    await sums.try_fold(self._engine)
                return len(which)

    async def _hear(self) -> Empresa | None:
        """Ouve do Bling que horas são, antes de decidir o que se pede, se as últimas respostas não o disseram.

        Uma renovação do token, se é hora dela, já o diz; senão pergunta de que empresa é a conta, que a execução também
        precisa saber, e outra vez se o relógio desta máquina discorda. Devolve o que se soube dela. O que dê errado é
        assunto da execução: sem ouvir o Bling, vale o relógio que se tem.
        """
        told = None
        with suppress(CollectorError, SQLAlchemyError, TimeoutError):
            await self._tokens.get_valid_access_token()
            async with asyncio.timeout(_LISTENS_FOR):
                for _try in range(_LISTENS):
                    if self._clock.sure:
                        break
                    told = await ask_empresa(self._client) or told
        return told

    def _context(self, run_id: int | None, watch: Watch, requests: Requests, **more: Any) -> RunContext:
        defaults: dict[str, Any] = {
            "started": self._clock.now(),
            "found": Found(PRINCIPAL.name),
        }
        return RunContext(
            self._engine,
            self._client,
            self._clock,
            requests,
            in_flight=IN_FLIGHT,
            sink=watch.sink,
            stop=watch.stop,
            run_id=run_id,
            **defaults | more,
        )


async def begin_of(connection: AsyncConnection) -> date | None:
    """O primeiro dia que se coleta; None se ainda nada se coletou."""
    scope = await proof.scope_start(connection)
    return max(scope, EARLIEST) if scope is not None else None


async def _read_lacking(ctx: RunContext) -> None:
    """O que se cita, falta e se lê de uma vez só."""
    for cited in ctx.resources:
        if cited.whole is not None and cited.whole.when_lacking:
            await read_whole(ctx, cited, only_lacking=True)
            await read_cited(ctx, cited)
