"""O que é um recurso da API: um caminho, sua listagem e seu detalhe."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bling_simulator.api.query import Query
from bling_simulator.bling import Bling
from bling_simulator.payload import Json


@dataclass(frozen=True)
class Resource:
    path: str
    """Sem o prefixo: `/nfe`. O detalhe atende em `path/{id}`. `{chave}` é um número, que a consulta também traz."""
    list: Callable[[Bling, Query], list[Json]]
    """Os detalhes de tudo o que a consulta pede, em ordem; quem corta a página é o despacho."""
    row: Callable[[Json], Json]
    """A linha da listagem, feita do detalhe."""
    detail: Callable[[Bling, Any], Json | None]
    """O detalhe, ou None: 404."""
    edit: Callable[[Bling, int, Json], object]
    """Troca campos do detalhe de um registro."""
    delete: Callable[[Bling, int], object]
    """Exclui um registro, como quem usa o Bling o faria."""
    detail_path: str | None = None
    """Onde o detalhe atende, se não é em `path/{id}`: sem o `/{id}`."""
    alone: bool = True
    """False se o detalhe não atende em lugar nenhum."""
    paged: bool = True
    """False se a listagem vem de uma vez, e ignora `pagina` e `limite`."""
    listed: bool = True
    """False se `path` não se atende (404), e só há o detalhe."""
    required: tuple[str, ...] = ()
    """Os parâmetros sem nenhum dos quais a listagem é recusada (400)."""
    by: str = ""
    """O parâmetro que leva o id do detalhe, que então atende em `path`."""
    text_ids: bool = False
    """Se o que se põe no caminho do detalhe é um texto."""
    detail_required: tuple[str, ...] = ()
    """Os parâmetros sem um dos quais o detalhe é recusado (400)."""
    asked: Callable[[Bling, Json, Query], Json] = lambda bling, detail, query: detail
    """O detalhe como sai a quem o pede assim."""
    several: bool = False
    """Se o detalhe vem numa lista."""
    page_size: Callable[[Bling], int] | None = None
    """O tamanho da página, onde `limite` é ignorado."""
    wraps: Callable[[Bling], bool] = lambda bling: True
    """Se o detalhe vem dentro de `data`."""
