"""`GET /anuncios` e `GET /anuncios/{id}`, que só se pedem com o canal e o tipo dele."""

from dataclasses import replace

from bling_simulator.answers import invalid
from bling_simulator.api.dimensoes.kept import kept
from bling_simulator.api.query import Query
from bling_simulator.bling import Bling
from bling_simulator.payload import Json

_MARKETPLACES = frozenset({"MercadoLivre", "Shopee"})


def _anuncio(bling: Bling, query: Query, ad: Json) -> bool:
    """Sem `situacao`, os publicados (referência)."""
    all_of_them = bling.settings.status_filters_are_ignored
    shop, product = query.integer("idLoja"), query.integer("idProduto")
    return (
        shop in {None, ad["loja"]}
        and product in {None, ad["produto"]["id"]}
        and (all_of_them or bool(ad["status"] == query.choice("situacao", range(1, 5), default=1)))
    )


def _list(bling: Bling, query: Query) -> list[Json]:
    tipo = query.text("tipoIntegracao") or ""
    if tipo and tipo not in _MARKETPLACES and bling.settings.channel_without_ads_answers_400:
        raise invalid("tipoIntegracao", f"A integração {tipo} não tem anúncios.")
    return _KEPT.list(bling, query)


def _row(ad: Json) -> Json:
    return {"id": ad["id"], "titulo": ad["titulo"], "situacao": ad["status"]}


_KEPT = kept("/anuncios", _anuncio, hidden=("loja",))
_ALWAYS = ("idLoja", "tipoIntegracao")
ANUNCIOS = replace(_KEPT, list=_list, row=_row, required=_ALWAYS, detail_required=_ALWAYS)
