"""Os leitores: usuários do PostgreSQL para as ferramentas de análise, que leem as tabelas e as views e nenhum segredo.

O comentário do usuário diz que é nosso, e as permissões que tem, que schemas lê: são o que ele próprio não pode mudar
(o seu `search_path`, pode). É por elas que cada migração, e a volta de uma cópia, lhe dão o que é novo. Um leitor de
todas as empresas lê também as que vierem.
"""

import re
import secrets
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from bling_collector.db.companies import united
from bling_collector.db.companies.schemas import mark_of
from bling_collector.db.connection.database import quoted, sqlstate
from bling_collector.db.meanings import meanings
from bling_collector.errors import DatabaseError, UsageError

LONGEST: Final = 63
"""Bytes de um nome no PostgreSQL."""
MARK: Final = "bling-collector: leitor"
MARK_ALL: Final = "bling-collector: leitor de todas as empresas"
SETTINGS: Final = {
    "default_transaction_read_only": "on",
    "statement_timeout": "5min",
    "idle_in_transaction_session_timeout": "1min",  # uma consulta esquecida aberta faria esperar as migrações
    "timezone": "America/Sao_Paulo",  # o dia de hoje, e as horas que se mostram, são os do Bling
}
"""Como começa cada sessão de um leitor; ele os pode mudar, e as permissões não."""
_RESERVED: Final = ("public", "none")
_CLOSE_MILLISECONDS: Final = 5_000
"""Quanto se espera que cada sessão de um leitor que se tira acabe."""
_ROLE: Final = text("""
    SELECT r.oid, shobj_description(r.oid, 'pg_authid') AS mark, s.setconfig
    FROM pg_roles r LEFT JOIN pg_db_role_setting s ON s.setrole = r.oid
        AND s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
    WHERE r.rolname = :name
""")
_READERS: Final = text("""
    SELECT r.oid, r.rolname::text AS name, shobj_description(r.oid, 'pg_authid') AS mark FROM pg_roles r
    WHERE shobj_description(r.oid, 'pg_authid') = ANY(:marks) ORDER BY 2
""")
_READ: Final = text("""
    SELECT n.nspname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
    WHERE c.relname = 'nfe_cabecalho' AND a.grantee = :oid AND a.privilege_type = 'SELECT' ORDER BY 1
""")
"""Os schemas que um leitor lê: aqueles em que lhe deram a tabela que todos têm desde a primeira versão."""
_TABLES: Final = text("""
    SELECT c.relname::text AS name, pg_has_role(c.relowner, 'USAGE') AS ours FROM pg_class c
    WHERE c.relnamespace = quote_ident(:schema)::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
      AND (c.relname = ANY(:known) OR starts_with(c.relname, :together)) ORDER BY 1
""")
_COMPANIES: Final = text("""
    SELECT n.nspname::text FROM pg_namespace n
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'alembic_version'
    WHERE obj_description(n.oid, 'pg_namespace') = ANY(:marks) ORDER BY 1
""")


@dataclass(frozen=True)
class ReaderRole:
    """Um leitor, como ficou."""

    name: str
    password: str | None
    """A senha, se ele se fez agora: não está em mais lugar nenhum."""
    schemas: list[str]
    tables: int
    """Quantas tabelas e views lê."""
    hidden: list[str]
    """As que não lê, fora as que juntam as empresas."""
    can_create: list[str]
    """Os schemas em que pode criar tabelas, porque ali todo usuário pode."""


@dataclass(frozen=True)
class RemovedRole:
    """O que foi feito de um leitor que se tirou."""

    sessions: int
    """As sessões que tinha abertas, e que se fecharam."""
    elsewhere: list[str]
    """Os outros bancos do servidor que ele ainda lê: por eles, o usuário fica."""


_LARGE_OBJECTS: Final = "lo_create(oid), lo_creat(integer), lo_from_bytea(oid, bytea)"
"""Por onde qualquer usuário de um banco guardaria nele o que quisesse, sem tabela nenhuma."""


def make(connection: Connection, name: str, *, everything: bool, ours: bool = False) -> ReaderRole:
    """Faz o leitor do schema presente (`everything`: de todas as empresas) ou repõe as permissões de um que já há.

    `ours`: o banco é só nosso, e fecha-se o que o PostgreSQL deixa a todos; num que se divide, outro pode precisar.

    UsageError se o nome não serve ou é de um usuário que não é nosso; DatabaseError, com o que pedir a quem administra
    o banco, se falta uma permissão.
    """
    check_name(name)
    schema = _current_schema(connection)
    found = _role(connection, name)
    if found is None:
        path, password = [schema], secrets.token_urlsafe(24)
        _create(connection, name, password, _settings(connection, name, path), everything=everything)
    else:
        begins, password = _path(found.setconfig), None
        path = sorted(
            _schemas_of(connection, found.oid), key=lambda each: begins.index(each) if each in begins else len(begins)
        )
        changes, new = [], everything  # com a principal no caminho, sabe-se de que empresas se trata
        if everything and found.mark != MARK_ALL:
            changes.append(f"COMMENT ON ROLE {quoted(name)} IS '{MARK_ALL}'")
        everything = everything or found.mark == MARK_ALL
        if not {*path} & {*begins} or (schema not in begins and (new or not everything)):
            path = [*dict.fromkeys([*path, schema])]
            changes += _settings(connection, name, path) if path != begins else []
        _change(connection, changes)
    if ours:
        _run(connection, f"REVOKE EXECUTE ON FUNCTION {_LARGE_OBJECTS} FROM PUBLIC")
    schemas = [*dict.fromkeys([*path, schema, *(_companies(connection, [*path, schema]) if everything else [])])]
    if not _can(connection, "has_database_privilege(:name, current_database(), 'CONNECT')", name):
        _run(connection, f"GRANT CONNECT ON DATABASE {_database(connection)} TO {quoted(name)}")
    tables = 0
    hidden: set[str] = set()
    for each in schemas:
        _grant(connection, name, each, everything=everything)
        read, not_read = _read(connection, name, each, everything=everything)
        tables += read
        hidden |= not_read
    creates = "has_schema_privilege(:name, :schema, 'CREATE')"
    can_create = [each for each in schemas if _can(connection, creates, name, schema=each)]
    return ReaderRole(name, password, schemas, tables, sorted(hidden), can_create)


def remove(connection: Connection, name: str) -> RemovedRole:
    """Tira o leitor, com o que lhe foi dado e as sessões que tem abertas.

    UsageError se não há um leitor com esse nome; DatabaseError se o usuário presente não o pode tirar.
    """
    check_name(name)
    if (found := _role(connection, name)) is None:
        raise UsageError(f"Não há um usuário {name} neste servidor. Nada foi mudado.")
    role, user = quoted(name), _user(connection)
    if owned := _owned(connection, found.oid):
        raise UsageError(
            f"O leitor {name} é dono de {owned} neste banco, que se perderia com ele. Dê-o a outro com REASSIGN OWNED "
            f"BY {role} TO …, e repita. Nada foi mudado."
        )
    elsewhere = list(
        connection.execute(
            text("""
                SELECT DISTINCT d.datname::text FROM pg_shdepend s JOIN pg_database d ON d.oid = s.dbid
                WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = :oid AND d.datname <> current_database()
                ORDER BY 1"""),
            {"oid": found.oid},
        ).scalars()
    )
    try:
        if not _can(connection, "pg_has_role(current_user, :name, 'USAGE')", name):
            _run(connection, f"GRANT {role} TO CURRENT_USER")  # só quem é o papel lhe tira o que outros deram
        sessions = connection.scalar(  # antes do resto: com elas vão-se as tabelas temporárias que tenham
            text("""
                SELECT count(pg_terminate_backend(pid, :wait)) FROM pg_stat_activity
                WHERE usesysid = :oid AND (datname = current_database() OR NOT :stays)"""),
            {"oid": found.oid, "stays": bool(elsewhere), "wait": _CLOSE_MILLISECONDS},
        )
        _run(connection, f"DROP OWNED BY {role}")
        if elsewhere:
            _run(connection, f"ALTER ROLE {role} IN DATABASE {_database(connection)} RESET ALL")
        if not elsewhere:
            _run(connection, f"DROP ROLE {role}")
    except DBAPIError as error:
        if sqlstate(error) != "42501":
            raise
        raise DatabaseError(
            f"O usuário do banco, {user}, não pode tirar o leitor {name}. Peça a quem administra o "
            f"banco que rode nele: DROP OWNED BY {role}; DROP ROLE {role}; Nada foi mudado."
        ) from error
    return RemovedRole(int(sessions or 0), elsewhere)


def renew(connection: Connection) -> None:
    """Repõe, no schema presente, as permissões dos leitores que o leem."""
    schema = _current_schema(connection)
    for reader in connection.execute(_READERS, {"marks": [MARK, MARK_ALL]}).all():
        everything, read = reader.mark == MARK_ALL, _schemas_of(connection, reader.oid)
        if schema in read or (everything and schema in _companies(connection, read)):
            _grant(connection, reader.name, schema, everything=everything)


def check_name(name: str) -> None:
    """UsageError se não pode ser o nome de um usuário do PostgreSQL."""
    if not name.strip() or name != name.strip():
        why = "está vazio, ou tem espaços em volta"
    elif not name.isprintable():  # também o que não se escreve em UTF-8
        why = "tem letras que não se mostram"
    elif len(name.encode()) > LONGEST:
        why = f"passa de {LONGEST} bytes, e o PostgreSQL o cortaria (uma letra com acento são dois)"
    elif name.startswith("pg_") or name in _RESERVED:
        why = "é reservado pelo PostgreSQL"
    else:
        return
    raise UsageError(f"O nome do leitor, {name!r}, {why}. Escolha outro. Nada foi mudado.")


def _role(connection: Connection, name: str) -> Any:
    """O usuário, se há; UsageError se não é um leitor nosso."""
    found = connection.execute(_ROLE, {"name": name}).one_or_none()
    if found is not None and found.mark not in {MARK, MARK_ALL}:
        raise UsageError(
            f"Já há neste servidor um usuário {name}, que `db leitor` não fez, e não lhe toco. Escolha outro nome. "
            "Nada foi mudado."
        )
    return found


def _create(connection: Connection, name: str, password: str, settings: list[str], *, everything: bool) -> None:
    role = quoted(name)
    comment = f"COMMENT ON ROLE {role} IS '{MARK_ALL if everything else MARK}'"
    if not _may_create(connection):
        raise _asking(connection, [f"CREATE ROLE {role} LOGIN PASSWORD 'uma senha boa'", comment, *settings])
    # Vai já cifrada: o servidor pode registrar os comandos que recebe.
    database = connection.connection.driver_connection
    assert isinstance(database, psycopg.AsyncConnection)
    verifier = database.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    for command in (f"CREATE ROLE {role} LOGIN PASSWORD '{verifier}'", comment, *settings):
        _run(connection, command)


def _change(connection: Connection, commands: list[str]) -> None:
    """O que se muda num leitor que já há."""
    if commands and not _may_create(connection):
        raise _asking(connection, commands)
    for command in commands:
        _run(connection, command)


def _may_create(connection: Connection) -> bool:
    return _can(connection, "(SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user)")


def _asking(connection: Connection, commands: list[str]) -> DatabaseError:
    return DatabaseError(
        f"O usuário do banco, {_user(connection)}, não pode criar nem mudar outros (falta-lhe CREATEROLE). Peça a quem "
        f"administra o banco que rode nele: {'; '.join(commands)}; e repita este comando, que dá ao leitor as "
        "permissões. Nada foi mudado."
    )


def _settings(connection: Connection, name: str, path: list[str]) -> list[str]:
    """Os comandos que dizem como começam as sessões do leitor neste banco."""
    where = f"ALTER ROLE {quoted(name)} IN DATABASE {_database(connection)} SET"
    return [
        f"{where} search_path = {', '.join(map(quoted, path))}",
        *(f"{where} {setting} = '{value}'" for setting, value in SETTINGS.items()),
    ]


def _schemas_of(connection: Connection, oid: int) -> list[str]:
    """Os schemas que o leitor lê neste banco."""
    return list(connection.execute(_READ, {"oid": oid}).scalars())


def _path(setconfig: list[str] | None) -> list[str]:
    """Os schemas do `search_path` que o usuário tem neste banco."""
    value = next((each.partition("=")[2] for each in setconfig or () if each.startswith("search_path=")), "")
    return [
        whole.replace('""', '"') if whole else bare for whole, bare in re.findall(r'"((?:[^"]|"")*)"|([^\s,"]+)', value)
    ]


def _grant(connection: Connection, name: str, schema: str, *, everything: bool) -> None:
    """Dá o que o leitor lê no schema, do que é deste usuário, e tira o que ele não deve ler."""
    role, place = quoted(name), quoted(schema)
    owner = "(SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = :schema)"
    usage = "has_schema_privilege(:name, :schema, 'USAGE')"
    if not _can(connection, usage, name, schema=schema) and _can(connection, owner, name, schema=schema):
        _run(connection, f"GRANT USAGE ON SCHEMA {place} TO {role}")
    wanted, unwanted = _sorted(connection, schema, everything=everything)
    for command, tables in (("GRANT SELECT ON {} TO {}", wanted), ("REVOKE ALL ON {} FROM {}", unwanted)):
        if names := [f"{place}.{quoted(table)}" for table, ours in tables if ours]:
            _run(connection, command.format(", ".join(names), role))


def _sorted(connection: Connection, schema: str, *, everything: bool) -> tuple[list[Any], list[Any]]:
    """As tabelas e views do schema que o leitor lê, e as que não; de cada uma, se é deste usuário."""
    readable = {table for table, meaning in meanings().items() if meaning.readable}
    known = {"schema": schema, "known": list(meanings()), "together": united.PREFIX}
    found = connection.execute(_TABLES, known).all()
    if everything:
        readable |= {united.PREFIX + name.removeprefix("vw_") for name in readable}
    wanted = [row for row in found if row.name in readable]
    return wanted, [row for row in found if row not in wanted]


def _read(connection: Connection, name: str, schema: str, *, everything: bool) -> tuple[int, set[str]]:
    """Quantas lê no schema, e as que não. DatabaseError se alguma das que deve ler não é deste usuário."""
    wanted, unwanted = _sorted(connection, schema, everything=everything)
    lacking = [
        table
        for table, _ in wanted
        if not _can(
            connection,
            "has_schema_privilege(:name, :schema, 'USAGE') AND "
            "has_table_privilege(:name, quote_ident(:schema) || '.' || quote_ident(:table), 'SELECT')",
            name,
            schema=schema,
            table=table,
        )
    ]
    if lacking:
        raise DatabaseError(
            f"O usuário do banco, {_user(connection)}, não pode dar a outro a leitura de {schema}.{lacking[0]}"
            f"{f' e mais {len(lacking) - 1}' if lacking[1:] else ''}, de que não é dono. Rode este comando com o dono "
            "das tabelas em DATABASE_URL. Nada foi mudado."
        )
    return len(wanted), {table for table, _ in unwanted if not table.startswith(united.PREFIX)}


def _companies(connection: Connection, bases: list[str]) -> list[str]:
    """Os schemas das empresas que estão ao lado das principais destes."""
    return list(connection.execute(_COMPANIES, {"marks": [*map(mark_of, bases)]}).scalars())


def _owned(connection: Connection, oid: int) -> str | None:
    """O que é do usuário neste banco, por extenso, menos o temporário, que acaba com a sessão; None se nada é."""
    found: str | None = connection.scalar(
        text("""
            SELECT string_agg(pg_describe_object(classid, objid, objsubid), ', ') FROM pg_shdepend
            WHERE refclassid = 'pg_authid'::regclass AND refobjid = :oid AND deptype = 'o'
              AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND coalesce((pg_identify_object(classid, objid, objsubid)).schema, '') NOT LIKE 'pg\\_temp%'"""),
        {"oid": oid},
    )
    return found


def _current_schema(connection: Connection) -> str:
    name = connection.scalar(text("SELECT current_schema()"))
    if name is None:
        raise DatabaseError("O schema de DATABASE_URL não existe neste banco. Crie-o com CREATE SCHEMA.")
    return str(name)


def _database(connection: Connection) -> str:
    return str(connection.scalar(text("SELECT quote_ident(current_database())")))


def _user(connection: Connection) -> str:
    return str(connection.scalar(text("SELECT current_user")))


def _can(connection: Connection, condition: str, name: str | None = None, **more: str) -> bool:
    return bool(connection.scalar(text(f"SELECT {condition}"), {"name": name} | more if name is not None else more))


def _run(connection: Connection, command: str) -> None:
    connection.exec_driver_sql(command.replace("%", "%%"))
