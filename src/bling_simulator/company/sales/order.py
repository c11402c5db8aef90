"""Da nota, emitida ou não, ao pedido de venda como `GET /pedidos/vendas/{id}` o mostra."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from bling_simulator.company.sales.statuses import OPEN, status_of
from bling_simulator.payload import CENT, Json

_NO_DATE = "0000-00-00"
_ORDER_CONTACT = ("id", "nome", "tipoPessoa", "numeroDocumento")
_LABEL = ("endereco", "numero", "complemento", "municipio", "uf", "cep", "bairro")
_MARKETPLACE_CNPJ = "58273641000107"
_MARKETPLACE_FEE = Decimal("0.12")
_PERCENT_OFF, _IPI_RATE = Decimal(5), Decimal("3.25")


@dataclass
class Placing:
    """O que o pedido tem e a nota não."""

    placed: datetime
    status: int = OPEN
    order_id: int = 0
    numero: int = 0
    note_id: int = 0
    """A nota do pedido; 0 se não tem."""
    shipped: date | None = None
    expected: date | None = None
    percent_off: bool = False
    """O desconto é dito em porcentagem, quando a conta fecha."""
    lines_off: Decimal = Decimal(0)
    """Porcentagem que já saiu do preço de cada item."""
    ordem_compra: str = ""
    observacoes: str = ""


def build_order(note: Json, placing: Placing, skus: Mapping[str, int], seller: Json | None) -> Json:
    """O detalhe completo do pedido que deu nesta nota: os mesmos itens, preços, frete e parcelas.

    O que os itens e o frete não explicam do valor da nota é IPI, se sobra, ou desconto, se falta. `skus` leva do
    código ao id do produto; sem ele o item fica com produto 0.
    """
    products = sum((line["valorTotal"] for line in note["itens"]), Decimal(0))
    gap = note["valorNota"] - products - note["valorFrete"]
    ipi, discount = max(gap, Decimal(0)), max(-gap, Decimal(0))
    return {
        "id": placing.order_id,
        "numero": placing.numero,
        "numeroLoja": note["numeroPedidoLoja"],
        "data": placing.placed.date().isoformat(),
        "dataSaida": _day(placing.shipped),
        "dataPrevista": _day(placing.expected),
        "totalProdutos": products,
        "total": note["valorNota"],
        "contato": {field: note["contato"][field] for field in _ORDER_CONTACT},
        "situacao": status_of(placing.status),
        "loja": {"id": note["loja"]["id"], "unidadeNegocio": {"id": 0}},
        "numeroPedidoCompra": placing.ordem_compra,
        "outrasDespesas": Decimal(0),
        "observacoes": placing.observacoes,
        "observacoesInternas": "",
        "desconto": _discount(products, discount, percent=placing.percent_off),
        "categoria": {"id": 0},
        "notaFiscal": {"id": placing.note_id},
        "tributacao": {
            "totalICMS": sum((line["impostos"]["icms"]["valor"] for line in note["itens"]), Decimal(0)),
            "totalIPI": ipi,
        },
        "itens": _items(note, placing, skus, seller, _IPI_RATE if ipi and ipi == _share(products, _IPI_RATE) else 0),
        "parcelas": _parcels(note, placing),
        "transporte": _transport(note, placing),
        "vendedor": {"id": seller["id"] if seller else 0},
        "intermediador": _middleman(note),
        "taxas": _fees(note),
    }


def _items(
    note: Json, placing: Placing, skus: Mapping[str, int], seller: Json | None, ipi_rate: Decimal | int
) -> list[Json]:
    commission = seller["comissoes"][0]["aliquota"] if seller and seller["comissoes"] else Decimal(0)
    return [
        {
            "id": placing.order_id * 100 + position,
            "codigo": line["codigo"],
            "unidade": line["unidade"],
            "quantidade": line["quantidade"],
            "desconto": placing.lines_off,
            "valor": line["valor"],
            "aliquotaIPI": ipi_rate,
            "descricao": line["descricao"],
            "descricaoDetalhada": "",
            "produto": {"id": skus.get(line["codigo"], 0)},
            "comissao": {
                "base": line["valorTotal"],
                "aliquota": commission,
                "valor": _share(line["valorTotal"], commission),
            },
            "naturezaOperacao": {"id": note["naturezaOperacao"]["id"]},
        }
        for position, line in enumerate(note["itens"], start=1)
    ]


def _parcels(note: Json, placing: Placing) -> list[Json]:
    return [
        {
            "id": placing.order_id * 100 + position,
            "dataVencimento": parcel["data"],
            "valor": parcel["valor"],
            "observacoes": parcel["observacoes"],
            "caut": parcel["caut"],
            "formaPagamento": {"id": parcel["formaPagamento"]["id"]},
        }
        for position, parcel in enumerate(note["parcelas"], start=1)
    ]


def _transport(note: Json, placing: Placing) -> Json:
    address, freight = note["contato"]["endereco"], note["valorFrete"]
    weight = sum((line["pesoBruto"] * line["quantidade"] for line in note["itens"]), Decimal(0))
    volume = {"id": placing.order_id * 100 + 1, "servico": "Transportadora", "codigoRastreamento": ""}
    return {
        "fretePorConta": 0 if freight else 9,
        "frete": freight,
        "quantidadeVolumes": 1 if freight else 0,
        "pesoBruto": weight.quantize(CENT),
        "prazoEntrega": 5 if freight else 0,
        "contato": {"id": 0, "nome": ""},
        "etiqueta": {
            "nome": note["contato"]["nome"],
            **{field: address[field] for field in _LABEL},
            "nomePais": address["pais"],
        },
        "volumes": [volume] if freight else [],
    }


def _middleman(note: Json) -> Json:
    if not note["loja"]["id"]:
        return {"cnpj": "", "nomeUsuario": ""}
    return {"cnpj": _MARKETPLACE_CNPJ, "nomeUsuario": "soldovale"}


def _fees(note: Json) -> Json:
    """O que a loja cobra; fora dela, zero. A taxa é dinheiro (suposto: pode ser porcentagem)."""
    if not note["loja"]["id"]:
        return {"taxaComissao": Decimal(0), "custoFrete": Decimal(0), "valorBase": Decimal(0)}
    total = note["valorNota"]
    return {
        "taxaComissao": (total * _MARKETPLACE_FEE).quantize(CENT, ROUND_HALF_UP),
        "custoFrete": note["valorFrete"],
        "valorBase": total,
    }


def _discount(products: Decimal, discount: Decimal, *, percent: bool) -> Json:
    if percent and discount and discount == (products * _PERCENT_OFF / 100).quantize(CENT):
        return {"valor": _PERCENT_OFF, "unidade": "PERCENTUAL"}
    return {"valor": discount, "unidade": "REAL"}


def _share(value: Decimal, percent: Decimal) -> Decimal:
    return (value * percent / 100).quantize(CENT)


def _day(day: date | None) -> str:
    return day.isoformat() if day else _NO_DATE
