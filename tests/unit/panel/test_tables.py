"""As tabelas baixadas: o que o Excel em português lê, e nada que ele execute."""

import csv
import re
import tracemalloc
from datetime import date
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import pytest

from bling_collector.web.panel.render import environment
from bling_collector.web.panel.tables.table import Column, Table, csv_lines, harmless, shown, write_xlsx

EVIL = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1+1", "＝1", '=HYPERLINK("http://x")')
COLUMNS = (
    Column("Cliente"),
    Column("Notas", "integer"),
    Column("Quantidade", "decimal"),
    Column("Valor", "money"),
    Column("Parte", "share"),
    Column("Mês", "month"),
    Column("Dia", "day"),
    Column("Ano", "year"),
)
ROW = (
    "José; “Ação” & Cia",
    1234,
    Decimal("2.50"),
    Decimal("1234.5"),
    Decimal("0.1234"),
    date(2025, 3, 1),
    date(2025, 3, 2),
    2025,
)
NS = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def table(*rows: Any, columns: tuple[Column, ...] = COLUMNS) -> Table:
    return Table("teste", "Teste", columns, rows, len(rows))


def read_csv(found: Table) -> list[list[str]]:
    raw = b"".join(csv_lines(found))
    assert raw.startswith(b"\xef\xbb\xbf"), "o BOM, para o Excel saber que é UTF-8"
    return list(csv.reader(StringIO(raw.decode("utf-8-sig"), newline=""), delimiter=";"))


def sheet(found: Table, number: int = 2) -> list[list[Any]]:
    """As células da folha: textos como texto, números como número, vazias como None."""
    file = BytesIO()
    write_xlsx(file, [found], ["Sobre"])
    with ZipFile(file) as book:
        assert book.testzip() is None
        root = ET.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))  # noqa: S314 — é o nosso
    assert not root.findall(".//m:f", NS), "uma fórmula"
    rows = []
    for row in root.findall(".//m:row", NS):
        cells = []
        for cell in row.findall("m:c", NS):
            text, value = cell.find(".//m:t", NS), cell.findtext("m:v", namespaces=NS)
            cells.append(text.text if text is not None else float(value) if value is not None else None)
        rows.append(cells)
    return rows


def test_the_csv_is_one_a_portuguese_excel_opens() -> None:
    head, row = read_csv(table(ROW))
    assert head == [column.title for column in COLUMNS]
    assert row == ["José; “Ação” & Cia", "1234", "2,5", "1234,50", "12,34%", "01/03/2025", "02/03/2025", "2025"]


def test_the_xlsx_has_the_same_exact_numbers() -> None:
    head, row = sheet(table(ROW))
    assert head == [column.title for column in COLUMNS]
    assert row == [ROW[0], 1234, 2.5, 1234.5, 0.1234, 45717, 45718, 2025]


def test_in_the_xlsx_an_integer_does_not_end_in_a_comma() -> None:
    """Com `#,##0.###` o Excel escreve «3,»: cada número leva as casas que tem."""
    file = BytesIO()
    values = ("3", "1000", "2.5", "0.125", "1.23456", "0")
    write_xlsx(file, [table(*((Decimal(v),) for v in values), columns=(Column("Quantidade", "decimal"),))], ["Sobre"])
    with ZipFile(file) as book:
        styles, page = book.read("xl/styles.xml").decode(), book.read("xl/worksheets/sheet2.xml").decode()
    patterns = {"3": "#,##0"} | dict(re.findall(r'numFmtId="(\d+)" formatCode="([^"]*)"', styles))
    cell_formats = re.findall(r'<xf numFmtId="(\d+)"', styles.partition("<cellXfs")[2])
    used = [patterns[cell_formats[int(style)]] for style in re.findall(r'<c r="A[2-7]" s="(\d+)"', page)]
    assert used == ["#,##0", "#,##0", "#,##0.0", "#,##0.000", "#,##0.0000", "#,##0"]
    assert not any("#." in pattern or pattern.endswith("#") for pattern in patterns.values())


def test_what_is_empty_is_empty_in_all_three_forms() -> None:
    nothing = tuple(None for _ in COLUMNS)
    assert read_csv(table(nothing))[1] == [""] * len(COLUMNS)
    assert sheet(table(nothing))[1:] in ([], [[]])
    assert {shown(column.kind, None) for column in COLUMNS} == {"—"}


@pytest.mark.parametrize("evil", EVIL)
def test_a_text_is_never_a_formula(evil: str) -> None:
    (found,) = read_csv(table((evil,), columns=(Column("Cliente"),)))[1]
    assert found == f"'{evil}"
    assert sheet(table((evil,), columns=(Column("Cliente"),)))[1] == [evil] or "\r" in evil or "\t" in evil


def test_a_common_text_stays_as_it_is() -> None:
    for text in ("Engrenagem 2-A", "a=b", "12.345.678/0001-90", "", "’aspas"):
        assert harmless(text) == text


@pytest.mark.parametrize("huge", [Decimal("1e400"), Decimal("-1e400"), Decimal("1e130000")])
def test_a_number_too_big_for_the_spreadsheet_goes_as_text(huge: Decimal) -> None:
    columns = (Column("Quantidade", "decimal"), Column("Valor", "money"), Column("Parte", "share"))
    found = table((huge, huge, huge), columns=columns)
    assert all(isinstance(cell, str) and "e+" in cell for cell in sheet(found)[1])
    assert Decimal(read_csv(found)[1][1].replace(",", ".")) == huge, "o CSV tem todos os dígitos"
    assert len(shown("money", huge)) < 20


def test_a_day_that_the_spreadsheet_does_not_have_goes_as_text() -> None:
    old = date(1899, 12, 31)
    found = table((old, old, date(1900, 1, 1)), columns=(Column("Dia", "day"), Column("Mês", "month"), COLUMNS[6]))
    assert sheet(found)[1] == ["31/12/1899", "dez/1899", 1]


def test_every_negative_has_the_same_sign() -> None:
    found = {shown(kind, Decimal("-1.5")) for kind in ("decimal", "money", "share")} | {shown("integer", -2)}
    assert found == {"−1,5", "−R$ 1,50", "−150,0%", "−2"}
    negative = table((Decimal("-1.5"),), columns=(Column("Quantidade", "decimal"),))
    assert read_csv(negative)[1] == ["-1,5"], "no CSV, o que a planilha lê como número"


def test_what_the_page_shows() -> None:
    assert [shown(c.kind, v) for c, v in zip(COLUMNS, ROW, strict=True)] == [
        ROW[0],
        "1.234",
        "2,5",
        "R$ 1.234,50",
        "12,3%",
        "mar/2025",
        "02/03/2025",
        "2025",
    ]


@pytest.mark.slow
def test_a_long_table_leaves_in_pieces_and_does_not_fill_the_memory() -> None:
    rows = [(f"Cliente {n}", n) for n in range(60_000)]
    found = Table("t", "T", (Column("Cliente"), Column("Notas", "integer")), rows, len(rows))
    chunks = list(csv_lines(found))
    assert len(chunks) > 10
    assert max(map(len, chunks)) < 200_000
    assert b"".join(chunks).count(b"\r\n") == 60_001

    written = Weighed()
    tracemalloc.start()
    try:
        write_xlsx(written, [found], ["Sobre"])
    finally:
        tracemalloc.stop()
    assert 0 < written.held < 12 * 1024 * 1024, "60 mil linhas guardadas seriam muito mais"


class Weighed(BytesIO):
    """Um arquivo que, ao receber o primeiro pedaço, pesa o que quem o escreve tem na memória; o resto do processo não
    entra na conta."""

    held = 0

    def write(self, data: Any) -> int:
        if not self.held:
            own = [tracemalloc.Filter(True, f"*{place}*") for place in ("xlsxwriter", "web/panel/tables.py")]
            traces = tracemalloc.take_snapshot().filter_traces(own)
            self.held = sum(each.size for each in traces.statistics("filename"))
        return super().write(data)


def test_characters_that_xml_refuses_do_not_spoil_the_spreadsheet() -> None:
    odd = "a\x00b\x01c\x1f<d>&\ud7ff\U0001f600"
    (found,) = sheet(table((odd,), columns=(Column("Cliente"),)))[1]
    assert re.search(r"<d>&", found)
    assert len(sheet(table(("x" * 40_000,), columns=(Column("Cliente"),)))[1][0]) == 32_767


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Decimal(-1), "100,0% a menos que um ano antes"),
        (Decimal("0.5"), "50,0% a mais que um ano antes"),
        (Decimal(0), "igual a um ano antes"),
    ],
)
def test_a_change_is_said_once(value: Decimal, said: str) -> None:
    macros: Any = environment().get_template("_macros.html").module
    assert str(macros.against(value, comparable=True)) == said
