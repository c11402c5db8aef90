"""As tabelas e os gráficos do dinheiro."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from bling_collector.db.reports.finance import Rows
from bling_collector.documentos import masked
from bling_collector.insight.finance.money import LADOS, Due, Money, Outstanding
from bling_collector.web.panel.charts import Chart, Group, Series, grouped_bars, short_value
from bling_collector.web.panel.tables.revenue import (
    STEP_KINDS,
    STEP_TITLES,
    change,
    opened,
    step_labels,
    step_name,
)
from bling_collector.web.panel.tables.table import Column, Table
from bling_collector.words import day, money, month

PATH: Final = "/financeiro"
TABLES: Final = {
    "receber": "A receber, por vencimento",
    "pagar": "A pagar, por vencimento",
    "devedores": "Quem mais deve",
    "fluxo": "O que entrou e saiu",
    "previsto": "O que vence",
    "resultado": "Resultado por mês",
    "categorias": "Resultado por categoria",
    "dre": "Por mês e categoria",
}
"""As que vêm do período; as da conferência, que demora mais, estão em CHECKS."""
_NEEDS: Final = {
    "receber": ("contas_receber",),
    "pagar": ("contas_pagar",),
    "devedores": ("contas_receber",),
    "fluxo": ("borderos", "caixas"),
    "previsto": ("contas_receber", "contas_pagar"),
    **dict.fromkeys(("resultado", "categorias", "dre"), ("contas_receber", "contas_pagar", "caixas")),
}
"""De que recursos sai cada uma."""
CHECKS: Final = {"conferencia": "A conferência", "diferencas": "O que difere"}
COUNTS: Final = (
    "O que entrou e saiu são os pagamentos dos borderôs, no dia de cada um, e os lançamentos de caixa que nenhum "
    "borderô conta; o que um borderô lançou no caixa não se soma outra vez. Em aberto estão as contas abertas e as "
    "pagas em parte, pelo saldo. O resultado é pela competência, sem as contas devolvidas e as canceladas. É o mesmo "
    "das views: vw_contas, vw_fluxo_caixa_dia, vw_dre_mes e vw_conferencia_financeira."
)
RESULTS: Final = {"igual": "Igual", "difere": "Difere", "nao_comparavel": "Não se compara"}
_SIDES: Final = {"receita": "Receita", "despesa": "Despesa"}
_CHECKED: Final = {"parcelas": "Parcelas e contas", "saldo": "Saldo e borderôs"}
_RECORDS: Final = {
    "nota": ("Nota", "/notas/{}"),
    "pedido": ("Pedido", "/pedidos/{}"),
    "conta_receber": ("Conta a receber", "/contas/receber/{}"),
    "conta_pagar": ("Conta a pagar", "/contas/pagar/{}"),
}
ZERO: Final = Decimal(0)


def listing(lado: str, **filters: object) -> str:
    """O endereço da lista das contas, com estes filtros; os que são None ficam de fora."""
    return f"/contas/{lado}?{urlencode({name: value for name, value in filters.items() if value is not None})}"


def money_table(name: str, found: Money) -> Table:
    """Uma das tabelas de TABLES."""
    return {
        "receber": lambda: ages(found.receber),
        "pagar": lambda: ages(found.pagar),
        "devedores": lambda: _debtors(found.debtors),
        "fluxo": lambda: _flow(found),
        "previsto": lambda: _due(found.due),
        "resultado": lambda: _result(found.dre),
        "categorias": lambda: _categories(found),
        "dre": lambda: _dre(found.dre),
    }[name]()


def lacking(table: Table, found: Money) -> tuple[str, ...]:
    """Os recursos de que a tabela sai, se nenhum se coleta e ela só diria zero; senão, nenhum."""
    needs = _NEEDS[table.name]
    told = any(isinstance(value, Decimal) and value for row in table.rows for value in row)
    return () if told or not set(needs) <= set(found.missing) else needs


def ages(side: Outstanding) -> Table:
    """As faixas de vencimento de um lado; cada uma leva às contas dela."""
    columns = (
        Column("Vencimento"),
        Column("Contas", "integer"),
        Column("Valor", "money"),
        Column("Participação", "share"),
    )
    whole = side.em_aberto
    rows = [(band.nome, band.contas, band.em_aberto, band.em_aberto / whole if whole else None) for band in side.bands]
    links = [
        listing(side.lado, situacao="em-aberto", de=band.inicio, ate=band.fim) if band.contas and band.dated else None
        for band in side.bands
    ]
    return Table(side.lado, TABLES[side.lado], columns, rows, len(rows), links)


def _debtors(found: Rows) -> Table:
    columns = (
        Column("Cliente"),
        Column("CNPJ ou CPF", place="under"),
        Column("Contas", "integer"),
        Column("Vencido", "money"),
        Column("Vencido desde", "day"),
        Column("Em aberto", "money"),
    )
    rows = [
        (
            row.nome or _nameless(row.contato_id),
            masked(row.documento) or None,
            row.contas,
            row.vencido,
            row.desde,
            row.em_aberto,
        )
        for row in found
    ]
    links = [
        listing("receber", situacao="em-aberto", contato=row.contato_id, ordem="vencimento") if row.contato_id else None
        for row in found
    ]
    return Table("devedores", TABLES["devedores"], columns, rows, found[0].de if found else 0, links)


def _nameless(contato_id: int | None) -> str:
    return f"Contato {contato_id}" if contato_id else "Sem contato"


def _flow(found: Money) -> Table:
    steps, step = found.steps, found.step
    columns = (
        Column(STEP_TITLES[step], STEP_KINDS[step]),
        Column("Entrou", "money"),
        Column("Entrou um ano antes", "money"),
        Column("Saiu", "money"),
        Column("Saiu um ano antes", "money"),
        Column("Saldo", "money"),
        Column("Tarifas dos borderôs", "money", "file"),
    )
    rows = [
        (
            each.inicio.year if step == "ano" else each.inicio,
            each.now.entradas,
            each.before.entradas,
            each.now.saidas,
            each.before.saidas,
            each.now.saldo,
            each.now.tarifas,
        )
        for each in steps
    ]
    return Table("fluxo", TABLES["fluxo"], columns, rows, len(rows), _opened(found))


def _opened(found: Money) -> list[str | None]:
    return opened([each.inicio for each in found.steps], found.step, found.period, found.hoje, PATH)


def _due(found: Sequence[Due]) -> Table:
    columns = (
        Column("Dia", "day"),
        Column("A receber", "money"),
        Column("A pagar", "money"),
        Column("Saldo desde hoje", "money"),
    )
    shown = [each for each in found if each.receber or each.pagar]
    rows = [(each.dia, each.receber, each.pagar, each.acumulado) for each in shown]
    return Table("previsto", TABLES["previsto"], columns, rows, len(rows))


def _result(dre: Rows) -> Table:
    columns = (
        Column("Mês", "month"),
        Column("Receitas", "money"),
        Column("Despesas", "money"),
        Column("Resultado", "money"),
    )
    months = sorted({row.mes for row in dre})
    rows = []
    for mes in months:
        receitas, despesas = (
            sum((row.valor for row in dre if row.mes == mes and row.natureza == side), ZERO) for side in _SIDES
        )
        rows.append((mes, receitas, despesas, receitas - despesas))
    return Table("resultado", TABLES["resultado"], columns, rows, len(rows))


def whole_months(found: Money) -> str:
    """Os meses que o resultado soma: jan/2026 a fev/2026."""
    first, last = month(found.months.inicio), month(found.months.fim)
    return first if first == last else f"{first} a {last}"


def _categories(found: Money) -> Table:
    """As categorias do período, as receitas antes das despesas, da maior à menor; ao lado, o ano anterior, se os meses
    se comparam."""
    columns = (
        Column("Categoria"),
        Column("Grupo", place="under"),
        Column("Natureza"),
        Column("Valor", "money"),
        Column("Um ano antes", "money"),
        Column("Variação", "share"),
        Column("Meses inteiros que soma", place="file"),
    )
    compares, months = found.months_comparable, whole_months(found)
    now, earlier = _by_category(found.dre), _by_category(found.dre_before) if compares else {}
    order = sorted({*now, *earlier}, key=lambda key: (key[0] != "receita", -now.get(key, ZERO), str(key)))
    rows = []
    for key in order:
        natureza, grupo, category = key
        valor, was = now.get(key, ZERO), earlier.get(key, ZERO) if compares else None
        varied = None if was is None else change(valor, was)
        group = grupo if grupo != category else None
        rows.append((category, group, _SIDES[natureza], valor, was, varied, months))
    return Table("categorias", TABLES["categorias"], columns, rows, len(rows))


def _by_category(dre: Rows) -> dict[tuple[str, str | None, str], Decimal]:
    sums: dict[tuple[str, str | None, str], Decimal] = {}
    for row in dre:
        key = (row.natureza, row.grupo, _category(row))
        sums[key] = sums.get(key, ZERO) + row.valor
    return sums


def _category(row: Any) -> str:
    if row.categoria_id is None:
        return "Sem categoria"
    return row.categoria or f"Categoria {row.categoria_id}"


def _dre(dre: Rows) -> Table:
    columns = (
        Column("Mês", "month"),
        Column("Natureza"),
        Column("Grupo", place="file"),
        Column("Categoria"),
        Column("Lançamentos", "integer"),
        Column("Valor", "money"),
    )
    rows = [(row.mes, _SIDES[row.natureza], row.grupo, _category(row), row.lancamentos, row.valor) for row in dre]
    return Table("dre", TABLES["dre"], columns, rows, len(rows))


def checks_table(found: Rows) -> Table:
    """Quantos registros a conferência dá por iguais, diferentes e não comparáveis, e por quê."""
    columns = (
        Column("O que se confere"),
        Column("Resultado"),
        Column("Por quê"),
        Column("Registros", "integer"),
        Column("Diferença", "money"),
    )
    rows = [
        (
            _CHECKED[row.conferencia],
            RESULTS[row.resultado],
            row.motivo,
            row.registros,
            row.diferenca if row.resultado == "difere" else None,
        )
        for row in found
    ]
    return Table("conferencia", CHECKS["conferencia"], columns, rows, len(rows))


def different_table(found: Rows) -> Table:
    """Os registros que diferem, cada um com a sua página."""
    columns = (
        Column("Registro"),
        Column("Esperado", "money"),
        Column("Encontrado", "money"),
        Column("Diferença", "money"),
    )
    rows = [
        (f"{_RECORDS[row.registro_tipo][0]} {row.registro_id}", row.esperado, row.encontrado, row.diferenca)
        for row in found
    ]
    links = [_RECORDS[row.registro_tipo][1].format(row.registro_id) for row in found]
    return Table("diferencas", CHECKS["diferencas"], columns, rows, found[0].de if found else 0, links)


def flow_chart(found: Money) -> Chart:
    """O que entrou e o que saiu, passo a passo."""
    steps, step, links = found.steps, found.step, _opened(found)
    series = [
        Series("Entrou", 1, [each.now.entradas for each in steps]),
        Series("Saiu", 3, [each.now.saidas for each in steps]),
    ]
    groups = [
        Group(
            *step_labels(place, each.inicio, step, len(steps)),
            tip=f"{step_name(each.inicio, step)}: entraram {money(each.now.entradas)}, saíram {money(each.now.saidas)}",
            links=(links[place],),
        )
        for place, each in enumerate(steps)
    ]
    return _chart("O que entrou e saiu", "fluxo", groups, series)


def due_chart(found: Money) -> Chart:
    """O que vence nos próximos dias, dos dois lados."""
    series = [
        Series("A receber", 1, [each.receber for each in found.due]),
        Series("A pagar", 3, [each.pagar for each in found.due]),
    ]
    groups = [
        Group(
            *step_labels(place, each.dia, "dia", len(found.due)),
            tip=f"{day(each.dia)}: {money(each.receber)} a receber, {money(each.pagar)} a pagar",
            links=[listing(lado, situacao="em-aberto", de=each.dia, ate=each.dia) for lado in LADOS],
        )
        for place, each in enumerate(found.due)
    ]
    return _chart("O que vence nos próximos dias", "previsto", groups, series)


def _chart(title: str, table: str, groups: Sequence[Group], series: Sequence[Series]) -> Chart:
    described = f"Os números estão na tabela “{TABLES[table]}”, abaixo."
    svg = grouped_bars(title, described, groups, series, short_value)
    return Chart(title, svg, [(each.name, each.color) for each in series])
