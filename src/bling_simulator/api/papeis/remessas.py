"""`GET /logisticas/{id}/remessas`, que diz os ids do que cada uma levou, e `GET /logisticas/remessas/{id}`."""

from dataclasses import replace

from bling_simulator.answers import invalid, not_found
from bling_simulator.api.dimensoes.kept import kept
from bling_simulator.api.dimensoes.logisticas import LOGISTICAS
from bling_simulator.api.query import Query
from bling_simulator.bling import Bling
from bling_simulator.payload import Json


def _remessa(bling: Bling, query: Query, shipment: Json) -> bool:
    del bling
    return query.integer("logistica_id") in {None, shipment["logistica"]["id"]}


def _list(bling: Bling, query: Query) -> list[Json]:
    found = _KEPT.list(bling, query)
    logistics = query.integer("logistica_id")
    answer = bling.settings.logistics_without_shipments_answers
    if not found and answer == 400:
        raise invalid("idLogistica", "A logística não tem remessas.")
    if (not found and answer == 404) or logistics not in {None, *bling.kept(LOGISTICAS.path).entries}:
        raise not_found()
    return found


def _row(shipment: Json) -> Json:
    objetos = [each["id"] for each in shipment["objetos"]]
    return {name: value for name, value in shipment.items() if name != "logistica"} | {"objetos": objetos}


_KEPT = kept("/logisticas/{logistica_id}/remessas", _remessa, detail_path="/logisticas/remessas", paged=False)
REMESSAS = replace(_KEPT, list=_list, row=_row)
