"""O que se exporta, e de que dia é cada linha: di-lo a declaração do que se percorre por datas, e do mais
`db/extracts.py`."""

from collections.abc import Mapping
from typing import Final

from bling_collector.db.extracts import EXPORTABLE, RowDay, of_parent, own
from bling_collector.streams.registry import RESOURCES


def _declared() -> dict[str, RowDay]:
    """De que dia é cada linha das tabelas do que se percorre por datas, e das filhas delas."""
    days = dict[str, RowDay]()
    for resource in RESOURCES:
        if resource.emitted is not None:
            day, table = resource.emitted.columns.day, resource.table.name
            own_children = [child for child in resource.children if child.ours == "true"]  # as outras são de vários
            days |= {child.table.name: of_parent(table, child.parent, day) for child in own_children}
            days[table] = own(day)
    return days


EXPORTED: Final[Mapping[str, RowDay | None]] = EXPORTABLE | {
    name: day for name, day in _declared().items() if name in EXPORTABLE
}
"""Cada tabela e cada view que se exporta, e de que dia é cada linha; None, as que vão num arquivo só."""
