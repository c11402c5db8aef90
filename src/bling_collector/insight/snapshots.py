"""Os instantâneos que os loaders devolvem, escritos em JSON: num lugar só, e do mesmo jeito em toda resposta."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Final

from bling_collector.payload import Json

MONTH: Final = {"format": "%Y-%m"}
"""O `metadata` de um campo que guarda um mês, ou muitos, pelo primeiro dia: escreve-se só o mês."""


def as_json(value: object, how: str = "") -> Json:
    """O instantâneo com os campos pelo nome e as datas em texto: ISO, a não ser que `how` (strftime) diga outra coisa.

    Um decimal continua decimal: quem o escreve é que sabe se vai como número ou como texto.
    """
    if isinstance(value, date):
        return value.strftime(how) if how else value.isoformat()
    if isinstance(value, Mapping):
        return {name: as_json(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(each, how) for each in value]
    if is_dataclass(value):
        return {
            field.name: as_json(getattr(value, field.name), field.metadata.get("format", "")) for field in fields(value)
        }
    return value
