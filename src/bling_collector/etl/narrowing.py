"""Ler uma listagem em que uma linha estraga a página em que está: estreitar, até que só o que não se lê fique por ler.

A listagem de um período é cortada ao meio, e ao meio outra vez, até o dia e, dentro dele, enquanto uma das metades se
lê; depois, em páginas menores, até a de uma linha. Antes de estreitar pergunta-se por uma página que já veio: se também
ela falha, a culpa não é de linha nenhuma.
"""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final

from bling_collector.api.bling_client import PAST_THE_END, WITNESS_ATTEMPTS
from bling_collector.api.transport import ATTEMPTS
from bling_collector.db import control
from bling_collector.errors import (
    LASTING,
    BlingError,
    BlingPausedError,
    BlingRejectedError,
    BlingResourceDownError,
    BlingUnavailableError,
)
from bling_collector.etl.context import RunContext
from bling_collector.etl.resource import Document, Id, Params, Resource
from bling_collector.payload import Json
from bling_collector.windows import Between, Period, Window

log = logging.getLogger(__name__)

REJECTED: Final = "recusado"
LAST_ATTEMPTS: Final = 3
"""Tentativas de uma página de uma linha, e do que já se sabe que é mau. Dos pedidos a meio caminho, uma: se falha por
acaso, estreita-se mais."""
MOST_REFUSED: Final = 600
"""Pedidos que podem falhar, por execução e recurso, enquanto se estreita; o que ainda falta fica devido como está."""


@dataclass(frozen=True)
class Unread:
    """O que não se pôde ler, e por quê; sem período, é uma parte da listagem que não se sabe nomear."""

    period: Period | None
    error: BlingError


class Reading:
    """Uma listagem lida toda, menos o que fica em `unread`."""

    def __init__(
        self,
        ctx: RunContext,
        resource: Resource,
        params: Params = (),
        *,
        between: Between | None = None,
        path: str | None = None,
        said: Document | None = None,
        short_is_last: bool = False,
        tried: bool = False,
    ) -> None:
        """`between` é o filtro do período; `path`, o da listagem, se não é o do recurso; `said`, o que se sabe de toda
        linha dela; `short_is_last`, o de `BlingClient.pages`; `tried`, se o Bling pode recusar o que ela pede."""
        self.unread: list[Unread] = []
        self._ctx = ctx
        self._resource = resource
        self._path = path or resource.path
        self._params = params
        asked = dict(params)
        self._said = {**(said or {}), **{key: asked[param] for param, key in resource.told if param in asked}}
        self._between = between
        self._short_is_last = short_is_last
        self._tried = tried
        self._most = MOST_REFUSED
        self._refused = False
        self._remembered = params if params in resource.tries else None

    async def pages(self, period: Period | None = None, *, known_bad: bool = False) -> AsyncGenerator[list[Json]]:
        """As linhas, em páginas; uma linha pode vir mais de uma vez. Levanta o erro que é de todo o recurso.

        Um dia que já se sabe que não vem (`known_bad`) já foi estreitado uma vez: a metade dos pedidos que podem falhar
        fica para os outros.
        """
        self._most = MOST_REFUSED // 2 if known_bad and period and period.is_within_a_day else MOST_REFUSED
        try:
            async for page in self._ask(period, LAST_ATTEMPTS if known_bad else ATTEMPTS):
                yield self._told(page)
        except LASTING as error:  # se a culpa é de uma linha, lê-se em volta dela
            if not await self._is_a_row(period, error):
                for each in self._one_by_one() if self._refused else ():
                    async for page in each.pages(period):
                        yield page
                return
            log.warning(
                "Uma linha de %s estraga a página em que está; a leitura é estreitada em volta dela.", self._path
            )
            async for page in self._narrow(period, error):
                yield self._told(page)

    def _told(self, page: list[Json]) -> list[Json]:
        """As linhas, com o que só a listagem em que estão diz delas."""
        return [self._said | row for row in page] if self._said else page

    def _key(self, row: Document) -> Id:
        """O que identifica a linha, com o que só a listagem diz dela."""
        return self._resource.key({**self._said, **row})

    def _ask(self, period: Period | None, attempts: int = ATTEMPTS) -> AsyncIterator[list[Json]]:
        return self._ctx.pages(
            self._resource,
            self._params_of(period),
            path=self._path,
            key=self._key,
            short_is_last=self._short_is_last,
            attempts=attempts,
        )

    def _params_of(self, period: Period | None) -> Params:
        if period is None:
            return self._params
        assert self._between is not None, self._path
        return (*self._params, *self._between.params(period))

    async def _narrow(self, period: Period | None, error: BlingError) -> AsyncIterator[list[Json]]:
        halves = self._between.halves(period) if period is not None and self._between is not None else ()
        if self._is_enough(period, error):
            return
        failed: list[tuple[Period, BlingError]] = []
        for half in halves:
            try:
                async for page in self._ask(half, attempts=1):
                    yield page
            except LASTING as why:  # a linha está nesta metade
                count_refusal(self._ctx, self._path, why)
                failed.append((half, why))
        if len(failed) == len(halves):
            if failed and not await self._is_a_row(period, error):
                return
            if period is None or period.is_within_a_day:  # cortar mais não adianta: as linhas é que se contam
                if not (self._resource.sized and self._resource.paged):
                    self.unread.append(Unread(period, error))
                    return
                async for page in self._by_pages(period):
                    yield page
                return
        for half, reason in failed:
            async for page in self._narrow(half, reason):
                yield page

    async def _by_pages(self, period: Period | None) -> AsyncIterator[list[Json]]:
        asked: set[tuple[int, int]] = set()
        for number in count():
            rows, ended = await self._around(period, number, self._ctx.client.page_size, asked)
            if rows:
                yield rows
            if ended or not rows:
                return

    async def _around(
        self, period: Period | None, number: int, size: int, asked: set[tuple[int, int]]
    ) -> tuple[list[Json], bool]:
        """As linhas da página `number` (de 0 em diante) que se deixam ler, e se a listagem acaba nela.

        Os tamanhos das páginas do Bling não são exatos: lê-se também uma página pequena de cada lado.
        """
        if (number, size) in asked:
            return [], False
        asked.add((number, size))
        try:
            attempts = LAST_ATTEMPTS if size == 1 else 1
            params = self._params_of(period)
            rows = await self._ctx.page(
                self._resource, params, number + 1, size, path=self._path, key=self._key, attempts=attempts
            )
        except LASTING as error:  # a linha está nesta página: pede-se em páginas menores
            count_refusal(self._ctx, self._path, error)
            if size == 1 or self._is_enough(period, error):
                if size == 1:
                    self.unread.append(Unread(period, error))
                return [], False
            refused = error
        else:
            return rows, not rows
        smaller = max(size // 4, 1)
        found: list[Json] = []
        ended = False
        for each in range(max(number * size // smaller - 1, 0), -(-(number + 1) * size // smaller) + 1):
            rows, ended = await self._around(period, each, smaller, asked)
            found += rows
            if ended:
                break
        if not found and not ended:
            await blame(self._ctx, self._path, refused)
        return found, ended

    def _one_by_one(self) -> "Iterator[Reading]":
        """Se o Bling recusa uma listagem com valores que só o banco sabe, a mesma, um valor de cada vez: pode ser um só
        deles que ele não conhece."""
        several = {name for name, _ in self._resource.suspects[0]} if self._resource.suspected is not None else set()
        values = [pair for pair in self._params if pair[0] in several]
        others = tuple(pair for pair in self._params if pair[0] not in several)
        for value in values if len(values) > 1 else ():
            each = Reading(
                self._ctx,
                self._resource,
                (*others, value),
                between=self._between,
                path=self._path,
                said=self._said,
                short_is_last=self._short_is_last,
                tried=True,
            )
            each.unread, each._remembered = self.unread, (value,)
            yield each

    async def _note_rejected(self, params: Params) -> None:
        name = rejected_name(self._resource, params)
        self._ctx.rejected.add(name)
        if self._ctx.repair:
            async with self._ctx.transaction() as connection:
                await control.move_checkpoint(connection, name, self._ctx.clock.now())

    def _is_enough(self, period: Period | None, error: BlingError) -> bool:
        if self._ctx.refused[self._path] < self._most:
            return False
        self.unread.append(Unread(period, error))
        return True

    async def _is_a_row(self, period: Period | None, error: BlingError) -> bool:
        """Se a culpa só pode ser de uma linha: a mesma listagem, onde não há nenhuma, responde.

        Se não responde, e o Bling dá outras páginas deste recurso, é esta listagem que ele não dá, e fica por ler; se
        não dá nenhuma, levanta o erro que diz de quem é a culpa.
        """
        count_refusal(self._ctx, self._path, error)
        params = self._params_of(period.last_day if period is not None else None)
        try:
            await self._ctx.page(self._resource, params, PAST_THE_END, 1, path=self._path, attempts=WITNESS_ATTEMPTS)
        except LASTING as refused:  # nem onde não há linhas: não é uma delas
            await blame(self._ctx, self._path, refused)
            if self._tried and isinstance(error, BlingRejectedError) and isinstance(refused, BlingRejectedError):
                log.info("O Bling recusa %s em %s: não há nada com esse filtro.", dict(self._params), self._path)
                self._refused = True
                if self._remembered is not None:
                    await self._note_rejected(self._remembered)
            else:
                self.unread.append(Unread(period, error))
            return False
        return True


def rejected_name(resource: Resource, params: Params) -> str:
    """O ponto de leitura que lembra quando o Bling recusou uma das listagens de `tries`."""
    return f"{resource.name}.{REJECTED}.{'&'.join('='.join(pair) for pair in params)}"


async def blame(ctx: RunContext, path: str, error: BlingError) -> None:
    """Volta se a culpa é do que se pediu, que a listagem de `path` atende a outros pedidos; senão levanta o erro que
    diz de quem é: BlingResourceDownError, se o Bling atende e ela não; o próprio `error`, se nem ele."""
    count_refusal(ctx, path, error)
    if await ctx.asking(ctx.client.lists(path)):
        return
    if isinstance(error, BlingUnavailableError) and await ctx.asking(ctx.client.attends_elsewhere(path)):
        raise BlingResourceDownError(
            f"O Bling atende, mas nenhuma página de {path}. O que faltou fica devido. O último erro: {error}"
        ) from error
    raise error


def count_refusal(ctx: RunContext, path: str, error: BlingError) -> None:
    """Um erro que estreitar não contorna é levantado."""
    if isinstance(error, (BlingPausedError, BlingResourceDownError)):
        raise error
    ctx.refused[path] += 1


def days_of(unread: Iterable[Unread]) -> dict[Window, str]:
    """Os dias que não se leram por inteiro, e por quê."""
    return {each.period.window: str(each.error) for each in unread if each.period is not None}
