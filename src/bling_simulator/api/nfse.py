"""`GET /nfse` e `GET /nfse/{id}`. `/nfse/configuracoes` não há: traz a senha da prefeitura, e ninguém a deve pedir."""

from bling_simulator.answers import invalid
from bling_simulator.api.query import Query
from bling_simulator.api.resource import Resource
from bling_simulator.bling import Bling
from bling_simulator.company.invoices.services import CANCELLED
from bling_simulator.payload import Json

_ONLY_IN_DETAIL = ("link", "codigoVerificacao")


def list_nfse(bling: Bling, query: Query) -> list[Json]:
    """Da mais nova à mais antiga (suposto). O período é de dias."""
    situacao = _situacao(bling, query)
    interval = query.interval("dataEmissao", bare_dates_get_time_of_day=False)
    first, last = (interval.start.date(), interval.end.date()) if interval else (None, None)

    def wanted(service: Json) -> bool:
        day = service["dataEmissao"]
        if first is not None and last is not None and not first.isoformat() <= day <= last.isoformat():
            return False
        if situacao is None:
            return service["situacao"] != CANCELLED or not bling.settings.service_default_hides_cancelled
        return bool(service["situacao"] == situacao)

    found = [service for service in bling.services.values() if wanted(service)]
    return sorted(found, key=lambda service: (service["dataEmissao"], service["id"]), reverse=True)


def _situacao(bling: Bling, query: Query) -> int | None:
    """A situação que se pede, de 0 a 3; o filtro é de 0 a 3 ou, na outra leitura, de 1 a 4."""
    from_one = bling.settings.service_filter_starts_at_one
    asked = query.integer("situacao")
    if asked is None:
        return None
    situacao = asked - 1 if from_one else asked
    if situacao not in range(4):
        raise invalid("situacao", "O valor de situacao é inválido.")
    return situacao


def nfse_row(service: Json) -> Json:
    return {field: value for field, value in service.items() if field not in _ONLY_IN_DETAIL}


NFSE = Resource(
    "/nfse",
    list_nfse,
    nfse_row,
    lambda bling, service_id: bling.services.get(service_id),
    edit=lambda bling, id_, changes: bling.edit_service(id_, **changes),
    delete=lambda bling, id_: bling.delete_service(id_),
)
