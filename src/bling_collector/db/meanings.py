"""O que quer dizer cada tabela, view e coluna, escrito uma vez (tabelas.toml e db/models) e daqui levado ao banco."""

import functools
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, text

from bling_collector.db.models import metadata

SOURCE: Final = Path(__file__).with_name("tabelas.toml")
COMMON: Final = "vw_*"
"""A seção do que uma coluna quer dizer em quase todas as views."""
_PRESENT: Final = text("""
    SELECT c.relname::text, NULL::text, quote_ident(c.relname), c.relkind = 'v', obj_description(c.oid, 'pg_class')
    FROM pg_class c WHERE c.oid = ANY(CAST(:ours AS oid[]))
    UNION ALL
    SELECT c.relname, a.attname, quote_ident(c.relname) || '.' || quote_ident(a.attname), false,
           col_description(c.oid, a.attnum)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.oid = ANY(CAST(:ours AS oid[]))
""")
_OURS: Final = text("""
    SELECT c.oid FROM pg_class c
    WHERE c.relnamespace = quote_ident(current_schema())::regnamespace AND c.relname = ANY(:names)
      AND c.relkind IN ('r', 'p', 'v') AND pg_has_role(c.relowner, 'USAGE')
""")


@dataclass(frozen=True)
class Meaning:
    """O de uma tabela ou view."""

    text: str
    readable: bool
    """Se um leitor (`readers`) a pode ler: não tem segredo nem serve só ao coletor."""
    columns: Mapping[str, str]
    """Coluna → o que é, na ordem delas."""


@functools.cache
def meanings() -> dict[str, Meaning]:
    """Cada tabela, e depois cada view. KeyError se a uma falta o que dizer."""
    written = tomllib.loads(SOURCE.read_text("utf-8"))
    common = written.pop(COMMON)
    found = {name: _of_table(name, section) for name, section in written.items() if not _is_view(section)}
    for name, section in written.items():
        if _is_view(section):
            like = found[section["_de"]].columns if "_de" in section else {}
            said = common | dict(like) | section
            columns = {column: str(said[column]) for column in section["_colunas"].split()}
            found[name] = Meaning(section["_"], section["_leitor"], columns)
    return found


def _is_view(section: Mapping[str, Any]) -> bool:
    return "_colunas" in section


def _of_table(name: str, section: Mapping[str, Any]) -> Meaning:
    if (table := metadata.tables.get(name)) is None:
        columns = {column: str(said) for column, said in section.items() if not column.startswith("_")}
    else:
        if lacking := [each.name for each in table.columns if not each.comment and each.name not in section]:
            raise KeyError(f"Falta em {SOURCE.name}, na seção [{name}], o que quer dizer {', '.join(lacking)}.")
        columns = {column.name: str(column.comment or section[column.name]) for column in table.columns}
    return Meaning(section["_"], section["_leitor"], columns)


def describe(connection: Connection) -> int:
    """Põe no banco os comentários que nele são outros ou faltam, do que é deste usuário; devolve quantos."""
    said = meanings()
    ours = list(connection.execute(_OURS, {"names": list(said)}).scalars())
    commands = list(_commands(said, connection.execute(_PRESENT, {"ours": ours}).all()))
    if commands:
        plain = connection.execution_options(no_parameters=True)
        plain.exec_driver_sql(";\n".join(commands))
        connection.execution_options(no_parameters=False)
    return len(commands)


def _commands(said: Mapping[str, Meaning], present: Any) -> Iterator[str]:
    for table, column, quoted, is_view, now in present:
        wanted = said[table].text if column is None else said[table].columns.get(column)
        if wanted is None or wanted == now:
            continue
        kind = "COLUMN" if column else "VIEW" if is_view else "TABLE"
        literal = wanted.replace("'", "''")
        yield f"COMMENT ON {kind} {quoted} IS '{literal}'"
