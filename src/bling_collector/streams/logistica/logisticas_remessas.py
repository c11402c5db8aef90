"""As remessas de cada logística, e os objetos que cada uma levou: GET /logisticas/{id}/remessas, sem páginas nem
datas, e GET /logisticas/remessas/{id}."""

from bling_collector.db.models import logisticas_remessas, logisticas_remessas_objetos
from bling_collector.etl.resource import Child, Document, Each, Resource, Rows, Whole, may_be_hidden
from bling_collector.payload import Fields


def rows(remessa: Document) -> Rows:
    """As linhas de uma remessa, do seu detalhe: ela e os objetos, em ordem."""
    read = Fields(remessa)
    remessa_id = read.id("id")
    return {
        logisticas_remessas: [
            {
                "id": remessa_id,
                "logistica_id": read.reference("logistica"),
                "numero_plp": read.text("numeroPlp"),
                "descricao": read.text("descricao"),
                "situacao": read.integer("situacao"),
                "data_criacao": read.local_date("dataCriacao"),
                "detalhe": remessa,
            }
        ],
        logisticas_remessas_objetos: [
            {"remessa_id": remessa_id, "objeto_id": objeto_id} for objeto_id in read.ids("objetos")
        ],
    }


LOGISTICAS_REMESSAS = Resource(
    name="logisticas_remessas",
    title="Remessas",
    noun="Remessa",
    singular="logistica_remessa",
    permission="Logísticas",
    path="/logisticas/{logistica_id}/remessas",
    table=logisticas_remessas,
    rows=rows,
    always=(("situacao", "numeroPlp", "descricao"),),
    detail_path="/logisticas/remessas",
    paged=False,
    each=Each(
        "SELECT id AS logistica_id FROM logisticas WHERE detalhe IS NOT NULL AND excluida_em IS NULL ORDER BY id",
        of="logisticas",
    ),
    # Quantas cabem numa listagem sem páginas não está escrito: o que ela não mostra pergunta-se pelo id.
    listable=may_be_hidden,
    whole=Whole(weekly=True),
    children=(Child(logisticas_remessas_objetos, "remessa_id"),),
    history=(),
)
