"""As remessas: os objetos dos pedidos, juntos como se despacharam."""

from datetime import date, datetime, time

from bling_simulator.company.dimensions.logistics import CARRIERS
from bling_simulator.company.papers.papers import Desk
from bling_simulator.company.register import Register
from bling_simulator.company.shipments import shipments
from bling_simulator.payload import Json

_FIRST_ID = 733_100_021
_TOGETHER = 2
_STATUSES = (3, 3, 2, -1, 1)
"""As situações, em roda; a mais nova está em aberto (0)."""


def make_shipping(desk: Desk) -> Register:
    """Da mais antiga à mais nova. O que depois muda num objeto não muda o que a remessa diz dele."""
    register = Register()
    sent = sorted(
        shipments(desk.orders, (), desk.today, orders_stay_unposted=False),
        key=lambda each: (each[1]["dataSaida"], each[0]),
    )
    batches = [sent[first : first + _TOGETHER] for first in range(0, len(sent), _TOGETHER)]
    for position, batch in enumerate(batches):
        shipment_id, day = _FIRST_ID + 37 * position, date.fromisoformat(batch[-1][1]["dataSaida"])
        shipment = {
            "id": shipment_id,
            "numeroPlp": f"{749_000 + position:08x}",
            "situacao": 0 if batch is batches[-1] else _STATUSES[position % len(_STATUSES)],
            "descricao": f"Remessa_{day:%d%m%Y}",
            "dataCriacao": day.isoformat(),
            "logistica": {"id": CARRIERS[position % len(CARRIERS)]},
            "objetos": [_objeto(id_, shipment_id, each) for id_, each in batch],
        }
        register.add(shipment, datetime.combine(day, time()), record_id=shipment_id)
    return register


def _objeto(id_: int, shipment_id: int, sent: Json) -> Json:
    service = sent["servico"] | {"nome": "Transportadora", "codigo": "TR-1"}
    return {"id": id_, "remessa": {"id": shipment_id}, **sent, "servico": service}
