"""O que é um recurso da API: um caminho, sua listagem e seu detalhe."""

from collections.abc import Callable
from dataclasses import dataclass

from bling_simulator.api.query import Query
from bling_simulator.bling import Bling
from bling_simulator.payload import Json


@dataclass(frozen=True)
class Resource:
    path: str
    """Sem o prefixo: `/nfe`. O detalhe atende em `path/{id}`."""
    list: Callable[[Bling, Query], list[Json]]
    """Os detalhes de tudo o que a consulta pede, em ordem; quem corta a página é o despacho."""
    row: Callable[[Json], Json]
    """A linha da listagem, feita do detalhe."""
    detail: Callable[[Bling, int], Json | None]
    """O detalhe, ou None: 404."""
    edit: Callable[[Bling, int, Json], object]
    """Troca campos do detalhe de um registro."""
    delete: Callable[[Bling, int], object]
    """Exclui um registro, como quem usa o Bling o faria."""
    listed: bool = True
    """False se `path` não se atende (404), e só há o detalhe."""
    detailed: bool = True
    """False se só há a listagem."""
    required: tuple[str, ...] = ()
    """Os parâmetros sem nenhum dos quais a listagem é recusada (400)."""
    paged: bool = True
    """False se a listagem vem de uma vez, peça-se a página que se pedir."""
