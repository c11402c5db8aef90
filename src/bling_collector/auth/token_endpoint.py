"""O endereço que dá os tokens do Bling: um POST, enviado uma vez só, e o que a resposta quer dizer.

Referência: developer.bling.com.br/autenticacao. Não guarda nada nem repete nada.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, TypeGuard

import httpx2

from bling_collector.auth.texts import AGAIN
from bling_collector.auth.tokens import Token
from bling_collector.clock import Clock
from bling_collector.errors import (
    BlingMovedError,
    BlingRejectedError,
    BlingSaid,
    BlingUnavailableError,
    CollectorError,
    ConfigurationError,
    ReauthorizeError,
    UsageError,
)
from bling_collector.payload import Json, integer, loads, part

LIFE: Final = 21600
"""Segundos de um token de acesso quando `expires_in` falta ou não serve."""
LONGEST_LIFE: Final = 31 * 86400

_NOT_SENT: Final = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)
"""As falhas em que nada chegou a ser enviado."""

_REFUSALS: Final[Mapping[str, tuple[type[CollectorError], str]]] = {
    "invalid_grant": (ReauthorizeError, AGAIN),
    "VALIDATION_ERROR": (ReauthorizeError, AGAIN),  # o código usado duas vezes vem assim
    "UNAUTHORIZED_ERROR": (ReauthorizeError, f"Confira no Bling se a conta e o usuário estão ativos. {AGAIN}"),
    "invalid_client": (
        ConfigurationError,
        "Confira BLING_CLIENT_ID e BLING_CLIENT_SECRET com a página do aplicativo em developer.bling.com.br.",
    ),
}
"""Por `error.type`: o erro, e o que fazer."""

_MEANINGS: Final[Mapping[str, str]] = {
    "Invalid refresh token": "o refresh token já foi usado ou foi revogado",
    "Refresh token has expired": "o refresh token passou dos 30 dias",
    "The authorization code has expired": "o código de autorização vale 1 minuto, e o minuto passou",
    "Authorization code doesn't exist or is invalid for the client": "o código não existe, ou é de outro aplicativo",
    "This authorization code has already been used, for security reasons the user has been revoked.": (
        "o código já tinha sido usado e, por segurança, o Bling revogou a autorização"
    ),
    "The client credentials are invalid": "o client id ou o client secret não confere",
    "Client credentials were not found in the headers": "o client id e o client secret não chegaram",
    "A empresa vinculada ao token esta inativa.": "a empresa está inativa",
}
"""Por `error.description`: o que ela quer dizer."""


class DeniedError(UsageError):
    """O dono da conta não quis autorizar, na tela do Bling."""

    title = "Autorização negada"


_CALLBACK: Final[Mapping[str, tuple[type[CollectorError], str]]] = {
    "access_denied": (DeniedError, "A autorização foi negada na tela do Bling. Comece de novo e escolha autorizar."),
    "app_inativo": (
        ReauthorizeError,
        f"O aplicativo está inativo no Bling por ora. Reative-o em developer.bling.com.br. {AGAIN}",
    ),
    "UNAUTHORIZED_ERROR": (
        ReauthorizeError,
        "Este usuário não pode autorizar: falta-lhe permissão no Bling, ou a conta tem pendências. "
        "Autorize com o usuário administrador.",
    ),
}


class OutcomeUnknownError(Exception):
    """O pedido saiu e a resposta não chegou inteira, ou não se deixa ler: o token pode ter sido gasto."""


class TokenEndpoint:
    """Pede tokens; o aplicativo se identifica por HTTP Basic, que é o que o Bling aceita."""

    def __init__(self, http: httpx2.AsyncClient, clock: Clock, url: str, client_id: str, client_secret: str) -> None:
        self._http = http
        self._clock = clock
        self._url = url
        self._client_id = client_id
        self._client_secret = client_secret

    async def exchange(self, code: str) -> Token:
        """O primeiro par, pelo código do retorno. Os mesmos erros de `refresh`."""
        form = {"grant_type": "authorization_code", "code": code}
        return await self._ask(form, spend=code, afterwards=f"O código não serve mais. {AGAIN}")

    async def refresh(self, refresh_token: str) -> Token:
        """O par seguinte; o refresh token velho fica, se não vem outro.

        OutcomeUnknownError se o token pode ter sido gasto. Nos outros erros ele está intacto: BlingUnavailableError
        (nada saiu, ou o Bling respondeu que falhou), BlingMovedError, ReauthorizeError, ConfigurationError,
        BlingRejectedError.
        """
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        afterwards = "A autorização guardada continua a mesma; tente de novo mais tarde."
        return await self._ask(form, spend=refresh_token, keep=refresh_token, afterwards=afterwards)

    async def _ask(self, form: dict[str, str], *, spend: str, afterwards: str, keep: str = "") -> Token:
        began = self._clock.monotonic()
        response = await self._post(form, afterwards)
        # Contada da resposta, que pode ter dito ao relógio a hora do Bling: é nela que o token vence.
        asked_at = self._clock.now() - timedelta(seconds=self._clock.monotonic() - began)
        if 300 <= response.status_code < 400:
            location = response.headers.get("location", "")
            raise BlingMovedError.read(
                "Pedido de token", self._url, response.status_code, location, "BLING_OAUTH_URL", afterwards
            )
        try:
            body = loads(response.content.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            body = None
        said = BlingSaid.read(body)
        if response.is_success and said is None:
            return _pair(body, asked_at, keep)
        raise _refusal(response.status_code, said, (spend, self._client_secret), afterwards)

    async def _post(self, form: dict[str, str], afterwards: str) -> httpx2.Response:
        request = self._http.stream(
            "POST",
            self._url,
            data=form,
            auth=httpx2.BasicAuth(self._client_id, self._client_secret),
            headers={"Accept": "application/json", "enable-jwt": "1"},
            timeout=httpx2.Timeout(30, connect=10),
            follow_redirects=False,
        )
        response = None
        try:
            async with request as response:
                await response.aread()
        except _NOT_SENT as error:
            raise BlingUnavailableError(
                f"A conexão com {httpx2.URL(self._url).host} não abriu ({type(error).__name__}); "
                f"o pedido de token não foi enviado. {afterwards}"
            ) from None
        except httpx2.RequestError as error:
            if response is None or response.is_success:
                raise OutcomeUnknownError(type(error).__name__) from None
            return httpx2.Response(response.status_code)  # o código basta: ele já diz que não há par novo
        return response


def callback_error(error: str, description: str = "") -> CollectorError:
    """O erro, para quem chama levantar, que o Bling manda em `?error=` ao endereço de retorno."""
    unknown = (DeniedError, f"O Bling não autorizou ({_one_line(error)}). {AGAIN}")
    kind, sentence = _CALLBACK.get(error, unknown)
    words = _one_line(description)
    return kind(f"{sentence} O Bling diz: «{words}»." if words else sentence)


def _pair(body: Json, asked_at: datetime, keep: str) -> Token:
    access, refresh = part(body, "access_token"), part(body, "refresh_token") or keep
    kind = part(body, "token_type") or "Bearer"
    if not (_is_token(access) and _is_token(refresh) and str(kind).casefold() == "bearer"):
        raise OutcomeUnknownError("a resposta não traz um par de tokens")
    life = integer(part(body, "expires_in")) or 0
    expires_at = asked_at + timedelta(seconds=life if 0 < life <= LONGEST_LIFE else LIFE)
    return Token(access_token=access, refresh_token=refresh, expires_at=expires_at, updated_at=asked_at)


def _is_token(value: Json) -> TypeGuard[str]:
    """Só o que cabe num cabeçalho HTTP."""
    return isinstance(value, str) and re.fullmatch(r"[!-~]+", value) is not None


def _refusal(status: int, said: BlingSaid | None, hidden: tuple[str, ...], afterwards: str) -> CollectorError:
    where = f"O Bling não deu o token (HTTP {status})"
    if status == 429 or (status == 403 and said is None):
        return BlingUnavailableError(
            f"{where}: pedidos demais. O IP desta máquina pode estar bloqueado por até uma hora "
            f"(developer.bling.com.br/limites). {afterwards}",
            status=status,
        )
    if said is None:
        return BlingUnavailableError(f"{where}, e a resposta não é da API. {afterwards}", status=status)
    words = said.text
    for secret in hidden:
        words = words.replace(secret, "…") if secret else words
    reason = f"{where}: {_MEANINGS[said.text]} («{words}»)." if said.text in _MEANINGS else f"{where}: «{words}»."
    if said.type in _REFUSALS:
        kind, remedy = _REFUSALS[said.type]
        return kind(f"{reason} {remedy}")
    if 400 <= status < 500:
        return BlingRejectedError(f"{reason} {afterwards}", status=status)
    return BlingUnavailableError(f"{reason} {afterwards}", status=status)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
