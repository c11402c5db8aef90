"""As logísticas e os serviços delas."""

from decimal import Decimal

from bling_simulator.company.dimensions.registers import as_register
from bling_simulator.company.people import SUPPLIER_TYPE
from bling_simulator.company.register import Register
from bling_simulator.payload import Json

CARRIER_SERVICE = 6_423_900_005
"""O serviço por que vão os pedidos."""
_FIRST = 6_423_813_145
CARRIERS = (_FIRST, _FIRST + 31)
"""As logísticas que despacham; a outra já não."""
_LOGISTICS: tuple[tuple[str, str, bool, str, tuple[tuple[str, str, bool], ...]], ...] = (
    # (descrição, tipo, nativa, situação, [(serviço, código, ativo)])
    ("Transportadora", "CustomLogistic", False, "H", (("Transportadora", "TR-1", True), ("Retira", "", True))),
    ("Correios", "Correios", True, "H", (("PAC", "03298", True), ("SEDEX", "03220", True), ("Carta", "10014", False))),
    ("Melhor Envio (até 2023)", "MelhorEnvio", True, "D", (("Jadlog .Package", "3", True),)),
)


def make_logistics(contacts: Register) -> dict[str, Register]:
    """Os dois cadastros. Quem transporta por conta própria é um contato; dos Correios não se diz quem é."""
    carrier = next(
        (each.detail["id"] for each in contacts.entries.values() if SUPPLIER_TYPE in each.detail["tiposContato"]), 0
    )
    logistics: list[Json] = []
    services: list[Json] = []
    for descricao, tipo, native, situacao, offered in _LOGISTICS:
        logistics_id = _FIRST + 31 * len(logistics)
        mine = [
            {
                "id": CARRIER_SERVICE + 7 * (len(services) + position),
                "descricao": name,
                "codigo": codigo,
                "aliases": [name.lower()],
                "ativo": ativo,
                "freteItem": Decimal("12.45") if native else Decimal(0),
                "estimativaEntrega": 5,
                "idCodigoServico": codigo,
                "logistica": {"id": logistics_id},
                "transportador": {"id": 0 if native else carrier},
            }
            for position, (name, codigo, ativo) in enumerate(offered)
        ]
        services += mine
        logistics.append(
            {
                "id": logistics_id,
                "descricao": descricao,
                "tipoIntegracao": tipo,
                "integracaoNativa": native,
                "situacao": situacao,
                "integracao": {"id": 0 if tipo == "CustomLogistic" else 770_000 + len(logistics)},
                "servicos": [{"id": service["id"]} for service in mine],
            }
        )
    return {"/logisticas": as_register(logistics), "/logisticas/servicos": as_register(services)}
