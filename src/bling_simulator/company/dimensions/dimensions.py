"""Todos os cadastros pequenos da empresa, de uma semente só deles."""

from random import Random

from bling_simulator.company.dimensions.ads import make_ads
from bling_simulator.company.dimensions.custom_fields import make_custom_fields
from bling_simulator.company.dimensions.finance import make_finance
from bling_simulator.company.dimensions.goods import make_goods
from bling_simulator.company.dimensions.logistics import make_logistics
from bling_simulator.company.dimensions.lots import make_lots
from bling_simulator.company.dimensions.notices import make_notices
from bling_simulator.company.dimensions.registers import make_registers
from bling_simulator.company.dimensions.services import make_service_orders
from bling_simulator.company.dimensions.statuses import make_statuses
from bling_simulator.company.register import Register

Dimensions = dict[str, Register]
"""Caminho da API → o cadastro."""


def make_dimensions(rng: Random, contacts: Register, products: Register) -> Dimensions:
    """Os cadastros: os que são iguais em toda empresa gerada, e os que se fazem dos contatos e dos produtos dela."""
    same = make_registers() | make_finance() | make_statuses() | make_custom_fields() | make_notices()
    goods, services = make_goods(rng, contacts, products), make_service_orders(contacts)
    links = goods["/produtos/lojas"]
    return same | goods | make_ads(links, products) | make_lots(links, products) | make_logistics(contacts) | services
