"""As tabelas e o gráfico do estoque."""

from collections.abc import Sequence
from typing import Final

from bling_collector.insight.stock.stock import Day, Product, Products
from bling_collector.web.panel.charts import Chart, Group, Series, grouped_bars, short_value
from bling_collector.web.panel.tables.revenue import step_labels
from bling_collector.web.panel.tables.table import Column, Table
from bling_collector.words import day, money, plural

PRODUCTS: Final = "produtos"
DAYS: Final = "dias"
ABOUT: Final = (
    "O valor é o saldo físico da última leitura vezes o custo do fornecedor padrão ou, sem fornecedor, o do cadastro; "
    "um saldo negativo diminui-o. A cobertura são os dias para que dá o saldo virtual, que desconta o que está "
    "reservado, no passo da venda dos 90 dias até a leitura: a das notas, que dizem o SKU mas não o depósito. O custo "
    "de um kit e o de um produto com variações são os das partes, que não se somam outra vez. É o de "
    "vw_estoque_cobertura."
)
_PRODUCT: Final = (
    Column("Produto"),
    Column("Código", place="under"),
    Column("Categoria", place="file"),
    Column("Saldo", "decimal"),
    Column("Saldo virtual", "decimal"),
    Column("Custo", "money"),
    Column("Valor", "money"),
    Column("Vendido em 90 dias", "decimal"),
    Column("Cobertura em dias", "decimal"),
    Column("Acaba em", "day"),
    Column("Última venda", "day"),
    Column("Situação", place="file"),
)
_DAY: Final = (
    Column("Dia", "day"),
    Column("Saldo", "decimal"),
    Column("Produtos com saldo", "integer"),
    Column("Valor", "money"),
)


def product_address(produto_id: int | None) -> str | None:
    """A página do produto, se se sabe qual é."""
    return None if produto_id is None else f"/produtos/{produto_id}"


def products_table(found: Products) -> Table:
    links = [product_address(each.produto_id) for each in found.rows]
    return Table(PRODUCTS, "Produtos", _PRODUCT, [_product(each) for each in found.rows], found.of, links)


def _product(each: Product) -> tuple[object, ...]:
    return (
        each.nome or each.codigo or f"Produto {each.produto_id}",
        each.codigo,
        each.categoria,
        each.saldo_fisico,
        each.saldo_virtual,
        each.preco_custo,
        each.valor_custo,
        each.vendido_90_dias,
        each.dias_cobertura,
        each.acaba_em,
        each.ultima_venda,
        each.situacao.capitalize(),
    )


def days_table(days: Sequence[Day]) -> Table:
    rows = [(each.dia, each.saldo, each.com_saldo, each.valor) for each in days]
    return Table(DAYS, "Valor por dia", _DAY, rows, len(rows))


def days_chart(days: Sequence[Day]) -> Chart:
    """O valor do estoque, ao custo, em cada dia que tem leitura."""
    groups = [
        Group(
            *step_labels(place, each.dia, "dia", len(days)),
            tip=f"{day(each.dia)}: {money(each.valor)}, em {plural(each.com_saldo, 'produto', 'produtos')}",
        )
        for place, each in enumerate(days)
    ]
    title = f"Valor do estoque, ao custo, {day(days[0].dia)} a {day(days[-1].dia)}"
    series = [Series("Ao custo do dia", 1, [each.valor for each in days])]
    svg = grouped_bars(title, "Os números estão na tabela “Valor por dia”, abaixo.", groups, series, short_value)
    return Chart("Valor do estoque, ao custo", svg, [("Ao custo do dia", 1)])
