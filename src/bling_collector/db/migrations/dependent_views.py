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
SELECT c.oid::regclass::text AS nome, c.relkind = 'm' AS materializada, pg_get_viewdef(c.oid) AS definicao,
       c.reloptions AS opcoes, pg_get_userbyid(c.relowner) AS dono, obj_description(c.oid, 'pg_class') AS comentario,
       (SELECT array_agg(format('GRANT %s ON %s TO %s%s', a.privilege_type, c.oid::regclass,
                                CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                                CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END))
        FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner) AS concessoes,
       (SELECT array_agg(pg_get_indexdef(i.indexrelid)) FROM pg_index i WHERE i.indrelid = c.oid) AS indices
FROM (SELECT oid, max(nivel) AS nivel FROM dependentes GROUP BY oid) d
JOIN pg_class c ON c.oid = d.oid
WHERE d.nivel > 0 AND c.relkind IN ('v', 'm')
ORDER BY d.nivel
""")


@contextmanager
def set_aside(connection: Connection, tables: list[str]) -> Iterator[None]:
    """Tira as views que dependem de `tables` e, no fim, as repõe com dono, permissões, índices e comentário.

    DatabaseError, e a migração inteira desfeita, se uma delas não puder ser reposta.
    """
    views = connection.execute(_DEPENDENT, {"tables": tables}).all()
    for view in reversed(views):
        kind = "MATERIALIZED VIEW" if view.materializada else "VIEW"
        _execute(connection, view.nome, f"DROP {kind} {view.nome}")
    yield
    for view in views:
        kind = "MATERIALIZED VIEW" if view.materializada else "VIEW"
        options = f" WITH ({', '.join(view.opcoes)})" if view.opcoes else ""
        statements = [f"CREATE {kind} {view.nome}{options} AS {view.definicao}"]
        statements.append(f'ALTER {kind} {view.nome} OWNER TO "{view.dono}"')
        statements += view.concessoes or []
        statements += view.indices or []
        if view.comentario is not None:
            quoted = view.comentario.replace("'", "''")
            statements.append(f"COMMENT ON {kind} {view.nome} IS '{quoted}'")
        for statement in statements:
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
