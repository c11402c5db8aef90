"""`GET /ordens/servico` e `GET /ordens/servico/{id}`: o que têm não está descrito, e é suposto."""

from bling_simulator.api.dimensoes.kept import kept
from bling_simulator.api.query import Query
from bling_simulator.bling import Bling
from bling_simulator.payload import Json


def _ordem(bling: Bling, query: Query, order: Json) -> bool:
    del bling, query, order  # os filtros não estão descritos
    return True


ORDENS_SERVICO = kept("/ordens/servico", _ordem, only_in_detail=("descricao",))
