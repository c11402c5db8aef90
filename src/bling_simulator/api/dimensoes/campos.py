"""`GET /campos-customizados/modulos`, os campos de cada um, e `GET /campos-customizados/{id}`."""

from bling_simulator.answers import not_found
from bling_simulator.api.dimensoes.kept import kept
from bling_simulator.api.query import Query
from bling_simulator.bling import Bling
from bling_simulator.payload import Json

_IN_DETAIL = ("placeholder", "obrigatorio", "opcoes", "tamanho", "agrupadores", "modulo", "tipoCampo")


def _modulo(bling: Bling, query: Query, module: Json) -> bool:
    del bling, query, module  # a listagem não tem filtro nenhum
    return True


def _campo(bling: Bling, query: Query, field: Json) -> bool:
    """404 se o módulo não existe. Só os ativos, ou todos, que não há filtro que os peça (suposto)."""
    module = query.integer("modulo_id")
    if module is not None and module not in bling.dimensions[MODULOS.path].entries:
        raise not_found()
    return module in {None, field["modulo"]["id"]} and bool(
        field["situacao"] or not bling.settings.fields_hide_inactive
    )


MODULOS = kept("/campos-customizados/modulos", _modulo, alone=False, paged=False)
CAMPOS = kept(
    "/campos-customizados/modulos/{modulo_id}",
    _campo,
    only_in_detail=_IN_DETAIL,
    detail_path="/campos-customizados",
)
