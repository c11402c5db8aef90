"""`GET /nfe/documento/{chave}?formato=xml`: o documento de uma nota, em base64 de gzip."""

import gzip
from base64 import b64encode

from bling_simulator.api.query import Query
from bling_simulator.api.resource import Resource
from bling_simulator.bling import Bling
from bling_simulator.company.invoices.xml import cancelling_xml, note_xml
from bling_simulator.payload import Json

_AUTHORISED = frozenset({2, 5, 6, 7})
_CANCELLED = 2


def list_documentos(bling: Bling, query: Query) -> list[Json]:
    """Os que há, cada um com a chave em `id`: só para quem está dentro, que a API não os lista."""
    found = [{"id": note["chaveAcesso"]} for note in bling.notes.values()]
    return [each for each in found if get_documento(bling, each["id"]) is not None]


def get_documento(bling: Bling, chave: str) -> Json | None:
    """O documento, ou None: 404. O de uma cancelada é o que era, ou o que se regula."""
    note = next((each for each in bling.notes.values() if chave and each["chaveAcesso"] == chave), None)
    if note is None or note["situacao"] not in _AUTHORISED:
        return None
    settings = bling.settings
    cancelled = note["situacao"] == _CANCELLED
    if cancelled and settings.cancelled_document_answers_404:
        return None
    event = cancelled and settings.cancelled_document_is_the_event
    xml = cancelling_xml(note) if event else note_xml(note, bling.profile)
    packed = xml if settings.document_is_not_gzip else gzip.compress(xml)
    return {"nome": f"{chave}.xml", "conteudo": b64encode(packed).decode()}


def _refused(*_: object) -> None:
    raise KeyError("um documento não se muda: muda-se a nota")


DOCUMENTOS = Resource(
    "/nfe/documento",
    list_documentos,
    lambda document: document,
    get_documento,
    edit=_refused,
    delete=_refused,
    listed=False,
    text_ids=True,
    detail_required=("formato",),
    several=True,
)
