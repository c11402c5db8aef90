"""O que cada resposta do Bling quer dizer, corpo a corpo."""

from decimal import Decimal
from typing import Any

import httpx2
import pytest
import simplejson

from bling_collector.api.answers import RETRIED, read_answer, retry_after, unanswered
from bling_collector.errors import (
    BlingAuthError,
    BlingBodyError,
    BlingError,
    BlingMovedError,
    BlingNotFoundError,
    BlingRejectedError,
    BlingSaid,
    BlingScopeError,
    BlingThrottledError,
    BlingUnavailableError,
    DailyLimitError,
)

REQUEST = httpx2.Request(
    "GET", "https://api/Api/v3/nfe/7?numeroDocumento=30188025000121", headers={"Authorization": "Bearer abc123"}
)
HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


def answer(status: int, content: bytes | str | dict[str, Any], **headers: str) -> httpx2.Response:
    if isinstance(content, dict):
        content = simplejson.dumps(content)
    return httpx2.Response(status, content=content, headers=headers)


def error(kind: str, description: object = "Descrição.", **more: object) -> dict[str, Any]:
    return {"error": {"type": kind, "message": "Mensagem.", "description": description, **more}}


def test_the_numbers_come_exact() -> None:
    body = read_answer(REQUEST, answer(200, '{"data": {"id": 9007199254740993, "valor": 1234567890123.10, "n": 1}}'))

    assert body == {"data": {"id": 9007199254740993, "valor": Decimal("1234567890123.10"), "n": 1}}
    assert str(body["data"]["valor"]) == "1234567890123.10"
    assert type(body["data"]["id"]) is int


def test_a_byte_order_mark_is_no_flaw() -> None:
    assert read_answer(REQUEST, answer(200, b'\xef\xbb\xbf{"data": []}')) == {"data": []}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"  \n",
        HTML,
        b"null",
        b'[{"id": 1}, {"id"',
        b'"texto"',
        b"12",
        b'{"data": [{"id": 1}, {"id"',
        b'{"data": NaN}',
        b'{"data": Infinity}',
        b'{"data": -Infinity}',
        b'{"data": "\xe7\xe3o"}',
        b"[" * 200_000,
        b'{"data": ' + b"9" * 5_000 + b"}",
        b'{"error": {"type": "SERVER_ERROR", "description": "Um erro interno ocorreu."}}',
        b'{"error": {}, "data": []}',
        b'{"error": "invalid_token"}',
    ],
)
def test_a_200_that_is_not_an_answer(content: bytes) -> None:
    with pytest.raises(BlingBodyError) as caught:
        read_answer(REQUEST, answer(200, content))

    assert caught.value.status == 200
    assert "GET /Api/v3/nfe/7" in str(caught.value)


@pytest.mark.parametrize(("content", "rows"), [(b"[]", []), (b'[{"id": 1}]', [{"id": 1}])])
def test_a_list_without_the_envelope_is_an_answer_if_it_is_no_error(content: bytes, rows: list[object]) -> None:
    assert read_answer(REQUEST, answer(200, content)) == {"data": rows}
    for status in (403, 404, 429):
        with pytest.raises(BlingUnavailableError):
            read_answer(REQUEST, answer(status, content))


@pytest.mark.parametrize("absent", ["null", "false", '""', "[]"])
def test_an_absent_error_is_no_error(absent: str) -> None:
    assert read_answer(REQUEST, answer(200, f'{{"error": {absent}, "data": []}}'))["data"] == []


UNAVAILABLE = [
    (500, error("SERVER_ERROR", "Um erro interno ocorreu.")),
    (500, b""),
    (502, HTML),
    (503, b"upstream connect error"),
    (504, {"message": "Endpoint request timed out"}),
    (408, error("UNKNOWN_ERROR")),
    (403, HTML),
    (403, {"message": "Forbidden"}),
    (429, HTML),
    (429, b""),
]
UNREADABLE = [
    (204, b""),
    (400, HTML),
    (401, HTML),
    (404, HTML),
    (404, b""),
    (404, {"message": "Not Found"}),
    (404, {"data": {"id": 7}}),
]


@pytest.mark.parametrize(
    ("status", "content", "expected"),
    [
        *((status, content, BlingUnavailableError) for status, content in UNAVAILABLE),
        *((status, content, BlingBodyError) for status, content in UNREADABLE),
        (401, error("invalid_token", "The access token provided is invalid"), BlingAuthError),
        (401, error("UNAUTHORIZED"), BlingAuthError),
        (401, {"error": "invalid_token", "error_description": "expirou"}, BlingAuthError),
        (401, {"message": "Unauthorized"}, BlingAuthError),
        (401, b"", BlingAuthError),
        (401, error("insufficient_scope"), BlingScopeError),
        (403, error("insufficient_scope"), BlingScopeError),
        (403, error("FORBIDDEN"), BlingScopeError),
        (404, error("RESOURCE_NOT_FOUND"), BlingNotFoundError),
        (400, error("VALIDATION_ERROR"), BlingRejectedError),
        (400, error("invalid_request", "Malformed auth header"), BlingRejectedError),
        (405, error("METHOD_NOT_ALLOWED"), BlingRejectedError),
        (422, error(""), BlingRejectedError),
        (429, error("TOO_MANY_REQUESTS", limit=3, period="second"), BlingThrottledError),
        (429, error("TOO_MANY_REQUESTS", "O limite de requisições por segundo foi atingido."), BlingThrottledError),
        (429, {"message": "Too Many Requests"}, BlingThrottledError),
        (429, error("TOO_MANY_REQUESTS", limit=120000, period="day"), DailyLimitError),
        (429, error("TOO_MANY_REQUESTS", limit=120000), DailyLimitError),
        (429, error("TOO_MANY_REQUESTS", limit="120000"), DailyLimitError),
        (429, error("TOO_MANY_REQUESTS", "O limite de requisições por dia foi atingido."), DailyLimitError),
        (429, error("TOO_MANY_REQUESTS", "O limite diário foi atingido."), DailyLimitError),
        (429, error("TOO_MANY_REQUESTS", "por dia", limit=3, period="second"), BlingThrottledError),
    ],
)
def test_the_policy(status: int, content: bytes | dict[str, Any], expected: type[BlingError]) -> None:
    with pytest.raises(BlingError) as caught:
        read_answer(REQUEST, answer(status, content))

    assert type(caught.value) is expected
    assert caught.value.status == status
    assert str(caught.value).startswith(f"GET /Api/v3/nfe/7 (HTTP {status}): ")
    assert "30188025000121" not in str(caught.value)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 305, 307, 308])
@pytest.mark.parametrize(
    ("location", "there"),
    [
        ("https://gente:" + "abc123@novo.example:8443/v4/nfe?token=abc123#x", "https://novo.example:8443/v4/nfe."),
        ("/Api/v4/nfe/7", "https://api/Api/v4/nfe/7."),
        ("//outro.example", "https://outro.example."),
        ("", "não diz qual"),
        ("http://[", "não diz qual"),
        ("javascript:alert(1)", "não diz qual"),
    ],
)
def test_a_redirect_names_the_new_address_and_no_secret(status: int, location: str, there: str) -> None:
    """Venha o corpo que vier: um redirecionamento nunca traz a resposta."""
    contents: list[bytes | dict[str, Any]] = [b"", HTML, {"data": []}]
    for content in contents:
        response = answer(status, content)
        response.headers["Location"] = location
        with pytest.raises(BlingMovedError) as caught:
            read_answer(REQUEST, response)
        assert f"manda a outro endereço: {there}" in str(caught.value)
        assert "BLING_API_BASE_URL" in str(caught.value)
        assert "abc123" not in str(caught.value)
    assert not issubclass(BlingMovedError, RETRIED)


def test_only_what_passes_by_itself_is_retried() -> None:
    assert not issubclass(DailyLimitError, RETRIED)
    assert issubclass(BlingBodyError, RETRIED)
    for kind in (BlingAuthError, BlingScopeError, BlingNotFoundError, BlingRejectedError):
        assert not issubclass(kind, RETRIED)


@pytest.mark.parametrize("status", [403, 429])
def test_a_blocked_ip_is_named(status: int) -> None:
    with pytest.raises(BlingUnavailableError, match="pode estar bloqueado"):
        read_answer(REQUEST, answer(status, HTML))


def test_the_scope_error_says_what_to_do() -> None:
    with pytest.raises(BlingScopeError, match=r"/Api/v3/nfe/7.*escopo.*bling-collector auth"):
        read_answer(REQUEST, answer(403, error("insufficient_scope")))


def test_the_words_of_bling_reach_the_reader() -> None:
    fields = [
        {"msg": "Valor inválido.", "element": "numero"},
        {"collection": [{"msg": "Id da forma de pagamento inválido.", "element": "formaPagamento"}]},
        "estranho",
    ]
    with pytest.raises(BlingRejectedError) as caught:
        read_answer(REQUEST, answer(400, error("VALIDATION_ERROR", "Ocorreu um erro ao validar.", fields=fields)))

    assert "«Ocorreu um erro ao validar.; numero: Valor inválido.; formaPagamento: Id da forma" in str(caught.value)


@pytest.mark.parametrize("description", [["um", "dois"], {"a": 1}, 42, None, True, "x" * 9000, ""])
@pytest.mark.parametrize("fields", [None, {"msg": "x"}, [None], "texto"])
def test_a_description_of_any_type_is_tolerated(description: object, fields: object) -> None:
    with pytest.raises(BlingRejectedError) as caught:
        read_answer(REQUEST, answer(400, error("VALIDATION_ERROR", description, fields=fields)))

    assert len(str(caught.value)) < 700


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": "invalid_grant", "error_description": "Foi-se."}, BlingSaid("invalid_grant", "Foi-se.")),
        ({"error": "invalid_grant"}, BlingSaid("invalid_grant", "invalid_grant")),
        ({"error": {"type": 7, "message": "Só a mensagem."}}, BlingSaid("", "Só a mensagem.")),
        ({"error": True, "message": "Deu errado."}, BlingSaid("", "Deu errado.")),
        ({"error": {}}, BlingSaid("", "")),
        ({"data": []}, None),
        ([], None),
        (None, None),
    ],
)
def test_what_bling_said(body: object, said: BlingSaid | None) -> None:
    assert BlingSaid.read(body) == said


def test_the_token_is_hidden_even_if_bling_repeats_it() -> None:
    with pytest.raises(BlingAuthError) as caught:
        read_answer(REQUEST, answer(401, error("invalid_token", "The token abc123 is invalid")))

    assert "abc123" not in str(caught.value)


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [
        (httpx2.ConnectTimeout(""), "a conexão não abriu a tempo (ConnectTimeout)"),
        (httpx2.ConnectError("Name or service not known"), "não abriu (ConnectError: Name or service not known)"),
        (httpx2.ReadTimeout(""), "a resposta não chegou a tempo (ReadTimeout)"),
        (httpx2.PoolTimeout(""), "a resposta não chegou a tempo (PoolTimeout)"),
        (httpx2.RemoteProtocolError("abc123"), "a conexão caiu antes do fim da resposta (RemoteProtocolError)"),
        (httpx2.LocalProtocolError("Illegal header value b'abc123'"), "(LocalProtocolError)"),
        (httpx2.DecodingError(""), "a resposta chegou corrompida (DecodingError)"),
    ],
)
def test_no_answer(cause: httpx2.RequestError, sentence: str) -> None:
    message = str(unanswered(REQUEST, cause))

    assert message.startswith("GET /Api/v3/nfe/7: ")
    assert sentence in message
    assert "abc123" not in message


@pytest.mark.parametrize(
    ("header", "seconds"), [("3", 3.0), ("", 0.0), ("-1", 0.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0), ("1e9", 0.0)]
)
def test_retry_after(header: str, seconds: float) -> None:
    assert retry_after(httpx2.Response(429, headers={"Retry-After": header})) == seconds
    assert retry_after(None) == 0.0
