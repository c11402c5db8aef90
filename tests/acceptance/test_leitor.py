"""`db leitor`, `db url`, `db psql` e `db abrir`, como se usam: o que dizem, e o que não mostram."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url
from tests.support.commands import Terminal
from tests.support.postgres import execute

from bling_collector.db.meanings import meanings

READER = "Ana Maria"


@pytest.fixture
async def terminal(database_url: str, tmp_path: Path) -> AsyncIterator[Terminal]:
    url = make_url(database_url).set(password="muito secreta")
    yield Terminal(tmp_path, {"DATABASE_URL": url.render_as_string(hide_password=False)})
    await execute(
        database_url,
        f"""DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{READER}') THEN
        DROP OWNED BY "{READER}"; DROP ROLE "{READER}"; END IF; END $$""",
    )


async def test_a_reader_is_made_once_used_and_removed(terminal: Terminal, database_url: str) -> None:
    first = await terminal.run("-v", "db", "leitor", READER)
    assert first.code == 0
    hidden = sorted(name for name, about in meanings().items() if not about.readable)
    count = len(meanings()) - len(hidden)
    assert f"✔ O leitor {READER} pronto: lê {count} tabelas e views de public, e nada grava." in first.out
    assert f"Não lê: {', '.join(hidden)}." in first.out
    password = first.out.partition("Senha:")[2].split()[0]
    address = first.out.partition("Endereço: ")[2].split()[0]
    assert len(password) >= 32
    assert password not in first.err
    assert address.startswith("postgresql://Ana%20Maria@/")
    assert "secreta" not in first.out + first.err

    again = await terminal.run("-v", "db", "leitor", READER)
    assert (again.code, "já havia, e as permissões dele estão em dia" in again.out) == (0, True)
    assert password not in again.out + again.err
    told = await terminal.run("db", "leitor", READER, "--json")
    assert told.json == {"leitor": READER, "senha": None, "url": address, "schemas": ["public"]}

    asked = await terminal.run_apart(
        "db", "psql", "-At", "-c", "SELECT current_schema()", "-c", "SELECT count(*) FROM vw_dre_mes"
    )
    assert (asked.code, asked.out) == (0, "public\n0\n")
    assert (await terminal.run_apart("db", "psql", "-c", "isto não é SQL")).code == 1

    gone = await terminal.run("db", "leitor", READER, "--remover")
    assert (gone.code, gone.out) == (0, f"✔ O leitor {READER} já não existe.\n")
    assert (await terminal.run("db", "leitor", READER, "--remover")).code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["leitor", "pg_x"], "é reservado pelo PostgreSQL"),
        (["leitor", "bling"], "Já há neste servidor um usuário bling"),
        (["leitor", "x", "--todas", "--remover"], "não leva --todas"),
        (["leitor"], "Falta NOME"),
        (["abrir"], "só o PostgreSQL embutido se abre e fecha aqui"),
        (["fechar"], "só o PostgreSQL embutido se abre e fecha aqui"),
        (["abrir", "--porta", "80"], "de 1024 a 65535"),
    ],
)
async def test_what_does_not_serve_is_said_in_a_sentence(terminal: Terminal, arguments: list[str], said: str) -> None:
    done = await terminal.run("db", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


async def test_the_address_hides_the_password_until_it_is_asked_for(terminal: Terminal) -> None:
    plain = await terminal.run("db", "url")
    assert (plain.code, ":***@" in plain.out, "secreta" in plain.out) == (0, True, False)
    assert ":muito%20secreta@" in (await terminal.run("db", "url", "--senha")).out
    told = await terminal.run("db", "url", "--json")
    assert told.json == {"url": plain.out.strip(), "embutido": False, "porta": None}


async def test_a_database_that_is_not_there(terminal: Terminal) -> None:
    nowhere = {"DATABASE_URL": "postgresql://ana:secreta@127.0.0.1:1/notas"}
    for arguments in (["leitor", "ana"], ["psql"]):
        done = await terminal.run("db", *arguments, **nowhere)
        assert (done.code, "secreta" in done.err) == (1, False)
        assert done.err.startswith("Erro: O banco em 127.0.0.1:1 não atende")
