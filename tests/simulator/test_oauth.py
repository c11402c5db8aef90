"""`POST /oauth/token` e `/oauth/revoke`: a tabela de respostas, e a vida dos tokens."""

import re

import httpx2
import pytest

from bling_simulator import Bling, ManualClock
from bling_simulator.payload import Json

PATH = "/oauth/token"


def credentials(bling: Bling) -> httpx2.BasicAuth:
    return httpx2.BasicAuth(bling.settings.client_id, bling.settings.client_secret)


def error(answer: httpx2.Response) -> tuple[int, str, str]:
    """(status, tipo, descrição); `error` é um objeto e a mensagem repete o tipo."""
    body = answer.json()["error"]
    assert body["message"] == body["type"]
    return answer.status_code, body["type"], body["description"]


async def refresh(client: httpx2.AsyncClient, bling: Bling, token: str, **headers: str) -> httpx2.Response:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return await client.post(PATH, data=form, auth=credentials(bling), headers=headers)


async def exchange(client: httpx2.AsyncClient, bling: Bling, code: str, **headers: str) -> httpx2.Response:
    form = {"grant_type": "authorization_code", "code": code}
    return await client.post(PATH, data=form, auth=credentials(bling), headers=headers)


async def call(client: httpx2.AsyncClient, access_token: str, **headers: str) -> httpx2.Response:
    return await client.get("/formas-pagamentos", headers={"Authorization": f"Bearer {access_token}", **headers})


async def test_a_code_becomes_a_pair_of_tokens(anonymous: httpx2.AsyncClient, bling: Bling) -> None:
    answer = await exchange(anonymous, bling, bling.authorise())
    assert answer.status_code == 200
    body: Json = answer.json()
    assert body.keys() == {"access_token", "expires_in", "token_type", "scope", "refresh_token"}
    assert body["expires_in"] == 21_600
    assert body["token_type"] == "Bearer"
    assert re.fullmatch(r"[0-9a-f]{40}", body["access_token"])
    assert re.fullmatch(r"[0-9a-f]{40}", body["refresh_token"])
    assert re.fullmatch(r"\d+( \d+)+", body["scope"])
    assert (await call(anonymous, body["access_token"])).status_code == 200


async def test_a_code_lasts_one_minute(anonymous: httpx2.AsyncClient, bling: Bling, clock: ManualClock) -> None:
    in_time, late = bling.authorise(), bling.authorise()
    clock.advance(59)
    assert (await exchange(anonymous, bling, in_time)).status_code == 200
    clock.advance(1)
    expected = (400, "invalid_grant", "The authorization code has expired")
    assert error(await exchange(anonymous, bling, late)) == expected


async def test_reusing_a_code_revokes_everything(anonymous: httpx2.AsyncClient, bling: Bling) -> None:
    code = bling.authorise()
    tokens = (await exchange(anonymous, bling, code)).json()
    answer = await exchange(anonymous, bling, code)
    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "type": "VALIDATION_ERROR",
        "message": "Invalid authorization code",
        "description": "This authorization code has already been used, for security reasons the user has been revoked.",
    }
    assert (await call(anonymous, tokens["access_token"])).status_code == 401
    assert (await refresh(anonymous, bling, tokens["refresh_token"])).status_code == 400


async def test_refresh_rotates_without_grace(anonymous: httpx2.AsyncClient, bling: Bling) -> None:
    first = bling.grant()
    second = (await refresh(anonymous, bling, first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    again = await refresh(anonymous, bling, first["refresh_token"])
    assert error(again) == (400, "invalid_grant", "Invalid refresh token")
    assert (await refresh(anonymous, bling, second["refresh_token"])).status_code == 200
    assert (await call(anonymous, first["access_token"])).status_code == 200


async def test_lifetimes(anonymous: httpx2.AsyncClient, bling: Bling, clock: ManualClock) -> None:
    tokens = bling.grant()
    clock.advance(21_599)
    assert (await call(anonymous, tokens["access_token"])).status_code == 200
    clock.advance(1)
    expired = (401, "invalid_token", "The access token provided has expired")
    assert error(await call(anonymous, tokens["access_token"])) == expired
    clock.advance(30 * 86_400 - 21_600)
    stale = (400, "invalid_grant", "Refresh token has expired")
    assert error(await refresh(anonymous, bling, tokens["refresh_token"])) == stale


async def test_jwt(anonymous: httpx2.AsyncClient, bling: Bling) -> None:
    tokens = (await refresh(anonymous, bling, bling.grant()["refresh_token"], **{"enable-jwt": "1"})).json()
    jwt = tokens["access_token"]
    assert len(jwt) > 1500
    assert jwt.count(".") == 2
    assert re.fullmatch(r"[0-9a-f]{40}", tokens["refresh_token"])
    assert (await call(anonymous, jwt, **{"enable-jwt": "1"})).status_code == 200
    assert (await call(anonymous, jwt)).status_code == 200


async def test_opaque_token_with_the_jwt_header(anonymous: httpx2.AsyncClient, bling: Bling) -> None:
    opaque = bling.grant()["access_token"]
    answer = await call(anonymous, opaque, **{"enable-jwt": "1"})
    assert error(answer) == (401, "invalid_token", "The access token provided is invalid")
    assert (await call(anonymous, opaque)).status_code == 200


async def test_switches_of_the_answer(anonymous: httpx2.AsyncClient, bling: Bling) -> None:
    bling.configure(always_jwt=True, token_type_lowercase=True, access_seconds=60)
    body = (await exchange(anonymous, bling, bling.authorise())).json()
    assert body["token_type"] == "bearer"
    assert body["expires_in"] == 60
    assert body["access_token"].count(".") == 2


@pytest.mark.parametrize(
    ("form", "kind", "description"),
    [
        ({}, "invalid_request", "The grant type was not specified in the request"),
        ({"grant_type": "password"}, "unsupported_grant_type", 'Grant type "password" not supported'),
        ({"grant_type": "refresh_token"}, "invalid_request", 'Missing parameter: "refresh_token" is required'),
        ({"grant_type": "authorization_code"}, "invalid_request", 'Missing parameter: "code" is required'),
        (
            {"grant_type": "authorization_code", "code": "x"},
            "invalid_grant",
            "Authorization code doesn't exist or is invalid for the client",
        ),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant", "Invalid refresh token"),
    ],
)
async def test_wrong_forms(
    anonymous: httpx2.AsyncClient, bling: Bling, form: dict[str, str], kind: str, description: str
) -> None:
    answer = await anonymous.post(PATH, data=form, auth=credentials(bling))
    assert error(answer) == (400, kind, description)


async def test_wrong_credentials(anonymous: httpx2.AsyncClient, bling: Bling) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": bling.grant()["refresh_token"]}
    invalid = (400, "invalid_client", "The client credentials are invalid")
    absent = (400, "invalid_client", "Client credentials were not found in the headers")
    wrong = httpx2.BasicAuth(bling.settings.client_id, "outro")
    assert error(await anonymous.post(PATH, data=form, auth=wrong)) == invalid
    assert error(await anonymous.post(PATH, data=form, headers={"Authorization": "Basic ???"})) == invalid
    in_body = {"client_id": bling.settings.client_id, "client_secret": bling.settings.client_secret}
    assert error(await anonymous.post(PATH, data={**form, **in_body})) == absent
    assert (await refresh(anonymous, bling, form["refresh_token"])).status_code == 200


async def test_json_bodies_are_not_read(anonymous: httpx2.AsyncClient, bling: Bling) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    answer = await anonymous.post(PATH, json=form, auth=credentials(bling))
    assert error(answer) == (400, "invalid_request", "The grant type was not specified in the request")


async def test_only_post(anonymous: httpx2.AsyncClient) -> None:
    expected = "The request method must be POST when requesting an access token"
    assert error(await anonymous.get(PATH)) == (405, "invalid_request", expected)


async def test_inactive_company(anonymous: httpx2.AsyncClient, bling: Bling) -> None:
    token = bling.grant()["refresh_token"]
    bling.configure(company_inactive=True)
    answer = await refresh(anonymous, bling, token)
    assert answer.json()["error"]["type"] == "UNAUTHORIZED_ERROR"
    bling.configure(company_inactive=False)
    assert (await refresh(anonymous, bling, token)).status_code == 200


async def test_api_without_a_header(anonymous: httpx2.AsyncClient) -> None:
    answer = await anonymous.get("/nfe")
    assert answer.status_code == 401
    assert answer.content == b""
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Basic abc", "Bearer", "Bearer a b", "abc"])
async def test_api_with_a_malformed_header(anonymous: httpx2.AsyncClient, header: str) -> None:
    answer = await anonymous.get("/nfe", headers={"Authorization": header})
    assert error(answer) == (400, "invalid_request", "Malformed auth header")


async def test_missing_scope(client: httpx2.AsyncClient, bling: Bling) -> None:
    bling.configure(missing_scopes=frozenset({"/contatos"}))
    expected = "The request requires higher privileges than provided by the access token"
    for path in ("/contatos", "/contatos/1"):
        assert error(await client.get(path)) == (403, "insufficient_scope", expected)
    assert (await client.get("/produtos")).status_code == 200


async def test_revoking_one_token_or_all(anonymous: httpx2.AsyncClient, bling: Bling) -> None:
    one, other = bling.grant(), bling.grant()
    form = {"token": one["refresh_token"], "token_type_hint": "refresh_token"}
    answer = await anonymous.post("/oauth/revoke", data=form, auth=credentials(bling))
    assert answer.json() == {"revoked": True}
    assert (await refresh(anonymous, bling, one["refresh_token"])).status_code == 400
    assert (await call(anonymous, one["access_token"])).status_code == 200
    form = {"token": other["refresh_token"], "revoke_action": "uninstall"}
    await anonymous.post("/oauth/revoke", data=form, auth=credentials(bling))
    assert (await call(anonymous, one["access_token"])).status_code == 401
    assert (await refresh(anonymous, bling, other["refresh_token"])).status_code == 400


async def test_revoking_needs_credentials_and_a_token(anonymous: httpx2.AsyncClient, bling: Bling) -> None:
    assert error(await anonymous.post("/oauth/revoke", data={"token": "x"}))[1] == "invalid_client"
    assert error(await anonymous.post("/oauth/revoke", auth=credentials(bling)))[1] == "invalid_request"
    assert (await anonymous.get("/oauth/revoke")).status_code == 405
