"""As tabelas e os gráficos do faturamento."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from bling_collector.documentos import masked
from bling_collector.insight.sales.revenue import Breakdown, Part, Revenue, Step
from bling_collector.insight.sales.situacoes import OPERACOES
from bling_collector.web.panel.charts import Chart, Group, Series, grouped_bars, short
from bling_collector.web.panel.tables import Column, Kind, Table
from bling_collector.words import day, money, month, number, percent, plural

STEPS: Final = "evolucao"
BREAKDOWNS: Final = {
    "ufs": "Por UF",
    "clientes": "Clientes",
    "produtos": "Produtos",
    "pagamentos": "Formas de pagamento",
    "operacoes": "Vendas e outras saídas",
}
COUNTS_AS_SALE: Final = (
    "Contam as vendas das notas autorizadas, emitidas e registradas, pela data de emissão: as linhas de notas normais "
    "cujo CFOP é de venda. Devoluções, transferências, remessas, outras saídas e notas complementares, de ajuste, de "
    "crédito e de débito se mostram à parte, como as canceladas. As denegadas, rejeitadas, pendentes e excluídas no "
    "Bling ficam de fora. É o mesmo das views; a operação de cada CFOP está em vw_cfops."
)
_STEP_TITLES: Final = {"dia": "Dia", "mes": "Mês", "ano": "Ano"}
_STEP_KINDS: Final[dict[str, Kind]] = {"dia": "day", "mes": "month", "ano": "year"}
_NAMELESS: Final = {"clientes": "Sem cadastro no Bling", "produtos": "Sem código"}
_MANY: Final = 36
_CROWDED: Final = 14
"""A partir de quantos meses só os anos se escrevem no eixo."""


def steps_table(steps: Sequence[Step], step: str) -> Table:
    """O período passo a passo, ao lado do ano anterior."""
    columns = (
        Column(_STEP_TITLES[step], _STEP_KINDS[step]),
        Column("Notas", "integer"),
        Column("Notas um ano antes", "integer"),
        Column("Valor", "money"),
        Column("Valor um ano antes", "money"),
        Column("Variação do valor", "share"),
        Column("Canceladas", "integer"),
        Column("Valor cancelado", "money"),
        Column("Parte cancelada", "share"),
        Column("Outras saídas", "money", "file"),
    )
    rows = [
        (
            each.inicio.year if step == "ano" else each.inicio,
            each.now.notas,
            each.before.notas,
            each.now.valor,
            each.before.valor,
            change(each.now.valor, each.before.valor),
            each.now.canceladas,
            each.now.valor_cancelado,
            each.now.cancelled_share,
            each.now.valor_a_parte,
        )
        for each in steps
    ]
    return Table(STEPS, "Evolução", columns, rows, len(rows))


def breakdown_table(name: str, found: Breakdown, query: str = "") -> Table:
    """Uma repartição; a última coluna é a parte de cada linha no todo que se reparte.

    `query` é o período, para que a página do cliente ou do produto mostre o mesmo.
    """
    columns, pick = {
        "ufs": (_UFS, _uf),
        "clientes": (_CUSTOMERS, _customer),
        "produtos": (_PRODUCTS, _product),
        "pagamentos": (_PAYMENTS, _payment),
        "operacoes": (_OPERATIONS, _operation),
    }[name]
    rows = [(*pick(part), part.amount.valor / found.whole if found.whole else None) for part in found.rows]
    links = [_link(name, part, query) for part in found.rows]
    return Table(name, BREAKDOWNS[name], (*columns, Column("Participação", "share")), rows, found.of, links)


def _link(name: str, part: Part, query: str) -> str | None:
    """A página do que a linha é, se há uma."""
    if name == "clientes" and part.key is not None:
        return f"/clientes/{part.key}?{query}"
    return f"/produtos/{part.produto_id}?{query}" if part.produto_id is not None else None


_UFS: Final = (
    Column("UF"),
    Column("Notas", "integer"),
    Column("Canceladas", "integer"),
    Column("Valor cancelado", "money", "file"),
    Column("Outras saídas", "money", "file"),
    Column("Valor", "money"),
)
_CUSTOMERS: Final = (
    Column("Cliente"),
    Column("CNPJ ou CPF", place="under"),
    Column("Notas", "integer"),
    Column("Canceladas", "integer", "file"),
    Column("Outras saídas", "money", "file"),
    Column("Valor", "money"),
)
_PRODUCTS: Final = (
    Column("Produto"),
    Column("Código", place="under"),
    Column("Notas", "integer", "file"),
    Column("Quantidade", "decimal"),
    Column("Outras saídas", "money", "file"),
    Column("Valor", "money"),
)
_PAYMENTS: Final = (Column("Forma de pagamento"), Column("Parcelas", "integer"), Column("Valor", "money"))
_OPERATIONS: Final = (Column("Operação"), Column("Notas", "integer"), Column("Valor", "money"))


def _uf(part: Part) -> tuple[Any, ...]:
    sums = part.amount
    return part.key or "Sem UF", sums.notas, sums.canceladas, sums.valor_cancelado, sums.valor_a_parte, sums.valor


def _customer(part: Part) -> tuple[Any, ...]:
    nome, sums = part.nome or _NAMELESS["clientes"], part.amount
    return nome, masked(part.documento), sums.notas, sums.canceladas, sums.valor_a_parte, sums.valor


def _product(part: Part) -> tuple[Any, ...]:
    nome, sums = part.nome or (_NAMELESS["produtos"] if part.key is None else part.key), part.amount
    return nome, part.key, sums.notas, part.quantidade, sums.valor_a_parte, sums.valor


def _payment(part: Part) -> tuple[Any, ...]:
    return part.nome or "Não informada", part.parcelas, part.amount.valor


def _operation(part: Part) -> tuple[Any, ...]:
    return OPERACOES[str(part.key)], part.amount.notas, part.amount.valor


def change(now: Decimal | int, before: Decimal | int) -> Decimal | None:
    """Quanto mudou, em relação a antes; None se antes não havia nada."""
    return (Decimal(now) - before) / before if before else None


def charts(revenue: Revenue) -> list[Chart]:
    """O valor e as notas, ao lado do ano anterior, e a parte cancelada.

    Num período de muitos anos o ano anterior já está no próprio gráfico: só a tabela o repete.
    """
    steps, step = revenue.steps, revenue.step

    def beside(now: Sequence[Any], before: Sequence[Any]) -> list[Series]:
        both = [Series("Neste período", 1, now), Series("Um ano antes", 2, before)]
        return both if len(steps) <= _MANY else both[:1]

    return [
        _chart(
            "Valor das notas",
            steps,
            step,
            beside([each.now.valor for each in steps], [each.before.valor for each in steps]),
            lambda each: f"{money(each.now.valor)}; um ano antes, {money(each.before.valor)}",
            short,
        ),
        _chart(
            "Número de notas",
            steps,
            step,
            beside([each.now.notas for each in steps], [each.before.notas for each in steps]),
            lambda each: f"{plural(each.now.notas, 'nota', 'notas')}; um ano antes, {number(each.before.notas)}",
            short,
        ),
        _chart(
            "Parte cancelada",
            steps,
            step,
            [Series("Canceladas, das notas emitidas", 3, [(each.now.cancelled_share or 0) * 100 for each in steps])],
            lambda each: f"{number(each.now.canceladas)} canceladas, {percent(each.now.cancelled_share)}",
            lambda value: f"{number(value)}%",
        ),
    ]


def _chart(title: str, steps: Sequence[Step], step: str, series: list[Series], tip: Any, axis: Any) -> Chart:
    groups = [
        Group(*_labels(place, each.inicio, step, len(steps)), tip=f"{_step_name(each.inicio, step)}: {tip(each)}")
        for place, each in enumerate(steps)
    ]
    first, last = _step_name(steps[0].inicio, step), _step_name(steps[-1].inicio, step)
    described = f"De {first} a {last}. Os números estão na tabela “Evolução”, abaixo."
    svg = grouped_bars(f"{title}, {first} a {last}", described, groups, series, axis)
    return Chart(title, svg, [(each.name, each.color) for each in series])


def _step_name(inicio: date, step: str) -> str:
    return {"dia": day(inicio), "mes": month(inicio), "ano": str(inicio.year)}[step]


def _labels(place: int, inicio: date, step: str, of: int) -> tuple[str, str]:
    """As duas linhas do eixo; onde os grupos são muitos, só o começo de cada ano, ou de cinco em cinco dias."""
    if step == "ano":
        return str(inicio.year), ""
    if step == "dia":
        shown = inicio.day if of <= _CROWDED or inicio.day % 5 == 0 or inicio.day == 1 else ""
        return str(shown), month(inicio) if place == 0 or inicio.day == 1 else ""
    if of > _CROWDED:
        return "", str(inicio.year) if inicio.month == 1 or (place == 0 and inicio.month < 10) else ""
    return month(inicio)[:3], str(inicio.year) if place == 0 or inicio.month == 1 else ""
