"""A ida e a volta do navegador."""

from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from bling_simulator import Bling

PATH = "/oauth/authorize"


def asked(bling: Bling, **changes: str) -> dict[str, str]:
    return {"response_type": "code", "client_id": bling.settings.client_id, "state": "abc=&1", **changes}


def returned(answer: httpx2.Response, bling: Bling) -> dict[str, str]:
    """Os parâmetros com que o navegador volta, sempre ao endereço registrado."""
    assert answer.status_code == 302
    location, _, query = answer.headers["location"].partition("?")
    assert location == bling.settings.redirect_uri
    return {name: values[0] for name, values in parse_qs(query).items()}


async def test_the_page_asks_in_portuguese(anonymous: httpx2.AsyncClient, bling: Bling) -> None:
    answer = await anonymous.get(PATH, params=asked(bling, state='"><script>'))
    assert answer.status_code == 200
    assert "Autorizar" in answer.text
    assert "Negar" in answer.text
    assert "<script>" not in answer.text


async def test_authorising_gives_a_code_that_can_be_exchanged(anonymous: httpx2.AsyncClient, bling: Bling) -> None:
    form = asked(bling, decisao="autorizar", redirect_uri="https://outro.example/", scope="1")
    back = returned(await anonymous.post(PATH, data=form), bling)
    assert back["state"] == "abc=&1"
    assert bling.grants.exchange(back["code"], jwt=False)["access_token"]


async def test_denying(anonymous: httpx2.AsyncClient, bling: Bling) -> None:
    back = returned(await anonymous.post(PATH, data=asked(bling, decisao="negar")), bling)
    assert back == {
        "error": "access_denied",
        "error_description": "The user denied access to your application",
        "state": "abc=&1",
    }


async def test_unknown_client_is_a_page_without_return(anonymous: httpx2.AsyncClient, bling: Bling) -> None:
    answer = await anonymous.get(PATH, params=asked(bling, client_id="outro"))
    assert answer.status_code == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [({"state": ""}, "invalid_request"), ({"response_type": "token"}, "unsupported_response_type")],
)
async def test_incomplete_requests(
    anonymous: httpx2.AsyncClient, bling: Bling, changes: dict[str, str], error: str
) -> None:
    back = returned(await anonymous.get(PATH, params=asked(bling, **changes)), bling)
    assert back["error"] == error


async def test_registered_address_may_carry_a_query(anonymous: httpx2.AsyncClient, bling: Bling) -> None:
    bling.configure(redirect_uri="http://localhost:1/volta?loja=1")
    answer = await anonymous.post(PATH, data=asked(bling, decisao="autorizar"))
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert query.keys() == {"loja", "code", "state"}
