"""`GET /propostas-comerciais` e `GET /propostas-comerciais/{id}`, que vem sem envelope."""

from bling_simulator.api.dimensoes.kept import kept
from bling_simulator.api.query import Query, days_asked
from bling_simulator.bling import Bling
from bling_simulator.payload import Json

_ONLY_IN_DETAIL = (
    "desconto", "outrasDespesas", "garantia", "dataProximoContato", "observacoes", "observacaoInterna",
    "totalOutrosItens", "aosCuidadosDe", "introducao", "prazoEntrega", "itens", "parcelas", "vendedor", "transporte",
)  # fmt: skip
_SPELT = {"Concluido": "Concluído"}
"""Como o filtro escreve o que a linha escreve de outro modo (referência)."""


def _proposta(bling: Bling, query: Query, quote: Json) -> bool:
    status, contact = query.text("situacao"), query.integer("idContato")
    first, last = days_asked(bling.settings, bling.clock, query)
    return (
        first <= quote["data"] <= last
        and (status is None or _SPELT.get(status, status) == quote["situacao"])
        and contact in {None, quote["contato"]["id"]}
    )


PROPOSTAS_COMERCIAIS = kept(
    "/propostas-comerciais",
    _proposta,
    only_in_detail=_ONLY_IN_DETAIL,
    wraps=lambda bling: bling.settings.bare_details_in_envelope,
)
