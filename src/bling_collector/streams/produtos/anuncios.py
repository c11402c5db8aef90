"""Os anúncios de cada canal de venda: GET /anuncios, uma listagem por canal e situação, e GET /anuncios/{id}."""

from typing import Final

from bling_collector.db.models import anuncios
from bling_collector.etl.resource import Document, Each, Resource, Rows, Whole
from bling_collector.payload import Fields

SITUACOES: Final = range(1, 5)
_CANAIS: Final = """
    SELECT id AS "idLoja", tipo AS "tipoIntegracao" FROM canais_venda
    WHERE tipo IS NOT NULL AND detalhe IS NOT NULL AND excluida_em IS NULL ORDER BY id"""
_TOLD: Final = ("idLoja", "tipoIntegracao", "situacao")
"""O que diz a listagem em que o anúncio está."""


def rows(anuncio: Document) -> Rows:
    """A linha de um anúncio, do seu detalhe, que chama `status` à situação; o canal é o de cuja listagem ele veio."""
    read = Fields(anuncio)
    situacao = read.integer("situacao")
    return {
        anuncios: [
            {
                "id": read.id("id"),
                "loja_id": read.id("idLoja"),
                "tipo_integracao": read.text("tipoIntegracao"),
                "produto_id": read.reference("produto"),
                "titulo": read.text("titulo"),
                "situacao": read.integer("status") if situacao is None else situacao,
                "detalhe": anuncio,
            }
        ]
    }


ANUNCIOS = Resource(
    name="anuncios",
    title="Anúncios",
    noun="Anúncio",
    singular="anuncio",
    permission="Anúncios",
    path="/anuncios",
    table=anuncios,
    rows=rows,
    # Sem `situacao` só vêm os publicados (referência: GET /anuncios).
    shows=tuple((("situacao", str(situacao)),) for situacao in SITUACOES),
    told=(("situacao", "situacao"),),
    from_list=tuple((key, key) for key in _TOLD),
    each=Each(
        _CANAIS,
        told=(("idLoja", "idLoja"), ("tipoIntegracao", "tipoIntegracao")),
        params=("idLoja", "tipoIntegracao"),
        of="canais_venda",
    ),
    detail_with=(("idLoja", "idLoja"), ("tipoIntegracao", "tipoIntegracao")),
    whole=Whole(weekly=True),
    cites=(("canais_venda", anuncios.c.loja_id), ("produtos", anuncios.c.produto_id)),
    history=(),
)
