"""Sondar: com poucas requisições, quantos registros o Bling lista.

Procura-se a última página da listagem, começando perto de onde acabou a do ano vizinho; onde nem isso se perguntou vale
a média dos anos vizinhos.
"""

from typing import Final

from bling_collector.api.bling_client import BlingClient
from bling_collector.errors import LASTING, BlingPausedError
from bling_collector.etl.resource import Params, Resource
from bling_collector.windows import Period, Window

_EACH: Final = 3
"""Delas, as que cada janela tem certas, por muitas que as anteriores gastem."""
_SHORT: Final = 4
"""Uma página com menos linhas que o tamanho dela dividido por isto é a última: poupa-se a que viria vazia."""
_LOOSE: Final = 1.5
"""O maior número de páginas possível sobre o menor, a partir do qual se diz que a estimativa é larga."""


class Prober:
    """Sonda as listagens do Bling; sem `client` nada pergunta, e só diz o que se sabe das vizinhas."""

    def __init__(self, client: BlingClient | None, page_size: int) -> None:
        self._client = client
        self._size = page_size
        self.asked = 0
        """Requisições feitas."""
        self.loose = False
        """Não chegaram para tudo, e de parte só se sabe a média."""
        self._first: list[tuple[Window, int]] = []

    @property
    def began(self) -> bool:
        """Se já se soube de um recurso por janelas, que diz onde começar a procura dos outros."""
        return bool(self._first)

    async def listed(
        self, resource: Resource, windows: list[Window], found: list[int | None], most: int
    ) -> list[int] | None:
        """Quantos registros o Bling lista em cada janela: o que já se sabe (`found`), se sonda, com no máximo
        `most` requisições, ou é a média das vizinhas. None se de nenhuma se soube."""
        found = list(found)
        until = self.asked + (most if self._client is not None else 0)
        # As que se pedem de uma vez ficam espalhadas; se saíram baratas, pedem-se outras no meio delas.
        while chosen := _spread(_unknown(found), (until - self.asked) // _EACH):
            for turn, place in enumerate(chosen):
                reserved = _EACH * (len(chosen) - turn - 1)
                near = _density(windows, found, place)
                near = near if near is not None else self._usual(windows[place])
                guess = near * days_of(windows[place]) / self._size
                found[place] = await self._last_page(resource, windows[place], max(round(guess), 1), until - reserved)
                if found[place] is None:
                    return None
        left = _unknown(found)
        self.loose |= bool(left)
        if len(left) == len(windows):
            return None
        counts = [
            count if count is not None else round((_density(windows, found, place) or 0) * days_of(windows[place]))
            for place, count in enumerate(found)
        ]
        self._first = self._first or list(zip(windows, counts, strict=True))
        return counts

    async def whole(self, resource: Resource, most: int) -> int | None:
        """Quantos há numa listagem sem período, com no máximo `most` requisições; None se não se soube."""
        return None if self._client is None else await self._last_page(resource, None, 1, self.asked + most)

    def _usual(self, window: Window) -> float:
        """Registros por dia, nestes dias, do primeiro recurso de que se soube: uma venda deixa um em cada um."""
        like = (count / max(days_of(each), 1) for each, count in self._first if each.touches(window))
        return next(like, 0.0)

    async def _last_page(self, resource: Resource, window: Window | None, page: int, until: int) -> int | None:
        """Quantos registros há na janela, ou na listagem sem período, pela última página que não vem vazia; a procura
        começa em `page`.

        Dobra ou divide até ter uma página cheia e uma vazia, e então as aproxima. Quando as sondagens chegam a `until`
        vale o meio do que pode ser; None se o Bling não disse nada.
        """
        size = self._size
        full, empty, last = 0, 0, 0
        while not empty or empty - full > 1:
            if self.asked >= until:
                if not full and not empty:
                    return None
                most = empty - 1 if empty else full * 2
                self.loose |= most > full * _LOOSE
                return round((full + most) / 2 * size)
            rows = await self._rows(resource, window, page)
            if rows is None:
                return None
            if rows:
                full, last = page, rows
            else:
                empty = page
            if not resource.paged or 0 < rows * _SHORT < size:
                break
            page = (full + empty) // 2 if empty else page * 2
        return (full - 1) * size + last if full else 0

    async def _rows(self, resource: Resource, window: Window | None, page: int) -> int | None:
        """Quantas linhas a página tem; None se, de um recurso que se pediu a mais, o Bling não a dá."""
        assert self._client is not None
        self.asked += 1
        size = self._size
        params: Params = resource.shows[0]
        if resource.emitted is not None and window is not None:
            params = (*params, *resource.emitted.between.params(Period.of(window)))
        place = (page if resource.paged else None, size if resource.paged and resource.sized else None)
        try:
            return len(await self._client.page(resource.path, params, *place, key=resource.key))
        except BlingPausedError:
            raise
        except LASTING:
            if await self._client.lists(resource.path):
                return size  # uma linha estraga a página: que ela tem linhas, sabe-se
            if not resource.optional:
                raise
            return None


def days_of(window: Window) -> int:
    return max((window.fim - window.inicio).days + 1, 0)


def _density(windows: list[Window], found: list[int | None], place: int) -> float | None:
    """Registros por dia nas janelas mais próximas de que se sabe, uma de cada lado; None se de nenhuma se sabe."""
    sides = (range(place - 1, -1, -1), range(place + 1, len(windows)))
    near = [next((n for n in side if found[n] is not None), None) for side in sides]
    known = [(found[n] or 0) / max(days_of(windows[n]), 1) for n in near if n is not None]
    return sum(known) / len(known) if known else None


def _unknown(found: list[int | None]) -> list[int]:
    return [place for place, count in enumerate(found) if count is None]


def _spread(places: list[int], most: int) -> list[int]:
    """No máximo `most` destes lugares, espalhados do primeiro ao último."""
    if len(places) <= most:
        return places
    if most < 2:
        return places[:most]
    return [places[round(n * (len(places) - 1) / (most - 1))] for n in range(most)]
