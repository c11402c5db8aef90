"""As views `vw_todas_…`, que juntam as empresas do banco, cada linha com o nome da sua: as tabelas e as views todas.

Só existem onde há mais de uma empresa. Juntam as que houver quando se leem: nada se refaz quando uma entra ou sai, e
nenhuma migração espera por elas. A que ainda não tem as colunas todas, porque não está em dia, fica de fora; e também a
que quem lê não pode ler.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from bling_collector.config.companies import PRINCIPAL
from bling_collector.db.companies.schemas import PREFIX as SCHEMA_PREFIX
from bling_collector.db.companies.schemas import mark_of, others
from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.connection.database import quoted
from bling_collector.db.meanings import meanings
from bling_collector.db.migrations import HEAD

PREFIX: Final = "vw_todas_"
_FUNCTION: Final = "todas"
_BULKY: Final = {"json", "jsonb", "xml", "bytea", "tsvector"}
"""Os tipos dos documentos inteiros, que ficam só na tabela de cada empresa."""
_TURN: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(CAST(:base AS text) || 'bling_collector.todas', 0))")
_RELATIONS: Final = text("""
    SELECT c.relname AS name, array_agg(a.attname ORDER BY a.attnum) AS columns,
           array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum) AS types
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = CAST(quote_ident(:base) AS regnamespace) AND c.relkind IN ('r', 'p', 'v')
    GROUP BY c.relname""")
_STAMP: Final = text("""
    SELECT obj_description(oid, 'pg_proc') FROM pg_proc
    WHERE pronamespace = CAST(quote_ident(:base) AS regnamespace) AND proname = :name""")
_DEFINITION: Final = """
    CREATE OR REPLACE FUNCTION {base}.{name}(relacao text, colunas text[], tipos text[]) RETURNS SETOF record
    LANGUAGE plpgsql STABLE AS $$
    DECLARE
        lugar record;
        lista text := (SELECT string_agg(quote_ident(coluna), ', ' ORDER BY n)
                       FROM unnest(colunas) WITH ORDINALITY AS pedidas (coluna, n));
    BEGIN
        FOR lugar IN
            SELECT n.nspname AS schema,
                   CASE n.nspname WHEN {base_text} THEN '{principal}' ELSE substr(n.nspname, {start}) END AS nome
            FROM pg_namespace n
            JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = relacao
            WHERE (n.nspname = {base_text} OR (
                  left(n.nspname, {length}) = '{prefix}' AND obj_description(n.oid, 'pg_namespace') = {mark}))
              AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
              AND (SELECT count(*) FROM pg_attribute a
                   JOIN unnest(colunas, tipos) AS pedidas (coluna, tipo)
                     ON a.attname = coluna AND format_type(a.atttypid, a.atttypmod) = tipo
                   WHERE a.attrelid = c.oid AND a.attnum > 0) = cardinality(colunas)
            ORDER BY n.nspname <> {base_text}, n.nspname
        LOOP
            RETURN QUERY EXECUTE format('SELECT %L::text, %s FROM %I.%I', lugar.nome, lista, lugar.schema, relacao);
        END LOOP;
    END $$"""


_STAMPED: Final = f"O que junta as empresas nas views {PREFIX}, na revisão {HEAD}."


@dataclass(frozen=True)
class _Relation:
    columns: tuple[str, ...]
    types: tuple[str, ...]

    @property
    def slim(self) -> "_Relation":
        """Sem os documentos inteiros."""
        kept = [each for each in zip(self.columns, self.types, strict=True) if each[1] not in _BULKY]
        return _Relation(*zip(*kept, strict=True))


async def is_current(connection: AsyncConnection, base: str) -> bool:
    """Se as views do schema `base` são as desta versão ou, onde só há uma empresa, não há nenhuma."""
    wanted = _STAMPED if await others(connection, base) else None
    known: str | None = await connection.scalar(_STAMP, {"base": base, "name": _FUNCTION})
    return known == wanted


async def refresh(connection: AsyncConnection, base: str) -> None:
    """Faz as views, no schema `base`, se há mais de uma empresa e elas não são as desta versão; tira-as, se só há uma.

    Não faz COMMIT.
    """
    await connection.execute(_TURN, {"base": base})
    if await is_current(connection, base):
        return
    several = bool(await others(connection, base))
    here = await _relations(connection, base)
    views = {name: relation for name, relation in here.items() if name.startswith(PREFIX)}
    function = f"{quoted(base)}.{_FUNCTION}"
    if not several:
        await _run(connection, [*_dropped(base, views), f"DROP FUNCTION {function}"])
        return
    united = {_name(name): (name, relation.slim) for name, relation in here.items() if _is_united(name, here)}
    changed = {name for name in united if name in views and not _grows(views[name], united[name][1])}
    await _run(
        connection,
        [
            _function(base),
            *_dropped(base, changed | (views.keys() - united.keys())),
            *(_created(base, view, *what) for view, what in sorted(united.items())),
            *(each for view, what in sorted(united.items()) for each in _described(base, view, *what)),
            f"COMMENT ON FUNCTION {function} IS '{_STAMPED}'",
        ],
    )


async def _relations(connection: AsyncConnection, base: str) -> Mapping[str, _Relation]:
    found = await connection.execute(_RELATIONS, {"base": base})
    return {row.name: _Relation(tuple(row.columns), tuple(row.types)) for row in found}


def _is_united(name: str, here: Collection[str]) -> bool:
    """As views da empresa e, do que elas já não mostram pelo mesmo nome, as tabelas que um leitor pode ler."""
    if name.startswith("vw_"):
        return not name.startswith(PREFIX)
    return f"vw_{name}" not in here and name in meanings() and meanings()[name].readable


def _name(relation: str) -> str:
    return f"{PREFIX}{relation.removeprefix('vw_')}"


def _grows(view: _Relation, relation: _Relation) -> bool:
    """Se à view só faltam colunas no fim, que é o que CREATE OR REPLACE sabe fazer."""
    pairs = [*zip(relation.columns, relation.types, strict=True)]
    return [*zip(view.columns, view.types, strict=True)][1:] == pairs[: len(view.columns) - 1]


def _function(base: str) -> str:
    return _DEFINITION.format(
        base=quoted(base),
        base_text=_text(base),
        name=_FUNCTION,
        mark=_text(mark_of(base)),
        principal=PRINCIPAL,
        prefix=SCHEMA_PREFIX,
        length=len(SCHEMA_PREFIX),
        start=len(SCHEMA_PREFIX) + 1,
    )


def _created(base: str, view: str, relation: str, its: _Relation) -> str:
    typed = ", ".join(f"{quoted(name)} {type_}" for name, type_ in zip(its.columns, its.types, strict=True))
    asked = ", ".join((_text(relation), _array(its.columns), _array(its.types)))
    place = f"{quoted(base)}.{quoted(view)}"
    return (
        f"CREATE OR REPLACE VIEW {place} AS "
        f"SELECT * FROM {quoted(base)}.{_FUNCTION}({asked}) AS juntas (empresa text, {typed})"
    )


def _described(base: str, view: str, relation: str, its: _Relation) -> Iterator[str]:
    """O que quer dizer cada uma, como o da relação de que sai."""
    place, said = f"{quoted(base)}.{quoted(view)}", meanings().get(relation)
    if said is not None:
        yield f"COMMENT ON VIEW {place} IS {_text(f'De todas as empresas: {said.text}')}"
        yield f"COMMENT ON COLUMN {place}.empresa IS 'de que empresa é a linha'"
        for column in its.columns:
            if column in said.columns:
                yield f"COMMENT ON COLUMN {place}.{quoted(column)} IS {_text(said.columns[column])}"


def _dropped(base: str, views: Collection[str]) -> Iterator[str]:
    if views:
        yield f"DROP VIEW {', '.join(f'{quoted(base)}.{quoted(view)}' for view in sorted(views))}"


def _array(values: Iterable[str]) -> str:
    return f"ARRAY[{', '.join(map(_text, values))}]::text[]"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


async def _run(connection: AsyncConnection, statements: Iterable[str]) -> None:
    """Todos numa ida ao banco."""
    plain = await connection.execution_options(no_parameters=True)
    await plain.exec_driver_sql(";\n".join(statements))
    await connection.execution_options(no_parameters=False)
