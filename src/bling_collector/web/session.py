"""A sessão do painel: um cookie assinado com API_TOKEN, que vence e que não diz nada do token."""

import hmac
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

COOKIE: Final = "sessao"
LIFE: Final = timedelta(days=7)
_PURPOSE: Final = b"bling-collector: sessao do painel"


def issue(token: str, now: datetime) -> str:
    """O valor do cookie: quando vence e a assinatura disso. Trocar API_TOKEN acaba com todas as sessões."""
    ends = str(int((now + LIFE).timestamp()))
    return f"{ends}.{_signature(token, ends)}"


def is_valid(token: str, value: str, now: datetime) -> bool:
    """Se o valor foi assinado com este token e ainda não venceu."""
    ends, _, signature = value.partition(".")
    given = signature.encode("utf-8", "surrogateescape")
    if not hmac.compare_digest(given, _signature(token, ends).encode()):
        return False
    return now.timestamp() < int(ends)  # assinado por nós: é um número


def _signature(token: str, ends: str) -> str:
    key = hmac.new(token.encode("utf-8", "surrogateescape"), _PURPOSE, sha256).digest()
    return hmac.new(key, ends.encode("utf-8", "surrogateescape"), sha256).hexdigest()


def is_there(scope: Scope, token: str, now: datetime) -> bool:
    """Se o pedido traz o cookie de uma sessão que vale."""
    value = cookie_parser(Headers(scope=scope).get("cookie", "")).get(COOKIE)
    return value is not None and is_valid(token, value, now)
