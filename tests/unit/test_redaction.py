"""CPF e CNPJ não passam; os números que não são documentos, sim."""

import random
import string
from functools import partial

import pytest

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
