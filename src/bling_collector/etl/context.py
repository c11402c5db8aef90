"""O que uma execução em curso tem na mão, e as transações que ela abre."""

import asyncio
import logging
import math
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from bling_collector.api.bling_client import BlingClient
from bling_collector.api.transport import ATTEMPTS, Requests
from bling_collector.clock import Clock
from bling_collector.db import control
from bling_collector.db.control import Pendencia
from bling_collector.db.core import AsyncConnection, AsyncEngine
from bling_collector.db.resources import repository
from bling_collector.empresa import Empresa
from bling_collector.errors import CollectorError
from bling_collector.etl.fetch import WITNESSES, Fetched, fetch
from bling_collector.etl.progress import Progress, ProgressSink
from bling_collector.etl.save import Item, Saved, save
from bling_collector.payload import Json
from bling_collector.plan.outlook import Outlook
from bling_collector.streams.base import Document, Params, Stream
from bling_collector.windows import Window
from bling_collector.words import number

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass
class Found:
    """O que as varreduras encontraram diferente, antes de reparar, em ids; cada um conta de uma maneira só."""

    faltavam: set[int] = field(default_factory=set)
    mudaram: set[int] = field(default_factory=set)
    sumiram: set[int] = field(default_factory=set)

    def add(
        self, *, faltavam: Collection[int] = (), mudaram: Collection[int] = (), sumiram: Collection[int] = ()
    ) -> None:
        """O que uma janela deu por sumido e outra mostra só mudou de data."""
        self.faltavam |= set(faltavam) - self.mudaram
        self.mudaram |= set(mudaram) - self.faltavam
        self.sumiram = (self.sumiram | set(sumiram)) - self.faltavam - self.mudaram

    @property
    def ids(self) -> dict[str, list[int]]:
        """Só os tipos de que há algum."""
        kinds = {"faltavam": self.faltavam, "mudaram": self.mudaram, "sumiram": self.sumiram}
        return {kind: sorted(ids) for kind, ids in kinds.items() if ids}

    @property
    def counts(self) -> Counter[str]:
        return Counter({kind: len(ids) for kind, ids in self.ids.items()})

    def as_json(self, *, most: int | None = None) -> dict[str, Any]:
        """As contagens e os ids (no máximo `most` de cada tipo)."""
        return {"contagens": dict(self.counts), "ids": {kind: ids[:most] for kind, ids in self.ids.items()}}

    def __str__(self) -> str:
        names = {"faltavam": "faltam aqui", "mudaram": "mudaram lá", "sumiram": "só existem aqui"}
        return ", ".join(f"{count} {names[kind]}" for kind, count in self.counts.items())


class Stopped(Exception):  # noqa: N818 — não é um erro: alguém pediu que a execução parasse
    """A execução parou a pedido, com tudo o que chegou já salvo."""


@dataclass
class RunContext:
    engine: AsyncEngine
    client: BlingClient
    clock: Clock
    requests: Requests
    in_flight: int
    sink: ProgressSink
    stop: asyncio.Event
    run_id: int | None
    """None fora de uma execução: o que chega é salvo, e não há andamento por anotar."""
    started: datetime
    before: Requests
    """As requisições do processo que já estavam feitas quando a execução começou."""
    keep_lock: Callable[[], Awaitable[None]] | None = None
    """Confere, antes de cada transação, que a tranca da execução ainda é desta."""
    progress: Progress = field(default_factory=Progress)
    repair: bool = True
    """False só confere: nada do que a listagem mostra é buscado nem marcado."""
    accept_deletions: bool = False
    """Alguém disse que o que sumiu foi mesmo excluído, por muito que seja."""
    everything: bool = False
    """Uma conferência que repara: também o que só se relê uma vez por semana, e os cadastros desde o começo."""
    scope: date | None = None
    """O primeiro dia que alguma execução já pediu: antes dele o banco não diz ter nada."""
    probes: int = 0
    """Sondas já feitas do que as listagens poderiam esconder."""
    hiding: set[str] = field(default_factory=set)
    """Os streams em que elas o mostraram nesta execução."""
    hid: dict[str, bool] = field(default_factory=dict)
    """Stream → se uma execução anterior já o tinha visto."""
    refused: Counter[str] = field(default_factory=Counter)
    """Quantos pedidos de cada recurso falharam enquanto se estreitava uma listagem."""
    known_bad: dict[str, list[Window]] = field(default_factory=dict)
    """De cada stream, o que execuções anteriores não puderam ler: lê-se à parte, para não estragar o resto."""
    unread: dict[tuple[str, Params], dict[Window, str]] = field(default_factory=dict)
    """De cada listagem, o que já se viu nesta execução que não se deixa ler, e por quê: não se pede outra vez."""
    found: Found = field(default_factory=Found)
    differing: set[date] = field(default_factory=set)
    """Os meses conferidos nesta execução em que, ao fim, os dois lados ainda diferem."""
    told: Empresa | None = None
    """De que empresa o Bling disse que é a conta, ao começar."""
    outlook: Outlook | None = None
    """O que a execução ainda deve pedir; None se ela nada pede."""
    gone: Counter[str] = field(default_factory=Counter)
    """Stream → quantos registros esta execução já deu por excluídos."""
    unlikely: dict[str, str] = field(default_factory=dict)
    """Stream → a primeira exclusão improvável, que ficou à espera da palavra de uma pessoa."""
    witnessed: set[str] = field(default_factory=set)
    """Os streams de que o Bling já respondeu, nesta execução, por um registro que o banco tem."""
    problems: list[str] = field(default_factory=list)
    """O que ficou por fazer e não cabe numa pendência nem numa janela: a execução não é um sucesso."""

    def start(self, fase: str, total: int = 0, *, each: float = 1.0) -> None:
        """Começa uma fase de `total` itens, que pedem `each` requisições cada um."""
        log.info("%s%s", fase, f": {number(total)}" if total else "")
        self.progress.start(fase, total, each)
        self.show()

    def show(self) -> None:
        self.progress.requisicoes = self.requests.total - self.before.total
        self.progress.limitadas = self.requests.throttled - self.before.throttled
        self.progress.espera = self.requests.waiting.said(self.clock.monotonic())
        later = self.outlook.left() if self.outlook is not None else None
        phase = math.ceil(max(self.progress.total - self.progress.feitos, 0) * self.progress.each)
        self.progress.restam = None if later is None else later + phase
        self.sink(self.progress)

    def note_unread(self, stream: Stream, unread: Mapping[Window, str]) -> None:
        """Diz, uma vez cada um, os períodos de que o Bling não dá toda a listagem."""
        for window, why in unread.items():
            problem = f"O Bling não dá toda a listagem de {stream.title.lower()} de {window}: {why}"
            if problem not in self.problems:
                log.error("%s", problem)
                self.problems.append(problem)

    def check_stop(self) -> None:
        if self.stop.is_set():
            raise Stopped

    def suspect(self, stream: str, error: CollectorError) -> None:
        """Exclusões improváveis: nada se anotou delas, e alguém precisa dizer se são verdade."""
        log.error("%s", error)
        if stream not in self.unlikely:  # uma por recurso: as outras diriam o mesmo
            self.unlikely[stream] = str(error)
            self.problems.append(str(error))

    async def pages(
        self, path: str, params: Params = (), *, short_is_last: bool = False, attempts: int = ATTEMPTS
    ) -> AsyncIterator[list[Json]]:
        """As páginas de uma listagem. Stopped assim que se pede a parada, mesmo entre as tentativas de uma página."""
        listing = self.client.pages(path, params, short_is_last=short_is_last, attempts=attempts)
        while page := await self.asking(anext(listing, [])):
            yield page

    async def page(self, path: str, params: Params, number: int, size: int, *, attempts: int) -> list[Json]:
        """Uma página só, que pode vir vazia; o resto como `pages`."""
        return await self.asking(self.client.page(path, params, number, size, attempts=attempts))

    async def details(
        self, stream: Stream, ids: Collection[int], read: Callable[[Document], object] | None = None
    ) -> AsyncGenerator[Fetched]:
        """O detalhe de cada id, como `fetch`, com as testemunhas que o banco dá.

        `read` diz se um detalhe se lê inteiro; o padrão é o mapeamento do stream.
        """
        async with self.engine.connect() as connection:
            held = await repository.should_answer(connection, stream.table, stream.name, without=ids, most=WITNESSES)
        read = read or stream.read
        return fetch(self.client, stream.path, ids, read, limit=self.in_flight, stop=self.stop, witnesses=held)

    async def asking(self, work: Awaitable[T]) -> T:
        """O resultado de `work`, ou Stopped assim que se pede a parada."""
        tasks = working, _ = asyncio.ensure_future(work), asyncio.ensure_future(self.stop.wait())
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise Stopped
            return working.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Uma transação que leva consigo o andamento; se a execução já não é a dona do banco, nada é gravado."""
        if self.keep_lock is not None:
            await self.keep_lock()
        async with self.engine.begin() as connection:
            yield connection
            self.show()
            if self.run_id is None:
                return
            if await control.note_progress(connection, self.run_id, **run_columns(self.progress)):
                self.stop.set()

    async def store(
        self, connection: AsyncConnection, stream: Stream, items: Sequence[Item], failures: Sequence[Pendencia] = ()
    ) -> Saved:
        """Salva os documentos, quita o que era pendente e anota o que falhou, tudo na transação dada."""
        now = self.clock.now()
        outcome = await save(connection, stream, items, now, self.run_id)
        await control.settle(connection, stream.name, [str(item.document["id"]) for item in outcome.saved])
        refused = [
            Pendencia(
                stream.name,
                str(item.document["id"]),
                reason,
                stream.day(item.document) or item.day,
                item.resumo,
                stream.names(item.document),
            )
            for item, reason in outcome.refused
        ]
        await control.add_pendencias(connection, [*failures, *refused], now)
        if stream.after_save is not None:
            await stream.after_save(connection, outcome.created | outcome.updated)
        return outcome


def run_columns(progress: Progress) -> dict[str, object]:
    """O andamento nas colunas de etl_controle."""
    stats = progress.stats
    return {
        "fase": progress.fase,
        "feitos": progress.feitos,
        "total": progress.total,
        "nfes_processadas": stats["nfes"],
        "contatos_novos": stats["contatos"],
        "produtos_novos": stats["produtos"],
        "requisicoes": progress.requisicoes,
        "limitadas": progress.limitadas,
        "restam": progress.restam,
        "espera": progress.espera,
    }
