"""As tabelas do que pede atenção, e o número de cada uma."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row

from bling_collector.documentos import masked
from bling_collector.insight.attention import Signal
from bling_collector.web.panel.tables.cards import NAMELESS, customer_address
from bling_collector.web.panel.tables.stock import product_address
from bling_collector.web.panel.tables.table import Column, Table
from bling_collector.words import money, percent, plural

_WHO: Final = (Column("Cliente"), Column("CNPJ ou CPF", place="under"))
_OVERDUE: Final = (Column("Contas", "integer"), Column("Desde", "day"), Column("Vencido", "money"))


def _who(row: Row[Any]) -> tuple[Any, ...]:
    nome = row.nome or (NAMELESS if row.contato_id is not None else "Sem cadastro no Bling")
    return nome, masked(row.documento) or None


def _product(row: Row[Any]) -> tuple[Any, ...]:
    return row.nome or row.codigo or f"Produto {row.produto_id}", row.codigo


def _address(row: Row[Any]) -> str | None:
    return product_address(row.produto_id)


Kind = tuple[
    Sequence[Column],
    Callable[[Row[Any]], tuple[Any, ...]],
    Callable[[Row[Any]], str | None],
    Callable[[Signal], str],
]


def _overdue(signal: Signal) -> str:
    return f"{money(signal.rows[0].todo)}, de {plural(signal.of, 'contato', 'contatos')}"


def _shares(signal: Signal) -> str:
    shares = [row.parte for row in signal.rows]
    return f"O maior faz {percent(shares[0])}; os cinco maiores, {percent(sum(shares))}"


def _cancelled(signal: Signal) -> str:
    first = signal.rows[0]
    said = f"{plural(signal.of, 'nota cancelada', 'notas canceladas')}, {percent(first.parte)} das emitidas"
    return f"{said}; o costume é {percent(first.costume)}"


_TABLES: Final[Mapping[str, Kind]] = {
    "clientes-parados": (
        (
            *_WHO,
            Column("Última compra", "day"),
            Column("Dias parado", "integer"),
            Column("Costuma comprar a cada (dias)", "integer"),
            Column("Comprou em dois anos", "money"),
        ),
        lambda r: (*_who(r), r.ultima, r.parado, r.intervalo, r.valor),
        customer_address,
        lambda s: f"{plural(s.of, 'cliente', 'clientes')}, que em dois anos compraram {money(s.rows[0].todo)}",
    ),
    "produtos-em-queda": (
        (
            Column("Produto"),
            Column("Código", place="under"),
            Column("Nos 90 dias de antes", "money"),
            Column("Nos últimos 90", "money"),
            Column("A menos", "money"),
        ),
        lambda r: (*_product(r), r.antes, r.agora, r.valor),
        _address,
        lambda s: f"{plural(s.of, 'produto', 'produtos')}, {money(s.rows[0].todo)} a menos em 90 dias",
    ),
    "concentracao": (
        (*_WHO, Column("Em 12 meses", "money"), Column("Parte das vendas", "share")),
        lambda r: (*_who(r), r.valor, r.parte),
        customer_address,
        _shares,
    ),
    "cancelamentos": (
        (Column("Nota"), Column("Emissão", "day"), Column("Cliente"), Column("Valor", "money")),
        lambda r: (r.numero or f"Nota {r.nfe_id}", r.dia, r.nome or NAMELESS, r.valor),
        lambda r: f"/notas/{r.nfe_id}",
        _cancelled,
    ),
    "receber-vencidas": (
        (*_WHO, *_OVERDUE),
        lambda r: (*_who(r), r.contas, r.desde, r.valor),
        customer_address,
        _overdue,
    ),
    "pagar-vencidas": (
        (Column("A quem"), Column("CNPJ ou CPF", place="under"), *_OVERDUE),
        lambda r: (*_who(r), r.contas, r.desde, r.valor),
        lambda r: None,
        _overdue,
    ),
    "estoque-acaba": (
        (
            Column("Produto"),
            Column("Código", place="under"),
            Column("Saldo", "decimal"),
            Column("Vendido em 90 dias", "decimal"),
            Column("Cobertura em dias", "decimal"),
            Column("Acaba em", "day"),
        ),
        lambda r: (*_product(r), r.saldo, r.vendido, r.dias, r.acaba_em),
        _address,
        lambda s: plural(s.of, "produto", "produtos"),
    ),
}


def signal_table(signal: Signal) -> Table:
    columns, pick, link, _ = _TABLES[signal.name]
    rows = [pick(row) for row in signal.rows]
    return Table(signal.name, signal.rule.title, columns, rows, signal.of, [link(row) for row in signal.rows])


def figure_of(signal: Signal) -> str:
    """O número do sinal, numa frase curta; vazio se nada pede atenção."""
    return _TABLES[signal.name][3](signal) if signal.rows else ""
