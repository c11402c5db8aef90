"""O que uma execução em curso tem na mão, e as transações que ela abre."""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeVar

from bling_collector.api.bling_client import BlingClient
from bling_collector.api.transport import ATTEMPTS, Requests, Sent
from bling_collector.clock import Clock
from bling_collector.db import control
from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.control import Pendencia
from bling_collector.empresa import Empresa
from bling_collector.errors import CollectorError
from bling_collector.etl.progress import Outlook, Progress, ProgressSink
from bling_collector.etl.resource import Document, Id, Params, Resource
from bling_collector.etl.save import Item, Saved, save
from bling_collector.payload import Json
from bling_collector.together import Stopped
from bling_collector.windows import Window
from bling_collector.words import number

T = TypeVar("T")

log = logging.getLogger(__name__)


READ_AHEAD: Final = 200
"""Registros por buscar que chegam para que não falte o que pedir enquanto se lê a janela seguinte."""

Name = tuple[str, Id]
"""O recurso e o id de um registro."""


@dataclass
class Found:
    """O que as varreduras encontraram diferente, antes de reparar; cada registro conta de uma maneira só."""

    principal: str = ""
    """O recurso cujos ids se dizem sem o nome dele, como sempre se disseram."""
    faltavam: set[Name] = field(default_factory=set)
    mudaram: set[Name] = field(default_factory=set)
    sumiram: set[Name] = field(default_factory=set)

    def add(
        self,
        recurso: str,
        *,
        faltavam: Collection[Id] = (),
        mudaram: Collection[Id] = (),
        sumiram: Collection[Id] = (),
    ) -> None:
        """O que uma janela deu por sumido e outra mostra só mudou de data."""
        self.faltavam |= {(recurso, id_) for id_ in faltavam} - self.mudaram
        self.mudaram |= {(recurso, id_) for id_ in mudaram} - self.faltavam
        new = {(recurso, id_) for id_ in sumiram}
        self.sumiram = (self.sumiram | new) - self.faltavam - self.mudaram

    @property
    def ids(self) -> dict[str, list[int | str]]:
        """Só os tipos de que há algum: do recurso principal, o id; dos outros, `recurso/id`."""
        kinds = {"faltavam": self.faltavam, "mudaram": self.mudaram, "sumiram": self.sumiram}
        return {kind: [self._said(*name) for name in sorted(names)] for kind, names in kinds.items() if names}

    def _said(self, recurso: str, id_: Id) -> int | str:
        return id_ if recurso == self.principal else f"{recurso}/{id_}"

    @property
    def counts(self) -> Counter[str]:
        return Counter({kind: len(ids) for kind, ids in self.ids.items()})

    def as_json(self, *, most: int | None = None) -> dict[str, Any]:
        """As contagens e os ids (no máximo `most` de cada tipo)."""
        return {"contagens": dict(self.counts), "ids": {kind: ids[:most] for kind, ids in self.ids.items()}}

    def __str__(self) -> str:
        names = {"faltavam": "faltam aqui", "mudaram": "mudaram lá", "sumiram": "só existem aqui"}
        return ", ".join(f"{count} {names[kind]}" for kind, count in self.counts.items())


class Backlog:
    """De cada recurso, quantos registros se sabe que é preciso buscar, e ainda não chegaram."""

    def __init__(self) -> None:
        self._count = Counter[str]()
        self._short = defaultdict[str, asyncio.Event](asyncio.Event)

    def add(self, resource: str, more: int) -> None:
        """São mais tantos, ou menos, se é negativo."""
        self._count[resource] += more
        if self._count[resource] < READ_AHEAD:
            self._short[resource].set()
        else:
            self._short[resource].clear()

    async def is_short(self, resource: str) -> None:
        """Espera que sejam menos de `READ_AHEAD`."""
        self.add(resource, 0)
        await self._short[resource].wait()


@dataclass
class RunContext:
    engine: AsyncEngine
    client: BlingClient
    clock: Clock
    requests: Requests
    """As que esta execução fez."""
    in_flight: int
    """Detalhes ao mesmo tempo, de tudo o que corre ao lado do mais."""
    sink: ProgressSink
    stop: asyncio.Event
    run_id: int | None
    """None fora de uma execução: o que chega é salvo, e não há andamento por anotar."""
    started: datetime
    resources: tuple[Resource, ...] = ()
    """Os recursos que se coletam, na ordem em que se coletam."""
    registers: Collection[str] = ()
    """Deles, os de que se quer o cadastro inteiro."""
    until: float | None = None
    """Quando, no relógio que não volta atrás, se para com jeito; None é nunca."""
    left_at_limit: int | None = None
    """As requisições que faltavam quando essa hora chegou, se se sabia."""
    at_limit: bool = False
    """Foi por essa hora ter chegado que se pediu a parada."""
    interrupted: bool = False
    """Parou antes do fim: a pedido, ou pela hora."""
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
    probes: Counter[str] = field(default_factory=Counter)
    """De cada recurso, as sondas já feitas do que as listagens poderiam esconder."""
    hides: dict[str, bool] = field(default_factory=dict)
    """Recurso → se as listagens de costume dele escondem registros, até onde se sabe."""
    still_hides: set[str] = field(default_factory=set)
    """Deles, aqueles em que esta execução o viu outra vez."""
    rejected: set[str] = field(default_factory=set)
    """Os filtros que o Bling já recusou nesta execução, e que não fazem falta (`tries`)."""
    refused: Counter[str] = field(default_factory=Counter)
    """Quantos pedidos de cada recurso falharam enquanto se estreitava uma listagem."""
    known_bad: dict[str, list[Window]] = field(default_factory=dict)
    """De cada resource, o que execuções anteriores não puderam ler: lê-se à parte, para não estragar o resto."""
    unread: dict[tuple[str, str, Params], dict[Window, str]] = field(default_factory=dict)
    """De cada listagem, o que já se viu nesta execução que não se deixa ler, e por quê: não se pede outra vez."""
    asked: dict[str, set[Id]] = field(default_factory=dict)
    """De cada recurso que se relê por mais de uma data, os registros cujo detalhe esta execução já pediu."""
    found: Found = field(default_factory=Found)
    differing: set[tuple[str, date]] = field(default_factory=set)
    """De cada recurso, os meses conferidos nesta execução em que, ao fim, os dois lados ainda diferem."""
    told: Empresa | None = None
    """De que empresa o Bling disse que é a conta, ao começar."""
    outlook: Outlook | None = None
    """O que a execução ainda deve pedir; None se ela nada pede."""
    settling: asyncio.Lock = field(default_factory=asyncio.Lock)
    """De quem dá um registro por excluído, para que as exclusões que outro lê ao mesmo tempo contem juntas."""
    gone: Counter[str] = field(default_factory=Counter)
    """Resource → quantos registros esta execução já deu por excluídos."""
    disallowed: set[str] = field(default_factory=set)
    """Os recursos que se pediram a mais e que o aplicativo não tem permissão de ler: ficam de fora."""
    unlikely: dict[str, str] = field(default_factory=dict)
    """Resource → a primeira exclusão improvável, que ficou à espera da palavra de uma pessoa."""
    witnessed: set[str] = field(default_factory=set)
    """Os streams de que o Bling já respondeu, nesta execução, por um registro que o banco tem."""
    news: dict[Name, str] | None = None
    """O que se gravou de novo (`created`) ou mudado (`updated`), se alguém o quer saber."""
    problems: list[str] = field(default_factory=list)
    """O que ficou por fazer e não cabe numa pendência nem numa janela: a execução não é um sucesso."""
    backlog: Backlog = field(default_factory=Backlog)
    unsaved: dict[int, list[Item]] = field(default_factory=dict)
    """O que chegou e ainda não se gravou, de cada coisa que corre."""
    _listing: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.slots = asyncio.Semaphore(self.in_flight)

    @property
    def columns(self) -> dict[str, object]:
        """O andamento nas colunas de etl_controle."""
        progress = self.progress
        counted = {r.counts: progress.saved[r.name] for r in self.resources if r.counts is not None}
        return {
            "fase": progress.fase,
            "feitos": progress.feitos,
            "total": progress.total,
            **counted,
            "salvos": {name: count for name, count in self._others.items() if count},
            "requisicoes": progress.requisicoes,
            "limitadas": progress.limitadas,
            "restam": progress.restam,
            "espera": progress.espera,
        }

    @property
    def _others(self) -> dict[str, int]:
        """O que se gravou dos recursos que alguém pediu a mais."""
        return {each.name: self.progress.saved[each.name] for each in self.resources if each.optional}

    @property
    def stats(self) -> dict[str, int]:
        """As contagens que as respostas mostram: as do primeiro coletor, e as do que se pediu a mais."""
        saved = self.progress.saved
        return {r.said or r.name: saved[r.name] for r in self.resources if r.counts is not None} | self._others

    def start(self, fase: str, total: int = 0, *, done: int = 0, each: float = 1.0, expected: bool = False) -> None:
        """Começa uma fase de `total` itens, que pedem `each` requisições cada um; dela podem já estar feitos alguns
        (`done`). De uma sem total, o que se faz só desconta do que falta se já se esperava (`expected`)."""
        log.info("%s%s", fase, f": {number(total)}" if total else "")
        here = self.progress.here
        here.fase, here.feitos, here.total, here.each = fase, done, total, each if total or expected else 0.0
        self.show()

    def done(self, items: int = 1) -> None:
        """Da fase de quem o diz, mais estes estão feitos."""
        self.progress.here.feitos += items

    def show(self) -> None:
        """Mostra o andamento; chama-se a cada passo, e é onde se nota que o tempo acabou."""
        self.progress.requisicoes = self.requests.total
        self.progress.limitadas = self.requests.throttled
        self.progress.espera = self.requests.waiting.said(self.clock.monotonic())
        later = self.outlook.left() if self.outlook is not None else None
        self.progress.restam = None if later is None else max(later + self.progress.whole.left, 0)
        self.sink(self.progress)
        if self.until is not None and not self.stop.is_set() and self.clock.monotonic() >= self.until:
            log.info("O tempo desta execução acabou: ela salva o que está em voo e para.")
            self.at_limit, self.left_at_limit = True, self.progress.restam
            self.stop.set()

    def note_unread(self, resource: Resource, unread: Mapping[Window, str]) -> None:
        """Diz, uma vez cada um, os períodos de que o Bling não dá toda a listagem."""
        for window, why in unread.items():
            problem = f"O Bling não dá toda a listagem de {resource.title.lower()} de {window}: {why}"
            if problem not in self.problems:
                log.error("%s", problem)
                self.problems.append(problem)

    @asynccontextmanager
    async def reading(self, resource: Resource) -> AsyncIterator[None]:
        """Não se lê uma janela adiante de muito que ainda falta buscar, que o que se leu fica na memória. Onde uma pode
        mostrar que as listagens escondem, lê-se uma por vez: decide como se leem as seguintes."""
        async with self._listing[resource.name] if resource.suspects else nullcontext():
            await self.backlog.is_short(resource.name)
            yield

    def check_stop(self) -> None:
        """Stopped, se alguém pediu que se parasse."""
        if self.stop.is_set():
            raise Stopped

    def suspect(self, resource: str, error: CollectorError) -> None:
        """Exclusões improváveis: nada se anotou delas, e alguém precisa dizer se são verdade."""
        log.error("%s", error)
        if resource not in self.unlikely:  # uma por recurso: as outras diriam o mesmo
            self.unlikely[resource] = str(error)
            self.problems.append(str(error))

    async def pages(
        self,
        resource: Resource,
        params: Params = (),
        *,
        path: str | None = None,
        key: Callable[[Document], Id] | None = None,
        short_is_last: bool = False,
        attempts: int = ATTEMPTS,
    ) -> AsyncIterator[list[Json]]:
        """As páginas de uma listagem; `key` é o que identifica a linha, se não é o do recurso. Stopped assim que se
        pede a parada, mesmo entre as tentativas de uma página."""
        listing = self.client.pages(
            path or resource.path,
            params,
            key=key or resource.key,
            paged=resource.paged,
            sized=resource.sized,
            short_is_last=short_is_last,
            attempts=attempts,
        )
        while page := await self.asking(anext(listing, [])):
            yield page

    async def page(
        self,
        resource: Resource,
        params: Params,
        number: int,
        size: int,
        *,
        path: str | None = None,
        key: Callable[[Document], Id] | None = None,
        attempts: int,
    ) -> list[Json]:
        """Uma página só, que pode vir vazia; o resto como `pages`."""
        place = (number if resource.paged else None, size if resource.paged and resource.sized else None)
        return await self.asking(
            self.client.page(path or resource.path, params, *place, key=key or resource.key, attempts=attempts)
        )

    async def detail(
        self, resource: Resource, id_: Id, read: Callable[[Document], object] | None = None
    ) -> dict[str, Json]:
        """O detalhe de um registro, inteiro; `read` como em `details`."""
        return await self.client.detail(
            resource.asked_at,
            id_,
            read or resource.read,
            key=resource.key_of(id_),
            by=resource.detail_by,
            params=resource.detail_params,
        )

    def when(self, sent: Sent) -> datetime:
        """A hora a que saiu o pedido: o que se leu não é mais velho que ela."""
        now = self.clock.now()
        return now if sent.at is None else now - timedelta(seconds=max(self.clock.monotonic() - sent.at, 0.0))

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
        """Uma transação que leva consigo o andamento; se a execução já não é a dona do banco, nada é gravado.

        Uma por vez: duas que gravam o mesmo contato, cada uma numa ordem, esperariam uma pela outra.
        """
        async with self._writing:
            if self.keep_lock is not None:
                await self.keep_lock()
            async with self.engine.begin() as connection:
                yield connection
                self.show()
                if self.run_id is None:
                    return
                if await control.note_progress(connection, self.run_id, **self.columns):
                    self.stop.set()

    async def store(
        self, connection: AsyncConnection, resource: Resource, items: Sequence[Item], failures: Sequence[Pendencia] = ()
    ) -> Saved:
        """Salva os documentos, quita o que era pendente e anota o que falhou, tudo na transação dada."""
        now = self.clock.now()
        outcome = await save(connection, resource, items, now, self.run_id)
        await control.settle(connection, resource.name, [str(item.document["id"]) for item in outcome.saved])
        refused = [
            Pendencia(
                resource.name,
                str(item.document["id"]),
                reason,
                resource.day(item.document) or item.day,
                item.resumo,
                resource.names(item.document),
            )
            for item, reason in outcome.refused
        ]
        await control.add_pendencias(connection, [*failures, *refused], now)
        for complete in (resource.after_save, resource.after_change):
            if complete is not None:
                await complete(connection, outcome.created | outcome.updated)
        if self.news is not None:
            self.news |= {(resource.name, id_): "updated" for id_ in outcome.updated}
            self.news |= {(resource.name, id_): "created" for id_ in outcome.created}
        return outcome
