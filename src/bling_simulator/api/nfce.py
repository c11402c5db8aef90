"""`GET /nfce` e `GET /nfce/{id}`."""

from bling_simulator.answers import invalid
from bling_simulator.api.nfe import matching, nfe_row
from bling_simulator.api.query import Query
from bling_simulator.api.resource import Resource
from bling_simulator.bling import Bling
from bling_simulator.payload import Json

_CANCELLED, _AWAITING_PROTOCOL, _CONTINGENCY = 2, 8, 12
"""12 só há no filtro, e a descrição não diz o que mostra: aqui, as que aguardam protocolo (suposto)."""


def list_nfce(bling: Bling, query: Query) -> list[Json]:
    """Da emissão mais nova à mais antiga. Não há filtro de tipo."""
    situacao = query.choice("situacao", range(1, 13))
    if situacao == _CONTINGENCY:
        if bling.settings.coupon_filter_12_answers_400:
            raise invalid("situacao", "O valor de situacao é inválido.")
        situacao = _AWAITING_PROTOCOL

    def shown(coupon: Json) -> bool:
        return bool(coupon["situacao"] == situacao if situacao else _shown_by_default(bling, coupon))

    return matching(bling, query, bling.couponbook, shown)


def _shown_by_default(bling: Bling, coupon: Json) -> bool:
    settings = bling.settings
    hidden = {_CANCELLED} if settings.coupon_default_hides_cancelled else set()
    if settings.coupon_default_hides_contingency:
        hidden.add(_AWAITING_PROTOCOL)
    return coupon["situacao"] not in hidden


NFCE = Resource(
    "/nfce",
    list_nfce,
    nfe_row,
    lambda bling, coupon_id: bling.coupons.get(coupon_id),
    edit=lambda bling, id_, changes: bling.edit_coupon(id_, **changes),
    delete=lambda bling, id_: bling.delete_coupon(id_),
)
