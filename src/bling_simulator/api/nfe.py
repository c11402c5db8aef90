"""`GET /nfe` e `GET /nfe/{id}`."""

from collections.abc import Callable

from bling_simulator.api.query import Query
from bling_simulator.api.resource import Resource
from bling_simulator.bling import Bling
from bling_simulator.company.invoices.invoice import STAMP
from bling_simulator.notebook import Notebook
from bling_simulator.payload import Json

_ROW_FIELDS = (
    "id", "tipo", "situacao", "numero", "dataEmissao", "dataOperacao", "chaveAcesso", "contato",
    "naturezaOperacao", "loja",
)  # fmt: skip
"""O que vem na listagem; a série, os valores, os itens e as parcelas só no detalhe."""

_EXACT = {"numero": "numero", "chaveAcesso": "chaveAcesso", "numeroLoja": "numeroPedidoLoja"}
"""Filtros de texto exato: `numero=2447` não acha a nota `002447` (medido)."""


def list_nfe(bling: Bling, query: Query) -> list[Json]:
    """Da emissão mais nova à mais antiga. Sem `tipo`, só saídas; sem `situacao`, as canceladas ficam fora."""
    tipo = query.choice("tipo", range(2), default=1)
    situacao = query.choice("situacao", range(1, 12))

    def shown(note: Json) -> bool:
        return note["tipo"] == tipo and (note["situacao"] == situacao if situacao else _shown_by_default(bling, note))

    return matching(bling, query, bling.notebook, shown)


def matching(bling: Bling, query: Query, notebook: Notebook, shown: Callable[[Json], bool]) -> list[Json]:
    """As notas `shown` que também são do período e do mais que a consulta pede."""
    if query.integer("idTransportador"):
        return []  # nenhuma nota gerada tem transportador cadastrado
    serie = query.integer("serie")
    exact = {field: wanted for name, field in _EXACT.items() if (wanted := query.text(name)) is not None}
    bare = bling.settings.bare_dates_get_time_of_day
    interval = query.interval("dataEmissao", bare_dates_get_time_of_day=bare)
    if bling.settings.note_filters_are_ignored:
        interval = None
    first, last = (interval.start.strftime(STAMP), interval.end.strftime(STAMP)) if interval else ("", "~")

    def wanted_note(note: Json) -> bool:
        return (
            first <= note["dataEmissao"] <= last
            and shown(note)
            and (serie is None or note["serie"] == serie)
            and all(note[field] == value for field, value in exact.items())
        )

    return [note for note in notebook.newest_first() if wanted_note(note)]


def nfe_row(note: Json) -> Json:
    return {field: note[field] for field in _ROW_FIELDS}


def get_nfe(bling: Bling, note_id: int) -> Json | None:
    return bling.notes.get(note_id)


def _shown_by_default(bling: Bling, note: Json) -> bool:
    if bling.settings.default_hides_all_but_authorised:
        return note["situacao"] in {6, *bling.settings.also_authorised}
    return bool(note["situacao"] != 2)


NFE = Resource(
    "/nfe",
    list_nfe,
    nfe_row,
    get_nfe,
    edit=lambda bling, id_, changes: bling.edit_note(id_, **changes),
    delete=lambda bling, id_: bling.delete_note(id_),
)
