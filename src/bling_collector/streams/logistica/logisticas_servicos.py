"""Os serviços das logísticas (PAC, SEDEX…): GET /logisticas/servicos."""

from typing import Final

from bling_collector.db.models import logisticas_servicos
from bling_collector.etl.resource import WEEKLY, Document, Person, Resource, Rows, Whole, may_be_hidden
from bling_collector.payload import Fields
from bling_collector.traces import only

_KEPT: Final = (
    *("id", "descricao", "codigo", "idCodigoServico", "ativo", "freteItem", "estimativaEntrega", "logistica"),
)
"""O que fica do serviço de quem pediu que os seus dados fossem apagados: um campo novo é tomado por pessoal."""
_OF_LOGISTICAS: Final = r"""
    SELECT id::bigint
    FROM (SELECT jsonb_path_query(detalhe, 'lax $.servicos[*].id') #>> '{}' FROM logisticas
          WHERE detalhe IS NOT NULL AND excluida_em IS NULL) AS ids (id)
    WHERE id ~ '^[0-9]{1,18}$'"""
"""Os que as logísticas dizem ter."""


def rows(servico: Document) -> Rows:
    """A linha de um serviço."""
    read = Fields(servico)
    return {
        logisticas_servicos: [
            {
                "id": read.id("id"),
                "logistica_id": read.reference("logistica"),
                "descricao": read.text("descricao"),
                "codigo": read.text("codigo"),
                "codigo_servico": read.text("idCodigoServico"),
                "ativo": read.boolean("ativo"),
                "frete_item": read.measured("freteItem"),
                "estimativa_entrega": read.integer("estimativaEntrega"),
                "transportador_id": read.reference("transportador"),
                "detalhe": servico,
            }
        ]
    }


def nameless_servico(servico: Document) -> Document:
    """O serviço sem quem transporta, de que fica o id."""
    kept = only(servico, _KEPT)
    return kept | ({"transportador": only(servico["transportador"], ("id",))} if "transportador" in servico else {})


LOGISTICAS_SERVICOS = Resource(
    name="logisticas_servicos",
    title="Serviços das logísticas",
    noun="Serviço de uma logística",
    singular="logistica_servico",
    permission="Logísticas",
    path="/logisticas/servicos",
    table=logisticas_servicos,
    rows=rows,
    always=("descricao", "logistica"),
    detail=False,
    # O detalhe de uma logística só mostra os inativos a quem os pede; a listagem dos serviços não tem como pedi-los.
    listable=may_be_hidden,
    whole=Whole(every=WEEKLY),
    besides=_OF_LOGISTICAS,
    cites=(("logisticas", logisticas_servicos.c.logistica_id), ("contatos", logisticas_servicos.c.transportador_id)),
    history=(),
    person=Person(
        nameless_servico,
        contato_id=logisticas_servicos.c.transportador_id,
        path=("transportador", "id"),
        names=(),
    ),
)
