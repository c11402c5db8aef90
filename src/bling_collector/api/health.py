"""De quem é a falha: do Bling, ou só dos recursos que falham."""

import re

import httpx2

from bling_collector.api.pace import SUSPECTS


class Health:
    """O que falhou desde a última resposta boa, e o último recurso que respondeu, de cada tipo e de qualquer um.

    O tipo é o caminho sem os ids: `/nfe/123` e `/nfe/456` são do mesmo.
    """

    def __init__(self) -> None:
        self._good: dict[str, httpx2.URL] = {}
        self._last: httpx2.URL | None = None
        self._failing: dict[str, set[str]] = {}
        self._doubtful: set[str] = set()

    def answered(self, request: httpx2.Request) -> None:
        """Uma resposta boa desmente as falhas de todos os tipos."""
        self._failing.clear()
        self._doubtful.clear()
        if request.method == "GET":
            self._good[_kind(request)] = self._last = request.url

    def failed(self, request: httpx2.Request) -> bool:
        """Anota a falha; devolve se é a primeira deste recurso."""
        failing = self._failing.setdefault(_kind(request), set())
        if str(request.url) in failing:
            return False
        failing.add(str(request.url))
        if len(failing) % SUSPECTS == 0:
            self._doubtful.add(_kind(request))
        return True

    def witness(self, request: httpx2.Request, *, probe: bool) -> httpx2.Request | None:
        """O que perguntar antes de `request`: o que já respondeu, do mesmo tipo se há, ou uma página vazia. None se não
        há por que.

        Há por que na vez de prova, e uma vez a cada SUSPECTS recursos que falham em seguida.
        """
        kind = _kind(request)
        url = self._good.get(kind) or self._last or _past_the_end(request.url)
        if request.method != "GET" or not (probe or kind in self._doubtful):
            return None
        self._doubtful.discard(kind)
        return httpx2.Request("GET", url, headers=request.headers, extensions=request.extensions)


def _past_the_end(url: httpx2.URL) -> httpx2.URL:
    """Uma página da listagem em que não há registro que a estrague."""
    return url.copy_with(path=re.sub(r"/\d+$", "", url.path), query=b"pagina=100000&limite=1")


def _kind(request: httpx2.Request) -> str:
    return re.sub(r"/\d+(?=/|$)", "/{id}", request.url.path)
