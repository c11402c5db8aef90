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


def _shown(bling: Bling, logistics: Json) -> Json:
    """Dos serviços, o id; os inativos não (suposto)."""
    services = bling.kept(LOGISTICAS_SERVICOS.path).entries
    shown = [
        each
        for each in logistics["servicos"]
        if not bling.settings.default_hides_inactive
        or (each["id"] in services and services[each["id"]].detail["ativo"])
    ]
    return logistics | {"servicos": shown}


def _whole(bling: Bling, logistics: Json, query: Query) -> Json:
    """O detalhe, com os serviços inteiros; os inativos, só a quem os pede (referência)."""
    services = [
        {name: value for name, value in each.detail.items() if name != "idCodigoServico"}
        for each in bling.kept(LOGISTICAS_SERVICOS.path).entries.values()
        if each.detail["logistica"]["id"] == logistics["id"]
    ]
    inactive = query.text("listarServicosInativos") == "true"
    return logistics | {"servicos": [each for each in services if each["ativo"] or inactive]}


LOGISTICAS = kept("/logisticas", _logistica, answered=_shown, asked=_whole)
LOGISTICAS_SERVICOS = kept("/logisticas/servicos", _servico)
