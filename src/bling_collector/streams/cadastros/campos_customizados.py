"""Os campos que a empresa acrescentou aos cadastros: GET /campos-customizados/modulos, a listagem dos campos de cada
módulo e GET /campos-customizados/{id}, que diz as opções."""

from bling_collector.db.models import campos_customizados, campos_customizados_modulos, campos_customizados_opcoes
from bling_collector.etl.resource import Child, Document, Each, Resource, Rows, Whole, may_be_hidden
from bling_collector.payload import Fields, integer

INATIVO = 0


def rows_of_modulo(modulo: Document) -> Rows:
    """A linha de um módulo."""
    read = Fields(modulo)
    return {
        campos_customizados_modulos: [
            {
                "id": read.id("id"),
                "nome": read.text("nome"),
                "modulo": read.text("modulo"),
                "agrupador": read.text("agrupador"),
                "detalhe": modulo,
            }
        ]
    }


def rows(campo: Document) -> Rows:
    """As linhas de um campo, do seu detalhe: ele e as opções, em ordem."""
    read = Fields(campo)
    campo_id = read.id("id")
    return {
        campos_customizados: [
            {
                "id": campo_id,
                "modulo_id": read.reference("modulo"),
                "nome": read.text("nome"),
                "situacao": read.integer("situacao"),
                "tipo_campo_id": read.reference("tipoCampo"),
                "obrigatorio": read.boolean("obrigatorio"),
                "detalhe": campo,
            }
        ],
        campos_customizados_opcoes: [
            {"campo_id": campo_id, "ordem": ordem, "id": opcao.id("id"), "nome": opcao.text("nome")}
            for ordem, opcao in enumerate(read.objects("opcoes"), start=1)
        ],
    }


CAMPOS_CUSTOMIZADOS_MODULOS = Resource(
    name="campos_customizados_modulos",
    title="Módulos com campos customizados",
    noun="Módulo com campos customizados",
    singular="campo_customizado_modulo",
    permission="Campos customizados",
    path="/campos-customizados/modulos",
    table=campos_customizados_modulos,
    rows=rows_of_modulo,
    always=("nome",),
    detail=False,
    alone=False,
    paged=False,
    whole=Whole(weekly=True),
    history=(),
)

CAMPOS_CUSTOMIZADOS = Resource(
    name="campos_customizados",
    title="Campos customizados",
    noun="Campo customizado",
    singular="campo_customizado",
    permission="Campos customizados",
    path="/campos-customizados/modulos/{modulo_id}",
    table=campos_customizados,
    rows=rows,
    always=("nome", "situacao"),
    detail_path="/campos-customizados",
    each=Each(
        "SELECT id AS modulo_id FROM campos_customizados_modulos "
        "WHERE detalhe IS NOT NULL AND excluida_em IS NULL ORDER BY id",
        of="campos_customizados_modulos",
    ),
    listable=may_be_hidden,
    # A listagem não mostra as opções; as de um inativo já não mudam.
    whole=Whole(weekly=True),
    drifts=lambda row: integer(row.get("situacao")) != INATIVO,
    children=(Child(campos_customizados_opcoes, "campo_id"),),
    history=("opcoes",),
)
