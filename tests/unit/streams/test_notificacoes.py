"""De uma notificação, cujo id é um texto, à linha da tabela."""

from datetime import date, datetime

from tests.fixtures import fixture

from bling_collector.db import models
from bling_collector.streams.cadastros.notificacoes import NOTIFICACOES, rows


def test_a_notificacao() -> None:
    document = fixture("notificacao")
    expected = {
        "id": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "titulo": "CNPJ com letras",
        "descricao": "CNPJ com letras: veja o que muda.",
        "modulo": "FISCAL",
        "fonte": "SEFAZ",
        "acao": None,
        "data_criacao": date(2026, 1, 5),
        "data_envio": datetime(2026, 1, 5, 8),  # noqa: DTZ001 - hora de Brasília
        "data_vigencia": date(2026, 7, 1),
        "data_leitura": None,
    }
    assert rows(document) == {models.notificacoes: [expected | {"detalhe": document}]}


def test_the_key_is_the_text_as_it_came() -> None:
    assert NOTIFICACOES.key({"id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}) == "01ARZ3NDEKTSV4RRFFQ69G5FAV"
    assert NOTIFICACOES.key({"id": 77}) == "77"
    assert NOTIFICACOES.key({"titulo": "Sem id"}) is None
