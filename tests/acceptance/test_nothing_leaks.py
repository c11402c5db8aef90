"""Uma carga inteira em DEBUG, com tudo o que pode dar errado: nada do que saiu traz um segredo ou um documento.

Tudo o que o coletor disse — a linha de comando, o serviço, os logs de todas as bibliotecas, as respostas, o que ficou
anotado no banco — é procurado por cada token, código, senha, chave, CPF e CNPJ que existiu durante o teste.
"""

import asyncio
import base64
import json
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx2
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.collecting import until
from tests.support.commands import Terminal

from bling_collector.auth.token_cipher import new_key
from bling_simulator.bling import Bling
from bling_simulator.company.documents import format_document
from bling_simulator.company.invoices.invoice import COMPANY_CNPJ
from bling_simulator.server import RunningServer

API_TOKEN = "capitu-tem-olhos-de-ressaca"
PASSWORD = "s3nh@ do banco/1899"
CLIENT_SECRET = "machado-de-assis-1839-segredo"
KEYS = [new_key(), new_key()]
pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="o Windows não tem SIGTERM"),
    pytest.mark.bling(scale=0.015, client_secret=CLIENT_SECRET),
]


class Everything:
    """O que saiu, com o nome de onde saiu."""

    def __init__(self) -> None:
        self.said: dict[str, str] = {}

    def add(self, where: str, what: str) -> None:
        self.said[f"{len(self.said)} {where}"] = what

    @property
    def text(self) -> str:
        return "\n".join(self.said.values())

    def find(self, secret: str) -> list[str]:
        """Onde `secret` aparece, com o que há em volta."""
        return [
            f"{where}: …{what[max(0, at - 80) : at + 80]}…"
            for where, what in self.said.items()
            if (at := what.find(secret)) >= 0
        ]


@pytest.fixture
def issued(bling: Bling, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Cada token e cada código que o Bling deu."""
    secrets: list[str] = []
    issue, new_code = bling.grants.issue, bling.grants.new_code

    def noted_pair(*, jwt: bool = False) -> Any:
        pair = issue(jwt=jwt)
        secrets.extend([pair["access_token"], pair["refresh_token"]])
        return pair

    def noted_code() -> str:
        secrets.append(new_code())
        return secrets[-1]

    monkeypatch.setattr(bling.grants, "issue", noted_pair)
    monkeypatch.setattr(bling.grants, "new_code", noted_code)
    return secrets


@pytest.fixture
def environment(server: RunningServer, database_url: str, tmp_path: Path) -> dict[str, str]:
    """O de quem roda o coletor com tudo o que é secreto configurado."""
    url = make_url(database_url).set(drivername="postgresql", password=PASSWORD)
    return os.environ | {
        "BLING_CLIENT_ID": server.bling.settings.client_id,
        "BLING_CLIENT_SECRET": CLIENT_SECRET,
        "BLING_API_BASE_URL": server.api_url,
        "BLING_OAUTH_URL": f"{server.api_url}/oauth/token",
        "BLING_AUTHORIZE_URL": f"{server.api_url}/oauth/authorize",
        "DATABASE_URL": url.render_as_string(hide_password=False),
        "TOKEN_ENCRYPTION_KEY": ", ".join(KEYS),
        "API_TOKEN": API_TOKEN,
        "API_RATE_LIMIT_DELAY": "0",
        "LOG_LEVEL": "DEBUG",
        "XDG_DATA_HOME": str(tmp_path),
    }


async def command(everything: Everything, environment: dict[str, str], *arguments: str, **changes: str) -> int:
    """Roda a linha de comando e guarda o que ela disse."""
    done = await Terminal(Path(environment["XDG_DATA_HOME"]), environment).run("-v", *arguments, **changes)
    everything.add(" ".join(arguments), done.out + done.err)
    return done.code


@asynccontextmanager
async def service(everything: Everything, environment: dict[str, str]) -> AsyncIterator[httpx2.AsyncClient]:
    """O serviço num processo; o log dele e cada resposta que dá são guardados."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    log = Path(environment["XDG_DATA_HOME"]) / f"{port}.log"

    async def keep(response: httpx2.Response) -> None:
        await response.aread()
        everything.add(f"{response.request.method} {response.request.url.path}", response.text + str(response.headers))

    with log.open("wb") as stream:
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bling_collector", "serve", "--port", str(port),
            env=environment, cwd=environment["XDG_DATA_HOME"], stdout=stream, stderr=stream,
        )  # fmt: skip
        try:
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=120) as http:
                await until(lambda: _answers(http, running))
                http.event_hooks = {"response": [keep]}
                yield http
            running.terminate()
            async with asyncio.timeout(120):
                assert await running.wait() == 0
        finally:
            if running.returncode is None:
                running.kill()
                await running.wait()
            everything.add("o log do serviço", await asyncio.to_thread(log.read_text, "utf-8"))


async def _answers(http: httpx2.AsyncClient, running: asyncio.subprocess.Process) -> bool:
    assert running.returncode is None
    try:
        return (await http.get("/health")).status_code == 200
    except httpx2.ConnectError:
        return False


async def execute(engine: AsyncEngine, *statements: str) -> None:
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


def documents(bling: Bling) -> set[str]:
    """Os dígitos de cada CPF e CNPJ da empresa e dos clientes dela."""
    contacts = [note["contato"] for note in bling.notes.values()] + list(bling.contacts.values())
    found = {re.sub(r"\W", "", str(contact["numeroDocumento"])) for contact in contacts}
    return {COMPANY_CNPJ} | {document for document in found if len(document) in (11, 14)}


def forms_of(secret: str) -> Iterator[str]:
    """As formas em que um segredo poderia sair."""
    yield secret
    yield quote(secret, safe="")
    yield json.dumps(secret)[1:-1]


def _bling_says(description: str, kind: str = "VALIDATION_ERROR") -> dict[str, Any]:
    error = {"type": kind, "message": description, "description": description, "fields": [{"msg": description}]}
    return {"status": 400, "body": json.dumps({"error": error})}


@pytest.mark.slow
async def test_a_whole_load_says_no_secret_and_no_document(
    bling: Bling, issued: list[str], environment: dict[str, str], engine: AsyncEngine
) -> None:
    everything = Everything()
    people = sorted(documents(bling))
    cpf, cnpj = (next(document for document in people if len(document) == length) for length in (11, 14))

    # A autorização pelo serviço: a certa, e as que não são.
    async with service(everything, environment) as http:
        assert (await http.get("/status")).status_code == 401
        assert (await http.get("/status", headers={"Authorization": f"Bearer {API_TOKEN}x"})).status_code == 401
        http.headers["Authorization"] = f"Bearer {API_TOKEN}"
        states = []
        for code in ("0123456789abcdef0123456789abcdef01234567", bling.authorise(), bling.authorise()):
            state = parse_qs(urlsplit((await http.get("/auth/start")).json()["auth_url"]).query)["state"][0]
            await http.get("/auth/callback", params={"code": code, "state": state})
            states.append(state)
        await http.get("/auth/callback", params={"code": bling.authorise(), "state": states[0]})
        assert (await http.get("/status")).json()["oauth"]["encrypted"] is True
    del everything.said[
        next(where for where in everything.said if "/auth/start" in where)
    ]  # ele diz o state a quem pede
    for where in [where for where in everything.said if "/auth/start" in where]:
        del everything.said[where]

    # A carga, com um Bling que recusa citando documentos, responde lixo, e recusa o token no meio.
    bling.fail(r"^/nfe/\d+$", "body", times=1, after=3, **_bling_says(f"O CPF {format_document(cpf)} não serve"))
    bling.fail(r"^/nfe/\d+$", "body", times=1, after=5, **_bling_says(f"contato {cnpj} duplicado"))
    bling.fail(r"^/nfe/\d+$", "body", times=1, after=9, status=401, body='{"error":{"type":"invalid_token"}}')
    for after, kind in enumerate(("server_error", "bad_gateway", "cut", "null", "drop", "error_with_200"), start=12):
        bling.fail(r"^/nfe/\d+$", kind, times=1, after=after)  # type: ignore[arg-type]  # os nomes são de FaultKind
    bling.fail(r"^/contatos/\d+$", "body", times=1, after=2, **_bling_says(f"CNPJ: {format_document(cnpj)}"))
    # E um banco que recusa linhas, dizendo-as inteiras.
    await execute(
        engine,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.numero LIKE '%7' THEN RAISE 'o documento % não entra', NEW.contato_documento USING ERRCODE = '23514'; "
        "END IF; RETURN NEW; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON nfe_cabecalho FOR EACH ROW EXECUTE FUNCTION refuse()",
        "ALTER TABLE nfe_cabecalho ADD CHECK (numero NOT LIKE '%9')",
    )
    assert (
        await command(everything, environment, "run-full", "--data-inicio", "2021-01-01", PYTHONASYNCIODEBUG="1") == 1
    )
    for arguments in (["status", "--json"], ["failures"], ["doctor"]):
        await command(everything, environment, *arguments)

    # O token que o Bling recusa, citando-o; e o banco que não se alcança.
    await execute(engine, "UPDATE oauth_tokens SET expires_at = '2020-01-01'")
    quoted = next(secret for secret in reversed(issued) if "." not in secret)
    bling.fail("^/oauth/token$", "body", times=1, **_bling_says(f"refresh {quoted}", "invalid_grant"))
    assert await command(everything, environment, "run") == 3
    elsewhere = f"postgresql://bling:{quote(PASSWORD, safe='')}@127.0.0.1:1/nada"
    assert await command(everything, environment, "run", DATABASE_URL=elsewhere) == 1
    assert await command(everything, environment, "run", DATABASE_URL=f"mysql://u:{PASSWORD}@h/b") == 2
    assert await command(everything, environment, "run", TOKEN_ENCRYPTION_KEY=KEYS[0] + "x") == 2
    assert await command(everything, environment, "status", TOKEN_ENCRYPTION_KEY="") == 0
    assert await command(everything, environment, "run", TOKEN_ENCRYPTION_KEY=new_key()) == 2

    # O serviço: o que se pergunta mal, o que se pergunta bem, e um erro que ninguém previu.
    async with service(everything, environment) as http:
        http.headers["Authorization"] = f"Bearer {API_TOKEN}"
        await http.post("/run")
        for path in ("/status", "/runs", "/failures", "/reconcile", "/reconcile/numeracao", f"/runs?limit={cpf}"):
            await http.get(path)
        await http.post(f"/run?data_inicio={cpf}")
        await http.post(f"/run?{cnpj}={API_TOKEN}")
        await http.get(f"/{format_document(cpf)}")
        await execute(engine, "ALTER TABLE contatos RENAME COLUMN documento TO outro_nome")
        assert (await http.post("/run")).status_code >= 500

    async with engine.connect() as connection:
        for query in (
            "SELECT string_agg(coalesce(erro_mensagem, ''), ' ') FROM etl_controle",
            "SELECT string_agg(erro, ' ') FROM pendencias",
            "SELECT string_agg(coalesce(erro, ''), ' ') FROM janelas_devidas",
            "SELECT access_token || refresh_token FROM oauth_tokens",
        ):
            everything.add(query, str(await connection.scalar(text(query))))

    _said_what_was_needed(everything.text)
    basic = base64.b64encode(f"{bling.settings.client_id}:{CLIENT_SECRET}".encode()).decode()
    assert len(issued) > 6
    for secret in [*issued, *states, CLIENT_SECRET, API_TOKEN, PASSWORD, *KEYS, basic]:
        for form in forms_of(secret):
            assert everything.find(form) == []
    assert len(people) > 15
    for document in people:
        for form in (document, format_document(document)):
            assert everything.find(form) == []


def _said_what_was_needed(said: str) -> None:
    """Calar tudo também não vazaria nada: o que é preciso para entender o que houve foi dito."""
    for words in (
        '"severity": "DEBUG"',
        "Tentativa 2 de 5",
        "O Bling diz: «O CPF *** não serve",
        "o banco recusou o registro: o documento *** não entra",
        "violates check constraint",
        "o Bling aceita o token nos outros pedidos: é só este que não passa",
        "O Bling não deu o token (HTTP 400): «refresh …",
        "O banco em 127.0.0.1:1 não atende",
        "Traceback (most recent call last)",
        "não tem uma coluna do coletor",
        'GET /auth/callback HTTP/1.1\\" 200',
    ):
        assert words.lower() in said.lower(), words
