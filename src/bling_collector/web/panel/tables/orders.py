"""Um pedido em palavras, para a lista, os arquivos e a página dele."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from bling_collector.documentos import masked
from bling_collector.payload import Json
from bling_collector.web.panel.notes import instant, short
from bling_collector.web.panel.tables.table import Column, Table
from bling_collector.words import money, plural

_TONES: Final = {9: "good", 24: "good", 12: "bad", 6: "warning", 15: "running"}
_COLUMNS: Final = (
    Column("Pedido", "text"),
    Column("Número na loja"),
    Column("Data", "day"),
    Column("Cliente"),
    Column("CNPJ ou CPF"),
    Column("Situação"),
    Column("Canal"),
    Column("Vendedor"),
    Column("Total", "money"),
    Column("Conta como venda"),
    Column("Id da nota"),
    Column("Id no Bling"),
)


def state(row: Mapping[str, Any]) -> tuple[str, str]:
    """(a situação em palavras, o tom da de fábrica de que ela foi tirada)."""
    code = row["situacao_id"]
    words = row["situacao"] or ("Sem situação" if code is None else f"Situação {code}")
    return words, _TONES.get(row["situacao_base_id"] or 0, "neutral")


def channel(row: Mapping[str, Any]) -> str:
    return "Venda própria" if row["loja_id"] is None else row["canal"] or f"Canal {row['loja_id']}"


def seller(row: Mapping[str, Any]) -> str | None:
    return None if row["vendedor_id"] is None else row["vendedor"] or f"Vendedor {row['vendedor_id']}"


def orders_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Os pedidos, como se baixam."""
    lines = [
        (
            row["numero"],
            row["numero_loja"],
            row["data"],
            row["cliente"],
            masked(row["documento"]),
            state(row)[0],
            channel(row),
            seller(row),
            row["total"],
            "sim" if row["valido"] else "não",
            row["nota_fiscal_id"],
            row["pedido_id"],
        )
        for row in rows
    ]
    return Table("pedidos", "Pedidos de venda", _COLUMNS, lines, len(lines))


_CHANGED: Final = {
    "numero": "Número",
    "numero_loja": "Número na loja",
    "data": "Data",
    "data_saida": "Saída",
    "data_prevista": "Entrega prevista",
    "situacao_id": "Situação",
    "contato_id": "Contato",
    "loja_id": "Canal",
    "vendedor_id": "Vendedor",
    "nota_fiscal_id": "Nota",
    "total_produtos": "Total dos produtos",
    "total": "Total",
    "desconto": "Desconto",
    "outras_despesas": "Outras despesas",
    "frete": "Frete",
    "taxa_comissao": "Comissão do canal",
    "custo_frete": "Frete que o canal cobra",
    "itens": "Itens",
    "parcelas": "Parcelas",
    "excluida_em": "Excluído no Bling",
}
_MONEY: Final = {"total_produtos", "total", "outras_despesas", "frete", "custo_frete"}


def change(column: str, values: Sequence[Json], statuses: Mapping[int, str]) -> dict[str, str]:
    """Uma linha do histórico: a coluna, o que era e o que passou a ser."""
    before, after = (_said(column, value, statuses) for value in values[:2])
    return {"coluna": _CHANGED.get(column, short(column, 60)), "antes": before, "agora": after}


def _said(column: str, value: Json, statuses: Mapping[int, str]) -> str:
    if value is None or value == "":
        return "—"
    if column == "situacao_id" and isinstance(value, int):
        return statuses.get(value, f"Situação {value}")
    if isinstance(value, list):
        return plural(len(value), "linha", "linhas")
    if column in _MONEY and isinstance(value, int | float | Decimal):
        return money(Decimal(str(value)))
    return instant(column, value) or short(value)
