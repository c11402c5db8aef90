"""As tabelas das páginas de um produto e de um cliente."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row

from bling_collector.documentos import masked
from bling_collector.insight.sales.situacoes import situacao
from bling_collector.web.panel.charts import Chart, Group, Series, grouped_bars
from bling_collector.web.panel.tables.revenue import step_labels
from bling_collector.web.panel.tables.table import Column, Table
from bling_collector.words import day, number

NAMELESS: Final = "Sem nome"
Pick = Callable[[Row[Any]], tuple[Any, ...]]
Link = Callable[[Row[Any]], str | None]
Kind = tuple[str, Sequence[Column], Pick, Link]


def _nowhere(_: Row[Any]) -> None:
    return None


def customer_address(row: Row[Any]) -> str | None:
    """A página do cliente da linha, se ela diz de quem é."""
    return f"/clientes/{row.contato_id}" if row.contato_id is not None else None


def _note(row: Row[Any]) -> str:
    return f"/notas/{row.id}"


PRODUCT: Final[Mapping[str, Kind]] = {
    "clientes": (
        "Quem comprou",
        (
            Column("Cliente"),
            Column("CNPJ ou CPF", place="under"),
            Column("Notas", "integer"),
            Column("Quantidade", "decimal"),
            Column("Última compra", "day"),
            Column("Valor", "money"),
        ),
        lambda r: (r.nome or NAMELESS, masked(r.documento) or None, r.notas, r.quantidade, r.ultima, r.valor),
        customer_address,
    ),
    "notas": (
        "Notas",
        (
            Column("Nota"),
            Column("Emissão", "day"),
            Column("Cliente"),
            Column("Quantidade", "decimal"),
            Column("Valor", "money"),
        ),
        lambda r: (r.numero or f"Nota {r.id}", r.dia, r.nome or NAMELESS, r.quantidade, r.valor),
        _note,
    ),
    "depositos": (
        "Em cada depósito",
        (Column("Depósito"), Column("Saldo", "decimal"), Column("Saldo virtual", "decimal"), Column("Conta no saldo")),
        lambda r: (
            r.nome or f"Depósito {r.deposito_id}",
            r.saldo_fisico,
            r.saldo_virtual,
            "Não" if r.desconsiderado else "Sim",
        ),
        _nowhere,
    ),
    "estoque": (
        "Estoque dia a dia",
        (
            Column("Dia", "day"),
            Column("Saldo", "decimal"),
            Column("Saldo virtual", "decimal"),
            Column("Custo", "money"),
            Column("Valor", "money"),
        ),
        lambda r: (r.dia, r.saldo_fisico, r.saldo_virtual, r.preco_custo, r.valor),
        _nowhere,
    ),
    "fornecedores": (
        "De quem se compra, e os custos",
        (
            Column("Fornecedor"),
            Column("CNPJ ou CPF", place="under"),
            Column("Código nele", place="file"),
            Column("Padrão"),
            Column("Lido em", "day"),
            Column("Custo", "money"),
            Column("Compra", "money"),
            Column("Vale agora"),
        ),
        lambda r: (
            r.nome or (NAMELESS if r.fornecedor_id is not None else "Sem fornecedor"),
            masked(r.documento) or None,
            r.codigo,
            "Sim" if r.padrao else "Não",
            r.desde,
            r.preco_custo,
            r.preco_compra,
            "Sim" if r.atual else "Não",
        ),
        _nowhere,
    ),
    "canais": (
        "Canais de venda",
        (Column("Canal"), Column("Código nele"), Column("Preço", "money"), Column("Preço promocional", "money")),
        lambda r: (r.nome or f"Canal {r.loja_id}", r.codigo, r.preco, r.preco_promocional),
        _nowhere,
    ),
}
CUSTOMER: Final[Mapping[str, Kind]] = {
    "produtos": (
        "O que comprou",
        (
            Column("Produto"),
            Column("Código", place="under"),
            Column("Notas", "integer"),
            Column("Quantidade", "decimal"),
            Column("Última compra", "day"),
            Column("Valor", "money"),
        ),
        lambda r: (r.nome or r.codigo or "Sem código", r.codigo, r.notas, r.quantidade, r.ultima, r.valor),
        lambda r: f"/produtos/{r.produto_id}" if r.produto_id is not None else None,
    ),
    "notas": (
        "Compras",
        (Column("Nota"), Column("Emissão", "day"), Column("Situação"), Column("Valor", "money")),
        lambda r: (r.numero or f"Nota {r.id}", r.dia, situacao(r.situacao), r.valor),
        _note,
    ),
    "contas": (
        "O que deve",
        (
            Column("Documento"),
            Column("Emissão", "day"),
            Column("Vencimento", "day"),
            Column("Valor", "money"),
            Column("Falta receber", "money"),
            Column("Dias de atraso", "integer"),
        ),
        lambda r: (r.documento or "Sem número", r.emissao, r.vencimento, r.valor, r.saldo, r.atraso),
        _nowhere,
    ),
}


def table_of(kinds: Mapping[str, Kind], name: str, rows: Sequence[Row[Any]]) -> Table:
    """A tabela deste nome, com as linhas da consulta."""
    title, columns, pick, link = kinds[name]
    of = rows[0].de if rows else 0
    return Table(name, title, columns, [pick(row) for row in rows], of, [link(row) for row in rows])


def balance_chart(rows: Sequence[Row[Any]]) -> Chart | None:
    """O saldo de um produto em cada dia em que o Bling tinha registro dele; abaixo de zero não há barra."""
    days = [row for row in reversed(rows) if row.saldo_fisico is not None]
    if not days:
        return None
    groups = [
        Group(
            *step_labels(place, each.dia, "dia", len(days)),
            tip=f"{day(each.dia)}: {number(each.saldo_fisico, 2)}",
        )
        for place, each in enumerate(days)
    ]
    title = f"Saldo, {day(days[0].dia)} a {day(days[-1].dia)}"
    series = [Series("Saldo físico", 1, [each.saldo_fisico for each in days])]
    svg = grouped_bars(title, "Os números estão na tabela “Estoque dia a dia”, abaixo.", groups, series, number)
    return Chart("Saldo, dia a dia", svg, [("Saldo físico", 1)])
