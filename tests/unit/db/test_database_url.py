"""DATABASE_URL, venha como vier; e o banco que não atende, em palavras."""

import psycopg
import pytest
from sqlalchemy.exc import OperationalError, ProgrammingError

from bling_collector.db.database import explained, parse_url
from bling_collector.errors import ConfigurationError, DatabaseError

PLAIN = "postgresql+psycopg://ana:segredo@db.example:5433/notas"


@pytest.mark.parametrize("driver", ["", "+psycopg", "+psycopg2", "+asyncpg", "+pg8000"])
@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "POSTGRESQL"])
def test_o_esquema_de_qualquer_driver_vira_o_nosso(scheme: str, driver: str) -> None:
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
def test_o_soquete_do_cloud_sql(raw: str) -> None:
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
def test_um_soquete_noutra_porta(raw: str) -> None:
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
def test_senhas_com_sinais_estranhos(written: str, password: str) -> None:
    url = parse_url(f"postgres://ana:{written}@db.example/notas")
    assert (url.password, url.host, url.database) == (password, "db.example", "notas")


@pytest.mark.parametrize(("ssl", "mode"), [("true", "require"), ("require", "require"), ("verify-full", "verify-full")])
def test_o_ssl_do_asyncpg(ssl: str, mode: str) -> None:
    raw = f"postgresql+asyncpg://ana:segredo@db.example/notas?ssl={ssl}&prepared_statement_cache_size=0"
    assert dict(parse_url(raw).query) == {"sslmode": mode}


def test_as_opcoes_do_postgresql_ficam() -> None:
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
    ],
)
def test_o_que_nao_serve_e_dito_sem_repetir_a_senha(raw: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        parse_url(raw)
    assert "segredo" not in str(caught.value)


async def _raise_inside(error: Exception) -> None:
    async with explained(parse_url(PLAIN)):
        raise error


@pytest.mark.parametrize(
    ("cause", "advice"),
    [
        ('connection failed: FATAL:  password authentication failed for user "ana"', "Confira usuário e senha"),
        ("fe_sendauth: no password supplied", "Confira usuário e senha"),
        ('FATAL:  database "notas" does not exist', "Crie o banco"),
        ("failed to resolve host 'db.example': [Errno -2]", "O nome do servidor"),
        ("connection refused\nis the server running?", "Confira se o servidor está no ar"),
        ("", "Confira se o servidor está no ar"),
    ],
)
async def test_a_falta_do_banco_vira_uma_frase_com_o_que_fazer(cause: str, advice: str) -> None:
    error = OperationalError("SELECT 1", {}, psycopg.OperationalError(cause))
    with pytest.raises(DatabaseError, match=advice) as caught:
        await _raise_inside(error)
    assert str(caught.value).startswith("O banco em db.example:5433 não atende (")
    assert "segredo" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_conexao_que_cai_no_meio_e_dita_e_um_defeito_de_sql_passa_como_e() -> None:
    dropped = ProgrammingError("SELECT 1", {}, psycopg.ProgrammingError("x"), connection_invalidated=True)
    with pytest.raises(DatabaseError, match="caiu no meio"):
        await _raise_inside(dropped)
    with pytest.raises(ProgrammingError):
        await _raise_inside(ProgrammingError("SELECT 1", {}, psycopg.ProgrammingError("x")))
