"""Os contatos que as notas citam: GET /contatos/{id}."""

from contextlib import suppress

from bling_collector.db import reprocessing
from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.models import contatos
from bling_collector.db.resources.vendedores import name_vendedores
from bling_collector.db.upsert import upsert
from bling_collector.etl.resource import Changed, Document, Person, Removed, Resource, Rows
from bling_collector.payload import Fields, Row, UnreadableError
from bling_collector.streams.nameless import nameless_contato
from bling_collector.streams.notas.nfe import rows as rows_of_nota
from bling_collector.windows import Between


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
            }
        ]
    }


async def _as_notas_say(connection: AsyncConnection) -> None:
    """Os contatos sem detalhe são como a nota mais nova os traz; o que só o detalhe diz fica vazio."""
    blank = {name: None for name in rows({})[contatos][0] if name != "detalhe"}
    found: list[Row] = []
    for row in await reprocessing.notas_of_contatos_without_detail(connection):
        extracted = {"extraido_em": row["extraido_em"]}
        with suppress(UnreadableError):  # a nota já ficou pendente
            found += [blank | contato | extracted for contato in rows_of_nota(row["detalhe"])[contatos]]
    await upsert(connection, contatos, found)
    await name_vendedores(connection)


CONTATOS = Resource(
    name="contatos",
    title="Contatos",
    noun="Contato",
    singular="contato",
    permission="Contatos",
    path="/contatos",
    table=contatos,
    rows=rows,
    optional=False,
    always=("nome",),
    # Sem `criterio` só vêm os últimos incluídos; 1 é todos, 2 os excluídos (referência: GET /contatos).
    shows=((("criterio", "1"),),),
    register=((("criterio", "1"),),),
    needs=("nfe",),
    changed=Changed(Between("dataAlteracaoInicial", "dataAlteracaoFinal"), only_ours=True),
    shown=("nome", "documento", "codigo", "situacao", "telefone", "celular"),
    removed=Removed((("criterio", "2"),), said="situacao = 'E'"),
    after_save=name_vendedores,
    rebuilt=_as_notas_say,
    # De um contato sem detalhe o Bling já tinha respondido que não o conhece: que está excluído não é novidade.
    alive="detalhe IS NOT NULL AND situacao IS DISTINCT FROM 'E'",
    known="antes.detalhe IS NOT NULL",
    history=(),
    person=Person(
        nameless_contato,
        contato_id=None,
        path=("id",),
        names=(contatos.c.nome, contatos.c.fantasia),
        documento=contatos.c.documento,
        also=tuple(contatos.c[name] for name in ("email", "municipio", "codigo", "telefone", "celular")),
    ),
    counts="contatos_novos",
)
