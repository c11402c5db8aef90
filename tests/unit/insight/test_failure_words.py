"""O que falhou, nas palavras de quem lê."""

from datetime import date
from decimal import Decimal

import pytest

from bling_collector.insight.words import described, owed_window, plain


def test_a_note_is_known_by_its_number_day_client_and_value() -> None:
    known = described("nfe", "166", numero="1234", dia=date(2026, 11, 26), nome="Maria Souza", valor=Decimal("1234.5"))
    assert known == "Nota 1234, de 26/11/2026, de Maria Souza, R$ 1.234,50"
    assert described("nfe", "166", dia=date(2026, 11, 26)) == "Nota de número desconhecido, de 26/11/2026"
    assert described("contatos", "7", nome="Maria Souza") == "Contato Maria Souza"
    assert described("produtos", "SKU-1") == "Produto SKU-1"
    assert owed_window("nfe", date(2026, 11, 26), date(2026, 11, 26)) == "Notas de 26/11/2026"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("GET /Api/v3/nfe/166 (HTTP 500): o Bling falhou. O Bling diz: «x».", "O Bling falhou. O Bling diz: «x»."),
        ("GET /Api/v3/nfe/166: a resposta não chegou a tempo (ReadTimeout).", "A resposta não chegou a tempo."),
        (
            "GET /nfe: a conexão não abriu (ConnectError: [Errno 111] Connection refused (x)).",
            "A conexão não abriu.",
        ),
        ("GET /nfe: em 01/01/2026 (um dia).", "Em 01/01/2026 (um dia)."),
        ("1 registro pendente.", "1 registro pendente."),
    ],
)
def test_the_reason_is_in_words(error: str, words: str) -> None:
    assert plain(error) == words
