"""Produtos de uma fábrica de engrenagens, e os códigos estranhos que todo cadastro acumula."""

from decimal import Decimal
from itertools import product as combinations
from random import Random

from bling_simulator.payload import Json, cents

ODD_SKUS = (
    "ENG RETA 12", "P&B-40", "C++90", "EIXO#3", "50%-AÇO", 'COROA "X"', "POLIA 1/2", "D'ÁGUA-1", "Peça Ação 7",
    "KIT=A?B", "CÓD;9,5", "0001",
)  # fmt: skip
"""Códigos que quebram URLs, CSVs e comparações ingênuas."""

_FAMILIES = (
    ("ERT", "Engrenagem reta", "8483.40.90"),
    ("EHL", "Engrenagem helicoidal", "8483.40.90"),
    ("ECN", "Engrenagem cônica", "8483.40.90"),
    ("CSF", "Coroa e sem-fim", "8483.40.90"),
    ("PLS", "Polia sincronizadora", "8483.50.10"),
    ("CRR", "Corrente de rolos", "7315.11.00"),
    ("ACP", "Acoplamento elástico", "8483.60.90"),
    ("EIX", "Eixo estriado", "8483.10.90"),
)
_MODULES = ("1", "1,25", "1,5", "2", "2,5", "3", "4", "5", "6", "8")
_TEETH = (12, 14, 15, 16, 18, 20, 22, 24, 25, 28, 30, 32, 36, 40, 45, 48, 50, 54, 60, 72, 80, 90, 100, 120)
_STEELS = ("SAE 1045", "SAE 8620", "SAE 4340")
_MORE_STEELS = ("SAE 1020", "SAE 4140", "SAE 5160", "SAE 6150", "SAE 8640", "SAE 9310")
"""De uma empresa grande, que precisa de mais produtos do que os outros dão."""


def make_products(rng: Random, count: int, categories: list[int]) -> list[Json]:
    """`count` produtos de códigos todos diferentes, os estranhos entre os primeiros; `id` 0 até o cadastro."""
    shapes = _shapes(_STEELS)
    if count > len(shapes):
        shapes += _shapes(_MORE_STEELS)
    products = []
    for position, (family, module, teeth, steel) in enumerate(rng.sample(shapes, count)):
        prefix, name, ncm = _FAMILIES[family]
        sku = f"{prefix}-M{module.replace(',', '')}-Z{teeth}-{steel[4:]}"
        if position % 2 and position // 2 < len(ODD_SKUS):
            sku = ODD_SKUS[position // 2]
        nome = f"{name} módulo {module} Z{teeth} aço {steel}"
        price = cents(Decimal(int(490 * 400 ** rng.random())) / 100)
        category = categories[family % len(categories)] if rng.random() < 0.93 else 0
        products.append(make_product(rng, sku, nome, price=price, ncm=ncm, category=category))
    return products


def _shapes(steels: tuple[str, ...]) -> list[tuple[int, str, int, str]]:
    return list(combinations(range(len(_FAMILIES)), _MODULES, _TEETH, steels))


def make_product(
    rng: Random, sku: str, nome: str, *, price: Decimal, ncm: str = "8483.40.90", category: int = 0
) -> Json:
    """O detalhe de um produto, com `id` 0: quem o cadastra lhe dá o número."""
    cost = cents(price * Decimal(rng.randrange(40, 75)) / 100)
    weight = cents(Decimal(rng.randrange(10, 2500)) / 100)
    return {
        "id": 0,
        "nome": nome,
        "codigo": sku,
        "preco": price,
        "tipo": "P",
        "situacao": "A" if rng.random() < 0.95 else "I",
        "formato": "S",
        "descricaoCurta": "",
        "imagemURL": "",
        "dataValidade": "0000-00-00",
        "unidade": rng.choice(("UN", "UN", "UN", "PC", "KG", "M")),
        "pesoLiquido": weight,
        "pesoBruto": weight,
        "volumes": 1,
        "itensPorCaixa": 1,
        "gtin": "",
        "gtinEmbalagem": "",
        "tipoProducao": "P",
        "condicao": 1,
        "freteGratis": False,
        "marca": rng.choice(("", "SOL", "SOL")),
        "descricaoComplementar": "",
        "linkExterno": "",
        "observacoes": "",
        "descricaoEmbalagemDiscreta": "",
        "categoria": {"id": category},
        "estoque": {
            "minimo": 0, "maximo": 0, "crossdocking": 0, "localizacao": "",
            "saldoVirtualTotal": rng.choice((0, 0, 3, 12, 40, -2)),
        },
        "fornecedor": {
            "id": 0, "contato": {"id": 0, "nome": ""}, "codigo": "", "precoCusto": cost, "precoCompra": cost,
        },
        "dimensoes": {"largura": 0, "altura": 0, "profundidade": 0, "unidadeMedida": 1},
        "tributacao": {
            "origem": 0, "nFCI": "", "ncm": ncm, "cest": "", "codigoListaServicos": "", "spedTipoItem": "",
            "codigoItem": "", "percentualTributos": 0, "valorBaseStRetencao": 0, "valorStRetencao": 0,
            "valorICMSSubstituto": 0, "codigoExcecaoTipi": "", "classeEnquadramentoIpi": "", "valorIpiFixo": 0,
            "dadosAdicionais": "", "grupoProduto": {"id": 0},
        },
        "midia": {"video": {"url": ""}, "imagens": {"externas": [], "internas": []}},
        "linhaProduto": {"id": 0},
        "estrutura": {"tipoEstoque": "F", "lancamentoEstoque": "A", "componentes": []},
        "camposCustomizados": [],
        "artigoPerigoso": False,
        "variacoes": [],
    }  # fmt: skip
