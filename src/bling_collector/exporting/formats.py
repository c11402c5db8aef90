"""Como se escreve um arquivo de cada formato, lote a lote, sem que um valor se arredonde."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Protocol

from bling_collector.db.extracts import Column, decimal_size
from bling_collector.errors import ConfigurationError

Rows = Sequence[Sequence[Any]]
EXTRA: Final = "pip install 'bling-collector[exportar]'"
_EXCEL_DIGITS: Final = 15
_EXCEL_SIZE: Final = 300
_EXCEL_ROWS: Final = 1_048_576
_EXCEL_CELL: Final = 32_767
_EXCEL_FIRST_DAY: Final = date(1900, 3, 1)
"""Antes dele o calendário do Excel está errado."""


class Writer(Protocol):
    """Um arquivo que se escreve."""

    def write(self, rows: Rows) -> None: ...

    def close(self) -> None:
        """Acaba o arquivo. Sem isto, ele não presta."""


class ParquetWriter:
    """Parquet, com zstd; um lote é um grupo de linhas."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        import pyarrow  # type: ignore[import-untyped]  # não traz os tipos
        from pyarrow import parquet

        self._pyarrow = pyarrow
        sizes = [decimal_size(column.type) for column in columns]
        self._units = [Decimal((0, (1,), -size[1])) if size else None for size in sizes]
        self._schema = pyarrow.schema([(column.name, _arrow(pyarrow, column.type)) for column in columns])
        self._file = parquet.ParquetWriter(str(path), self._schema, compression="zstd")

    def write(self, rows: Rows) -> None:
        arrays = [
            self._pyarrow.array(_scaled(values, unit), field.type)
            for field, unit, values in zip(self._schema, self._units, zip(*rows, strict=True), strict=True)
        ]
        self._file.write_batch(self._pyarrow.record_batch(arrays, schema=self._schema))

    def close(self) -> None:
        self._file.close()


_EXACT: Final = Context(prec=38, traps=[Inexact, InvalidOperation])


def _scaled(values: Sequence[Any], unit: Decimal | None) -> list[Any]:
    """Os decimais com as casas da coluna: o pyarrow não lê um de mais de 38 dígitos, ainda que o resto sejam zeros."""
    if unit is None:
        return list(values)
    return [None if value is None else value.quantize(unit, context=_EXACT) for value in values]


def _arrow(pyarrow: Any, kind: str) -> Any:
    if (size := decimal_size(kind)) is not None:
        return pyarrow.decimal128(*size)
    return {
        "integer": pyarrow.int32(),
        "bigint": pyarrow.int64(),
        "boolean": pyarrow.bool_(),
        "double precision": pyarrow.float64(),
        "date": pyarrow.date32(),
        "timestamp": pyarrow.timestamp("us"),
        "timestamp with time zone": pyarrow.timestamp("us", tz="UTC"),
    }.get(kind, pyarrow.string())


class CsvWriter:
    """CSV (RFC 4180) em UTF-8: o vazio é nulo, e um texto vazio é `""`."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._file.write(",".join(_csv(column.name) for column in columns) + "\n")

    def write(self, rows: Rows) -> None:
        self._file.writelines(",".join(map(_csv, row)) + "\n" for row in rows)

    def close(self) -> None:
        self._file.close()


def _csv(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return plain(value)
    return '"' + value.replace('"', '""') + '"' if not value or set(value) & _QUOTED else value


_QUOTED: Final = set('",\r\n \t')


def plain(value: object) -> str:
    """O valor em texto, exato: um decimal com todas as casas, uma hora em ISO 8601, a nossa em UTC."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return (value if value.tzinfo is None else value.astimezone(UTC)).isoformat(" ")
    return value.isoformat() if isinstance(value, date) else str(value)


class XlsxWriter:
    """Uma pasta do Excel, escrita linha a linha no disco; o que o Excel não guarda exato vai como texto."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        import xlsxwriter  # type: ignore[import-untyped]  # não traz os tipos

        self._book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "tmpdir": str(path.parent)})
        self._head = self._book.add_format({"bold": True, "bottom": 1})
        self._days = self._book.add_format({"num_format": "dd/mm/yyyy"})
        self._instants = self._book.add_format({"num_format": "dd/mm/yyyy hh:mm:ss"})
        self._columns = columns
        self._line = _EXCEL_ROWS

    def write(self, rows: Rows) -> None:
        for row in rows:
            if self._line == _EXCEL_ROWS:
                self._add_sheet()
            for place, value in enumerate(row):
                self._put(place, value)
            self._line += 1

    def close(self) -> None:
        from xlsxwriter.exceptions import FileCreateError  # type: ignore[import-untyped]  # não traz os tipos

        try:
            self._book.close()
        except FileCreateError as error:
            raise error.args[0] from None  # o OSError que ele embrulha

    def _add_sheet(self) -> None:
        """Uma folha a mais: a primeira, ou a que segue uma cheia."""
        self._sheet = self._book.add_worksheet()
        self._sheet.freeze_panes(1, 0)
        for place, column in enumerate(self._columns):
            self._sheet.write_string(0, place, column.name, self._head)
        self._line = 1

    def _put(self, place: int, value: object) -> None:
        if value is None:
            return
        if isinstance(value, bool):
            self._sheet.write_boolean(self._line, place, value)
        elif isinstance(value, int | Decimal) and _fits_excel(value):
            self._sheet.write_number(self._line, place, value)
        elif isinstance(value, date) and _day(value) >= _EXCEL_FIRST_DAY:
            self._put_date(place, value)
        else:
            written = value if isinstance(value, str) else plain(value)
            self._sheet.write_string(self._line, place, written[:_EXCEL_CELL])

    def _put_date(self, place: int, value: date) -> None:
        if not isinstance(value, datetime):
            self._sheet.write_datetime(self._line, place, value, self._days)
            return
        naive = value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
        self._sheet.write_datetime(self._line, place, naive, self._instants)


def _day(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


def _fits_excel(value: int | Decimal) -> bool:
    """Se o número tem, sem os zeros das pontas, até 15 dígitos, e nem é imenso nem ínfimo."""
    number = Decimal(value)
    if not number.is_finite() or abs(number.adjusted()) > _EXCEL_SIZE:
        return False
    return len(f"{abs(number):f}".replace(".", "").strip("0")) <= _EXCEL_DIGITS


WRITERS: Final[Mapping[str, Callable[[Path, Sequence[Column]], Writer]]] = {
    "parquet": ParquetWriter,
    "csv": CsvWriter,
    "xlsx": XlsxWriter,
}


def check_installed(what: str) -> None:
    """ConfigurationError se falta o que `what` pede, com o comando que o instala."""
    if find_spec("pyarrow") is None:
        raise ConfigurationError(f"{what} pede o pyarrow, que não está instalado. Instale-o com: {EXTRA}")
