"""A sessão do painel: um cookie assinado com API_TOKEN, ou com o que se guarda do token de uma empresa, que vence e que
não diz nada deles."""

import hmac
import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

COOKIE: Final = "sessao"
LIFE: Final = timedelta(days=7)
_PURPOSE: Final = b"bling-collector: sessao do painel"


def issue(token: str, now: datetime, only: str | None = None) -> str:
    """O valor do cookie: quando vence, um número só seu, a empresa, se só abre uma (`only`), e a assinatura disso.

    Trocar o token acaba com todas as sessões dele; sair, com a de quem sai.
    """
    what = f"{int((now + LIFE).timestamp())}-{secrets.token_hex(8)}" + (f"-{only}" if only else "")
    return f"{what}.{_signature(token, what)}"


def is_valid(token: str, value: str, now: datetime) -> bool:
    """Se o valor foi assinado com este token e ainda não venceu."""
    what, _, signature = value.partition(".")
    given = signature.encode("utf-8", "surrogateescape")
    return hmac.compare_digest(given, _signature(token, what).encode()) and now < ends_at(value)


def only_company(value: str) -> str | None:
    """A empresa que o cookie diz abrir; None se diz abrir todas."""
    return value.partition(".")[0].partition("-")[2].partition("-")[2] or None


def ends_at(value: str) -> datetime:
    """Quando vence a sessão de um cookie que nós assinamos."""
    return datetime.fromtimestamp(int(value.partition(".")[0].partition("-")[0]), UTC)


def _signature(token: str, what: str) -> str:
    key = hmac.new(token.encode("utf-8", "surrogateescape"), _PURPOSE, sha256).digest()
    return hmac.new(key, what.encode("utf-8", "surrogateescape"), sha256).hexdigest()


def given(scope: Scope) -> str | None:
    """O cookie que o pedido traz; de quem é, é `is_valid` que o diz."""
    return cookie_parser(Headers(scope=scope).get("cookie", "")).get(COOKIE)
