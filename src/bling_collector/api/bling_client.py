"""As leituras da API do Bling: uma página após a outra, ou um registro por id. Não conhece tabela nenhuma."""

from collections.abc import AsyncIterator, Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from itertools import count
from typing import Final

import httpx2

from bling_collector import __version__
from bling_collector.api.network import network
from bling_collector.api.rate_limit import RateLimiter
from bling_collector.api.transport import (
    ATTEMPTS,
    AccessTokens,
    AuthTransport,
    Check,
    PacedTransport,
    Requests,
    RetryTransport,
)
from bling_collector.clock import Clock
from bling_collector.errors import LASTING, BlingBodyError, BlingPausedError, PaginationLoopError
from bling_collector.payload import Json

Params = Sequence[tuple[str, str | int]]
"""Pares, e não um dicionário: `codigos[]` se repete."""

STALE_PAGES: Final = 3
"""Páginas seguidas sem uma linha nova que bastam para dizer que a listagem anda em círculos."""

EVIDENCE: Final = 5
"""Páginas que se viu terem outra depois: bastam para julgar por elas o que é uma página curta."""

WITNESS_ATTEMPTS: Final = 3
"""Tentativas do que se sabe que o Bling responde, perguntado de novo."""
PAST_THE_END: Final = 100_000
"""Uma página que está sempre vazia, se cada uma tem uma linha."""


class BlingClient:
    """Lê a API pelo cliente que `build_http` monta. Todo método levanta os BlingError de `errors.py`."""

    def __init__(self, http: httpx2.AsyncClient, *, page_size: int = 100) -> None:
        self._http = http
        self._answered: dict[str, tuple[Params, int, int]] = {}
        self.page_size = page_size
        self._followed = 0
        self._shortest_followed = page_size

    async def get(
        self, path: str, params: Params = (), *, check: Check | None = None, attempts: int = ATTEMPTS
    ) -> dict[str, Json]:
        """O corpo inteiro. O que `check` recusar com BlingBodyError é pedido outra vez."""
        extensions = {"check": check, "attempts": attempts}
        response = await self._http.get(path, params=list(params) or None, extensions=extensions)
        body: dict[str, Json] = response.extensions["body"]
        return body

    async def detail(
        self,
        path: str,
        id: int,  # noqa: A002 — é o nome que o Bling dá
        *,
        attempts: int = ATTEMPTS,
    ) -> dict[str, Json]:
        """O registro `id` inteiro. BlingNotFoundError se não existe; BlingBodyError se vem outro no lugar."""

        def is_the_one(body: dict[str, Json]) -> None:
            data = body.get("data")
            if not isinstance(data, dict) or data.get("id") != id:
                raise BlingBodyError(f"GET {path}/{id}: a resposta não traz o registro pedido.", status=200)

        body = await self.get(f"{path}/{id}", check=is_the_one, attempts=attempts)
        data: dict[str, Json] = body["data"]
        return data

    async def page(
        self, path: str, params: Params, number: int, size: int, *, attempts: int = ATTEMPTS
    ) -> list[dict[str, Json]]:
        """As linhas de uma página da listagem, que pode vir vazia."""

        def has_rows(body: dict[str, Json]) -> None:
            rows = body.get("data")
            if not isinstance(rows, list):
                raise BlingBodyError(f"GET {path}: a listagem veio sem `data`.", status=200)
            if not all(isinstance(row, dict) and type(row.get("id")) is int for row in rows):
                raise BlingBodyError(f"GET {path}: a listagem veio com uma linha sem id.", status=200)

        asked = (*params, ("pagina", number), ("limite", size))
        rows: list[dict[str, Json]] = (await self.get(path, asked, check=has_rows, attempts=attempts))["data"]
        self._answered[path] = tuple(params), number, size
        return rows

    async def lists(self, path: str) -> bool:
        """Se a listagem de `path` atende: pede outra vez a última página que ela deu e, se essa já não vem ou não há
        nenhuma, uma tão longe que nela não há registro que a estrague."""
        past_the_end = ((), PAST_THE_END, 1)
        for params, number, size in dict.fromkeys((self._answered.get(path, past_the_end), past_the_end)):
            try:
                await self.page(path, params, number, size, attempts=WITNESS_ATTEMPTS)
            except BlingPausedError:
                raise
            except LASTING:
                continue
            return True
        return False

    async def lists_elsewhere(self, path: str) -> bool:
        """Se outra listagem atende: uma que já respondeu ou, sem ela, a de contatos; em vez dela mesma, a de notas."""
        others = [other for other in self._answered if other != path]
        return await self.lists(others[-1] if others else "/nfe" if path == "/contatos" else "/contatos")

    async def pages(
        self, path: str, params: Params = (), *, short_is_last: bool = False, attempts: int = ATTEMPTS
    ) -> AsyncIterator[list[dict[str, Json]]]:
        """As linhas da listagem, página a página, cada id uma só vez; nenhuma lista vem vazia.

        Só a página vazia é o fim: o Bling manda páginas curtas, páginas com mais que `limite` e linhas repetidas
        de uma página na seguinte (medido). PaginationLoopError se as páginas passam a se repetir.

        Com `short_is_last` também é o fim uma página com menos da metade da mais curta que este cliente já viu ter
        outra depois, de qualquer listagem, se já viu `EVIDENCE` delas: poupa uma requisição a quem tem como conferir.
        """

        seen: set[int] = set()
        stale = previous = 0
        for page in count(1):
            rows = await self.page(path, params, page, self.page_size, attempts=attempts)
            if not rows:
                return
            fresh = {row["id"]: row for row in rows if row["id"] not in seen}
            seen |= fresh.keys()
            if fresh:
                stale = 0
                self._note_followed(previous)
                previous = len(rows)
                yield list(fresh.values())
                if short_is_last and self._is_short(len(rows)):
                    return
            elif (stale := stale + 1) == STALE_PAGES:
                raise PaginationLoopError(
                    f"GET {path}: as páginas {page - STALE_PAGES + 1} a {page} só trazem linhas já vistas; "
                    "a listagem não tem fim."
                )

    def _note_followed(self, rows: int) -> None:
        if rows:
            self._followed += 1
            self._shortest_followed = min(self._shortest_followed, rows)

    def _is_short(self, rows: int) -> bool:
        return self._followed >= EVIDENCE and 2 * rows < self._shortest_followed


def build_http(
    base_url: str,
    tokens: AccessTokens,
    limiter: RateLimiter,
    clock: Clock,
    requests: Requests,
    *,
    wire: httpx2.AsyncBaseTransport | None = None,
) -> httpx2.AsyncClient:
    """O cliente HTTP com as camadas montadas em volta de `wire` (sem ele, a rede); quem recebe o fecha.

    Não segue redirecionamentos, não usa proxy nem `.netrc` do ambiente e não devolve cookies: com um PHPSESSID em
    comum, o servidor poderia atender as requisições uma a uma. `SSL_CERT_FILE` continua valendo.
    """
    return httpx2.AsyncClient(
        transport=AuthTransport(tokens, RetryTransport(PacedTransport(network(wire), limiter, clock, requests), clock)),
        base_url=base_url,
        headers={"Accept": "application/json", "User-Agent": f"bling-collector/{__version__}"},
        timeout=httpx2.Timeout(30, connect=10),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        trust_env=False,
    )
