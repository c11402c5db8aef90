"""Os itens de uma nota: quantidade, preço praticado, CFOP e ICMS."""

from decimal import ROUND_HALF_UP, Decimal
from random import Random

from bling_simulator.payload import CENT, Json

_ICMS_RATE = {"5": Decimal(17), "6": Decimal(12), "7": Decimal(0)}


def make_line(rng: Random, product: Json, cfop: str) -> Json:
    """Uma linha do produto, com o preço do cadastro mais ou menos 15 %."""
    quantity: Decimal | int = rng.choice((1, 1, 1, 2, 2, 3, 4, 5, 8, 10, 12, 20))
    if product["unidade"] in {"KG", "M"}:
        quantity = Decimal(rng.randrange(5, 400)) / 10
    price = (product["preco"] * Decimal(rng.randrange(85, 116)) / 100).quantize(CENT, ROUND_HALF_UP)
    return line_of(
        codigo=product["codigo"],
        descricao=product["nome"],
        quantidade=quantity,
        valor=price,
        unidade=product["unidade"],
        cfop=cfop,
        ncm=product["tributacao"]["ncm"],
        peso=product["pesoLiquido"],
    )


def line_of(
    *,
    codigo: str,
    descricao: str,
    quantidade: Decimal | int,
    valor: Decimal,
    unidade: str = "UN",
    cfop: str = "5101",
    ncm: str = "8483.40.90",
    peso: Decimal = Decimal(0),
) -> Json:
    """Uma linha com o total e o ICMS calculados do que é dado."""
    total = (valor * quantidade).quantize(CENT, ROUND_HALF_UP)
    rate = _ICMS_RATE.get(cfop[0], Decimal(0))
    return {
        "codigo": codigo,
        "descricao": descricao,
        "unidade": unidade,
        "quantidade": quantidade,
        "valor": valor,
        "valorTotal": total,
        "tipo": "P",
        "pesoBruto": peso,
        "pesoLiquido": peso,
        "numeroPedidoCompra": "",
        "classificacaoFiscal": ncm,
        "cest": "",
        "codigoServico": "",
        "origem": 0,
        "informacoesAdicionais": "",
        "gtin": "",
        "cfop": cfop,
        "impostos": {
            "valorAproximadoTotalTributos": (total * Decimal("0.1345")).quantize(CENT, ROUND_HALF_UP),
            "icms": {
                "st": 0 if rate else 41,
                "origem": 0,
                "modalidade": 3,
                "aliquota": rate,
                "valor": (total * rate / 100).quantize(CENT, ROUND_HALF_UP),
            },
        },
    }


def repeated(rng: Random, line: Json) -> Json:
    """A mesma mercadoria noutra linha da nota: outro preço e, às vezes, outro CFOP."""
    cfop = line["cfop"] if rng.random() < 0.4 else line["cfop"][0] + "949"
    return line_of(
        codigo=line["codigo"],
        descricao=line["descricao"],
        quantidade=rng.randrange(1, 6),
        valor=(line["valor"] * Decimal("0.9")).quantize(CENT, ROUND_HALF_UP),
        unidade=line["unidade"],
        cfop=cfop,
        ncm=line["classificacaoFiscal"],
        peso=line["pesoLiquido"],
    )
