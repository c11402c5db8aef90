"""As situações da conta, de cada módulo que as tem: GET /situacoes/modulos e GET /situacoes/modulos/{id}.

O número de uma situação de fábrica é o mesmo em toda conta; uma que a empresa criou diz de qual foi tirada.
"""

from bling_collector.db.models import situacoes, situacoes_modulos
from bling_collector.etl.resource import Document, Each, Resource, Rows, Whole
from bling_collector.payload import Fields


def rows_of_modulo(modulo: Document) -> Rows:
    """A linha de um módulo."""
    read = Fields(modulo)
    return {
        situacoes_modulos: [
            {
                "id": read.id("id"),
                "nome": read.text("nome"),
                "descricao": read.text("descricao"),
                "detalhe": modulo,
            }
        ]
    }


def rows(situacao: Document) -> Rows:
    """A linha de uma situação; o módulo é o de cuja listagem ela veio."""
    read = Fields(situacao)
    return {
        situacoes: [
            {
                "id": read.id("id"),
                "modulo_id": read.id("idModulo"),
                "nome": read.text("nome"),
                "cor": read.text("cor"),
                "id_herdado": read.id("idHerdado") or None,
                "detalhe": situacao,
            }
        ]
    }


SITUACOES_MODULOS = Resource(
    name="situacoes_modulos",
    title="Módulos com situações",
    noun="Módulo com situações",
    singular="situacao_modulo",
    permission="Situações - Módulos",
    path="/situacoes/modulos",
    table=situacoes_modulos,
    rows=rows_of_modulo,
    always=("nome",),
    detail=False,
    alone=False,
    paged=False,
    whole=Whole(weekly=True),
    history=(),
)

SITUACOES = Resource(
    name="situacoes",
    title="Situações",
    noun="Situação",
    singular="situacao",
    permission="Situações",
    path="/situacoes/modulos/{modulo_id}",
    table=situacoes,
    rows=rows,
    always=("nome",),
    detail=False,
    detail_path="/situacoes",
    paged=False,
    each=Each(
        "SELECT id AS modulo_id FROM situacoes_modulos WHERE detalhe IS NOT NULL AND excluida_em IS NULL ORDER BY id",
        told=(("modulo_id", "idModulo"),),
        of="situacoes_modulos",
    ),
    whole=Whole(weekly=True),
    history=(),
)
