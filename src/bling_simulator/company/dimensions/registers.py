"""Depósitos, canais de venda e as categorias deles, naturezas de operação, grupos de produtos e tipos de contato."""

from collections.abc import Sequence
from datetime import datetime

from bling_simulator.company.goods.categories import make_categories
from bling_simulator.company.goods.stockroom import MAIN, MARKETPLACE
from bling_simulator.company.invoices.invoice import COMPANY_CNPJ
from bling_simulator.company.invoices.notes import SHOP
from bling_simulator.company.people import CUSTOMER_TYPE, SUPPLIER_TYPE
from bling_simulator.company.register import Register
from bling_simulator.payload import Json, clone

OPENING = datetime(2021, 1, 4, 9)  # noqa: DTZ001 - hora de Brasília, como no Bling
_BRANCH_CNPJ = "58273641000298"

_DEPOSITS = (
    # (descrição, situação, padrão, desconsiderar saldo)
    ("Geral", 1, True, False),
    ("Expedição do marketplace", 1, False, True),
    ("Loja de fábrica", 1, False, False),
    ("Avarias", 0, False, True),
    ("Feira de 2022", 0, False, False),
)
_CHANNELS = (
    # (id, descrição, tipo, situação)
    (SHOP, "Sol do Vale no Mercado Livre", "MercadoLivre", 1),
    (SHOP + 1_204, "Sol do Vale na Shopee", "Shopee", 1),
    (SHOP + 2_377, "Loja virtual", "LojaIntegrada", 1),
    (SHOP - 91_113, "Sol do Vale na Shopee (antiga)", "Shopee", 2),
)
_NATURE = 15_102_000_000
_NATURES = (
    # (final do id, descrição, padrão, situação); as das notas terminam no primeiro algarismo do CFOP
    (5, "Venda de mercadorias", 1, 1),
    (6, "Venda de mercadorias para outro estado", 0, 1),
    (7, "Exportação", 0, 1),
    (1, "Compra de mercadorias", 2, 1),
    (2, "Compra de mercadorias de outro estado", 0, 1),
    (81, "Devolução de venda", 8, 1),
    (82, "Devolução de compra", 9, 1),
    (91, "Remessa para conserto", 0, 1),
    (92, "Remessa para feira", 0, 0),
    (93, "Venda de mercadorias (até 2022)", 0, 0),
)
_GROUPS = {"Mecânica": ("Engrenagens", "Transmissões"), "Usinagem": ("Serviços",)}


def make_registers() -> dict[str, Register]:
    """Os cadastros que são iguais em toda empresa gerada."""
    return {
        "/depositos": as_register(
            [
                {
                    "id": MAIN + 7 * position,
                    "descricao": descricao,
                    "situacao": situacao,
                    "padrao": padrao,
                    "desconsiderarSaldo": desconsiderar,
                }
                for position, (descricao, situacao, padrao, desconsiderar) in enumerate(_DEPOSITS)
            ]
        ),
        "/canais-venda": as_register(
            [
                {"id": id_, "descricao": descricao, "tipo": tipo, "situacao": situacao, "filiais": _branches(tipo)}
                for id_, descricao, tipo, situacao in _CHANNELS
            ]
        ),
        "/categorias/lojas": as_register(_shop_categories()),
        "/naturezas-operacoes": as_register(
            [
                {"id": _NATURE + end, "situacao": situacao, "padrao": padrao, "descricao": descricao}
                for end, descricao, padrao, situacao in _NATURES
            ]
        ),
        "/grupos-produtos": as_register(_groups()),
        "/contatos/tipos": as_register(
            [
                CUSTOMER_TYPE,
                SUPPLIER_TYPE,
                {"id": 1_483_003, "descricao": "Transportador"},
                {"id": 1_483_004, "descricao": "Técnico"},
            ]
        ),
    }


def _branches(tipo: str) -> list[Json]:
    """As filiais do canal: a matriz e, no marketplace, a que despacha por ele."""
    main = {
        "cnpj": COMPANY_CNPJ,
        "idUnidadeNegocio": 770_101,
        "unidadeNegocio": "Matriz",
        "deposito": {"id": MAIN},
        "padrao": True,
    }
    other = {
        "cnpj": _BRANCH_CNPJ,
        "idUnidadeNegocio": 770_102,
        "unidadeNegocio": "Expedição",
        "deposito": {"id": MARKETPLACE},
        "padrao": False,
    }
    return [main, other] if tipo == "MercadoLivre" else [main]


def _shop_categories() -> list[Json]:
    """A categoria de cada um dos dois marketplaces a que corresponde a de produtos; no segundo, só as filhas."""
    links = [
        (channel, category)
        for channel, *_ in _CHANNELS[:2]
        for category in make_categories().values()
        if channel == SHOP or category["categoriaPai"]["id"]
    ]
    return [
        {
            "id": 55_310_007 + 19 * position,
            "loja": {"id": channel},
            "descricao": f"{category['descricao']} e afins",
            "codigo": f"MLB{channel % 1000 + 7 * position}",
            "categoriaProduto": {"id": category["id"]},
        }
        for position, (channel, category) in enumerate(links)
    ]


def _groups() -> list[Json]:
    found: list[Json] = []
    for parent, children in _GROUPS.items():
        above = _group(found, parent, {"id": 0, "nome": ""})
        for child in children:
            _group(found, child, {"id": above["id"], "nome": parent})
    return found


def _group(found: list[Json], nome: str, parent: Json) -> Json:
    group: Json = {"id": 318_200 + 3 * len(found), "nome": nome, "grupoProdutoPai": parent}
    found.append(group)
    return group


def as_register(details: Sequence[Json]) -> Register:
    """Um cadastro destes registros, que já têm id, desde o começo da conta."""
    register = Register()
    for detail in details:
        register.add(clone(detail), OPENING, record_id=detail["id"])
    return register
