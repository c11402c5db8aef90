"""Uma tabela do painel, e as três formas dela: a da página, a do CSV e a do XLSX; as três saem das mesmas linhas."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import StringIO
from typing import IO, Any, Final, Literal

from bling_collector.words import NOTHING, day, money, month, number, percent

Kind = Literal["text", "integer", "decimal", "money", "share", "day", "month", "year"]
_BOM: Final = "\ufeff"
_LONGEST_CELL: Final = 32_767
"""Caracteres de uma célula do Excel."""
_LARGEST_NUMBER: Final = Decimal("1e307")
"""O que o Excel não guarda como número; vai como texto."""
_FIRST_YEAR: Final = 1900
"""Os dias de antes o Excel não os tem; vão como texto."""
_CHUNK: Final = 64 * 1024
_FORMULA: Final = tuple("=+-@＝＋－＠\t\r\n")


@dataclass(frozen=True)
class Column:
    """`place` é onde a página a mostra: na sua coluna, sob o nome da linha, ou só no que se baixa."""

    title: str
    kind: Kind = "text"
    place: Literal["own", "under", "file"] = "own"


@dataclass(frozen=True)
class Table:
    """`name` vai no endereço e no nome do arquivo; `of` são as linhas que há ao todo, se aqui só estão as primeiras.

    `links` são, linha a linha, os endereços do que está por trás delas, ou None; vazio, nenhuma tem.
    """

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    of: int
    links: Sequence[str | None] = ()


def shown(kind: Kind, value: Any) -> str:
    """O valor como a página o escreve."""
    return NOTHING if value is None else _SHOWN[kind](value)


def csv_lines(table: Table) -> Iterator[bytes]:
    """O CSV que o Excel em português abre com dois cliques: UTF-8 com BOM, `;` e vírgula decimal."""
    buffer = StringIO(newline="")
    buffer.write(_BOM)
    writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
    writer.writerow(column.title for column in table.columns)
    for row in table.rows:
        writer.writerow(_plain(column.kind, value) for column, value in zip(table.columns, row, strict=True))
        if buffer.tell() >= _CHUNK:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def harmless(value: str) -> str:
    """O texto, com um apóstrofo à frente se uma planilha o tomaria por fórmula."""
    return f"'{value}" if value.lstrip(" \u00a0").startswith(_FORMULA) or value.startswith(_FORMULA) else value


def write_xlsx(file: IO[bytes], tables: Iterable[Table], about: Sequence[str]) -> None:
    """Uma pasta de trabalho, com uma folha por tabela; `about` são as frases da primeira folha.

    Cada linha vai logo para o disco, e a memória não cresce com elas. Um texto é sempre texto, nunca fórmula ou enlace.
    """
    import xlsxwriter  # type: ignore[import-untyped]  # não traz os tipos

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(file, options) as book:
        bold = book.add_format({"bold": True})
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        formats = {name: book.add_format({"num_format": pattern}) for name, pattern in _PATTERNS.items()}
        sheet = book.add_worksheet("Sobre")
        sheet.set_column(0, 0, 100)
        for place, sentence in enumerate(about):
            sheet.write_string(place, 0, sentence, bold if place == 0 else None)
        for table in tables:
            sheet = book.add_worksheet(table.title[:31])
            sheet.freeze_panes(1, 0)
            for place, column in enumerate(table.columns):
                sheet.set_column(place, place, 40 if column.kind == "text" and place < 2 else 16)
                sheet.write_string(0, place, column.title, head)
            for line, row in enumerate(table.rows, start=1):
                for place, (column, value) in enumerate(zip(table.columns, row, strict=True)):
                    _write(sheet, line, place, column.kind, value, formats)
            if table.rows:
                sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)


_MOST_PLACES: Final = 4
_PATTERNS: Final[dict[Kind | int, str]] = {
    # Pelas casas que o número tem: com `#` no lugar delas o Excel deixaria a vírgula, e 3 se leria «3,».
    **{places: "#,##0" + f".{'0' * places}".rstrip(".") for places in range(_MOST_PLACES + 1)},
    "integer": "#,##0",
    "money": '"R$" #,##0.00',
    "share": "0.0%",
    "day": "dd/mm/yyyy",
    "month": "mmm/yyyy",
    "year": "0",
}


def _write(sheet: Any, line: int, place: int, kind: Kind, value: Any, formats: dict[Kind | int, Any]) -> None:
    if value is None:
        return
    if kind == "text":
        sheet.write_string(line, place, str(value)[:_LONGEST_CELL])
    elif kind in ("day", "month") and value.year < _FIRST_YEAR:
        sheet.write_string(line, place, shown(kind, value))
    elif kind in ("day", "month"):
        sheet.write_datetime(line, place, value, formats[kind])
    elif abs(value) >= _LARGEST_NUMBER:
        sheet.write_string(line, place, shown(kind, value))
    elif kind == "decimal":
        sheet.write_number(line, place, value, formats[_places(value)])
    else:
        sheet.write_number(line, place, value, formats[kind])


def _plain(kind: Kind, value: Any) -> str:
    """O valor no CSV: sem separador de milhar, com vírgula decimal."""
    return "" if value is None else _PLAIN[kind](value)


def _comma(value: Decimal | int, places: int) -> str:
    return f"{Decimal(value):.{places}f}".replace(".", ",")


def _places(value: Decimal | int) -> int:
    """As casas de que o número precisa, até quatro."""
    exponent = Decimal(value).normalize().as_tuple().exponent
    return min(max(-exponent, 0), _MOST_PLACES) if isinstance(exponent, int) else 0


_SHOWN: Final[dict[Kind, Callable[[Any], str]]] = {
    "text": str,
    "integer": number,
    "decimal": lambda value: number(value, _places(value)),
    "money": money,
    "share": percent,
    "day": day,
    "month": month,
    "year": str,
}
_PLAIN: Final[dict[Kind, Callable[[Any], str]]] = {
    "text": lambda value: harmless(str(value)),
    "integer": str,
    "decimal": lambda value: _comma(value, _places(value)),
    "money": lambda value: _comma(value, 2),
    "share": lambda value: f"{_comma(Decimal(value) * 100, 2)}%",
    "day": day,
    "month": day,
    "year": str,
}
