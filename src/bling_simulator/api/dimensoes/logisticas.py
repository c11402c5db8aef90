"""`GET /logisticas`, `GET /logisticas/servicos`, e o detalhe de cada um."""

from bling_simulator.api.dimensoes.kept import kept
from bling_simulator.api.query import Query
from bling_simulator.bling import Bling
from bling_simulator.payload import Json


def _logistica(bling: Bling, query: Query, logistics: Json) -> bool:
    """Sem `situacao`, as habilitadas (suposto). `logisticasReversas` não separa nada."""
    situacao = query.text("situacao") or ("H" if bling.settings.default_hides_inactive else None)
    tipo, tipos = query.text("tipoIntegracao"), query.many("tiposIntegracoes[]")
    return (
        situacao in {None, logistics["situacao"]}
        and tipo in {None, logistics["tipoIntegracao"]}
        and (not tipos or logistics["tipoIntegracao"] in tipos)
    )


def _servico(bling: Bling, query: Query, service: Json) -> bool:
    """Só os ativos (suposto): não há filtro que peça os outros."""
    tipo = query.text("tipoIntegracao")
    logistics = bling.dimensions[LOGISTICAS.path].entries.get(service["logistica"]["id"])
    return (service["ativo"] or not bling.settings.default_hides_inactive) and (
        tipo is None or (logistics is not None and logistics.detail["tipoIntegracao"] == tipo)
    )


LOGISTICAS = kept("/logisticas", _logistica)
LOGISTICAS_SERVICOS = kept("/logisticas/servicos", _servico)
