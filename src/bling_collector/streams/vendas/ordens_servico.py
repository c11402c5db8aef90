"""As ordens de serviço: GET /ordens/servico e GET /ordens/servico/{id}. O Bling não descreve o que têm: guardam-se como
vêm, e só a pedido."""

from bling_collector.db.models import ordens_servico
from bling_collector.etl.resource import Document, Person, Resource, Rows, Whole, may_be_hidden
from bling_collector.payload import Fields
from bling_collector.streams.contato import known_by
from bling_collector.traces import only

_KEPT = ("id", "numero", "data", "situacao", "total")
"""O que fica da ordem de quem pediu que os seus dados fossem apagados: um campo novo é tomado por pessoal."""


def rows(ordem: Document) -> Rows:
    """A linha de uma ordem."""
    read = Fields(ordem)
    return {
        ordens_servico: [
            {
                "id": read.id("id"),
                "numero": read.text("numero"),
                "contato_id": read.reference("contato"),
                "detalhe": ordem,
            }
        ]
    }


def nameless_ordem(ordem: Document) -> Document:
    """A ordem com o número, a data, a situação e o total; do contato, o id."""
    kept = only(ordem, _KEPT)
    return kept | ({"contato": only(ordem["contato"], ("id",))} if "contato" in ordem else {})


ORDENS_SERVICO = Resource(
    name="ordens_servico",
    title="Ordens de serviço",
    noun="Ordem de serviço",
    singular="ordem_servico",
    permission="Ordens de serviço",
    path="/ordens/servico",
    table=ordens_servico,
    rows=rows,
    by_name=True,
    listable=may_be_hidden,
    whole=Whole(),
    cites=(("contatos", ordens_servico.c.contato_id),),
    history=(),
    person=Person(
        nameless_ordem,
        contato_id=ordens_servico.c.contato_id,
        names=(ordens_servico.c.detalhe["contato", "nome"].astext,),
        documento=ordens_servico.c.detalhe["contato", "numeroDocumento"].astext,
    ),
    names=known_by("numero"),
)
