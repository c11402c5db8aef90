"""A leitura do cabeçalho Authorization: Basic no /oauth/token, Bearer na API."""

import base64
import binascii
import hmac
import re

from starlette.requests import Request

from bling_simulator.answers import oauth_error
from bling_simulator.settings import SimulatorSettings

_BEARER = re.compile(r"^Bearer\s+(\S+)\s*$", re.IGNORECASE)


def check_basic(request: Request, settings: SimulatorSettings) -> None:
    """`invalid_client` se não há Basic, ou se as credenciais não são as do aplicativo."""
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        raise oauth_error(400, "invalid_client", "Client credentials were not found in the headers")
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        given = b""
    expected = f"{settings.client_id}:{settings.client_secret}".encode()
    if not hmac.compare_digest(given, expected):
        raise oauth_error(400, "invalid_client", "The client credentials are invalid")


def bearer_token(authorization: str) -> str:
    """O token do cabeçalho; 400 se o cabeçalho não é `Bearer <token>`."""
    match = _BEARER.match(authorization)
    if match is None:
        raise oauth_error(400, "invalid_request", "Malformed auth header")
    return match.group(1)


def wants_jwt(request: Request) -> bool:
    return request.headers.get("enable-jwt") == "1"
