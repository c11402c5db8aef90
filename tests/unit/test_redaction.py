"""CPF e CNPJ não passam; os números que não são documentos, sim."""

import importlib
import pkgutil
import random
import re
import string
import time
from collections.abc import Iterator
from functools import partial

import pytest

import bling_collector
from bling_collector.config import VARIABLES, load_settings
from bling_collector.errors import ConfigurationError
from bling_collector.redaction import HIDDEN, redact, without_documents
from bling_simulator.company.documents import format_document, make_cnpj, make_cpf


@pytest.mark.parametrize(
    "text",
    [
        "CPF 529.982.247-25 inválido",
        "O CNPJ «11.222.333/0001-81» já existe",
        "cliente 52998224725, nota 7",
        "(11222333000181)",
        "CNPJ novo: 12.ABC.345/01DE-35",
        "12ABC34501DE35",
        '{"numeroDocumento": "12345678900"}',
        "contato_documento=00000000191",
        "CPF: 12345678900",
        "Key (contato_documento)=(11222333000181) already exists.",
    ],
)
def test_a_document_is_hidden(text: str) -> None:
    hidden = without_documents(text)
    assert HIDDEN in hidden
    assert not any(part.isdigit() and len(part) > 4 for part in hidden.replace(".", " ").split())
    assert redact(text) == hidden


@pytest.mark.parametrize(
    "text",
    [
        "GET /nfe/52998224725 (HTTP 502)",
        "nota 24517820011 de 2026-02-20",
        "chave 35260211222333000181550010000012341123456789",
        "2926 notas em 12.345 requisições; 1.234.567,89",
        "2026-02-20T21:00:00.123456+00:00",
        "127.0.0.1:8080",
        "00000000000",
        "o documento não é JSON",
        "pg-18 v0.163.0-12",
    ],
)
def test_what_is_no_document_stays(text: str) -> None:
    assert without_documents(text) == text


def test_every_document_of_a_company_is_hidden() -> None:
    rng = random.Random(7)
    for make in (make_cpf, make_cnpj, partial(make_cnpj, letters=True)):
        for document in [make(rng) for _ in range(300)]:
            for written in (document, format_document(document), document.lower(), format_document(document).lower()):
                assert without_documents(f"valor {written} x") == f"valor {HIDDEN} x"


def test_an_id_is_hidden_only_by_chance() -> None:
    rng = random.Random(7)
    ids = ["2" + "".join(rng.choices(string.digits, k=10)) for _ in range(5000)]
    assert sum(HIDDEN in without_documents(f"nota {id_}") for id_ in ids) < 100


@pytest.mark.parametrize(
    "sentence",
    [
        "Configuração inválida — API_TOKEN: só letras, números e sinais do ASCII, sem espaços.",
        "TOKEN_ENCRYPTION_KEY: uma chave tem 44 caracteres, como `bling-collector auth --gerar-chave` a dá",
        "senha: precisa de oito letras",
        "Authorization: falta o token",
    ],
)
def test_our_own_sentences_stay_whole(sentence: str) -> None:
    assert redact(sentence) == sentence


@pytest.mark.parametrize(
    "text",
    [
        "senha: abacaxi",
        "senha: abacaxi, e mais",
        "senha: abacaxi host: servidor",
        "password=abacaxi do banco",
        "'password': 'abacaxi do banco'",
        "api_token: abacaxi7 do banco",
        "postgresql://u:aba@caxi@servidor/banco",
        "foo=eyJabacaxi.abacaxi.abacaxi",
        "x-eyJabacaxi.abacaxi.abacaxi",
        "%22eyJabacaxi.abacaxi.abacaxi",
    ],
)
def test_a_secret_beside_a_name_is_hidden(text: str) -> None:
    hidden = redact(text)
    assert HIDDEN in hidden
    assert "caxi" not in hidden


def test_every_sentence_of_the_configuration_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES.values():
        monkeypatch.setenv(variable.name.upper(), "ção com espaço")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert "API_TOKEN" in str(caught.value)
    assert redact(str(caught.value)) == str(caught.value)


# --- o tempo -------------------------------------------------------------------------------------------------------

PIECES = [
    *(
        "eyJ",
        "eyJ-",
        "eyJ.",
        "a.eyJ",
        "-",
        ".",
        "a",
        "1",
        "f",
        "0-",
        "ção",
        " ",
        "\n",
        "\t ",
        ":",
        "@",
        "/",
        "://",
        "://a:",
    ),
    *(
        "bearer ",
        "bearer",
        "basic ",
        "authorization",
        "authorization: ",
        "senha ",
        "senha:",
        "senha: a ",
        'senha="',
        "gAAAAA",
    ),
    *(
        "gAAAAA-",
        "&code=",
        "?state=a",
        "'code' ",
        "'code': '",
        "cpf ",
        "CPF: 1",
        "cnpj(",
        "123.456.789-",
        "12.345.678/",
    ),
    *(
        "1a",
        "A1",
        "A1/",
        "1.",
        "[",
        "(",
        "{",
        "«",
        "`bling-collector a",
        "GET /runs",
        "com ",
        "Rode ",
        "nf ",
        "n",
        "\\",
    ),
]
"""De que se faz um texto hostil: o começo do que cada padrão procura, e o que o faz seguir sem chegar ao fim."""


def patterns() -> dict[str, re.Pattern[str]]:
    """Todo padrão guardado num módulo do coletor: cada um pode ler o que alguém de fora escreveu."""
    found = {}
    for module in pkgutil.walk_packages(bling_collector.__path__, "bling_collector."):
        if "migrations" in module.name or module.name.endswith(
            ("__main__", "config", "values")
        ):  # a configuração é de quem roda
            continue
        kept = list(vars(importlib.import_module(module.name)).values())
        for value in kept:
            for each in flat(value):
                if isinstance(each, re.Pattern) and isinstance(each.pattern, str):
                    found[f"{module.name}: {each.pattern}"] = each
    return found


def flat(value: object) -> Iterator[object]:
    """O valor, ou o que há nele, se é uma tupla."""
    for each in value if isinstance(value, tuple) else (value,):
        yield from flat(each) if isinstance(each, tuple) else (each,)


def seconds(pattern: re.Pattern[str], text: str) -> float:
    began = time.process_time()
    pattern.sub("", text)
    return time.process_time() - began


@pytest.mark.parametrize("name", sorted(patterns()))
def test_the_time_of_a_pattern_grows_with_the_text(name: str) -> None:
    """Oito vezes mais texto custa oito vezes mais tempo; se custasse o quadrado, seriam sessenta e quatro."""
    pattern = patterns()[name]
    for piece in PIECES:
        for end in ("", "!"):
            small, large = (piece * (size // len(piece)) + end for size in (2_000, 16_000))
            if (long := seconds(pattern, large)) > 0.02:
                assert long < 24 * seconds(pattern, small), (piece, end)


def test_a_hostile_text_takes_no_time() -> None:
    """Com o quadrado, cada um levaria mais de um minuto."""
    for piece in ("eyJ-", "senha: a ", "://a:"):
        began = time.process_time()
        redact(piece * (150_000 // len(piece)))
        assert time.process_time() - began < 10, piece
