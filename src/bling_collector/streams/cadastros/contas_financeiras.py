"""As contas financeiras, caixas e bancos por onde o dinheiro passa: GET /contas-contabeis."""

from bling_collector.db.models import contas_financeiras
from bling_collector.etl.resource import Document, Resource, Rows, Whole
from bling_collector.payload import Fields


def rows(conta: Document) -> Rows:
    """A linha de uma conta; a situação é a da listagem em que ela apareceu."""
    read = Fields(conta)
    return {
        contas_financeiras: [
            {
                "id": read.id("id"),
                "descricao": read.text("descricao"),
                "tipo": read.text("tipo"),
                "alias_integracao": read.text("aliasIntegracao"),
                "situacao": read.integer("situacao"),
                "detalhe": conta,
            }
        ]
    }


CONTAS_FINANCEIRAS = Resource(
    name="contas_financeiras",
    title="Contas financeiras",
    noun="Conta financeira",
    singular="conta_financeira",
    permission="Contas financeiras",
    path="/contas-contabeis",
    table=contas_financeiras,
    rows=rows,
    always=("descricao",),
    detail=False,
    # A linha não diz a situação: diz-a o filtro. Também sem ele, que pode haver outra; e o padrão pode esconder.
    shows=(*((("situacoes", str(situacao)),) for situacao in range(1, 5)), ()),
    told=(("situacoes", "situacao"),),
    from_list=(("situacao", "situacao"),),
    whole=Whole(aside="situacao IS DISTINCT FROM 1"),
    history=(),
)
