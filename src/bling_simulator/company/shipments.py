"""O que se despachou: os volumes dos pedidos e das notas, e por onde andam."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from decimal import Decimal

from bling_simulator.company.dimensions.logistics import CARRIER_SERVICE
from bling_simulator.company.invoices.invoice import STAMP
from bling_simulator.payload import Json

DELIVERED, NOT_POSTED = 3, 8
_DELIVERY_DAYS = 20
"""Depois de tantos dias um volume está entregue (suposto)."""
_UNKNOWN = "0000-00-00"


def shipments(
    orders: Iterable[Json], notes: Iterable[Json], today: date, *, orders_stay_unposted: bool
) -> Iterator[tuple[int, Json]]:
    """O id e o objeto de cada volume, sem o id. O que muda depois não muda o que já se despachou."""
    for order in orders:
        unposted = orders_stay_unposted and bool(order["notaFiscal"]["id"])
        sent = date.fromisoformat(order["data"])
        for volume in order["transporte"]["volumes"]:
            links = {"pedidoVenda": {"id": order["id"]}, "notaFiscal": {"id": order["notaFiscal"]["id"]}}
            yield volume["id"], links | _object(volume["id"], sent, order["total"], today, unposted=unposted)
    for note in notes:
        sent = datetime.strptime(note["dataEmissao"], STAMP).date()  # noqa: DTZ007 - hora de Brasília
        for volume in note["transporte"]["volumes"]:
            links = {"pedidoVenda": {"id": 0}, "notaFiscal": {"id": note["id"]}}
            yield volume["id"], links | _object(volume["id"], sent, note["valorNota"], today, unposted=False)


def _object(volume_id: int, sent: date, worth: Decimal, today: date, *, unposted: bool) -> Json:
    delivered = (today - sent).days > _DELIVERY_DAYS
    situacao, descricao = (DELIVERED, "Entregue") if delivered else (1, "Em andamento")
    if unposted:
        situacao, descricao = NOT_POSTED, "Não postado"
    code = f"EC{volume_id % 10**9:09d}BR"
    return {
        "servico": {"id": CARRIER_SERVICE},
        "rastreamento": {
            "codigo": "" if unposted else code,
            "descricao": descricao,
            "situacao": situacao,
            "origem": "Caxias do Sul, RS",
            "destino": "São Paulo, SP",
            "ultimaAlteracao": f"{_UNKNOWN} 00:00:00" if unposted else datetime.combine(sent, time(16)).strftime(STAMP),
            "url": "" if unposted else f"https://rastreamento.example/{code}",
        },
        "dimensao": {
            "peso": Decimal("1.5"),
            "altura": Decimal(2),
            "largura": Decimal(11),
            "comprimento": Decimal(16),
            "diametro": Decimal(0),
        },
        "embalagem": {"id": 0},
        "dataSaida": _UNKNOWN if unposted else sent.isoformat(),
        "prazoEntregaPrevisto": 5,
        "fretePrevisto": Decimal("19.9"),
        "valorDeclarado": worth,
        "avisoRecebimento": False,
        "maoPropria": False,
    }
