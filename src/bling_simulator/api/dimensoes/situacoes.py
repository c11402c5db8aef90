"""`GET /situacoes/modulos`, `GET /situacoes/modulos/{id}`, que lista as situações dele, e `GET /situacoes/{id}`."""

from bling_simulator.answers import not_found
from bling_simulator.api.dimensoes.kept import kept
from bling_simulator.api.query import Query
from bling_simulator.bling import Bling
from bling_simulator.payload import Json


def _modulo(bling: Bling, query: Query, module: Json) -> bool:
    del bling, query, module  # a listagem não tem filtro nenhum
    return True


def _situacao(bling: Bling, query: Query, status: Json) -> bool:
    """404 se o módulo não existe; um que não tem situações dá uma lista vazia (suposto)."""
    module = query.integer("modulo_id")
    if module is not None and module not in bling.dimensions[MODULOS.path].entries:
        raise not_found()
    return module in {None, status["modulo"]}


MODULOS = kept("/situacoes/modulos", _modulo, alone=False, paged=False)
SITUACOES = kept("/situacoes/modulos/{modulo_id}", _situacao, hidden=("modulo",), detail_path="/situacoes", paged=False)
