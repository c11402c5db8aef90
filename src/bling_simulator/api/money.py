"""O dinheiro como alguns recursos o respondem: um float de 32 bits escrito com dez casas."""

from decimal import Decimal
from struct import pack, unpack
from typing import Any

from bling_simulator.bling import Bling
from bling_simulator.payload import Json

_NOT_MONEY = frozenset({"quantidade", "pesoBruto", "aliquota", "aliquotaIPI"})


def with_float_noise(value: Any) -> Any:
    """Uma cópia do valor JSON em que 49.90 é 49.9000015259 (um relato). Arredondado a centavos, é o que era."""
    if isinstance(value, dict):
        return {key: item if key in _NOT_MONEY else with_float_noise(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_float_noise(item) for item in value]
    return _noisy(value) if isinstance(value, Decimal | float) else value


def answered_money(bling: Bling, detail: Json) -> Json:
    """O detalhe, com o ruído se as configurações o pedem."""
    return with_float_noise(detail) if bling.settings.money_has_float_noise else detail


def _noisy(value: Decimal | float) -> float:
    noisy = round(float(unpack("f", pack("f", value))[0]), 10)
    return noisy if round(noisy, 2) == float(value) else float(value)
