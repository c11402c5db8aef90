"""Uma nota em palavras, para a lista e para a página dela."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from bling_collector.documentos import masked
from bling_collector.insight.notas.search import ListedNota
from bling_collector.insight.sales.situacoes import situacao
from bling_collector.words import day, moment, money, number, plural

_TONES: Final = {5: "good", 6: "good", 7: "good", 2: "bad", 4: "bad", 9: "bad", 11: "bad"}
_LONGEST: Final = 200
"""Caracteres de um texto livre que a página mostra."""
_COLUMNS: Final = {
    "numero": "Número",
    "data_emissao": "Emissão",
    "situacao": "Situação",
    "contato_id": "Contato",
    "contato_nome": "Cliente",
    "contato_documento": "CPF ou CNPJ",
    "contato_municipio": "Município",
    "contato_uf": "UF",
    "total_produtos": "Total dos produtos",
    "total_nota": "Total da nota",
    "serie": "Série",
    "chave_acesso": "Chave de acesso",
    "data_operacao": "Saída",
    "natureza_operacao_id": "Natureza da operação",
    "loja_id": "Loja",
    "loja_numero": "Pedido na loja",
    "numero_pedido_loja": "Número do pedido na loja",
    "vendedor_id": "Vendedor",
    "finalidade": "Finalidade",
    "valor_frete": "Frete",
    "itens": "Itens",
    "parcelas": "Parcelas",
    "excluida_em": "Excluída no Bling",
}
_MONEY: Final = {"total_produtos", "total_nota", "valor_frete"}


def state(code: int | None, gone: datetime | None) -> tuple[str, str]:
    """(a situação em palavras, o tom dela)."""
    if gone is not None:
        return "Excluída no Bling", "warning"
    return situacao(code), _TONES.get(code or 0, "neutral")


@dataclass(frozen=True)
class Line:
    """O que a lista mostra de uma nota."""

    id: int
    numero: str
    serie: int | None
    data: datetime | None
    cliente: str | None
    documento: str
    lugar: str
    situacao: str
    tom: str
    total: Decimal | None


def as_line(nota: ListedNota) -> Line:
    """A linha da nota."""
    words, tone = state(nota.situacao, nota.excluida_em)
    return Line(
        id=nota.id,
        numero=short(nota.numero, 20) if nota.numero else "sem número",
        serie=nota.serie,
        data=nota.data_emissao,
        cliente=short(nota.contato_nome, 80) if nota.contato_nome else None,
        documento=masked(nota.contato_documento),
        lugar=" / ".join(short(part, 60) for part in (nota.contato_municipio, nota.contato_uf) if part),
        situacao=words,
        tom=tone,
        total=nota.total_nota,
    )


def chave(value: str | None) -> str:
    """A chave em grupos de quatro, como o DANFE a escreve."""
    return " ".join(value[place : place + 4] for place in range(0, min(len(value), 60), 4)) if value else ""


def short(value: object, most: int = _LONGEST) -> str:
    """O texto, cortado se é grande demais para a página."""
    words = str(value)
    return words if len(words) <= most else f"{words[: most - 1]}…"


def quantity(value: Any) -> str:
    """3 → 3; 1.50 → 1,5; até dez casas."""
    if value is None:
        return "—"
    try:
        found = round(Decimal(str(value)), 10).normalize()
    except InvalidOperation:
        return short(value, 20)
    places = max(-int(found.as_tuple().exponent), 0)
    return number(found, places)


def link(value: str | None) -> str | None:
    """O endereço, se é da web: o que vem do Bling pode ser qualquer texto."""
    try:
        return value if value and urlsplit(value).scheme in ("http", "https") else None
    except ValueError:
        return None


def search_address(**filters: str) -> str:
    """O endereço da lista com um filtro."""
    return f"/notas?{urlencode(filters)}"


def change(column: str, values: Sequence[Any]) -> dict[str, str]:
    """Uma linha do histórico: a coluna, o que era e o que passou a ser."""
    before, after = (_said(column, value) for value in values[:2])
    return {"coluna": _COLUMNS.get(column, short(column, 60)), "antes": before, "agora": after}


def _said(column: str, value: Any) -> str:
    if value is None or value == "":
        return "—"
    if column == "situacao" and isinstance(value, int):
        return situacao(value)
    if isinstance(value, list):
        return plural(len(value), "linha", "linhas")
    if column in _MONEY and isinstance(value, int | float | Decimal):
        return money(Decimal(str(value)))
    if column == "contato_documento":
        return masked(str(value))
    return instant(column, value) or short(value)


def instant(column: str, value: Any) -> str | None:
    """O dia, ou o instante na hora de Brasília, que o histórico guarda nesta coluna; None se ela não é de um, ou se ele
    não se lê."""
    if not column.startswith("data") and not column.endswith("_em"):
        return None
    try:
        return day(date.fromisoformat(str(value)))
    except ValueError:
        pass
    try:
        return moment(datetime.fromisoformat(str(value)))
    except ValueError:
        return None
