"""Os contatos que as notas citam: GET /contatos/{id}."""

from bling_collector.db.models import contatos
from bling_collector.payload import documento, integer, part, text
from bling_collector.streams.base import Document, Rows, Stream
from bling_collector.streams.nameless import nameless_contato


def rows(contato: Document) -> Rows:
    """A linha de um contato, do seu detalhe; município e UF são os do endereço geral."""
    return {
        contatos: [
            {
                "id": integer(contato.get("id")),
                "nome": text(contato.get("nome")),
                "documento": documento(contato.get("numeroDocumento")),
                "email": text(contato.get("email")),
                "tipo_pessoa": text(contato.get("tipo")),
                "municipio": text(part(contato, "endereco", "geral", "municipio")),
                "uf": text(part(contato, "endereco", "geral", "uf")),
                "codigo": text(contato.get("codigo")),
                "fantasia": text(contato.get("fantasia")),
                "situacao": text(contato.get("situacao")),
                "telefone": text(contato.get("telefone")),
                "celular": text(contato.get("celular")),
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
    path="/contatos",
    table=contatos,
    rows=rows,
    # Sem `criterio` só vêm os últimos incluídos; 1 é todos (referência: GET /contatos).
    listings=((("criterio", "1"),),),
    history=(),
    volatile=("nao_encontrado_em",),
    state=("nao_encontrado_em",),
    person=lambda contato: integer(contato.get("id")),
    nameless=nameless_contato,
    window=("dataAlteracaoInicial", "dataAlteracaoFinal"),
)
