"""O que outros podem fazer com as nossas tabelas e views (GRANT), para o repor depois de as refazer."""

from sqlalchemy import text

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.copies.backup import our_tables

Grant = tuple[str, str | None, str]
"""(a tabela, view ou sequência; a coluna, se é só dela; o comando que repõe a permissão)."""

_ALL = text(r"""
    WITH ours AS (
        SELECT c.* FROM pg_class c
        WHERE c.relnamespace = quote_ident(current_schema())::regnamespace AND (
            c.relname = ANY(:tables) OR (c.relkind = 'v' AND c.relname LIKE 'vw\_%')
            OR (c.relkind = 'S' AND EXISTS (
                SELECT FROM pg_depend d JOIN pg_class t ON t.oid = d.refobjid
                WHERE d.objid = c.oid AND t.relnamespace = c.relnamespace AND t.relname = ANY(:tables))))
    ), given AS (
        SELECT o.relname, o.relkind, o.relowner, NULL::name AS attname, a.*
        FROM ours o, aclexplode(o.relacl) a
        UNION ALL
        SELECT o.relname, o.relkind, o.relowner, t.attname, a.*
        FROM ours o JOIN pg_attribute t ON t.attrelid = o.oid AND NOT t.attisdropped, aclexplode(t.attacl) a
    )
    SELECT g.relname::text, g.attname::text,
        format('GRANT %s%s ON %s %I TO %s%s', g.privilege_type, ' (' || quote_ident(g.attname) || ')',
            CASE g.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, g.relname,
            CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
            CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM given g WHERE g.grantee <> g.relowner ORDER BY 1, 2, 3
""")
_PRESENT = text("""
    SELECT c.relname::text, a.attname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = quote_ident(current_schema())::regnamespace AND NOT a.attisdropped
""")


async def read_grants(connection: AsyncConnection) -> list[Grant]:
    """As permissões dadas a quem não é o dono, por tabela e por coluna."""
    found = await connection.execute(_ALL, {"tables": await our_tables(connection)})
    return [(table, column, command) for table, column, command in found]


async def give_back(connection: AsyncConnection, grants: list[Grant]) -> None:
    """Repõe as que ainda têm sobre o que valer: o que a revisão presente não tem não se dá a ninguém."""
    columns = {tuple(row) for row in (await connection.execute(_PRESENT)).all()}
    tables = {table for table, _ in columns}
    for table, column, command in grants:
        if table in tables and (column is None or (table, column) in columns):
            await connection.exec_driver_sql(command.replace("%", "%%"))
