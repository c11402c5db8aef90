"""Como o Bling escreve o que se lhe pede: o dinheiro com o ruído de um float de 32 bits, e o que falta, ausente."""

from decimal import Decimal
from struct import pack, unpack
from typing import Any

from bling_simulator.payload import Json
from bling_simulator.settings import SimulatorSettings

_NOT_MONEY = frozenset({"quantidade", "pesoBruto", "aliquota", "aliquotaIPI"})


def as_written(record: Json, settings: SimulatorSettings) -> Json:
    """O registro, como as configurações o mandam escrever."""
    if settings.money_has_float_noise:
        record = _with_float_noise(record)
    if settings.what_is_empty_is_absent:
        record = {"id": record["id"]} | _without_empty(record) if "id" in record else _without_empty(record)
    return record


def _with_float_noise(value: Any) -> Any:
    """Uma cópia do valor JSON em que 49.90 é 49.9000015259 (um relato). Arredondado a centavos, é o que era."""
    if isinstance(value, dict):
        return {key: item if key in _NOT_MONEY else _with_float_noise(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_float_noise(item) for item in value]
    return _noisy(value) if isinstance(value, Decimal | float) else value


def _noisy(value: Decimal | float) -> float:
    noisy = round(float(unpack("f", pack("f", value))[0]), 10)
    return noisy if round(noisy, 2) == float(value) else float(value)


def _without_empty(value: Any) -> Any:
    """Uma cópia sem as chaves do que está vazio."""
    if isinstance(value, dict):
        lean = {key: _without_empty(item) for key, item in value.items()}
        return {key: item for key, item in lean.items() if not _is_empty(item)}
    return [_without_empty(item) for item in value] if isinstance(value, list) else value


def _is_empty(value: Any) -> bool:
    """Texto vazio, data zerada, lista ou objeto sem nada, ou a referência a ninguém, que só tem o id zero."""
    return value in (None, "", [], {}, {"id": 0}) or (isinstance(value, str) and value.startswith("0000-00"))
