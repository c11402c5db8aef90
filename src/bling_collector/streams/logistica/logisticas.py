"""As logísticas da conta: GET /logisticas. Os serviços de cada uma vêm só com o id."""

from bling_collector.db.models import logisticas
from bling_collector.etl.resource import Document, Resource, Rows, Whole
from bling_collector.payload import Fields


def rows(logistica: Document) -> Rows:
    """A linha de uma logística."""
    read = Fields(logistica)
    return {
        logisticas: [
            {
                "id": read.id("id"),
                "descricao": read.text("descricao"),
                "tipo_integracao": read.text("tipoIntegracao"),
                "integracao_nativa": read.boolean("integracaoNativa"),
                "situacao": read.text("situacao"),
                "integracao_id": read.reference("integracao"),
                "detalhe": logistica,
            }
        ]
    }


LOGISTICAS = Resource(
    name="logisticas",
    title="Logísticas",
    noun="Logística",
    singular="logistica",
    permission="Logísticas",
    path="/logisticas",
    table=logisticas,
    rows=rows,
    always=("descricao", "situacao"),
    detail=False,
    # Nada se diz de o padrão esconder as desabilitadas; pedem-se também à parte.
    shows=((), (("situacao", "H"),), (("situacao", "D"),)),
    whole=Whole(weekly=True),
    history=(),
)
