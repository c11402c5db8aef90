"""As leituras da API do Bling: uma página após a outra, ou um registro por id. Não conhece tabela nenhuma."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from http.cookiejar import CookieJar, DefaultCookiePolicy
from itertools import count
from typing import Any, Final

import httpx2

from bling_collector import __version__, empresa
from bling_collector.api.network import network
from bling_collector.api.pace import LONGEST_PATIENCE
from bling_collector.api.rate_limit import RateLimiter
from bling_collector.api.transport import (
    ATTEMPTS,
    AccessTokens,
    AuthTransport,
    Check,
    PacedTransport,
    RetryTransport,
)
from bling_collector.clock import Clock
from bling_collector.errors import (
    LASTING,
    BlingBodyError,
    BlingNotFoundError,
    BlingPausedError,
    BlingRejectedError,
    BlingScopeError,
    PaginationLoopError,
)
from bling_collector.payload import Json, UnreadableError, as_list, integer

Params = Sequence[tuple[str, str | int]]
"""Pares, e não um dicionário: `codigos[]` se repete."""

Key = Callable[[Mapping[str, Json]], Any]
"""O que identifica uma linha; None se ela não o traz."""

STALE_PAGES: Final = 3
"""Páginas seguidas sem uma linha nova que bastam para dizer que a listagem anda em círculos."""

WITNESS_ATTEMPTS: Final = 3
"""Tentativas do que se sabe que o Bling responde, perguntado de novo."""
NOBODY: Final = 1
"""Um id que nenhum registro de uma conta de hoje tem."""
PAST_THE_END: Final = 100_000
"""Uma página que está sempre vazia, se cada uma tem uma linha."""


def by_id(row: Mapping[str, Json]) -> int | None:
    """A chave de quase todas as listagens."""
    return integer(row.get("id"))


class BlingClient:
    """Lê a API pelo cliente que `build_http` monta. Todo método levanta os BlingError de `errors.py`."""

    def __init__(self, http: httpx2.AsyncClient, *, page_size: int = 100) -> None:
        self._http = http
        self._answered: dict[str, tuple[Params, int | None, int | None, Key]] = {}
        self.page_size = page_size
        self.short_go_on = False
        """Se este Bling já mandou uma página com menos de metade do que se pediu, e outra depois dela."""

    async def get(
        self,
        path: str,
        params: Params = (),
        *,
        check: Check | None = None,
        attempts: int = ATTEMPTS,
        patience: float = LONGEST_PATIENCE,
        yields: bool = False,
    ) -> dict[str, Json]:
        """O corpo inteiro. O que `check` recusar com BlingBodyError é pedido outra vez, até `attempts` ao todo; espera
        por uma pausa até `patience` segundos. O que `yields` cede a vez, no ritmo, ao que não a cede."""
        extensions = {"check": check, "attempts": attempts, "patience": patience, "yields": yields}
        response = await self._http.get(path, params=list(params) or None, extensions=extensions)
        body: dict[str, Json] = response.extensions["body"]
        return body

    async def detail(
        self,
        path: str,
        id: Any,  # noqa: A002 — é o nome que o Bling dá
        read: Callable[[dict[str, Json]], object] = dict,
        *,
        key: Key = by_id,
        by: str | None = None,
        params: Params = (),
        attempts: int = ATTEMPTS,
    ) -> dict[str, Json]:
        """O registro `id` inteiro, que se pede no caminho ou no parâmetro `by`. BlingNotFoundError se não existe;
        também o que se pede por um parâmetro e vem numa lista vazia.

        O que vem com outro registro no lugar, ou que `read` não consegue ler (UnreadableError), é pedido outra vez; se
        assim continua, BlingBodyError.
        """

        def readable(body: dict[str, Json]) -> None:
            record = _record(body, id, key)
            if record is None and by is not None and as_list(body.get("data")) == []:
                raise BlingNotFoundError(f"GET {path}: não há o que se pede ({by}={id}).", status=200)
            if record is None:
                raise BlingBodyError(f"GET {path}/{id}: a resposta não traz o registro pedido.", status=200)
            try:
                read(record)
            except UnreadableError as error:
                raise BlingBodyError(f"GET {path}/{id}: o registro não se lê inteiro: {error}.", status=200) from error

        asked, more = _one(path, id, by)
        body = await self.get(asked, (*more, *params), check=readable, attempts=attempts, yields=True)
        record = _record(body, id, key)
        assert record is not None
        return record

    async def page(
        self,
        path: str,
        params: Params,
        number: int | None,
        size: int | None,
        *,
        key: Key = by_id,
        attempts: int = ATTEMPTS,
        patience: float = LONGEST_PATIENCE,
    ) -> list[dict[str, Json]]:
        """As linhas de uma página da listagem, que pode vir vazia.

        `size` é None para a listagem que não aceita um tamanho, e `number`, para a que não tem páginas.
        """

        def has_rows(body: dict[str, Json]) -> None:
            rows = _rows(body, key)
            if rows is None:
                raise BlingBodyError(f"GET {path}: a listagem veio sem `data`.", status=200)
            if not all(isinstance(row, dict) and key(row) is not None for row in rows):
                raise BlingBodyError(f"GET {path}: a listagem veio com uma linha sem id.", status=200)

        paging = (("pagina", number), ("limite", size))
        asked = (*params, *((name, value) for name, value in paging if value is not None))
        body = await self.get(path, asked, check=has_rows, attempts=attempts, patience=patience)
        rows = [_with_id(row, key(row)) for row in _rows(body, key) or ()]
        self._answered[path] = tuple(params), number, size, key
        return rows

    async def lists(self, path: str) -> bool:
        """Se a listagem de `path` atende: pede outra vez a última página que ela deu e, se essa já não vem ou não há
        nenhuma, uma tão longe que nela não há registro que a estrague."""
        past_the_end = ((), PAST_THE_END, 1, by_id)
        for params, number, size, key in dict.fromkeys((self._answered.get(path, past_the_end), past_the_end)):
            try:
                await self.page(path, params, number, size, key=key, attempts=WITNESS_ATTEMPTS)
            except BlingPausedError:
                raise
            except LASTING:
                continue
            return True
        return False

    async def attends(self, path: str, by: str | None = None) -> bool:
        """Se um recurso sem listagem atende: a pergunta por um registro que ninguém tem é respondida."""
        try:
            await self.none(path, by, attempts=WITNESS_ATTEMPTS, patience=LONGEST_PATIENCE)
        except BlingPausedError:
            raise
        except LASTING:
            return False
        return True

    async def attends_elsewhere(self, path: str) -> bool:
        """Se o Bling atende a outra coisa: à última listagem que já deu, que não a de `path`, ou, sem ela, à pergunta
        de que empresa é a conta, que todo aplicativo pode fazer; recusá-la também é atender."""
        if (other := next((each for each in reversed(self._answered) if each != path), None)) is not None:
            return await self.lists(other)
        try:
            await self.get(empresa.PATH, attempts=WITNESS_ATTEMPTS)
        except (BlingScopeError, BlingNotFoundError, BlingRejectedError):
            return True
        except BlingPausedError:
            raise
        except LASTING:
            return False
        return True

    async def pages(
        self,
        path: str,
        params: Params = (),
        *,
        key: Key = by_id,
        paged: bool = True,
        sized: bool = True,
        short_is_last: bool = False,
        attempts: int = ATTEMPTS,
    ) -> AsyncIterator[list[dict[str, Json]]]:
        """As linhas da listagem, página a página, cada id uma só vez; nenhuma lista vem vazia.

        Só a página vazia é o fim: o Bling manda páginas curtas, páginas com mais que `limite` e linhas repetidas
        de uma página na seguinte (medido). PaginationLoopError se as páginas passam a se repetir.

        Com `short_is_last` também é o fim uma página com menos de metade das linhas que se pediram, enquanto nenhuma
        assim teve outra depois, de qualquer listagem: poupa uma requisição a quem tem como conferir.

        Uma listagem sem páginas (`paged` falso) vem de uma vez; a que não é `sized` não aceita o tamanho da página.
        """
        if not paged:
            if rows := await self.page(path, params, None, None, key=key, attempts=attempts):
                yield list({row["id"]: row for row in rows}.values())
            return
        seen: set[Any] = set()
        stale = previous = 0
        for page in count(1):
            size = self.page_size if sized else None
            rows = await self.page(path, params, page, size, key=key, attempts=attempts)
            if not rows:
                return
            fresh = {row["id"]: row for row in rows if row["id"] not in seen}
            seen |= fresh.keys()
            if fresh:
                stale = 0
                self.short_go_on |= sized and 0 < 2 * previous < self.page_size
                previous = len(rows)
                yield list(fresh.values())
                if short_is_last and sized and 2 * previous < self.page_size and not self.short_go_on:
                    return
            elif (stale := stale + 1) == STALE_PAGES:
                raise PaginationLoopError(
                    f"GET {path}: as páginas {page - STALE_PAGES + 1} a {page} só trazem linhas já vistas; "
                    "a listagem não tem fim."
                )

    async def one_row(
        self,
        path: str,
        params: Params = (),
        *,
        key: Key = by_id,
        paged: bool = True,
        sized: bool = True,
        attempts: int = 1,
    ) -> None:
        """Pede uma linha da listagem, ou toda a que não tem páginas: só para saber se o Bling a dá, e que horas são lá.
        Não espera por uma pausa."""
        place = (1 if paged else None, 1 if paged and sized else None)
        await self.page(path, params, *place, key=key, attempts=attempts, patience=0)

    async def none(self, path: str, by: str | None = None, *, attempts: int = 1, patience: float = 0) -> None:
        """Pede o que ninguém tem, a um recurso que só responde pelo id, no caminho ou no parâmetro `by`: só para saber
        se o Bling o deixa ler. Dizer que não o há (404), ou que não há nenhum deles (400), é responder."""
        asked, params = _one(path, NOBODY, by)
        with suppress(BlingNotFoundError, BlingRejectedError):
            await self.get(asked, params, attempts=attempts, patience=patience)


def _one(path: str, id_: Any, by: str | None) -> tuple[str, Params]:
    """Onde se pede o registro `id_`, e com quê."""
    return (path, ((by, id_),)) if by else (f"{path}/{id_}", ())


def _rows(body: dict[str, Json], key: Key) -> list[Json] | None:
    """As linhas de uma página; None se não é uma listagem. Umas vêm sem o envelope (as fontes discordam), e `data` pode
    ser a data da linha; a de uma linha só pode ser ela, e a vazia, `{}`. Um corpo vazio não é uma lista vazia."""
    data = body.get("data")
    found = data if isinstance(data, Mapping | list) else body or None
    return [found] if isinstance(found, Mapping) and key(found) is not None else as_list(found)


def _record(body: dict[str, Json], id_: Any, key: Key) -> dict[str, Json] | None:
    """O registro `id_` de um detalhe; None se não é ele que veio. Uns vêm sem o envelope (as fontes discordam), e
    `data` pode ser a data deles; outros, numa lista."""
    data = body.get("data")
    if not isinstance(data, Mapping | list):
        data = body
    several = as_list(data)
    found = [each for each in ([data] if several is None else several) if isinstance(each, dict) and key(each) == id_]
    return _with_id(found[0], id_) if len(found) == 1 else None


def _with_id(record: dict[str, Json], id_: Any) -> dict[str, Json]:
    """O registro com a chave em `id`, e em número se é um: é como todos o usam daqui em diante."""
    held = record.get("id")
    return record if type(held) is type(id_) and held == id_ else record | {"id": id_}


def build_http(
    base_url: str,
    tokens: AccessTokens,
    limiter: RateLimiter,
    clock: Clock,
    *,
    wire: httpx2.AsyncBaseTransport | None = None,
) -> httpx2.AsyncClient:
    """O cliente HTTP com as camadas montadas em volta de `wire` (sem ele, a rede); quem recebe o fecha.

    Não segue redirecionamentos, não usa `.netrc` do ambiente e não devolve cookies: com um PHPSESSID em comum, o
    servidor poderia atender as requisições uma a uma. O proxy e `SSL_CERT_FILE` do ambiente são assunto da rede.
    """
    return httpx2.AsyncClient(
        transport=AuthTransport(tokens, RetryTransport(PacedTransport(network(wire), limiter, clock), clock)),
        base_url=base_url,
        headers={"Accept": "application/json", "User-Agent": f"bling-collector/{__version__}"},
        timeout=httpx2.Timeout(30, connect=10),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        trust_env=False,
    )
