"""Os canais de venda, que as notas e os pedidos chamam de loja: GET /canais-venda e GET /canais-venda/{id}."""

from bling_collector.db.models import canais_venda, canais_venda_filiais
from bling_collector.etl.resource import Child, Document, Resource, Rows, Whole
from bling_collector.payload import Fields, Row, integer

DESABILITADO = 2


def rows(canal: Document) -> Rows:
    """A linha de um canal e as das suas filiais, do seu detalhe."""
    read = Fields(canal)
    canal_id = read.id("id")
    return {
        canais_venda: [
            {
                "id": canal_id,
                "descricao": read.text("descricao"),
                "tipo": read.text("tipo"),
                "situacao": read.integer("situacao"),
                "detalhe": canal,
            }
        ],
        canais_venda_filiais: [
            _filial(canal_id, ordem, filial) for ordem, filial in enumerate(read.objects("filiais"), start=1)
        ],
    }


def _filial(canal_id: int | None, ordem: int, filial: Fields) -> Row:
    return {
        "canal_id": canal_id,
        "ordem": ordem,
        "cnpj": filial.documento("cnpj"),
        "id_unidade_negocio": filial.id("idUnidadeNegocio") or None,
        "unidade_negocio": filial.text("unidadeNegocio"),
        "deposito_id": filial.reference("deposito"),
        "padrao": filial.boolean("padrao"),
    }


CANAIS_VENDA = Resource(
    name="canais_venda",
    title="Canais de venda",
    noun="Canal de venda",
    singular="canal_venda",
    permission="Canais de venda",
    path="/canais-venda",
    table=canais_venda,
    rows=rows,
    always=("descricao", "situacao"),
    # Nada se diz de o padrão esconder os desabilitados; pedem-se também à parte.
    shows=((), (("situacao", "1"),), (("situacao", "2"),)),
    # A listagem não mostra as filiais; as de um canal desabilitado já não mudam.
    whole=Whole(aside=f"situacao = {DESABILITADO}"),
    drifts=lambda row: integer(row.get("situacao")) != DESABILITADO,
    cites=(("depositos", canais_venda_filiais.c.deposito_id),),
    children=(Child(canais_venda_filiais, "canal_id"),),
    history=("filiais",),
)
