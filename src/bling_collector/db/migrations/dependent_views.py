"""As views de quem lê as tabelas: mudar o tipo de uma coluna exige tirá-las e repô-las como eram."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from bling_collector.errors import DatabaseError

_DEPENDENT = text("""
WITH RECURSIVE dependentes (oid, nivel) AS (
    SELECT c.oid, 0 FROM pg_class c
    WHERE c.relname = ANY(:tables) AND c.relnamespace = quote_ident(current_schema())::regnamespace
  UNION
    SELECT r.ev_class, d.nivel + 1
    FROM dependentes d
    JOIN pg_depend p ON p.refobjid = d.oid AND p.refclassid = 'pg_class'::regclass
                    AND p.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite r ON r.oid = p.objid AND r.ev_class <> d.oid
    WHERE d.nivel < 50
)
SELECT c.oid::regclass::text AS nome, CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END AS especie,
       rtrim(pg_get_viewdef(c.oid), '; ') AS definicao, c.reloptions AS opcoes, c.relispopulated AS preenchida,
       quote_ident(pg_get_userbyid(c.relowner)) AS dono,
       ARRAY(SELECT format('GRANT %s%s ON %s TO %s%s', a.privilege_type, a.coluna, c.oid::regclass,
                           CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                           CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
             FROM (SELECT '' AS coluna, t.* FROM aclexplode(c.relacl) t
                   UNION ALL
                   SELECT format(' (%I)', n.attname), t.* FROM pg_attribute n, aclexplode(n.attacl) t
                   WHERE n.attrelid = c.oid) a
             WHERE a.grantee <> c.relowner)
       || ARRAY(SELECT format('ALTER VIEW %s ALTER COLUMN %I SET DEFAULT %s', c.oid::regclass, n.attname,
                              pg_get_expr(d.adbin, d.adrelid))
                FROM pg_attrdef d JOIN pg_attribute n ON n.attrelid = d.adrelid AND n.attnum = d.adnum
                WHERE d.adrelid = c.oid)
       || ARRAY(SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i WHERE i.indrelid = c.oid)
       || ARRAY(SELECT pg_get_ruledef(r.oid) FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN')
       || ARRAY(SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
       || ARRAY(SELECT format('COMMENT ON %s %s%s IS %L',
                              CASE WHEN s.objsubid > 0 THEN 'COLUMN' WHEN c.relkind = 'm' THEN 'MATERIALIZED VIEW'
                                   ELSE 'VIEW' END,
                              c.oid::regclass, '.' || quote_ident(n.attname), s.description)
                FROM pg_description s LEFT JOIN pg_attribute n ON n.attrelid = c.oid AND n.attnum = s.objsubid
                WHERE s.objoid = c.oid AND s.classoid = 'pg_class'::regclass) AS o_mais
FROM (SELECT oid, max(nivel) AS nivel FROM dependentes GROUP BY oid) d
JOIN pg_class c ON c.oid = d.oid
WHERE d.nivel > 0 AND c.relkind IN ('v', 'm')
ORDER BY d.nivel
""")


@contextmanager
def set_aside(connection: Connection, tables: list[str]) -> Iterator[None]:
    """Tira as views que dependem de `tables` e, no fim, as repõe com tudo o que tinham: dono, permissões, também as de
    uma coluna, padrões, índices, regras, gatilhos e comentários.

    DatabaseError, e a migração inteira desfeita, se uma delas não puder ser reposta.
    """
    views = connection.execute(_DEPENDENT, {"tables": tables}).all()
    for view in reversed(views):
        _execute(connection, view.nome, f"DROP {view.especie} {view.nome}")
    yield
    for view in views:
        options = f" WITH ({', '.join(view.opcoes)})" if view.opcoes else ""
        empty = "" if view.preenchida else " WITH NO DATA"
        statements = [f"CREATE {view.especie} {view.nome}{options} AS {view.definicao}{empty}"]
        statements.append(f"ALTER {view.especie} {view.nome} OWNER TO {view.dono}")
        for statement in [*statements, *view.o_mais]:
            _execute(connection, view.nome, statement)


def _execute(connection: Connection, view: str, statement: str) -> None:
    try:
        connection.exec_driver_sql(statement.replace("%", "%%"))
    except DBAPIError as error:
        raise DatabaseError(
            f"A view {view} lê tabelas do coletor e não pôde ser tirada e reposta, como a correção dos tipos pede "
            f"({str(error.orig).splitlines()[0]}). Nada foi mudado: apague-a, rode `bling-collector db upgrade` e "
            "crie-a de novo."
        ) from error
