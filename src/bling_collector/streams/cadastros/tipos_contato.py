"""Os tipos de contato da conta: GET /contatos/tipos."""

from bling_collector.db.models import tipos_contato
from bling_collector.etl.resource import Document, Resource, Rows, Whole
from bling_collector.payload import Fields


def rows(tipo: Document) -> Rows:
    """A linha de um tipo de contato."""
    read = Fields(tipo)
    return {tipos_contato: [{"id": read.id("id"), "descricao": read.text("descricao"), "detalhe": tipo}]}


TIPOS_CONTATO = Resource(
    name="tipos_contato",
    title="Tipos de contato",
    noun="Tipo de contato",
    singular="tipo_contato",
    permission="Contatos - Tipos",
    path="/contatos/tipos",
    table=tipos_contato,
    rows=rows,
    always=("descricao",),
    detail=False,
    alone=False,
    paged=False,
    whole=Whole(weekly=True),
    history=(),
)
