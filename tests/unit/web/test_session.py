"""O cookie da sessão, os endereços para onde se volta e de onde vem um formulário."""

from datetime import UTC, datetime, timedelta

import pytest

from bling_collector.web.door import session
from bling_collector.web.door.origin import is_from_here
from bling_collector.web.panel.forms import local_path

NOW = datetime(2026, 2, 20, 21, 0, tzinfo=UTC)
TOKEN = "o-gato-e-o-pato-de-1936"


def test_a_session_lasts_what_it_lasts() -> None:
    value = session.issue(TOKEN, NOW)
    assert session.is_valid(TOKEN, value, NOW)
    assert session.is_valid(TOKEN, value, NOW + session.LIFE - timedelta(seconds=1))
    assert not session.is_valid(TOKEN, value, NOW + session.LIFE)


def test_another_token_ends_it() -> None:
    assert not session.is_valid("outro", session.issue(TOKEN, NOW), NOW)


def test_nobody_writes_one() -> None:
    ends, signature = session.issue(TOKEN, NOW).split(".")
    forged = [
        f"1{ends}.{signature}",
        f"{ends}.{signature[:-1]}",
        f"{ends}.",
        f".{signature}",
        "",
        ".",
        "x.y",
        f"{ends}.{signature}.",
        f"-1.{signature}",
        f"{ends}.não",
        TOKEN,
        "\udc80.\udc80",
    ]
    assert not any(session.is_valid(TOKEN, value, NOW) for value in forged)
    assert TOKEN not in f"{ends}.{signature}"


@pytest.mark.parametrize("path", ["/", "/notas", "/notas?busca=a b&uf=SP", "/cobertura/2026-01"])
def test_back_to_where_one_was(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "//mau.example",
        "https://mau.example",
        "/\\mau.example",
        "\\\\mau",
        "/a\\b",
        "/a\r\nSet-Cookie: x=1",
        "javascript:alert(1)",
        "/entrar?volta=/entrar",
        "notas",
    ],
)
def test_never_to_another_place(path: str | None) -> None:
    assert local_path(path) == "/"


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site", "origin": "http://coletor"}, False),
        ({"origin": "http://coletor"}, True),
        ({"origin": "http://coletor.mau"}, False),
        ({"origin": "http://mau/coletor"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://["}, False),
        ({"origin": "http://[::1"}, False),
        ({"origin": ""}, False),
    ],
)
def test_where_a_form_comes_from(headers: dict[str, str], ours: bool) -> None:
    given = {"host": "coletor"} | headers
    scope = {"type": "http", "headers": [(name.encode(), value.encode()) for name, value in given.items()]}
    assert is_from_here(scope) is ours
