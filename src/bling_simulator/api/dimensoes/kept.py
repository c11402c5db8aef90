"""O que os cadastros pequenos têm em comum: ficam em `Bling.kept`, pelo caminho."""

from collections.abc import Callable, Collection
from typing import Any

from bling_simulator.api.query import Query
from bling_simulator.api.resource import Resource
from bling_simulator.bling import Bling
from bling_simulator.payload import Json


def kept(
    path: str,
    wanted: Callable[[Bling, Query, Json], bool],
    *,
    only_in_detail: Collection[str] = (),
    hidden: Collection[str] = (),
    tells_changes: bool = False,
    answered: Callable[[Bling, Json], Json] = lambda bling, detail: detail,
    **more: Any,
) -> Resource:
    """O recurso de `path`, do cadastro mais antigo ao mais novo (suposto).

    `wanted` diz se a consulta pede o registro; `hidden` são os campos que nenhuma resposta mostra, e só servem a
    filtros; com `tells_changes` há o filtro de alteração; `answered` é como o registro sai.
    """

    def list_(bling: Bling, query: Query) -> list[Json]:
        changed = query.interval("dataAlteracao", bare_dates_get_time_of_day=False) if tells_changes else None
        return [
            answered(bling, each.detail)
            for each in bling.kept(path).entries.values()
            if (changed is None or changed.holds(each.changed)) and wanted(bling, query, each.detail)
        ]

    def row(detail: Json) -> Json:
        return _without(detail, {*only_in_detail, *hidden})

    def get(bling: Bling, record_id: int) -> Json | None:
        entry = bling.kept(path).entries.get(record_id)
        return _without(answered(bling, entry.detail), hidden) if entry else None

    def edit(bling: Bling, record_id: int, changes: Json) -> None:
        bling.edit_dimension(path, record_id, **changes)

    def delete(bling: Bling, record_id: int) -> None:
        bling.delete_dimension(path, record_id)

    return Resource(path, list_, row, get, edit, delete, **more)


def contains(query: Query, param: str, value: str) -> bool:
    """Se o texto pedido é parte do valor, sem diferença de maiúsculas (suposto)."""
    return (query.text(param) or "").lower() in value.lower()


def _without(detail: Json, fields: Collection[str]) -> Json:
    return {field: value for field, value in detail.items() if field not in fields}
