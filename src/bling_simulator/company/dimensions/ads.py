"""Os anúncios dos canais que são marketplaces: os dos produtos que lá se vendem."""

from bling_simulator.company.invoices.notes import SHOP
from bling_simulator.company.register import Register
from bling_simulator.payload import Json

_FIRST = 90_210_003
_OTHER = SHOP + 1_204
"""O segundo marketplace, em que um de cada três também se anuncia."""


def make_ads(links: Register, products: Register) -> dict[str, Register]:
    """O cadastro. O canal só serve aos filtros."""
    ads = Register()
    for position, link in enumerate(links.entries.values()):
        product = products.entries[link.detail["produto"]["id"]].detail
        for shop in (SHOP, _OTHER)[: 1 + (position % 3 == 0)]:
            number = len(ads.entries)
            ads.add(_ad(product, shop, 1 + number % 4), link.included, record_id=_FIRST + 3 * number)
    return {"/anuncios": ads}


def _ad(product: Json, shop: int, status: int) -> Json:
    return {
        "id": 0,
        "produto": {"id": product["id"]},
        "titulo": product["nome"],
        "descricao": f"{product['nome']}, novo, com nota fiscal.",
        "status": status,
        "atributos": [
            {"id": 7, "id_externo": "BRAND", "nome": "Marca", "tipo": "string", "valor": "SOL", "unidade": ""}
        ],
        "imagens": [{"id": 9, "url": "https://imagens.example/9.jpg", "ordem": 1, "tipo": "principal"}],
        "variacoes": [],
        "loja": shop,
    }
