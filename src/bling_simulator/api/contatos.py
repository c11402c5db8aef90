"""`GET /contatos` e `GET /contatos/{id}`."""

from bling_simulator.api.query import Interval, Query
from bling_simulator.api.resource import Resource
from bling_simulator.bling import Bling
from bling_simulator.company.documents import format_document
from bling_simulator.company.register import Entry
from bling_simulator.payload import Json

_TIPO_PESSOA = {1: "F", 2: "J", 3: "E"}
_SEARCHED = ("nome", "numeroDocumento", "fantasia", "email", "codigo")


def list_contatos(bling: Bling, query: Query) -> list[Json]:
    """Do cadastro mais novo ao mais antigo. Sem `criterio`, só os últimos incluídos."""
    criterio = query.choice("criterio", range(1, 5), default=3)
    included = query.interval("dataInclusao", bare_dates_get_time_of_day=False)
    changed = query.interval("dataAlteracao", bare_dates_get_time_of_day=False)
    ids = query.many("idsContatos[]")
    tipo = _TIPO_PESSOA.get(query.choice("tipoPessoa", range(1, 4)) or 0)
    document = _digits(query.text("numeroDocumento"))
    vendedor, tipo_contato = query.integer("idVendedor"), query.integer("idTipoContato")
    uf, telefone, search = query.text("uf"), query.text("telefone"), (query.text("pesquisa") or "").lower()
    latest = bling.company.contacts.latest_included(bling.settings.latest_included)
    moved = {note["contato"]["id"] for note in bling.notes.values()} if criterio == 4 else set()

    def wanted(entry: Entry) -> bool:
        contact = entry.detail
        return (
            _meets(criterio, entry, latest, moved)
            and _within(included, changed, entry)
            and (not ids or str(contact["id"]) in ids)
            and (tipo is None or contact["tipo"] == tipo)
            and (not document or _digits(contact["numeroDocumento"]) == document)
            and (vendedor is None or contact["vendedor"]["id"] == vendedor)
            and (tipo_contato is None or any(t["id"] == tipo_contato for t in contact["tiposContato"]))
            and (uf is None or contact["endereco"]["geral"]["uf"] == uf)
            and (telefone is None or contact["telefone"] == telefone)
            and (not search or any(search in contact[field].lower() for field in _SEARCHED))
        )

    return [entry.detail for entry in bling.company.contacts.newest_first() if wanted(entry)]


def contato_row(contact: Json) -> Json:
    """Na lista o documento vem formatado; no detalhe, só os dígitos."""
    return {
        "id": contact["id"],
        "nome": contact["nome"],
        "codigo": contact["codigo"],
        "situacao": contact["situacao"],
        "numeroDocumento": format_document(contact["numeroDocumento"]),
        "telefone": contact["telefone"],
        "celular": contact["celular"],
    }


def get_contato(bling: Bling, contact_id: int) -> Json | None:
    entry = bling.company.contacts.entries.get(contact_id)
    if entry is None or (entry.deleted and not bling.settings.deleted_detail_answers_200):
        return None
    return entry.detail


def _meets(criterio: int | None, entry: Entry, latest: set[int], moved: set[int]) -> bool:
    match criterio:
        case 2:
            return entry.deleted
        case 3:
            return entry.detail["id"] in latest
        case 4:
            return not entry.deleted and entry.detail["id"] not in moved
        case _:
            return not entry.deleted


def _within(included: Interval | None, changed: Interval | None, entry: Entry) -> bool:
    return (included is None or included.holds(entry.included)) and (changed is None or changed.holds(entry.changed))


def _digits(document: str | None) -> str:
    return "".join(digit for digit in document or "" if digit.isalnum())


CONTATOS = Resource(
    "/contatos",
    list_contatos,
    contato_row,
    get_contato,
    edit=lambda bling, id_, changes: bling.edit_contact(id_, **changes),
    delete=lambda bling, id_: bling.delete_contact(id_),
)
