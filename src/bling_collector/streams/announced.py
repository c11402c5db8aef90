"""O que um aviso do Bling diz: que registro, de que recurso, ler outra vez. O resto que ele traz pode ser velho."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from bling_collector.errors import UsageError
from bling_collector.payload import Json, Row, integer, moment, part
from bling_collector.streams.registry import RESOURCES

_LONGEST: Final = 200
"""Caracteres de um nome ou de um número que o Bling dá; os dele têm menos de 50."""
_LARGEST: Final = 2**63 - 1
_YEARS: Final = range(2000, 2200)
UNKNOWN: Final = "desconhecido"
UNREAD: Final = "sem leitura"


@dataclass(frozen=True)
class Event:
    """Um aviso, no que dele se guarda."""

    company: str
    row: Row


def read_event(document: Json, now: datetime) -> Event:
    """UsageError se não tem o que todo aviso do Bling tem."""
    if not isinstance(document, Mapping):
        raise UsageError("O aviso não é um objeto JSON.")
    event_id, company, event = (_text(document, key) for key in ("eventId", "companyId", "event"))
    data = document.get("data")
    recurso, registro = _pointed(event, data if isinstance(data, Mapping) else {})
    readable = recurso is not None and registro is not None
    row = {
        "event_id": event_id,
        "recebido_em": now,
        "enviado_em": _sent(document.get("date")),
        "evento": event,
        "recurso": recurso,
        "registro_id": registro,
        # O que não diz de que registro é, ou não se conhece, fica anotado, e nada se deve por ele.
        "lido_em": None if readable else now,
        "resultado": None if readable else UNREAD if recurso else UNKNOWN,
    }
    return Event(company.strip().lower(), row)


def _pointed(event: str, data: Mapping[str, Json]) -> tuple[str | None, str | None]:
    kind = event.partition(".")[0]
    for resource in RESOURCES:
        for announced in resource.announced:
            if announced.name == kind and announced.ours(data):
                id_ = integer(part(data, *announced.at))
                return resource.name, str(id_) if id_ is not None and 0 < id_ <= _LARGEST else None
    return None, None


def _text(document: Mapping[str, Json], key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST or not value.isprintable():
        raise UsageError(f"Falta {key} no aviso, ou não se lê.")
    return value


def _sent(value: Json) -> datetime | None:
    """A hora do aviso, que é de UTC mesmo que não o diga; só se mostra, e uma absurda não se guarda."""
    found = moment(value)
    if found is None or found.year not in _YEARS:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
