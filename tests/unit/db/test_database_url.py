"""DATABASE_URL, venha como vier; e o banco que não atende, em palavras."""

import psycopg
import pytest
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bling_collector.db.connection.database import address, create_engine, explained, in_schema, parse_url, shown
from bling_collector.db.connection.session import UnknownHostError
from bling_collector.errors import ConfigurationError, DatabaseError

PLAIN = "postgresql+psycopg://ana:segredo@db.example:5433/notas"


@pytest.mark.parametrize("driver", ["", "+psycopg", "+psycopg2", "+asyncpg", "+pg8000"])
@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "POSTGRESQL"])
def test_the_scheme_of_any_driver_becomes_ours(scheme: str, driver: str) -> None:
    url = parse_url(f"  {scheme}{driver}://ana:segredo@db.example:5433/notas\n")
    assert url.render_as_string(hide_password=False) == PLAIN


@pytest.mark.parametrize(
    "raw",
    [
        "postgresql://ana:segredo@/notas?host=/cloudsql/projeto:regiao:instancia",
        "postgresql+psycopg2://ana:segredo@/notas?host=/cloudsql/projeto:regiao:instancia",
        "postgresql+pg8000://ana:segredo@/notas?unix_sock=/cloudsql/projeto:regiao:instancia/.s.PGSQL.5432",
        "postgresql+pg8000://ana:segredo@/notas?unix_sock=/cloudsql/projeto:regiao:instancia",
    ],
)
def test_the_socket_of_cloud_sql(raw: str) -> None:
    url = parse_url(raw)
    assert (url.host, dict(url.query), url.database) == (None, {"host": "/cloudsql/projeto:regiao:instancia"}, "notas")


@pytest.mark.parametrize(
    "raw",
    [
        "postgresql+pg8000://ana@/notas?unix_sock=/run/pg/.s.PGSQL.5433",
        "postgresql://ana@%2Frun%2Fpg:5433/notas",
        "postgresql://ana@/notas?host=/run/pg&port=5433",
    ],
)
def test_a_socket_on_another_port(raw: str) -> None:
    url = parse_url(raw)
    assert (url.host or None, url.port, dict(url.query)) == (None, None, {"host": "/run/pg", "port": "5433"})


@pytest.mark.parametrize(
    ("written", "password"),
    [
        ("p%40ss", "p@ss"),
        ("a%2Fb%3Fc%23d", "a/b?c#d"),
        ("a/b?c#d", "a/b?c#d"),
        ("100%", "100%"),
        ("a:b", "a:b"),
        ("ção", "ção"),
        ("%20", " "),
    ],
)
def test_passwords_with_strange_signs(written: str, password: str) -> None:
    url = parse_url(f"postgres://ana:{written}@db.example/notas")
    assert (url.password, url.host, url.database) == (password, "db.example", "notas")


@pytest.mark.parametrize(
    ("ssl", "mode"), [("true", "require"), ("False", "disable"), ("require", "require"), ("verify-full", "verify-full")]
)
def test_the_ssl_of_asyncpg(ssl: str, mode: str) -> None:
    raw = f"postgresql+asyncpg://ana:segredo@db.example/notas?ssl={ssl}&prepared_statement_cache_size=0"
    assert dict(parse_url(raw).query) == {"sslmode": mode}


def test_the_options_of_postgresql_stay() -> None:
    url = parse_url(
        "postgresql://ana@db.example/notas?options=-csearch_path%3Dempresa&sslmode=require&application_name=x"
    )
    assert url.query["options"] == "-csearch_path=empresa"
    assert (url.query["sslmode"], url.query["application_name"]) == ("require", "x")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("lixo", "não é um endereço"),
        ("", "não é um endereço"),
        ("host=db dbname=notas password=segredo", "não é um endereço"),
        ("postgresql://ana:segredo@db:porta/notas", "não é um endereço"),
        ("mysql://ana:segredo@db/notas", "aponta para mysql"),
        ("sqlite:///notas.db", "aponta para sqlite"),
        ("postgresql://", "Falta o servidor"),
        ("postgresql://ana:seg@redo-segredo@db/notas", "%40"),
        ("postgresql://ana:segredo@db/notas?schema=empresa", "opção schema"),
        ("postgresql://ana:segredo@db/notas?connection_limit=1&schema=x", "opção connection_limit"),
        ("postgresql://ana:segredo@db:99999/notas", "porta em DATABASE_URL"),
        ("postgresql://ana:segredo@db:0/notas", "porta em DATABASE_URL"),
        ("postgresql://ana:segredo@db/notas?sslmode=bogus", "sslmode em DATABASE_URL não pode ser 'bogus'"),
    ],
)
def test_a_bad_address_is_said_without_repeating_the_password(raw: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        parse_url(raw)
    assert "segredo" not in str(caught.value)


async def _raise_inside(error: Exception) -> None:
    async with explained(parse_url(PLAIN)):
        raise error


@pytest.mark.parametrize(
    ("state", "advice"),
    [
        ("28P01", "Confira usuário e senha"),
        ("28000", "não deixa este usuário entrar"),
        ("3D000", "Crie o banco"),
        ("3F000", "Crie-o com CREATE SCHEMA"),
        ("42501", "não tem uma permissão .* GRANT"),
        ("25006", "só se deixa ler .* servidor principal"),
        ("53100", "disco .* cheio"),
        ("53300", "não tem conexão livre"),
        ("57014", "demorou demais"),
        ("55P03", "demorou demais"),
        ("57P01", "caiu"),
        ("57P03", "ainda não atende"),
        ("40001", "Outro programa mexeu"),
        ("40P01", "Outro programa mexeu"),
        ("42P01", "não tem uma tabela"),
        ("XX001", "com um defeito"),
        ("08006", "Confira se o servidor está no ar"),
        ("08P01", "intermediário"),
        ("P0001", "recusou um comando .* P0001"),
    ],
)
@pytest.mark.parametrize("kind", [psycopg.OperationalError, psycopg.ProgrammingError])
async def test_the_advice_comes_from_the_sqlstate_and_not_from_the_words(
    kind: type[psycopg.Error], state: str, advice: str
) -> None:
    cause = kind("SCHWERWIEGEND:  etwas ging schief\nDETAIL: segredo")
    cause.sqlstate = state
    wrapped = OperationalError if kind is psycopg.OperationalError else ProgrammingError
    with pytest.raises(DatabaseError, match=advice) as caught:
        await _raise_inside(wrapped("SELECT 1", {}, cause))
    assert "db.example:5433" in str(caught.value)
    assert "etwas ging schief" in str(caught.value)
    assert "segredo" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_server_that_said_nothing_may_not_be_running() -> None:
    with pytest.raises(DatabaseError, match="Confira se o servidor está no ar"):
        await _raise_inside(OperationalError("", {}, psycopg.OperationalError("connection refused")))


async def test_a_name_that_does_not_exist_and_a_connection_that_falls_midway() -> None:
    with pytest.raises(DatabaseError, match="O nome do servidor"):
        await _raise_inside(OperationalError("", {}, UnknownHostError("nada por aqui")))
    dropped = ProgrammingError("SELECT 1", {}, psycopg.ProgrammingError("x"), connection_invalidated=True)
    with pytest.raises(DatabaseError, match="caiu no meio"):
        await _raise_inside(dropped)


async def test_all_connections_busy() -> None:
    with pytest.raises(DatabaseError, match="ocupadas"):
        await _raise_inside(PoolTimeoutError("QueuePool limit"))


@pytest.mark.parametrize(
    ("raw", "plain", "whole"),
    [
        ("postgres://ana@db/notas", "postgresql://ana@db/notas", "postgresql://ana@db/notas"),
        (
            "postgresql+asyncpg://ana%20maria:segredo%2Bb%20c@db:5433/minhas%20notas?sslmode=require",
            "postgresql://ana%20maria:***@db:5433/minhas%20notas?sslmode=require",
            "postgresql://ana%20maria:segredo%2Bb%20c@db:5433/minhas%20notas?sslmode=require",
        ),
        (
            "postgresql://ana@/notas?host=/run/pg&password=segredo&sslpassword=outro",
            "postgresql://ana@/notas?host=%2Frun%2Fpg&password=***&sslpassword=***",
            "postgresql://ana@/notas?host=%2Frun%2Fpg&password=segredo&sslpassword=outro",
        ),
        ("postgresql://ana@[::1]:5433/notas", "postgresql://ana@[::1]:5433/notas", "postgresql://ana@[::1]:5433/notas"),
    ],
)
def test_the_address_shown_is_read_by_libpq_and_hides_the_password(raw: str, plain: str, whole: str) -> None:
    url = address(create_engine(parse_url(raw)))
    assert (shown(url), shown(url, password=True)) == (plain, whole)
    read, given = psycopg.conninfo.conninfo_to_dict(whole), parse_url(raw)
    assert (read.get("user"), read.get("password"), read["dbname"]) == (
        given.username,
        given.password or given.query.get("password"),
        given.database,
    )


def test_the_address_of_another_schema_says_it() -> None:
    engine = in_schema(
        create_engine(parse_url("postgresql://ana@db/notas?options=-cstatement_timeout%3D7s")), 'A "b" c'
    )
    read = psycopg.conninfo.conninfo_to_dict(shown(address(engine)))
    assert read["options"] == '-cstatement_timeout=7s -csearch_path="A\\ ""b""\\ c"'
