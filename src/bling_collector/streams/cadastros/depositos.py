"""Os depósitos: GET /depositos."""

from bling_collector.db.models import depositos
from bling_collector.etl.resource import Document, Resource, Rows, Whole
from bling_collector.payload import Fields


def rows(deposito: Document) -> Rows:
    """A linha de um depósito."""
    read = Fields(deposito)
    return {
        depositos: [
            {
                "id": read.id("id"),
                "descricao": read.text("descricao"),
                "situacao": read.integer("situacao"),
                "padrao": read.boolean("padrao"),
                "desconsiderar_saldo": read.boolean("desconsiderarSaldo"),
                "detalhe": deposito,
            }
        ]
    }


DEPOSITOS = Resource(
    name="depositos",
    title="Depósitos",
    noun="Depósito",
    singular="deposito",
    permission="Depósitos",
    path="/depositos",
    table=depositos,
    rows=rows,
    always=("descricao", "situacao"),
    detail=False,
    # Sem `situacao` só vêm os ativos (referência: GET /depositos).
    shows=((("situacao", "1"),), (("situacao", "0"),)),
    whole=Whole(aside="situacao = 0"),
    history=(),
)
