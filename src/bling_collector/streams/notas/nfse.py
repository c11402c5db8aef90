"""As NFS-e, as notas de serviço: GET /nfse e GET /nfse/{id}, que acrescenta o link e o código de verificação.

`/nfse/configuracoes` nunca se pede: traz o usuário e a senha da prefeitura.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from bling_collector.clock import today
from bling_collector.db.models import contatos, nfse
from bling_collector.db.proof import Dated
from bling_collector.db.resources import repository
from bling_collector.etl.resource import Document, Emitted, Person, Recent, Resource, Rows
from bling_collector.payload import Fields, integer, local_date, part, text
from bling_collector.streams.nameless import only
from bling_collector.windows import Between

if TYPE_CHECKING:
    from bling_collector.etl.context import RunContext

_CANCELADA = 3
_WITHOUT_LINK = f"""
    link IS NULL AND situacao IS DISTINCT FROM {_CANCELADA} AND excluida_em IS NULL
    AND data_emissao >= CAST(:hoje AS date) - 60"""
"""As que ainda o podem ganhar."""
_A_YEAR = timedelta(days=360)
"""O que se relê todo dia, e cabe num pedido: são poucas notas, e nada mais diz o que mudou."""
_KEPT = ("id", "numero", "numeroRPS", "serie", "situacao", "dataEmissao", "valor", "codigoVerificacao")
"""O que fica da nota de quem pediu que os seus dados fossem apagados: um campo novo é tomado por pessoal."""
_BETWEEN = Between("dataEmissaoInicial", "dataEmissaoFinal", hours=False)


def rows(document: Document) -> Rows:
    """As linhas de uma nota de serviço: ela e o contato como ela o traz."""
    read = Fields(document)
    contato = {
        "nome": read.text("contato", "nome"),
        "documento": read.documento("contato", "numeroDocumento"),
        "email": read.text("contato", "email"),
    }
    contato_id = read.reference("contato")
    return {
        nfse: [
            {
                "id": read.id("id"),
                "numero": read.text("numero"),
                "numero_rps": read.text("numeroRPS"),
                "serie": read.text("serie"),
                "situacao": read.integer("situacao"),
                "data_emissao": read.local_date("dataEmissao"),
                "valor": read.measured("valor"),
                "contato_id": contato_id,
                **{f"contato_{name}": value for name, value in contato.items()},
                "link": read.text("link"),
                "codigo_verificacao": read.text("codigoVerificacao"),
                "detalhe": document,
            }
        ],
        contatos: [{"id": contato_id} | contato] if contato_id is not None else [],
    }


def nameless_nfse(document: Document) -> Document:
    """A nota com valor, data, números, situação e código; do contato, o id."""
    kept = only(document, _KEPT)
    return kept | ({"contato": only(document["contato"], ("id",))} if "contato" in document else {})


async def _await_links(ctx: "RunContext") -> None:
    """Relê o detalhe das que ainda não têm link: vem quando a prefeitura responde, e a listagem não o mostra."""
    from bling_collector.etl.fetch import Wanted, fetch_and_store  # só quem coleta os carrega

    async with ctx.engine.connect() as connection:
        ids = await repository.already_given(connection, NFSE.kept, _WITHOUT_LINK, today(ctx.clock))
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
    # A descrição diz que o filtro vai de 0 a 3, e também que vai de 1 a 4; de o padrão esconder alguma, nada diz.
    tries=tuple((("situacao", str(situacao)),) for situacao in range(5)),
    emitted=Emitted(
        _BETWEEN,
        lambda row: local_date(row.get("dataEmissao")),
        Dated("data_emissao", "situacao"),
        lambda row: str(integer(row.get("situacao"))),
    ),
    recent=(Recent(_BETWEEN, back=_A_YEAR),),
    special=(_await_links,),
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
    names=lambda row: {
        "numero": text(row.get("numero")),
        "contato_id": integer(part(row, "contato", "id")) or None,
        "contato_nome": text(part(row, "contato", "nome")),
    },
)
