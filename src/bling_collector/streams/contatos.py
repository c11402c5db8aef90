"""Os contatos que as notas citam: GET /contatos/{id}."""

from bling_collector.db.models import contatos
from bling_collector.payload import Fields, integer
from bling_collector.streams.base import Document, Rows, Stream
from bling_collector.streams.nameless import nameless_contato


def rows(contato: Document) -> Rows:
    """A linha de um contato, do seu detalhe; município e UF são os do endereço geral."""
    read = Fields(contato)
    return {
        contatos: [
            {
                "id": read.id("id"),
                "nome": read.text("nome"),
                "documento": read.documento("numeroDocumento"),
                "email": read.text("email"),
                "tipo_pessoa": read.text("tipo"),
                "municipio": read.text("endereco", "geral", "municipio"),
                "uf": read.text("endereco", "geral", "uf"),
                "codigo": read.text("codigo"),
                "fantasia": read.text("fantasia"),
                "situacao": read.text("situacao"),
                "telefone": read.text("telefone"),
                "celular": read.text("celular"),
                "detalhe": contato,
                "nao_encontrado_em": None,
            }
        ]
    }


DELETED = (("criterio", "2"),)
"""O critério que só mostra os excluídos."""

CONTATOS = Stream(
    name="contatos",
    title="Contatos",
    noun="Contato",
    singular="contato",
    permission="Contatos",
    path="/contatos",
    table=contatos,
    rows=rows,
    always=("nome",),
    # Sem `criterio` só vêm os últimos incluídos; 1 é todos (referência: GET /contatos).
    listings=((("criterio", "1"),),),
    # De um contato sem detalhe o Bling já tinha respondido que não o conhece: que está excluído não é novidade.
    alive="detalhe IS NOT NULL AND situacao IS DISTINCT FROM 'E'",
    known="antes.detalhe IS NOT NULL",
    history=(),
    volatile=("nao_encontrado_em",),
    state=("nao_encontrado_em",),
    person=lambda contato: integer(contato.get("id")),
    nameless=nameless_contato,
    window=("dataAlteracaoInicial", "dataAlteracaoFinal"),
)
