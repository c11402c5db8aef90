"""As categorias de produtos: GET /categorias/produtos."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.models import categorias_produto
from bling_collector.db.resources import produtos_categorias
from bling_collector.etl.resource import Document, Resource, Rows, Whole
from bling_collector.payload import Fields

if TYPE_CHECKING:
    from bling_collector.etl.context import RunContext

_SOME: Final = 15
"""Categorias de uma loja, enquanto o banco não tem nenhuma."""


def rows(categoria: Document) -> Rows:
    """A linha de uma categoria."""
    read = Fields(categoria)
    return {
        categorias_produto: [
            {
                "id": read.id("id"),
                "descricao": read.text("descricao"),
                "categoria_pai_id": read.reference("categoriaPai"),
            }
        ]
    }


async def _of_each_produto(ctx: "RunContext") -> None:
    from bling_collector.streams.produtos.steps.categorias import collect_categorias  # só quem coleta o carrega

    await collect_categorias(ctx)


async def _after_save(connection: AsyncConnection, written: Collection[int]) -> None:
    if written:
        await produtos_categorias.fill_categoria_descricao(connection)


def _cost(new: Mapping[str, float], held: Mapping[str, int]) -> float:
    """As categorias, e a de cada produto, pelo detalhe ou pelo filtro: o que pedir menos."""
    unknown = round(new.get("produtos", 0))
    return 2 + min(2 * unknown, 2 * (held["categorias_produto"] or _SOME)) if unknown else 0


CATEGORIAS_PRODUTO = Resource(
    name="categorias_produto",
    title="Categorias de produtos",
    noun="Categoria de produtos",
    singular="categoria_produto",
    permission="Categorias de produtos",
    path="/categorias/produtos",
    table=categorias_produto,
    rows=rows,
    optional=False,
    always=("descricao",),
    detail=False,
    needs=("produtos",),
    whole=Whole(weekly=True, when_lacking=True),
    after_save=_after_save,
    special=(_of_each_produto,),
    special_cost=_cost,
    rebuilt=produtos_categorias.fill_categoria_descricao,
)
