"""As naturezas de operação, que dizem de uma nota se é venda, devolução, remessa: GET /naturezas-operacoes."""

from bling_collector.db.models import naturezas_operacao
from bling_collector.etl.resource import Document, Resource, Rows, Whole
from bling_collector.payload import Fields


def rows(natureza: Document) -> Rows:
    """A linha de uma natureza."""
    read = Fields(natureza)
    return {
        naturezas_operacao: [
            {
                "id": read.id("id"),
                "descricao": read.text("descricao"),
                "situacao": read.integer("situacao"),
                "padrao": read.integer("padrao"),
                "detalhe": natureza,
            }
        ]
    }


NATUREZAS_OPERACAO = Resource(
    name="naturezas_operacao",
    title="Naturezas de operação",
    noun="Natureza de operação",
    singular="natureza_operacao",
    permission="Naturezas de operações",
    path="/naturezas-operacoes",
    table=naturezas_operacao,
    rows=rows,
    always=("descricao", "situacao"),
    detail=False,
    alone=False,
    # Nada se diz de o padrão esconder as inativas; pedem-se também à parte.
    shows=((), (("situacao", "1"),), (("situacao", "0"),)),
    whole=Whole(aside="situacao = 0"),
    history=(),
)
