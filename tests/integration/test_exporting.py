"""A exportação, lida de volta com o DuckDB e o pandas, e tudo o que a pode estragar."""

# ruff: noqa: ASYNC240 — os arquivos são o que aqui se olha, e ninguém espera por este laço

import asyncio
import hashlib
import json
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing, closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

import click
import duckdb
import fsspec  # type: ignore[import-untyped]  # não traz os tipos
import pandas as pd  # type: ignore[import-untyped]  # não traz os tipos
import pytest
from fsspec.implementations.memory import MemoryFileSystem  # type: ignore[import-untyped]  # não traz os tipos
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.collecting import rows
from tests.support.commands import Done, Terminal
from tests.support.postgres import execute, libpq_url

from bling_collector.cli.commands import exportar
from bling_collector.config.values import EXPORT_FORMATS
from bling_collector.db import extracts, schema
from bling_collector.db.connection.database import explained
from bling_collector.db.extracts import NOT_EXPORTED, snapshot
from bling_collector.db.models import metadata
from bling_collector.disk.locks import FileLock
from bling_collector.errors import DatabaseError, ExportError, ExportInProgressError, UsageError
from bling_collector.exporting import export as exporting
from bling_collector.exporting import places
from bling_collector.exporting.days import EXPORTED
from bling_collector.exporting.export import Exported
from bling_collector.exporting.formats import WRITERS
from bling_collector.exporting.places import Bucket, Folder, opened_place, refusals

DATA = (
    """INSERT INTO empresa (id, bling_id, nome, cnpj) VALUES (1, repeat('a', 32), 'Fábrica “Sol”', '11222333000181')""",
    """INSERT INTO nfe_cabecalho (id, numero, data_emissao, situacao, contato_nome, total_nota, extraido_em, detalhe)
       VALUES (1, '000001', '2025-12-31 23:59:59', 6, 'José, "o Velho"', 1234.50, '2026-01-01 02:59:59.123456+00',
               '{"valor": 1.50, "texto": "linha\\nde baixo"}'),
              (2, '000002', '2026-01-01 00:00:00', 6, '', 12345.10000000000000000000000000000000000000000000,
               '2026-01-02 03:00:00+00', NULL),
              (3, NULL, '2026-01-31 10:00:00', 2, NULL, -99999999999999999999.999999999, NULL, '[]'),
              (4, '000004', NULL, NULL, '=1+1', 0.0000001, NULL, NULL)""",
    """INSERT INTO nfe_itens (nfe_id, codigo_produto, quantidade, valor_unitario, ordem)
       VALUES (1, ' com espaços ', 1, 0.1234567891, 1), (1, NULL, 2.000, 3, 2), (2, 'A', 1e3, 12345678901234567, 1),
              (4, 'ção 😀', 1, NULL, 1)""",
    """INSERT INTO contas_receber (id, data_emissao, valor) VALUES (1, '2026-01-15', 10), (2, '0001-02-03', 20)""",
    """INSERT INTO produtos (id, nome, preco_venda) VALUES (9007199254740993, 'a', 'NaN'), (2, 'b', 1)""",
    """INSERT INTO estoque_saldos (lido_em, produto_id, deposito_id, saldo_fisico)
       VALUES ('2026-02-01 02:30:00+00', 2, 1, 5), ('2026-02-01 03:00:00+00', 2, 1, 6)""",
)


FEW = (
    *("empresa", "nfe_cabecalho", "nfe_itens", "cfops", "contas_receber", "contas_pagar", "contatos", "produtos"),
    *("estoque_saldos", "vw_nfe_validas"),
)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Como se exporta vê-se em poucas tabelas; só quem confere o que se exporta as percorre todas."""
    monkeypatch.setattr(exporting, "EXPORTED", {name: EXPORTED[name] for name in FEW})


@pytest.fixture
def every_table(few: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "EXPORTED", EXPORTED)


async def change(engine: AsyncEngine, *statements: str) -> None:
    async with engine.begin() as connection:
        for each in statements:
            await connection.exec_driver_sql(each.replace("%", "%%"))


@pytest.fixture
async def filled(engine: AsyncEngine) -> AsyncEngine:
    await change(engine, *DATA)
    return engine


async def export(engine: AsyncEngine, target: Path | str, kind: str = "parquet", **how: bool) -> Exported:
    return await exporting.export(engine, str(target), kind, incremental=how.get("incremental", False))


def manifest(folder: Path) -> Any:
    return json.loads((folder / "manifesto.json").read_bytes())


def everything(folder: Path) -> dict[str, bytes]:
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def files(folder: Path, table: str) -> list[str]:
    return [str(folder / each["arquivo"]) for each in manifest(folder)["tabelas"][table]["arquivos"]]


def ask(query: str) -> list[Any]:
    with duckdb.connect() as duck:
        return duck.execute(query).fetchall()


def in_order(found: Any) -> list[tuple[Any, ...]]:
    return sorted(map(tuple, found), key=repr)


async def in_the_database(engine: AsyncEngine, table: str, columns: list[Any], *, as_text: bool) -> list[Any]:
    named = ", ".join(
        f'"{c["nome"]}"::text' if as_text or c["tipo"] in ("json", "text") else f'"{c["nome"]}"' for c in columns
    )
    return in_order(await rows(engine, f"SELECT {named} FROM {table}"))


async def test_every_table_and_view_is_exported_or_said_not_to_be(engine: AsyncEngine) -> None:
    found = await rows(
        engine,
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'v')",
    )
    assert EXPORTED.keys() | NOT_EXPORTED.keys() == {name for (name,) in found}, "db/extracts.py"
    assert metadata.tables.keys() <= EXPORTED.keys() | NOT_EXPORTED.keys()
    assert EXPORTED.keys() & NOT_EXPORTED.keys() == set()
    assert all(NOT_EXPORTED.values())


async def test_nothing_exported_is_secret_nor_made_of_what_is_not_exported(engine: AsyncEngine) -> None:
    for name, why in NOT_EXPORTED.items():
        assert "oauth" not in name or why.startswith("segredo")
    secret = [name for name, why in NOT_EXPORTED.items() if why.startswith("segredo")]
    used = await rows(
        engine,
        "SELECT view_name FROM information_schema.view_table_usage WHERE table_name = ANY(:secret)",
        secret=[*secret, "alarmes"],
    )
    assert used == []
    assert not any(re.search("token|secret|senha", c.name) for t in EXPORTED if t in metadata.tables
                   for c in metadata.tables[t].c)  # fmt: skip


def test_the_formats_are_the_same_everywhere() -> None:
    (option,) = (each for each in exportar.params if each.name == "formato")
    assert isinstance(option.type, click.Choice)
    assert tuple(WRITERS) == EXPORT_FORMATS == tuple(option.type.choices)


@pytest.mark.usefixtures("every_table")
async def test_the_parquet_is_equal_to_the_database(filled: AsyncEngine, tmp_path: Path) -> None:
    await export(filled, tmp_path)

    seen = 0
    for table, said in manifest(tmp_path)["tabelas"].items():
        expected = await in_the_database(filled, table, said["colunas"], as_text=False)
        assert said["linhas"] == len(expected)
        if not expected:
            assert said["arquivos"] == []
            continue
        names = files(tmp_path, table)
        with duckdb.connect() as duck:
            # Uma hora com fuso pede ao DuckDB uma extensão que ele baixa: aqui lê-se em UTC, sem ela.
            instants = [c["nome"] for c in said["colunas"] if c["tipo"] == "timestamp with time zone"]
            as_utc = "".join(f', make_timestamp(epoch_us("{each}")) AS "{each}"' for each in instants)
            relation = duck.read_parquet(names)
            found = relation.project(f"* REPLACE ({as_utc[2:]})" if as_utc else "*").fetchall()
        assert in_order(utc(found)) == in_order(utc(expected)), table
        read = pd.concat([pd.read_parquet(name, dtype_backend="pyarrow") for name in names])
        assert in_order(utc(plain(row) for row in read.itertuples(index=False, name=None))) == in_order(utc(expected))
        seen += len(expected)
    assert seen > 20


def plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A linha do pandas com os tipos do Python."""
    made = (None if pd.isna(each) else each for each in row)
    return tuple(each.to_pydatetime() if isinstance(each, pd.Timestamp) else each for each in made)


def utc(found: Any) -> list[tuple[Any, ...]]:
    """As horas em UTC, e os decimais pelo valor: 1 e 1,000000000 são o mesmo."""

    def same(value: Any) -> Any:
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(UTC).replace(tzinfo=None)
        if isinstance(value, Decimal) and value.is_finite():
            written = f"{value:f}"
            return Decimal(written.rstrip("0").rstrip(".") if "." in written else written)
        return value

    return [tuple(map(same, row)) for row in found]


async def test_the_types_hold_every_value(filled: AsyncEngine, tmp_path: Path) -> None:
    await export(filled, tmp_path)

    def kinds(table: str) -> dict[str, str]:
        return {each["nome"]: each["tipo"] for each in manifest(tmp_path)["tabelas"][table]["colunas"]}

    assert kinds("nfe_cabecalho")["total_nota"] == "decimal(38,9)"
    assert kinds("nfe_itens")["valor_unitario"] == "decimal(38,18)", "dez casas pedem mais que nove"
    assert kinds("produtos")["preco_venda"] == "text", "um NaN não cabe num decimal"
    described = ask(f"DESCRIBE SELECT * FROM '{files(tmp_path, 'nfe_cabecalho')[0]}'")
    types = {name: kind for name, kind, *_ in described}
    assert (types["data_emissao"], types["extraido_em"]) == ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE")


@pytest.mark.usefixtures("every_table")
async def test_the_csv_has_the_exact_text(filled: AsyncEngine, tmp_path: Path) -> None:
    await export(filled, tmp_path, "csv")

    for table, said in manifest(tmp_path)["tabelas"].items():
        if not said["arquivos"]:
            continue
        expected = await in_the_database(filled, table, said["colunas"], as_text=True)
        with duckdb.connect() as duck:
            found = duck.read_csv(
                files(tmp_path, table), all_varchar=True, header=True, sep=",", quotechar='"', escapechar='"',
                allow_quoted_nulls=False, na_values="",
            ).fetchall()  # fmt: skip
        assert in_order(as_text(found)) == in_order(as_text(expected)), table
    notes = b"".join(Path(each).read_bytes() for each in files(tmp_path, "nfe_cabecalho")).decode()
    assert ',"",' in notes, "um texto vazio não é nulo"
    assert ",0.0000001," in notes, "nem o expoente nem o arredondamento"
    assert "2026-01-01 02:59:59.123456+00:00" in notes
    read = pd.concat(pd.read_csv(each, dtype=str) for each in files(tmp_path, "nfe_itens"))
    assert set(read["valor_unitario"].dropna()) == {"0.1234567891", "3", "12345678901234567"}


def as_text(found: Any) -> list[tuple[Any, ...]]:
    """O PostgreSQL escreve +00 onde o CSV diz +00:00, e cala os zeros do fim da fração; o resto é letra por letra."""
    return [tuple(None if value is None else _as_postgres_says(value) for value in row) for row in found]


def _as_postgres_says(value: str) -> str:
    return re.sub(r"(\d\d:\d\d:\d\d)(?:(\.\d*[1-9])0*|\.0+)?\+00(?::00)?$", r"\1\2+00", value)


def sheet(path: str) -> list[list[tuple[str, str]]]:
    """As células da primeira folha: o tipo e o que está escrito."""
    name = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with ZipFile(path) as book:
        tree = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314 — é o nosso
    return [[(c.get("t", "n"), "".join(c.itertext())) for c in row] for row in tree.iter(f"{name}row")]


async def test_in_the_xlsx_a_number_that_excel_would_round_is_text(filled: AsyncEngine, tmp_path: Path) -> None:
    await export(filled, tmp_path, "xlsx")

    (undated,) = (each for each in files(tmp_path, "nfe_cabecalho") if "sem-data" in each)
    cells = {value: kind for row in sheet(undated) for kind, value in row}
    assert cells["1E-7"] == "n"
    assert cells["=1+1"] == "inlineStr", "nunca uma fórmula"
    (products,) = files(tmp_path, "produtos")
    kinds = {value: kind for row in sheet(products) for kind, value in row}
    assert kinds["9007199254740993"] == "inlineStr", "dezesseis dígitos"
    assert kinds["NaN"] == "inlineStr"
    items = {v: k for each in files(tmp_path, "nfe_itens") for row in sheet(each) for k, v in row}
    assert (items["0.1234567891"], items["12345678901234567"], items["1000"]) == ("n", "inlineStr", "n")


@pytest.mark.slow
async def test_a_full_sheet_goes_on_in_another(filled: AsyncEngine, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("bling_collector.exporting.formats._EXCEL_ROWS", 2)
    await export(filled, tmp_path, "xlsx")
    (january,) = (each for each in files(tmp_path, "nfe_cabecalho") if "2026-01" in each)
    with ZipFile(january) as book:
        assert [name for name in book.namelist() if "worksheets/sheet" in name] == [
            "xl/worksheets/sheet1.xml",
            "xl/worksheets/sheet2.xml",
        ]


async def test_each_row_is_in_the_month_of_its_day(filled: AsyncEngine, tmp_path: Path) -> None:
    await export(filled, tmp_path)

    def months(table: str) -> dict[str | None, int]:
        return {each["mes"]: each["linhas"] for each in manifest(tmp_path)["tabelas"][table]["arquivos"]}

    assert months("nfe_cabecalho") == {"2025-12": 1, "2026-01": 2, None: 1}
    assert months("nfe_itens") == {"2025-12": 2, "2026-01": 1, None: 1}, "o da nota"
    assert months("contas_receber") == {"0001-02": 1, "2026-01": 1}
    assert months("estoque_saldos") == {"2026-01": 1, "2026-02": 1}, "a hora é a de Brasília"
    assert months("produtos") == {None: 2}
    names = [each.rpartition("/")[2].rpartition("-")[0] for each in files(tmp_path, "nfe_cabecalho")]
    assert names == ["2025-12", "2026-01", "sem-data"]


async def test_the_manifest_says_what_is_there(filled: AsyncEngine, tmp_path: Path) -> None:
    await export(filled, tmp_path)

    said = manifest(tmp_path)
    assert said["empresa"] == {"bling_id": "a" * 32, "nome": "Fábrica “Sol”", "cnpj": "11222333000181"}
    assert said["revisao"] == (await rows(filled, "SELECT version_num FROM alembic_version"))[0][0]
    assert datetime.fromisoformat(said["quando"]).tzinfo is not None
    listed = {each["arquivo"]: each for table in said["tabelas"].values() for each in table["arquivos"]}
    there = everything(tmp_path)
    assert there.keys() - listed.keys() == {"manifesto.json"}
    for name, each in listed.items():
        assert (len(there[name]), hashlib.sha256(there[name]).hexdigest()) == (each["bytes"], each["sha256"])


async def test_only_what_changed_is_written_again(filled: AsyncEngine, tmp_path: Path) -> None:
    await export(filled, tmp_path)
    before = everything(tmp_path)

    again = await export(filled, tmp_path, incremental=True)
    assert (again.written, again.removed) == (0, 0)
    assert everything(tmp_path).keys() == before.keys()

    # Uma sai e outra muda: a contagem e a hora da última mudança não o diriam.
    await change(
        filled,
        "UPDATE contas_receber SET data_emissao = '2026-02-01' WHERE id = 1",
        "UPDATE contas_receber SET valor = 21 WHERE id = 2",
        "DELETE FROM nfe_itens WHERE nfe_id = 2",
        "INSERT INTO nfe_itens (nfe_id, codigo_produto, ordem) VALUES (2, 'B', 1)",
        "DELETE FROM estoque_saldos",
    )
    done = await export(filled, tmp_path, incremental=True)

    after = everything(tmp_path)
    assert {name.rpartition("-")[0] for name in after.keys() - before.keys() if not name.startswith("vw_")} == {
        "contas_receber/2026-02",
        "contas_receber/0001-02",
        "nfe_itens/2026-01",
    }
    gone = {name.rpartition("-")[0] for name in before.keys() - after.keys() if not name.startswith("vw_")}
    assert gone == {
        *("contas_receber/2026-01", "contas_receber/0001-02", "nfe_itens/2026-01"),
        *("estoque_saldos/2026-01", "estoque_saldos/2026-02"),
    }
    assert not (tmp_path / "estoque_saldos").exists()
    assert done.kept > done.written
    full = tmp_path / "inteira"
    await export(filled, full)
    assert everything(full).keys() == {name for name in after if not name.startswith("inteira")}


async def test_a_column_that_changes_type_is_written_again_in_every_month(filled: AsyncEngine, tmp_path: Path) -> None:
    await export(filled, tmp_path)
    await change(filled, "UPDATE contas_receber SET valor = 0.00000000001 WHERE id = 1")
    await export(filled, tmp_path, incremental=True)
    kinds = {ask(f"SELECT typeof(valor) FROM '{each}'")[0][0] for each in files(tmp_path, "contas_receber")}
    assert kinds == {"DECIMAL(38,18)"}


async def test_a_file_that_someone_took_is_written_again(filled: AsyncEngine, tmp_path: Path) -> None:
    await export(filled, tmp_path)
    taken, cut = (Path(each) for each in files(tmp_path, "nfe_cabecalho")[:2])
    content = taken.read_bytes(), cut.read_bytes()
    taken.unlink()
    cut.write_bytes(content[1][:-1])
    done = await export(filled, tmp_path, incremental=True)
    assert done.written == 2
    assert (taken.read_bytes(), cut.read_bytes()) == content


async def test_it_sees_one_instant_of_the_database(filled: AsyncEngine) -> None:
    async with snapshot(filled) as seen:
        await change(filled, "UPDATE nfe_cabecalho SET data_emissao = '2026-03-01'", "DELETE FROM nfe_itens")
        extract = await seen.extract("nfe_itens", EXPORTED["nfe_itens"])
        read = [row async for _, batch in seen.rows(extract, {part.month for part in extract.parts}) for row in batch]
    assert len(read) == sum(part.rows for part in extract.parts) == 4


async def test_the_rows_are_not_all_brought_at_once(filled: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extracts, "BATCH", 2)
    async with snapshot(filled) as seen:
        extract = await seen.extract("nfe_cabecalho", EXPORTED["nfe_cabecalho"])
        async with aclosing(seen.rows(extract, {part.month for part in extract.parts})) as batches:
            await anext(batches)
            left = await seen.connection.scalar(text("SELECT count(*) FROM pg_cursors"))
    assert left == 1, "o resto ainda está no servidor"


async def test_one_at_a_time(filled: AsyncEngine, tmp_path: Path) -> None:
    async with snapshot(filled):
        with pytest.raises(ExportInProgressError, match="Já há uma exportação") as caught:
            await export(filled, tmp_path / "nova")
    assert caught.value.title == "Exportação em curso"
    assert not (tmp_path / "nova").exists()


async def test_one_at_a_time_in_a_folder_whosever_it_is(filled: AsyncEngine, tmp_path: Path) -> None:
    folder = tmp_path / "nova"
    async with opened_place(str(folder)) as place:
        (place.workspace / "contatos.csv").write_text("de outra empresa, pela metade")
        with pytest.raises(ExportInProgressError, match=f"em curso para {re.escape(str(folder))}. Espere"):
            await export(filled, folder, "csv")
        assert (place.workspace / "contatos.csv").exists()
    assert not folder.exists()
    await export(filled, folder, "csv")
    assert not any(each.name.startswith(".") for each in folder.iterdir())


async def test_a_lock_that_its_owner_took_away_locks_nothing(tmp_path: Path) -> None:
    path = tmp_path / ".exportando"
    lock = FileLock(path)
    assert lock.is_at(path)
    path.unlink()
    assert not lock.is_at(path)
    path.write_bytes(b"")
    assert not lock.is_at(path)
    lock.close()


@pytest.mark.slow
async def test_each_schema_is_a_company_of_its_own(filled: AsyncEngine, tmp_path: Path) -> None:
    other = await schema.create(filled, "empresa_outra")
    await schema.upgrade(other)
    await change(
        other,
        "INSERT INTO empresa (id, bling_id, nome, cnpj) VALUES (1, repeat('b', 32), 'Outra', '44555666000181')",
        "INSERT INTO contatos (id, nome) VALUES (7, 'só da outra')",
    )
    await export(other, tmp_path)
    assert ask(f"SELECT nome FROM '{files(tmp_path, 'contatos')[0]}'") == [("só da outra",)]
    assert manifest(tmp_path)["tabelas"]["nfe_cabecalho"]["linhas"] == 0

    before = everything(tmp_path)
    with pytest.raises(UsageError, match="de outra empresa, Outra"):
        await export(filled, tmp_path)
    assert everything(tmp_path) == before


async def test_a_folder_of_nobody_knows_whom_is_not_taken_by_a_company(filled: AsyncEngine, tmp_path: Path) -> None:
    other = await schema.create(filled, "empresa_outra")
    await schema.upgrade(other)
    await export(other, tmp_path)
    assert manifest(tmp_path)["empresa"] is None
    before = everything(tmp_path)
    with pytest.raises(UsageError, match="ainda não sabia de que empresa era"):
        await export(filled, tmp_path)
    assert everything(tmp_path) == before
    await export(other, tmp_path)


async def test_who_reads_every_file_sees_nothing_new_until_all_is_ready(
    exported: dict[str, bytes], filled: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Também se o processo morre no meio: o que se escreve não está onde se procura."""
    seen: list[set[str]] = []
    put = Folder.put

    def watched(self: Folder, source: Path, name: str) -> None:
        put(self, source, name)
        seen.append({str(each.relative_to(tmp_path)) for each in tmp_path.glob("*/*.csv")})

    monkeypatch.setattr(Folder, "put", watched)
    await export(filled, tmp_path, "csv")
    *writing, _ = seen
    assert len(writing) > 3
    assert all(there == {name for name in exported if name.endswith(".csv")} for there in writing)
    assert {each.name for each in tmp_path.glob(".exportando*")} == set()


@pytest.fixture
async def exported(filled: AsyncEngine, tmp_path: Path) -> dict[str, bytes]:
    """Uma exportação já feita, e o banco depois dela mudado."""
    await export(filled, tmp_path, "csv")
    await change(filled, "UPDATE nfe_cabecalho SET contato_nome = repeat('x', 50000)", "DELETE FROM contas_receber")
    return everything(tmp_path)


async def test_a_folder_of_another_format_stays_as_it_is(
    filled: AsyncEngine, tmp_path: Path, exported: dict[str, bytes]
) -> None:
    other = tmp_path / ".exportando-abc" / "nfe_cabecalho.csv"
    other.parent.mkdir()
    other.write_text("de outra exportação")
    with pytest.raises(UsageError, match="uma exportação em csv, e esta é em parquet"):
        await export(filled, tmp_path)
    assert everything(tmp_path) == exported | {str(other.relative_to(tmp_path)): other.read_bytes()}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff", b'{"versao": 2}', b'{"versao": 1, "tabelas": 3}', b"[" * 100_000, "../../fora", 5, []],
    ids=["vazio", "cortado", "lista", "bytes", "outra versão", "outra forma", "fundo", "de fora", "número", "outro"],
)
async def test_a_manifest_of_something_else_stays_as_it_is(
    filled: AsyncEngine, tmp_path: Path, exported: dict[str, bytes], content: Any
) -> None:
    path = tmp_path / "manifesto.json"
    if not isinstance(content, bytes):
        said = manifest(tmp_path)
        said["tabelas"]["cfops"]["arquivos"][0]["arquivo"] = content
        content = json.dumps(said).encode()
    path.write_bytes(content)
    with pytest.raises(UsageError, match="não é um que eu entenda"):
        await export(filled, tmp_path, "csv")
    assert everything(tmp_path) == exported | {"manifesto.json": content}


@pytest.mark.parametrize("name", ["arquivo", "arquivo/abaixo"])
async def test_a_file_in_place_of_the_folder(filled: AsyncEngine, tmp_path: Path, name: str) -> None:
    (tmp_path / "arquivo").write_text("meu")
    with pytest.raises(UsageError, match="há um arquivo no lugar da pasta"):
        await export(filled, tmp_path / name, "csv")
    assert everything(tmp_path) == {"arquivo": b"meu"}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("n" * 300, "o nome é comprido demais"),
        pytest.param(
            "/proc/nada/abaixo",
            "o sistema não deixa criá-la",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="só o Linux tem /proc"),
        ),
        ("~um-usuário-que-não-há/pasta", "não é um nome de pasta"),
        ("file:///tmp/%00", "não é um nome de pasta"),
    ],
)
async def test_a_folder_that_cannot_be_made(tmp_path: Path, name: str, why: str) -> None:
    target = name if name[0] in "~/" or "://" in name else str(tmp_path / name)
    with pytest.raises(UsageError, match=f"^Não posso exportar para .*: .*{why}.*. Escolha outra") as refused:
        async with opened_place(target):
            pass
    assert refused.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


async def test_what_a_dead_export_left_goes_away(
    filled: AsyncEngine, tmp_path: Path, exported: dict[str, bytes]
) -> None:
    (tmp_path / ".exportando").touch()
    for left in (".exportando-abc/nfe_cabecalho.csv", f"contas_pagar/2026-01-{'0' * 16}.csv"):
        (tmp_path / left).parent.mkdir(exist_ok=True)
        (tmp_path / left).write_text("pela metade")
    (tmp_path / "nfe_cabecalho" / "meu.csv").write_text("de outro")
    await export(filled, tmp_path, "csv", incremental=True)
    listed = {each["arquivo"] for table in manifest(tmp_path)["tabelas"].values() for each in table["arquivos"]}
    assert everything(tmp_path).keys() == listed | {"manifesto.json", "nfe_cabecalho/meu.csv"}
    assert not (tmp_path / "contas_pagar").exists()


_LIMITED = """
import resource, sys
sys.dont_write_bytecode = True
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
from bling_collector.cli import main
main()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="não há como limitar o tamanho de um arquivo")
@pytest.mark.parametrize("kind", ["parquet", *(pytest.param(each, marks=pytest.mark.slow) for each in ("csv", "xlsx"))])
async def test_a_disk_that_fills_half_way_leaves_what_was_there(
    filled: AsyncEngine, tmp_path: Path, database_url: str, kind: str
) -> None:
    folder = tmp_path / "exportação"
    await export(filled, folder, kind)
    before = everything(folder)
    await change(
        filled,
        "UPDATE contas_receber SET valor = 22",
        "INSERT INTO contatos (id, nome) SELECT n, md5(n::text) || md5('a' || n) FROM generate_series(1, 3000) AS n",
    )
    done = await in_a_process(tmp_path, _LIMITED, "exportar", str(folder), "--formato", kind, DATABASE_URL=database_url)
    assert done.code == 1
    assert re.fullmatch(
        r"Erro: Não coube em .*exportação \(o arquivo passa do tamanho que se permite\)\. O que havia lá fica .*\.\n",
        done.err,
    )
    assert everything(folder) == before
    assert not any(each.name.startswith(".") for each in folder.iterdir())


async def in_a_process(folder: Path, script: str, *arguments: str, **variables: str) -> Done:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script, *arguments),
        cwd=folder,
        env={"HOME": str(folder), "PYTHONUTF8": "1", "LC_ALL": "C.UTF-8"} | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return Done(process.returncode or 0, out.decode(), err.decode())


_WITHOUT_THE_EXTRA = """
import sys
import tempfile
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pyarrow", "fsspec"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name in ("pyarrow", "fsspec") else found(name, *more)
from bling_collector.cli import main
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pasta"], "O formato parquet pede o pyarrow"),
        (["gs://balde/pasta", "--formato", "csv"], "Exportar para gs:// pede o pyarrow"),
        (["pasta", "--formato", "csv"], None),
        (["pasta", "--formato", "xlsx"], None),
    ],
    ids=["parquet", "nuvem", "csv", "xlsx"],
)
async def test_without_the_extra(
    filled: AsyncEngine, tmp_path: Path, database_url: str, arguments: list[str], said: str | None
) -> None:
    done = await in_a_process(tmp_path, _WITHOUT_THE_EXTRA, "exportar", *arguments, DATABASE_URL=database_url)
    if said is None:
        assert (done.code, done.err) == (0, "")
    else:
        assert done.code == 2
        assert said in done.err
        assert "pip install 'bling-collector[exportar]'" in done.err
        assert list(tmp_path.iterdir()) == []


@pytest.fixture
def bucket() -> Iterator[dict[str, Any]]:
    """O que está em memory://, que o fsspec guarda no processo."""
    MemoryFileSystem.store.clear()
    yield MemoryFileSystem.store
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


def stored(bucket: dict[str, Any]) -> dict[str, bytes]:
    return {name: file.getvalue() for name, file in bucket.items()}


async def test_what_a_dead_process_left_here_of_the_cloud_goes_and_of_a_living_one_stays(
    filled: AsyncEngine, bucket: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead, living = tmp_path / "bling-exportando-morta", tmp_path / "bling-exportando-viva"
    for each in (dead, living):
        each.mkdir()
        (each / "contatos.parquet").write_bytes(b"x")
    at_once: list[int] = []
    put = Bucket.put

    def counted(self: Bucket, source: Path, name: str) -> None:
        at_once.append(len([each for each in self.workspace.iterdir() if each.suffix == ".csv"]))
        put(self, source, name)

    monkeypatch.setattr(Bucket, "put", counted)
    with closing(FileLock(living / ".exportando")) as held:
        assert held.try_exclusive()
        await export(filled, "memory://balde/pasta", "csv")
    assert bucket
    assert [each.name for each in tmp_path.iterdir()] == [living.name]
    assert max(at_once) == 1, "cada arquivo sai daqui assim que sobe"


@pytest.mark.parametrize("kind", ["csv", *(pytest.param(each, marks=pytest.mark.slow) for each in ("parquet", "xlsx"))])
async def test_a_folder_in_the_cloud(filled: AsyncEngine, bucket: dict[str, Any], tmp_path: Path, kind: str) -> None:
    await export(filled, "memory://balde/pasta/", kind)
    await change(filled, "UPDATE contas_receber SET valor = 11 WHERE id = 1", "DELETE FROM estoque_saldos")
    done = await export(filled, "memory://balde/pasta", kind, incremental=True)
    assert done.kept > done.written > 0

    await export(filled, tmp_path, kind)
    local = {f"/balde/pasta/{name}" for name in everything(tmp_path)}
    if kind == "xlsx":  # traz a hora em que se fez
        assert {each.rpartition("-")[0] for each in bucket} == {each.rpartition("-")[0] for each in local}
    else:
        assert bucket.keys() == local


class Denying(MemoryFileSystem):  # type: ignore[misc]  # o fsspec não traz os tipos
    """Um balde que recusa o que se lhe manda recusar."""

    protocol = "denying"
    denied: tuple[str, str] = ("", "")
    """O que se recusa, abrir ou apagar, e em que nome."""

    def _open(self, path: str, mode: str = "rb", **more: Any) -> Any:
        if self.denied[0] == mode and re.search(self.denied[1], path):
            raise PermissionError(13, "Forbidden")
        return super()._open(path, mode, **more)

    def rm_file(self, path: str) -> None:
        self._rm(path)

    def _rm(self, path: str) -> None:
        if self.denied[0] == "rm":
            raise PermissionError(13, "Forbidden")
        super()._rm(path)


class Slow(MemoryFileSystem):  # type: ignore[misc]  # o fsspec não traz os tipos
    """Um balde que, enquanto não responde, precisa que o laço de eventos ande."""

    protocol, cachable = "slow", False
    meanwhile: Callable[[], None]

    def __init__(self, *more: Any, **options: Any) -> None:
        super().__init__(*more, **options)
        Slow.meanwhile()

    def _open(self, path: str, mode: str = "rb", **more: Any) -> Any:
        if mode == "rb" and "manifesto" in path:
            Slow.meanwhile()
        return super()._open(path, mode, **more)


async def test_a_cloud_that_does_not_answer_holds_neither_the_loop_nor_the_database(
    filled: AsyncEngine, bucket: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, looked = asyncio.get_running_loop(), []

    async def look() -> None:
        async with snapshot(filled):  # ExportInProgressError se quem espera já tem a tranca
            looked.append(True)

    def meanwhile() -> None:
        assert threading.current_thread() is not threading.main_thread()
        asyncio.run_coroutine_threadsafe(look(), loop).result()

    fsspec.register_implementation("slow", Slow, clobber=True)
    monkeypatch.setattr(Slow, "meanwhile", lambda: None, raising=False)
    await export(filled, "slow://balde", "csv")
    monkeypatch.setattr(Slow, "meanwhile", meanwhile)
    await export(filled, "slow://balde", "csv")
    assert looked == [True, True]


@pytest.mark.slow
async def test_the_google_that_does_not_answer_is_said_soon(
    filled: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = "http://127.0.0.1:9/"
    credentials = {"type": "authorized_user", "client_id": "a", "client_secret": "b", "refresh_token": "c"}
    (tmp_path / "google.json").write_text(json.dumps(credentials | {"token_uri": nowhere}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "google.json"))
    monkeypatch.setattr(places, "_PATIENCE", 1)
    with pytest.raises(ExportError) as said:
        await export(filled, "gs://balde/pasta?scheme=http&endpoint_override=127.0.0.1:9", "csv")
    assert re.fullmatch(
        r"Não consigo exportar para gs://balde/pasta\S* \([^()]{1,100}\)\. O que havia lá fica como estava\. "
        r"Confira a rede, o endereço e as credenciais da nuvem\.",
        str(said.value),
    )


@pytest.mark.parametrize(
    ("error", "kind", "cause"),
    [
        (
            "google::cloud::Status(PERMISSION_DENIED: Permanent error, with a last message of c@x.com does not have "
            "access. error_info={reason=forbidden, domain=global, metadata={http_status_code=403}})",
            UsageError,
            "c@x.com does not have access",
        ),
        (
            "When resolving region for bucket 'b': AWS Error NETWORK_CONNECTION during HeadBucket operation: "
            "curlCode: 6, Could not resolve hostname; Details: Could not resolve host: b.s3.amazonaws.com",
            ExportError,
            "Could not resolve host: b.s3.amazonaws.com",
        ),
        ("", ExportError, "OSError"),
        ("x" * 1000, ExportError, "x" * 300),
    ],
    ids=["Google", "Amazon", "nada", "longa"],
)
def test_the_cause_is_taken_from_what_the_cloud_says(error: str, kind: type[Exception], cause: str) -> None:
    with pytest.raises(kind, match=re.escape(f"para gs://balde ({cause}). O que havia lá")), refusals("gs://balde"):
        raise OSError(error)


@pytest.mark.parametrize(
    "denied",
    [("rb", "manifesto"), ("wb", "cfops"), ("wb", "vw_nfe_validas"), ("wb", "manifesto")],
    ids=["ler", "escrever", "escrever no meio", "trocar o manifesto"],
)
async def test_a_bucket_that_denies(
    filled: AsyncEngine, bucket: dict[str, Any], monkeypatch: pytest.MonkeyPatch, denied: tuple[str, str]
) -> None:
    fsspec.register_implementation("denying", Denying, clobber=True)
    await export(filled, "denying://balde", "csv")
    before = stored(bucket)
    await change(filled, "UPDATE nfe_cabecalho SET contato_nome = 'outro', detalhe = NULL")
    await change(filled, "UPDATE cfops SET descricao = 'outra' WHERE cfop = (SELECT min(cfop) FROM cfops)")
    monkeypatch.setattr(Denying, "denied", denied)
    with pytest.raises(UsageError, match=r"^Não tenho permissão para exportar para denying://balde \(Forbidden\)"):
        await export(filled, "denying://balde", "csv")
    assert stored(bucket) == before


async def test_a_bucket_that_lets_nothing_be_erased(
    filled: AsyncEngine, bucket: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    fsspec.register_implementation("denying", Denying, clobber=True)
    await export(filled, "denying://balde", "csv")
    await change(filled, "UPDATE nfe_cabecalho SET contato_nome = 'outro'")
    monkeypatch.setattr(Denying, "denied", ("rm", ""))
    with pytest.raises(ExportError, match="está feita, mas"):
        await export(filled, "denying://balde", "csv")
    left = len(bucket)
    monkeypatch.setattr(Denying, "denied", ("", ""))
    done = await export(filled, "denying://balde", "csv", incremental=True)
    assert (done.written, len(bucket)) == (0, left - done.removed)
    assert done.removed > 0


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("nada://balde", "Não sei exportar para nada://balde"),
        ("gs://", "Falta em gs:// o nome do balde"),
        ("s3:///pasta", "Falta em s3:///pasta o nome do balde"),
        ("s3://chave:segredo@balde/pasta", "não leva usuário nem senha"),
    ],
)
async def test_an_address_that_makes_no_sense(filled: AsyncEngine, target: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        await export(filled, target)
    assert "segredo" not in str(refused.value)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="o root escreve em toda parte")
async def test_a_folder_that_cannot_be_written(filled: AsyncEngine, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="Não tenho permissão"):
        await export(filled, tmp_path, "csv")
    tmp_path.chmod(0o700)
    assert list(tmp_path.iterdir()) == []


async def test_what_the_command_says(filled: AsyncEngine, tmp_path: Path, database_url: str) -> None:
    terminal = Terminal(tmp_path, {"DATABASE_URL": database_url})
    nowhere = await terminal.run("exportar")
    assert (nowhere.code, nowhere.err.startswith("Erro: Diga para onde exportar")) == (2, True)
    wrong = await terminal.run("exportar", "pasta", "--formato", "orc")
    assert (wrong.code, "use um destes: parquet, csv, xlsx" in wrong.err) == (2, True)
    done = await terminal.run("exportar", "--json", EXPORT_TO="pasta", EXPORT_FORMAT="CSV")
    assert (done.code, done.json["formato"], done.json["arquivos"]["iguais"]) == (0, "csv", 0)
    said = await terminal.run("exportar", "pasta", "--formato", "csv", "--incremental")
    assert re.fullmatch(r"✔ \d+ tabelas e views, [\d.]+ linhas, em pasta\.\n  0 arquivos escritos, .*\n", said.out)


async def test_a_failure_in_the_middle_leaves_no_new_folder(
    filled: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extracts, "_TYPES", extracts._TYPES | {"jsonb": "integer"})  # um valor que não cabe no tipo
    with pytest.raises(Exception, match="int"):
        await export(filled, tmp_path / "uma" / "outra")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
async def test_what_is_stopped_half_way_leaves_what_was_there(
    filled: AsyncEngine, bucket: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """O que já sobe acaba de subir antes de se desfazer; senão apareceria depois."""
    fsspec.register_implementation("denying", Denying, clobber=True)
    await export(filled, "denying://balde", "csv")
    before = stored(bucket)
    await change(filled, "UPDATE nfe_cabecalho SET contato_nome = 'outro'")
    loop, opened = asyncio.get_running_loop(), Denying._open

    def stopped(self: Denying, path: str, mode: str = "rb", **more: Any) -> Any:
        if mode == "wb" and "vw_" in path:
            loop.call_soon_threadsafe(running.cancel)
            time.sleep(0.2)
        return opened(self, path, mode, **more)

    monkeypatch.setattr(Denying, "_open", stopped)
    running = asyncio.ensure_future(export(filled, "denying://balde", "csv"))
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.sleep(0.3)
    assert stored(bucket) == before


async def test_a_database_that_falls_half_way_leaves_what_was_there(
    filled: AsyncEngine, tmp_path: Path, database_url: str, exported: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, put = asyncio.get_running_loop(), Folder.put
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "

    def fallen(self: Folder, source: Path, name: str) -> None:
        put(self, source, name)
        if name.startswith("vw_"):
            ending = execute(libpq_url(database_url), f"{others} pg_backend_pid()")
            asyncio.run_coroutine_threadsafe(ending, loop).result()

    monkeypatch.setattr(Folder, "put", fallen)
    with pytest.raises(DatabaseError):
        async with explained(filled.url):
            await export(filled, tmp_path, "csv")
    assert everything(tmp_path) == exported


async def test_a_manifest_the_cloud_kept_without_saying_so_stays_whole(
    filled: AsyncEngine, bucket: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    put = Bucket.put

    def unsure(self: Bucket, source: Path, name: str) -> None:
        put(self, source, name)
        if name == "manifesto.json":
            raise TimeoutError("a resposta não chegou")

    monkeypatch.setattr(Bucket, "put", unsure)
    with pytest.raises(ExportError, match="a resposta não chegou"):
        await export(filled, "memory://balde", "csv")
    listed = json.loads(bucket["/balde/manifesto.json"].getvalue())["tabelas"]
    assert all(f"/balde/{each['arquivo']}" in bucket for table in listed.values() for each in table["arquivos"])
