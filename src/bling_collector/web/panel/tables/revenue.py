"""As tabelas e os gráficos do faturamento, que é das notas, e das vendas, que são dos pedidos."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from bling_collector.db.reports.orders import PEDIDOS
from bling_collector.db.reports.revenue import NOTAS, Sales
from bling_collector.documentos import masked
from bling_collector.insight.sales.periods import ComparedPeriod, month_end
from bling_collector.insight.sales.revenue import Breakdown, Part, Revenue, Step
from bling_collector.insight.sales.situacoes import OPERACOES
from bling_collector.web.panel.charts import Chart, Group, Series, grouped_bars, short_value
from bling_collector.web.panel.tables.table import Column, Kind, Table
from bling_collector.words import day, money, month, number, percent, plural

STEPS: Final = "evolucao"
_COUNTS_AS_SALE: Final = (
    "Contam as vendas das notas autorizadas, emitidas e registradas, pela data de emissão: as linhas de notas normais "
    "cujo CFOP é de venda. Devoluções, transferências, remessas, outras saídas e notas complementares, de ajuste, de "
    "crédito e de débito se mostram à parte, como as canceladas. As denegadas, rejeitadas, pendentes e excluídas no "
    "Bling ficam de fora. É o mesmo das views; a operação de cada CFOP está em vw_cfops."
)
_COUNTS_AS_ORDER: Final = (
    "Contam os pedidos de venda pela data deles, em qualquer situação que não seja Cancelado, ou tirada dela; os "
    "cancelados se mostram à parte, e os excluídos no Bling ficam de fora. Uma situação que a empresa criou soma-se na "
    "de fábrica de que foi tirada. Um pedido pode não ter nota, ou tê-la noutro mês: o que se faturou está em "
    "Faturamento. É o mesmo das views (vw_pedidos)."
)
STEP_TITLES: Final = {"dia": "Dia", "mes": "Mês", "ano": "Ano"}
STEP_KINDS: Final[dict[str, Kind]] = {"dia": "day", "mes": "month", "ano": "year"}
_NAMELESS: Final = {"clientes": "Sem cadastro no Bling", "produtos": "Sem código"}
_MANY: Final = 36
_CROWDED: Final = 14
"""A partir de quantos meses só os anos se escrevem no eixo."""


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
    return part.key or "Sem UF", sums.vendas, sums.canceladas, sums.valor_cancelado, sums.valor_a_parte, sums.valor


def _customer(part: Part) -> tuple[Any, ...]:
    nome, sums = part.nome or _NAMELESS["clientes"], part.amount
    return nome, masked(part.documento), sums.vendas, sums.canceladas, sums.valor_a_parte, sums.valor


def _product(part: Part) -> tuple[Any, ...]:
    nome, sums = part.nome or (_NAMELESS["produtos"] if part.key is None else part.key), part.amount
    return nome, part.key, sums.vendas, part.quantidade, sums.valor_a_parte, sums.valor


def _payment(part: Part) -> tuple[Any, ...]:
    return part.nome or "Não informada", part.parcelas, part.amount.valor


def _operation(part: Part) -> tuple[Any, ...]:
    return OPERACOES[str(part.key)], part.amount.vendas, part.amount.valor


def _channel(part: Part) -> tuple[Any, ...]:
    if part.key is None:
        return "Venda própria", None, *_order_sums(part)
    return part.nome or f"Canal {part.key}", part.categoria, *_order_sums(part)


def _seller(part: Part) -> tuple[Any, ...]:
    return _named(part, "Sem vendedor", "Vendedor"), *_order_sums(part)


def _buyer(part: Part) -> tuple[Any, ...]:
    return part.nome or _NAMELESS["clientes"], masked(part.documento), *_order_sums(part)


def _item(part: Part) -> tuple[Any, ...]:
    nome, sums = part.nome or part.key or _NAMELESS["produtos"], part.amount
    return nome, part.key, sums.vendas, part.quantidade, sums.valor_cancelado, sums.valor


def _status(part: Part) -> tuple[Any, ...]:
    return _named(part, "Sem situação", "Situação"), *_order_sums(part)


def _named(part: Part, none: str, what: str) -> str:
    return none if part.key is None else part.nome or f"{what} {part.key}"


def _order_sums(part: Part) -> tuple[Any, ...]:
    sums = part.amount
    return sums.vendas, sums.canceladas, sums.valor_cancelado, sums.valor


_ORDER_SUMS: Final = (
    Column("Pedidos", "integer"),
    Column("Cancelados", "integer"),
    Column("Valor cancelado", "money", "file"),
    Column("Valor", "money"),
)
_ITEMS: Final = (
    Column("Produto"),
    Column("Código", place="under"),
    Column("Pedidos", "integer", "file"),
    Column("Quantidade", "decimal"),
    Column("Valor cancelado", "money", "file"),
    Column("Valor", "money"),
)


@dataclass(frozen=True)
class Layout:
    """Uma repartição: o título, as colunas, o que de cada linha vai nelas e, se há uma, a página que a mostra.

    `filter` é o da lista do que se soma; `page`, o endereço da página do que a linha é.
    """

    title: str
    columns: Sequence[Column]
    pick: Callable[[Part], tuple[Any, ...]]
    filter: Callable[[Part], Mapping[str, Any] | None] | None = None
    page: Callable[[Part], str | None] | None = None


@dataclass(frozen=True)
class Told:
    """O que se soma e como se diz."""

    section: str
    title: str
    sales: Sales
    breakdowns: Mapping[str, Layout]
    counts: str
    parts: str
    about_parts: str
    done: str
    """O que se fez do dinheiro: faturado ou vendido."""
    one: str
    many: str
    of_many: str
    cancelled: str
    share: str
    """A parte cancelada, na legenda."""
    mean: str
    recurso: str
    list_path: str
    """A lista do que se soma."""
    find: str
    apart: bool = False
    """Se há saídas que não são venda, e se mostram à parte."""

    @property
    def path(self) -> str:
        return f"/{self.section}"

    def behind(self, period: ComparedPeriod, filters: Mapping[str, Any] | None) -> str | None:
        """O endereço da lista do que está por trás de uma linha deste período."""
        return None if filters is None else _address(self.list_path, period, filters)


def _address(path: str, period: ComparedPeriod, filters: Mapping[str, Any]) -> str:
    days = {"de": period.inicio.isoformat(), "ate": period.fim.isoformat()}
    return f"{path}?{urlencode({**filters, **days})}"


def _by_id(name: str) -> Callable[[Part], Mapping[str, Any] | None]:
    """O filtro pelo id, que é nenhum se a linha é a do que não o tem."""
    return lambda part: {name: "nenhum" if part.key is None else part.key}


def _customer_page(part: Part) -> str | None:
    return None if part.key is None else f"/clientes/{part.key}"


def _product_page(part: Part) -> str | None:
    return None if part.produto_id is None else f"/produtos/{part.produto_id}"


FATURAMENTO: Final = Told(
    section="faturamento",
    title="Faturamento",
    sales=NOTAS,
    breakdowns={
        "ufs": Layout("Por UF", _UFS, _uf),
        "clientes": Layout("Clientes", _CUSTOMERS, _customer, page=_customer_page),
        "produtos": Layout("Produtos", _PRODUCTS, _product, page=_product_page),
        "pagamentos": Layout("Formas de pagamento", _PAYMENTS, _payment),
        "operacoes": Layout("Vendas e outras saídas", _OPERATIONS, _operation),
    },
    counts=_COUNTS_AS_SALE,
    parts="UF, cliente, produto e forma de pagamento",
    about_parts=(
        "As UFs e os clientes somam o valor das notas; os produtos, o dos itens, sem frete; as formas de pagamento, o "
        "das parcelas: são três totais diferentes, e cada participação é a parte no seu total. Uma nota que tem vendas "
        "e outra operação conta nas duas."
    ),
    done="Faturado",
    one="nota",
    many="notas",
    of_many="das notas",
    cancelled="canceladas",
    share="Canceladas, das notas emitidas",
    mean="Valor médio de uma nota",
    recurso="nfe",
    list_path="/notas",
    find="Procurar uma nota",
    apart=True,
)
VENDAS: Final = Told(
    section="vendas",
    title="Vendas",
    sales=PEDIDOS,
    breakdowns={
        "canais": Layout(
            "Canais de venda", (Column("Canal"), Column("Tipo", place="under"), *_ORDER_SUMS), _channel, _by_id("canal")
        ),
        "vendedores": Layout("Vendedores", (Column("Vendedor"), *_ORDER_SUMS), _seller, _by_id("vendedor")),
        "clientes": Layout(
            "Clientes",
            (Column("Cliente"), Column("CNPJ ou CPF", place="under"), *_ORDER_SUMS),
            _buyer,
            _by_id("contato"),
        ),
        "produtos": Layout("Produtos", _ITEMS, _item, lambda part: {"produto": part.key} if part.key else None),
        "situacoes": Layout("Situações", (Column("Situação"), *_ORDER_SUMS), _status, _by_id("situacao")),
    },
    counts=_COUNTS_AS_ORDER,
    parts="canal, vendedor, cliente, produto e situação",
    about_parts=(
        "Os canais, os vendedores, os clientes e as situações somam o total dos pedidos; os produtos, o dos itens, sem "
        "frete, desconto do pedido e impostos: são dois totais diferentes, e cada participação é a parte no seu total."
    ),
    done="Vendido",
    one="pedido",
    many="pedidos",
    of_many="dos pedidos",
    cancelled="cancelados",
    share="Cancelados, dos pedidos feitos",
    mean="Valor médio de um pedido",
    recurso="pedidos_venda",
    list_path="/pedidos",
    find="Procurar um pedido",
)


def steps_table(revenue_steps: Sequence[Step], step: str, told: Told, links: Sequence[str | None] = ()) -> Table:
    """O período passo a passo, ao lado do ano anterior; `links` é o que está por trás de cada passo."""
    many, cancelled = told.many.capitalize(), told.cancelled.capitalize()
    columns = (
        Column(STEP_TITLES[step], STEP_KINDS[step]),
        Column(many, "integer"),
        Column(f"{many} um ano antes", "integer"),
        Column("Valor", "money"),
        Column("Valor um ano antes", "money"),
        Column("Variação do valor", "share"),
        Column(cancelled, "integer"),
        Column("Valor cancelado", "money"),
        Column("Parte cancelada", "share"),
        *((Column("Outras saídas", "money", "file"),) if told.apart else ()),
    )
    rows = [
        (
            each.inicio.year if step == "ano" else each.inicio,
            each.now.vendas,
            each.before.vendas,
            each.now.valor,
            each.before.valor,
            change(each.now.valor, each.before.valor),
            each.now.canceladas,
            each.now.valor_cancelado,
            each.now.cancelled_share,
            *((each.now.valor_a_parte,) if told.apart else ()),
        )
        for each in revenue_steps
    ]
    return Table(STEPS, "Evolução", columns, rows, len(rows), links)


def _within(inicio: date, step: str, period: ComparedPeriod) -> ComparedPeriod:
    """Os dias do passo que são do período."""
    last = {"dia": inicio, "mes": month_end(inicio), "ano": date(inicio.year, 12, 31)}[step]
    return ComparedPeriod(max(inicio, period.inicio), min(last, period.fim))


def breakdown_table(name: str, found: Breakdown, told: Told, period: ComparedPeriod) -> Table:
    """Uma repartição; a última coluna é a parte de cada linha no todo que se reparte."""
    shown = told.breakdowns[name]
    rows = [(*shown.pick(part), part.amount.valor / found.whole if found.whole else None) for part in found.rows]
    columns = (*shown.columns, Column("Participação", "share"))
    links = [_behind(part, shown, told, period) for part in found.rows]
    return Table(name, shown.title, columns, rows, found.of, links)


def _behind(part: Part, shown: Layout, told: Told, period: ComparedPeriod) -> str | None:
    """A página do que a linha é, ou a lista do que ela soma, no mesmo período."""
    if shown.page is not None:
        path = shown.page(part)
        return path and _address(path, period, {})
    return told.behind(period, shown.filter(part)) if shown.filter else None


def listed(revenue: Revenue, told: Told) -> list[str | None]:
    """De cada passo, a lista do que nele se soma."""
    return [told.behind(_within(each.inicio, revenue.step, revenue.period), {}) for each in revenue.steps]


def opened(firsts: Iterable[date], step: str, period: ComparedPeriod, today: date, page: str) -> list[str | None]:
    """De cada passo, a própria página nos dias dele; None do que ainda não chegou, e de um que é o período todo."""
    found = [_within(inicio, step, period) for inicio in firsts]
    whole = (period.inicio, period.fim)
    return [
        _address(page, each, {}) if each.inicio <= today and (each.inicio, each.fim) != whole else None
        for each in found
    ]


def opened_steps(revenue: Revenue, page: str) -> list[str | None]:
    """O mesmo, de cada passo do que se vendeu."""
    return opened([each.inicio for each in revenue.steps], revenue.step, revenue.period, revenue.today, page)


def change(now: Decimal | int, before: Decimal | int) -> Decimal | None:
    """Quanto mudou, em relação a antes; None se antes não havia nada, ou era negativo: a parte não diria se subiu."""
    return (Decimal(now) - before) / before if before > 0 else None


def charts(revenue: Revenue, told: Told, links: Sequence[str | None]) -> list[Chart]:
    """O valor e quantas vendas, ao lado do ano anterior, e a parte cancelada; `links` é o que está por trás de cada
    passo.

    Num período de muitos anos o ano anterior já está no próprio gráfico: só a tabela o repete.
    """
    steps, step = revenue.steps, revenue.step

    def beside(now: Sequence[Any], before: Sequence[Any]) -> list[Series]:
        both = [Series("Neste período", 1, now), Series("Um ano antes", 2, before)]
        return both if len(steps) <= _MANY else both[:1]

    return [
        _chart(
            f"Valor {told.of_many}",
            steps,
            step,
            links,
            beside([each.now.valor for each in steps], [each.before.valor for each in steps]),
            lambda each: f"{money(each.now.valor)}; um ano antes, {money(each.before.valor)}",
            short_value,
        ),
        _chart(
            f"Número de {told.many}",
            steps,
            step,
            links,
            beside([each.now.vendas for each in steps], [each.before.vendas for each in steps]),
            lambda each: f"{plural(each.now.vendas, told.one, told.many)}; um ano antes, {number(each.before.vendas)}",
            short_value,
        ),
        _chart(
            "Parte cancelada",
            steps,
            step,
            links,
            [Series(told.share, 3, [(each.now.cancelled_share or 0) * 100 for each in steps])],
            lambda each: f"{number(each.now.canceladas)} {told.cancelled}, {percent(each.now.cancelled_share)}",
            lambda value: f"{number(value)}%",
        ),
    ]


def _chart(
    title: str,
    steps: Sequence[Step],
    step: str,
    links: Sequence[str | None],
    series: list[Series],
    tip: Any,
    axis: Any,
) -> Chart:
    groups = [
        Group(
            *step_labels(place, each.inicio, step, len(steps)),
            tip=f"{step_name(each.inicio, step)}: {tip(each)}",
            links=(links[place],),
        )
        for place, each in enumerate(steps)
    ]
    first, last = step_name(steps[0].inicio, step), step_name(steps[-1].inicio, step)
    described = f"De {first} a {last}. Os números estão na tabela “Evolução”, abaixo."
    svg = grouped_bars(f"{title}, {first} a {last}", described, groups, series, axis)
    return Chart(title, svg, [(each.name, each.color) for each in series])


def step_name(inicio: date, step: str) -> str:
    return {"dia": day(inicio), "mes": month(inicio), "ano": str(inicio.year)}[step]


def step_labels(place: int, inicio: date, step: str, of: int) -> tuple[str, str]:
    """As duas linhas do eixo; onde os grupos são muitos, só o começo de cada ano, ou de cinco em cinco dias."""
    if step == "ano":
        return str(inicio.year), ""
    if step == "dia":
        shown = inicio.day if of <= _CROWDED or inicio.day % 5 == 0 or inicio.day == 1 else ""
        return str(shown), month(inicio) if place == 0 or inicio.day == 1 else ""
    if of > _CROWDED:
        return "", str(inicio.year) if inicio.month == 1 or (place == 0 and inicio.month < 10) else ""
    return month(inicio)[:3], str(inicio.year) if place == 0 or inicio.month == 1 else ""
