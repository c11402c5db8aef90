"""O log: a forma que o Cloud Logging lê, a linha para uma pessoa, e nenhum segredo em nenhuma das duas."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from bling_collector import logs
from bling_collector.logs import current_company, current_run
from bling_collector.redaction import HIDDEN, redact

TOKEN = "0123456789abcdef0123456789abcdef01234567"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
NAMES = ("", "uvicorn", "uvicorn.error", "uvicorn.access", "sqlalchemy", "alembic", "httpx2", "httpcore2")
log = logging.getLogger("bling_collector.prova")


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """O log de quem roda os testes fica como estava."""
    loggers = [logging.getLogger(name) for name in NAMES]
    before = [(each, each.level, each.propagate, each.handlers[:], each.filters[:]) for each in loggers]
    yield
    for each, level, propagate, handlers, filters in before:
        each.setLevel(level)
        each.propagate, each.handlers[:], each.filters[:] = propagate, handlers, filters


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _entries(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_entry_has_the_fields_of_cloud_logging() -> None:
    stream = io.StringIO()
    logs.configure("INFO", stream=stream)
    log.warning("Faltam %d notas: ç, “aspas” e\nquebra", 3, extra={"recurso": "nfe", "ids": [1, 2]})
    [entry] = _entries(stream)
    assert entry["severity"] == "WARNING"
    assert entry["message"] == "Faltam 3 notas: ç, “aspas” e\nquebra"
    assert entry["time"].endswith("Z")
    assert entry["logger"] == "bling_collector.prova"
    place = entry["logging.googleapis.com/sourceLocation"]
    assert place["file"].endswith("test_logs.py")
    assert place["line"].isdigit()
    assert place["function"] == "test_an_entry_has_the_fields_of_cloud_logging"
    assert (entry["recurso"], entry["ids"]) == ("nfe", [1, 2])
    assert "run_id" not in entry
    assert "stack_trace" not in entry


def test_an_exception_brings_its_stack_without_secrets() -> None:
    stream = io.StringIO()
    logs.configure(stream=stream, json=True)
    try:
        int(f"Authorization: Bearer {TOKEN}")
    except ValueError:
        log.exception("Caiu")
    [entry] = _entries(stream)
    assert entry["severity"] == "ERROR"
    assert "Traceback" in entry["stack_trace"]
    assert "test_logs.py" in entry["stack_trace"]
    assert TOKEN not in stream.getvalue()


def test_the_run_is_in_every_entry() -> None:
    stream = io.StringIO()
    logs.configure(stream=stream)
    reset = current_run.set(7)
    log.info("uma")
    current_run.reset(reset)
    log.info("outra")
    assert [entry.get("run_id") for entry in _entries(stream)] == [7, None]


def test_a_command_it_says_to_type_is_of_the_company() -> None:
    entries, terminal = io.StringIO(), Terminal()
    reset = current_company.set("sul")
    for stream in (entries, terminal):
        logs.configure(stream=stream)
        log.error("Rode `%s`.", "bling-collector auth")
    current_company.reset(reset)
    assert _entries(entries)[0]["message"] == "Rode `bling-collector --empresa sul auth`."
    assert terminal.getvalue()[8:] == " ERRO [sul] Rode `bling-collector --empresa sul auth`.\n"


def test_a_terminal_gets_short_lines() -> None:
    stream = Terminal()
    logs.configure(stream=stream)
    log.info("Tudo em dia.")
    reset = current_run.set(7)
    log.error("Parou: %s", f"Bearer {TOKEN}")
    current_run.reset(reset)
    first, second = stream.getvalue().splitlines()
    assert first[8:] == " Tudo em dia."
    assert second[8:] == f" ERRO [7] Parou: Bearer {HIDDEN}"


def test_json_can_be_asked_for() -> None:
    stream = Terminal()
    logs.configure(stream=stream, json=True)
    log.info("a")
    assert _entries(stream)


def test_configuring_again_replaces() -> None:
    first, second = io.StringIO(), io.StringIO()
    logs.configure(stream=first)
    logs.configure("warning", stream=second)
    log.info("pouco")
    log.warning("muito")
    assert first.getvalue() == ""
    assert [entry["message"] for entry in _entries(second)] == ["muito"]


def test_the_others_go_through_it_and_say_less() -> None:
    logging.getLogger("uvicorn").addHandler(logging.StreamHandler(io.StringIO()))
    stream = io.StringIO()
    logs.configure("DEBUG", stream=stream)
    for name in NAMES[1:]:
        logging.getLogger(name).warning("de %s", name)
    for name in ("sqlalchemy.engine", "httpx2", "httpcore2.http11"):
        logging.getLogger(name).info("parâmetros, cabeçalhos, cada requisição")
    assert [entry["message"] for entry in _entries(stream)] == [f"de {name}" for name in NAMES[1:]]


def test_the_access_line_has_no_query() -> None:
    stream = io.StringIO()
    logs.configure(stream=stream)
    path = f"/auth/callback?code={TOKEN}&state=abc"
    logging.getLogger("uvicorn.access").info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:1", "GET", path, "1.1", 200)
    [entry] = _entries(stream)
    assert entry["message"] == '127.0.0.1:1 - "GET /auth/callback HTTP/1.1" 200'


def test_a_stream_that_cannot_write_portuguese_still_gets_json() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="latin-1", write_through=True)
    logs.configure(stream=stream)
    log.info("Execução “terminada” ✔")
    assert json.loads(raw.getvalue())["message"] == "Execução “terminada” ✔"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {TOKEN}",
        "Authorization: Basic c2ltdWxhZG9yOnNlZ3JlZG8tZG8tYXBwMTIzNA==",
        f"(b'Authorization', b'Bearer {JWT}')",
        f"o token é {JWT}.",
        f"o token é {TOKEN}.",
        '{"access_token": "curto-mas-secreto", "refresh_token":"outro-segredo-aqui"}',
        "grant_type=refresh_token&refresh_token=curto-mas-secreto",
        "client_secret='curto-mas-secreto'",
        "GET /auth/callback?code=curto-mas-secreto&state=abc",
        "postgresql://usuario:curto-mas-secreto@servidor:5432/banco",
        "password=curto-mas-secreto host=servidor",
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str) -> None:
    hidden = redact(text)
    assert HIDDEN in hidden
    for secret in (TOKEN, JWT, "c2ltdWxh", "curto-mas-secreto", "outro-segredo-aqui"):
        assert secret not in hidden


@pytest.mark.parametrize(
    "text",
    [
        "GET /nfe/24517820011 (HTTP 502): o Bling falhou. Tentativa 2 de 5 em 2.8 s.",
        "O token não foi renovado: o refresh token já foi usado",
        "status_code=500 code=42 exit code: 3",
        "chave 35260212345678000190550010000012341123456789",
        "postgresql://usuario@servidor:5432/banco",
        "http://127.0.0.1:8080/runs?limit=50&before=12",
        "Confira usuário e senha em DATABASE_URL.",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_named_secrets_and_secret_fields_are_hidden() -> None:
    stream = io.StringIO()
    logs.configure(stream=stream, secrets=["senha fácil", ""])
    log.info("a senha fácil vazou", extra={"token": "abc", "dados": {"Authorization": "xyz", "page": 2}})
    [entry] = _entries(stream)
    assert entry["message"] == f"a {HIDDEN} vazou"
    assert entry["token"] == HIDDEN
    assert entry["dados"] == {"Authorization": HIDDEN, "page": 2}
