"""As NFS-e, as notas de serviço: GET /nfse e GET /nfse/{id}, que acrescenta o link e o código de verificação.

`/nfse/configuracoes` nunca se pede: traz o usuário e a senha da prefeitura.
"""

from datetime import date
from typing import TYPE_CHECKING

from bling_collector.clock import today
from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.models import contatos, nfse
from bling_collector.db.proof import Dated
from bling_collector.db.resources import repository
from bling_collector.etl.resource import Document, Emitted, Person, Resource, Rows, months_back
from bling_collector.payload import Fields, integer, local_date, text
from bling_collector.streams.contato import contato_of, known_by
from bling_collector.traces import only
from bling_collector.windows import Between

if TYPE_CHECKING:
    from bling_collector.etl.context import RunContext

_PENDENTE, _CANCELADA = 0, 3
_WITHOUT_LINK = f"""
    link IS NULL AND situacao IS DISTINCT FROM {_CANCELADA} AND excluida_em IS NULL
    AND data_emissao >= CAST(:hoje AS date) - 60"""
"""As que ainda o podem ganhar."""
_KEPT = ("id", "numero", "numeroRPS", "serie", "situacao", "dataEmissao", "valor", "codigoVerificacao")
"""O que fica da nota de quem pediu que os seus dados fossem apagados: um campo novo é tomado por pessoal."""
_BETWEEN = Between("dataEmissaoInicial", "dataEmissaoFinal", hours=False)


def rows(document: Document) -> Rows:
    """As linhas de uma nota de serviço: ela e o contato como ela o traz."""
    read = Fields(document)
    email = read.text("contato", "email")
    return {
        nfse: [
            {
                "id": read.id("id"),
                "numero": read.text("numero"),
                "numero_rps": read.text("numeroRPS"),
                "serie": read.text("serie"),
                "situacao": read.integer("situacao"),
                "data_emissao": read.local_date("dataEmissao"),
                "valor": read.money("valor"),
                "contato_id": read.reference("contato"),
                "contato_nome": read.text("contato", "nome"),
                "contato_documento": read.documento("contato", "numeroDocumento"),
                "contato_email": email,
                "link": read.text("link"),
                "codigo_verificacao": read.text("codigoVerificacao"),
                "detalhe": document,
            }
        ],
        contatos: [contato | {"email": email} for contato in contato_of(read, tipo="tipoPessoa")],
    }


def nameless_nfse(document: Document) -> Document:
    """A nota com valor, data, números, situação e código; do contato, o id."""
    kept = only(document, _KEPT)
    return kept | ({"contato": only(document["contato"], ("id",))} if "contato" in document else {})


async def _without_link(connection: AsyncConnection, day: date) -> list[int]:
    return await repository.already_given(connection, NFSE.kept, _WITHOUT_LINK, day)


async def _count_without_link(connection: AsyncConnection, day: date) -> int:
    return len(await _without_link(connection, day))


async def _await_links(ctx: "RunContext") -> None:
    """Relê o detalhe das que ainda não têm link: vem quando a prefeitura responde, e a listagem não o mostra."""
    from bling_collector.etl.fetch import Wanted, fetch_and_store  # só quem coleta os carrega

    async with ctx.engine.connect() as connection:
        ids = await _without_link(connection, today(ctx.clock))
        read = await repository.read_between(connection, nfse, ids, ctx.started, ctx.clock.now())
    await fetch_and_store(ctx, NFSE, {id_: Wanted() for id_ in ids if id_ not in read}, count=False)


NFSE = Resource(
    name="nfse",
    title="Notas de serviço",
    noun="Nota de serviço",
    singular="nfse",
    permission="Notas fiscais de serviço eletrônicas",
    path="/nfse",
    table=nfse,
    rows=rows,
    always=("situacao", "dataEmissao", "valor"),
    # A descrição diz que o filtro vai de 0 a 3, e também que vai de 1 a 4: a cancelada é uma das últimas. De o padrão
    # esconder alguma, nada diz.
    tries=((("situacao", "3"),), (("situacao", "4"),)),
    suspects=tuple((("situacao", str(situacao)),) for situacao in (0, 1, 2)),
    proves=lambda row: integer(row.get("situacao")) == _PENDENTE,
    emitted=Emitted(
        _BETWEEN,
        lambda row: local_date(row.get("dataEmissao")),
        Dated("data_emissao", "situacao"),
        lambda row: text(integer(row.get("situacao"))) or "",
        # Não há filtro de alteração, nem aviso, e são poucas: relê-se o que cabe num pedido.
        back=months_back(10),
    ),
    special=(_await_links,),
    owed=_count_without_link,
    # O contato como a nota o traz; o detalhe, que sabe mais, vem com os contatos.
    first_seen=(contatos,),
    history=(),
    person=Person(
        nameless_nfse,
        contato_id=nfse.c.contato_id,
        names=(nfse.c.contato_nome,),
        documento=nfse.c.contato_documento,
        # O link abre a nota na prefeitura, com o nome.
        also=(nfse.c.contato_email, nfse.c.link),
    ),
    names=known_by("numero"),
)
