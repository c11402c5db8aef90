"""Todo valor vai ao banco por parâmetro: no texto de um comando só entram nomes nossos.

Fora de `COMPOSED` quem o garante é o ruff (S608). Ali, onde se montam comandos com os nomes das tabelas, cada coisa
que entra num texto está aqui.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import bling_collector

ROOT = Path(bling_collector.__file__).parent
COMPOSED = sorted(
    {
        *(path for path in (ROOT / "db").rglob("*.py") if "migrations" not in path.parts),
        ROOT / "alarms" / "states.py",
        ROOT / "api" / "limit_statements.py",
    }
)
SQL = re.compile(
    r"^\s*(WITH|SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE|DROP|ALTER|TRUNCATE|COPY|SET|GRANT|LOCK|ANALYZE)\b"
    r"|\b(FROM|WHERE|INTO|JOIN|VALUES)\b"
)
OUR_NAMES = re.compile(r"(\w+\.)?_?[A-Z][A-Z0-9_]*|table\.name|\w+\.table\.name")
"""Constantes do código e nomes das nossas tabelas."""
OTHERS = {
    # upsert.py: nomes de colunas, que se conferem com os da tabela, e pedaços de comando feitos deles.
    "upsert.py": {
        "', '.join(names)",
        "', '.join((f'{n} = EXCLUDED.{n}' for n in changing))",
        "', '.join((f'atual.{n}' for n in compared))",
        "', '.join((f'EXCLUDED.{n}' for n in compared))",
        "_as_json(noted, history)",
        "_recordset(table, names)",
        "after",
        "before",
        "history_key(table)",
        "conflict",
        "notes",
        "later",
        "ours",
        "parent",
    },
    # Condições escritas ali mesmo, com nomes de colunas, e as que as declarações dos recursos trazem.
    "proof.py": {
        "kept.shown",
        "which",
        "said",
        "name",
        "numero",
        "history_key(kept.table)",
        "gone",
        "known",
        "kept.ours",
        "kept.alive",
        "kept.known",
        "living",
        "kept.dated.day",
        "kept.dated.group",
        "alive_by_day(kept.table.name, kept.dated.day)",
    },
    # O que se soma de cada dia, escrito ali mesmo em NOTAS, VENDAS e PEDIDOS.
    "sums.py": {
        *("table", "day", "self.table", "self.source", "self.columns", "sums.table", "sums.columns"),
        *("these", "marked", "self.of(marked)", "sums.of(_THESE)"),
    },
    "revenue.py": {"VENDAS.by_day"},
    # Condições escritas ali mesmo; e a coluna e o sentido da ordem, de ORDERS.
    "accounts.py": {"where", "key", "_FROM[asked.lado]", "lado"},
    # O mesmo, dos pedidos.
    "order_search.py": {"where", "by", "named", "' AND '.join(conditions)"},
    "orders.py": {"named", "key", "_by('contato_id')", "sums.PEDIDOS.by_day"},
    # Nomes e expressões do que se exporta, escritos ali mesmo e nas declarações; e os das colunas que o banco diz ter,
    # entre aspas.
    "extracts.py": {
        *("name", "key", "table", "value", "month", "source", "order"),
        *("row", "sizes", "', '.join((_read(column) for column in extract.columns))"),
    },
    # Consultas, condições e ordens escritas ali mesmo, que se escolhem pelo nome; o que se procura vai por parâmetro.
    "attention.py": {"QUERIES[name]", "total"},
    "customer.py": {"TABLES[name]", "_PERIOD.replace(' AND ', ' AND o.')"},
    "product.py": {"TABLES[name]", "alphabetical('d.descricao')", "alphabetical('c.descricao')"},
    "stock.py": {
        "alphabetical('nome')",
        *("FILTERS['sem-custo']", "FILTERS['acaba']", "FILTERS['esgotado']", "FILTERS['parado']", "FILTERS[name]"),
        *("_WHOLE if deposito is None else _PLACE", "ORDERS[order]", "searched"),
    },
    # Nomes das nossas tabelas e colunas, escritos ali mesmo.
    "empresa.py": {"' OR '.join((f'EXISTS (SELECT FROM {table})' for table in tables))", "table"},
    "erasure.py": {"table", "column"},
    # `true` ou `false`, uma condição e nomes de tabelas, escritos ali mesmo.
    "produtos_skus.py": {"value", "ranked", "PARKED.format(recurso='produtos', id='i.codigo_produto')"},
    "produtos_categorias.py": {"description"},
    "parcelas.py": {"only", "table.name"},
    "repository.py": {
        "table",
        # Das declarações dos recursos: condições, e nomes das colunas.
        *("kept.ours", "kept.shown", "day", "condition", "citing.name", "citing.table.name", "each", "parked", "later"),
        *("besides", "sources"),
        *("' UNION '.join(sources)", "_waiting(table)", "_lacking(table, recurso, citing)", "', '.join(columns)"),
    },
    # O nome de cada empresa, que só tem letras, algarismos e _; e uma expressão escrita por quem a pede.
    "schemas.py": {"', '.join(asked)"},
    # Nomes lidos do catálogo e textos nossos, entre aspas.
    "united.py": {
        *("quoted(base)", "asked", "typed", "place", "function"),
        "', '.join((f'{quoted(base)}.{quoted(view)}' for view in sorted(views)))",
    },
    # Nomes lidos do catálogo, entre aspas; e as tabelas cujas linhas ficam, escritas ali mesmo.
    "restore.py": {"displaced", "', '.join(map(quoted, names))", "kind", "table", "kept", "name", "_KEPT[table]"},
    # Os de usuários, schemas e do banco, que um comando destes não aceita por parâmetro: entre aspas, sempre. A senha
    # vai cifrada, em letras que não são aspas; as condições estão escritas ali mesmo.
    "readers.py": {"quoted(name)", "role", "place", "_database(connection)", "verifier", "condition"},
    # Os das nossas tabelas e das colunas delas, conferidos no catálogo e entre aspas.
    "copied_rows.py": {"quoted(table)", "columns"},
}


def test_only_our_names_go_into_the_text_of_a_command() -> None:
    strange = [
        f"{path.name}:{line}: {{{expression}}}"
        for path in COMPOSED
        for line, expression in _interpolated(ast.parse(path.read_text(encoding="utf-8")))
        if not OUR_NAMES.fullmatch(expression) and expression not in OTHERS.get(path.name, ())
    ]
    assert strange == [], (
        "o que vem de fora vai por parâmetro; o que é nosso, numa constante, ou em OTHERS, com o porquê"
    )


def test_what_is_listed_is_still_there() -> None:
    paths = {path.name: path for path in COMPOSED}
    for name, expressions in OTHERS.items():
        tree = ast.parse(paths[name].read_text(encoding="utf-8"))
        assert expressions <= {expression for _, expression in _interpolated(tree)}, name


def test_the_rest_of_the_code_does_not_escape_the_linter() -> None:
    ignored = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if "noqa: S608" in path.read_text(encoding="utf-8") and path not in COMPOSED
    ]
    assert ignored == []


def test_the_search_finds_what_it_should() -> None:
    for code, found in (
        ('text(f"SELECT * FROM x WHERE a = {value}")', ["value"]),
        ('text("DELETE FROM x WHERE a = %s" % value)', ["value"]),
        ('text("DELETE FROM x WHERE a = " + value)', ["value"]),
        ('text("DELETE FROM x WHERE a = {}".format(value))', ["value"]),
        ('text(f"SELECT * FROM {table.name} WHERE a = :a")', ["table.name"]),
        ('print(f"o valor é {value}")', []),
    ):
        assert [expression for _, expression in _interpolated(ast.parse(code))] == found, code


def _interpolated(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(linha, expressão) de cada coisa que entra num texto que parece SQL."""
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values=values) if SQL.search(_literal(values)):
                parts = [value.value for value in values if isinstance(value, ast.FormattedValue)]
            case ast.BinOp(left=ast.Constant(value=str(words)), op=ast.Mod() | ast.Add(), right=right) if SQL.search(
                words
            ):
                parts = [right]
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(words)), attr="format"), args=arguments) if (
                SQL.search(words)
            ):
                parts = arguments
            case _:
                continue
        for part in parts:
            yield node.lineno, ast.unparse(part)


def _literal(values: list[ast.expr]) -> str:
    return "".join(str(value.value) for value in values if isinstance(value, ast.Constant))
