"""Os vendedores: GET /vendedores (sem as comissões) e GET /vendedores/{id}."""

from collections.abc import Collection

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.models import vendedores, vendedores_comissoes
from bling_collector.db.resources.vendedores import name_vendedores
from bling_collector.etl.resource import Child, Document, Person, Resource, Rows, Whole
from bling_collector.payload import Fields, part, text
from bling_collector.streams.nameless import nameless_vendedor


def rows(vendedor: Document) -> Rows:
    """A linha de um vendedor e as das suas comissões, do seu detalhe."""
    read = Fields(vendedor)
    vendedor_id = read.id("id")
    return {
        vendedores: [
            {
                "id": vendedor_id,
                "nome": read.text("contato", "nome"),
                "contato_id": read.reference("contato"),
                "situacao": read.text("contato", "situacao"),
                "loja_id": read.reference("loja"),
                "desconto_limite": read.measured("descontoLimite"),
                "detalhe": vendedor,
            }
        ],
        vendedores_comissoes: [
            {
                "vendedor_id": vendedor_id,
                "ordem": ordem,
                "desconto_maximo": comissao.measured("descontoMaximo"),
                "aliquota": comissao.measured("aliquota"),
            }
            for ordem, comissao in enumerate(read.objects("comissoes"), start=1)
        ],
    }


async def _after_save(connection: AsyncConnection, written: Collection[int]) -> None:
    if written:
        await name_vendedores(connection)


VENDEDORES = Resource(
    name="vendedores",
    title="Vendedores",
    noun="Vendedor",
    singular="vendedor",
    permission="Vendedores",
    path="/vendedores",
    table=vendedores,
    rows=rows,
    always=(("contato", "descontoLimite", "comissoes"),),
    # Sem `situacaoContato` só vêm os ativos; T é todos, os excluídos também (referência: GET /vendedores).
    shows=((("situacaoContato", "T"),),),
    # A listagem não mostra as comissões; de um excluído elas já não mudam.
    whole=Whole(),
    drifts=lambda row: text(part(row, "contato", "situacao")) != "E",
    cites=(("contatos", vendedores.c.contato_id), ("canais_venda", vendedores.c.loja_id)),
    children=(Child(vendedores_comissoes, "vendedor_id"),),
    # O nome pode não vir, e é então o do contato: o que o Bling diz dele anota-se com `contato`.
    after_save=_after_save,
    volatile=("nome",),
    history=("comissoes", "contato"),
    person=Person(nameless_vendedor, contato_id=vendedores.c.contato_id, names=(vendedores.c.nome,)),
)
