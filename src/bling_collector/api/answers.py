"""O que cada resposta do Bling quer dizer: o corpo pedido, ou um dos erros de `errors.py`.

A política é a tabela `POLICY`, lida por `read_answer`. Puro: aqui ninguém espera nem pede nada.
"""

import re
from collections.abc import Container
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

import httpx2

from bling_collector.api.network import TooLargeError
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
from bling_collector.payload import Json, integer, loads, part

PER_DAY: Final = "por dia"


@dataclass(frozen=True)
class Rule:
    statuses: Container[int]
    error: type[BlingError]
    sentence: str
    types: Container[str] | None = None
    """Os `error.type` a que a regra se limita; None: todos."""

    def covers(self, status: int, kind: str) -> bool:
        return status in self.statuses and (self.types is None or kind in self.types)


_SCOPE: Final = (
    "o aplicativo não tem permissão para este recurso. Marque o escopo dele no cadastro do aplicativo, em "
    "developer.bling.com.br, salve e autorize de novo com `bling-collector auth`."
)

POLICY: Final = (
    # developer.bling.com.br/erros-comuns e /limites; vale a primeira regra que cobre a resposta.
    Rule({401, 403}, BlingScopeError, _SCOPE, types={"insufficient_scope"}),  # 401 até a v328, 403 depois
    Rule({401}, BlingAuthError, "o Bling não aceitou o token de acesso."),
    Rule({403}, BlingScopeError, _SCOPE),
    Rule({404}, BlingNotFoundError, "o recurso não existe, ou não existe mais."),
    Rule({429}, DailyLimitError, "a cota diária da conta acabou; tente amanhã.", types={PER_DAY}),
    Rule({429}, BlingThrottledError, "o limite por segundo da conta foi atingido."),
    Rule({408, 425}, BlingUnavailableError, "o Bling não atendeu a tempo."),
    Rule(range(400, 500), BlingRejectedError, "o Bling recusou o pedido."),
    Rule(range(1000), BlingUnavailableError, "o Bling falhou."),
)
RETRIED: Final = (BlingUnavailableError, BlingThrottledError)
"""O que se resolve pedindo outra vez; nada mais é repetido."""

_BLOCKED: Final = (
    "a resposta não é da API. O IP desta máquina pode estar bloqueado por excesso de requisições: o bloqueio dura "
    "de 10 a 60 minutos (developer.bling.com.br/limites). Espere antes de tentar de novo."
)
_NOT_THE_API: Final = (
    "a resposta não é da API: veio {flaw}. Se é sempre assim, BLING_API_BASE_URL aponta para outro lugar."
)
_ALONE: Final = "a resposta não é da API, mas aos outros pedidos ela responde: é só este que não passa."
_UNANSWERED: Final[tuple[tuple[type[httpx2.RequestError], str], ...]] = (
    (httpx2.ProxyError, "o proxy não deu passagem; confira HTTPS_PROXY e NO_PROXY"),
    (httpx2.ConnectTimeout, "a conexão não abriu a tempo"),
    (httpx2.ConnectError, "a conexão não abriu"),
    (httpx2.TimeoutException, "a resposta não chegou a tempo"),
    (httpx2.DecodingError, "a resposta chegou corrompida"),
    (httpx2.RequestError, "a conexão caiu antes do fim da resposta"),
)


def place(request: httpx2.Request) -> str:
    """Método e caminho, sem os parâmetros."""
    return f"{request.method} {request.url.path}"


def read_answer(request: httpx2.Request, response: httpx2.Response) -> dict[str, Json]:
    """O corpo de uma resposta boa, já lida, com a lista que venha sem envelope em `data`; senão levanta o BlingError
    que a tabela manda.

    Só vale como erro do Bling o que traz o envelope `error` dele: um 404 sem envelope é de um intermediário, e não
    prova que o recurso deixou de existir. `extensions["alone"]` diz que o Bling atende aos outros pedidos.
    """
    status, body, flaw = response.status_code, None, "sem o envelope de erro do Bling"
    if 300 <= status < 400:
        location = response.headers.get("location", "")
        raise BlingMovedError.read(place(request), str(request.url), status, location, "BLING_API_BASE_URL")
    try:
        found = _json(response.content)
        body = {"data": found} if isinstance(found, list) and response.is_success else _as_object(found)
    except ValueError as problem:
        flaw = str(problem)
    said = BlingSaid.read(body)
    if body is not None and response.is_success and said is None:
        return body

    where = f"{place(request)} (HTTP {status}): "
    words = f" O Bling diz: «{_without_token(said.text, request)}»." if said and said.text else ""
    if response.is_success:
        flaw = "com um erro" if said else flaw
        raise BlingBodyError(f"{where}a resposta veio {flaw}.{words}", status=status)
    if said is None and not _speaks_without_envelope(response, body):
        if response.extensions.get("alone"):
            raise BlingRejectedError(f"{where}{_ALONE}", status=status)
        if status in {403, 429}:
            raise BlingUnavailableError(f"{where}{_BLOCKED}", status=status)
        raise BlingBodyError(f"{where}{_NOT_THE_API.format(flaw=flaw)}", status=status)
    kind = PER_DAY if status == 429 and is_daily(response) else said.type if said else ""
    rule = next(rule for rule in POLICY if rule.covers(status, kind))
    raise rule.error(f"{where}{rule.sentence}{words}", status=status)


def unanswered(request: httpx2.Request, error: httpx2.RequestError) -> BlingUnavailableError:
    """O erro de quem não chegou a ter resposta, ou a teve sem tamanho.

    As palavras do cliente HTTP só entram quando a conexão nem abriu: depois disso podem citar um cabeçalho.
    """
    if isinstance(error, TooLargeError):
        return BlingBodyError(f"{place(request)}: a resposta veio grande demais ({error}).")
    sentence = next(sentence for kind, sentence in _UNANSWERED if isinstance(error, kind))
    closed = isinstance(error, (httpx2.ConnectError, httpx2.ProxyError))
    detail = f": {error}" if closed and str(error) else ""
    return BlingUnavailableError(f"{place(request)}: {sentence} ({type(error).__name__}{detail}).")


class Outcome(Enum):
    """O que uma resposta diz ao ritmo."""

    GOOD = auto()
    REFUSED = auto()
    """Um 4xx como outro qualquer: o Bling está bem, e o conta entre os erros do IP."""
    THROTTLED = auto()
    DAILY = auto()
    FAILED = auto()
    BLOCKED = auto()
    """Um 403 ou um 429 que não é da API."""


def outcome_of(response: httpx2.Response) -> Outcome:
    """O veredito sobre uma resposta já lida; o corpo só é aberto quando o código não basta."""
    status = response.status_code
    if response.is_success:
        # Uma página no lugar do JSON é o Bling em manutenção; JSON errado por dentro é outro assunto.
        return Outcome.GOOD if response.content.lstrip()[:1] in (b"{", b"[") else Outcome.FAILED
    if status == 429 and is_daily(response):
        return Outcome.DAILY
    if status in {403, 429} and _is_foreign(response):
        return Outcome.BLOCKED
    if status == 429:
        return Outcome.THROTTLED
    return Outcome.FAILED if status >= 500 or status in {408, 425} else Outcome.REFUSED


def _is_foreign(response: httpx2.Response) -> bool:
    try:
        body = _object(response.content)
    except ValueError:
        return True
    return BlingSaid.read(body) is None and not _speaks_without_envelope(response, body)


def is_daily(response: httpx2.Response) -> bool:
    """Se um 429 já lido é da cota diária: `error.period` (desde a v318) ou, sem ele, o limite e o texto."""
    try:
        body = _object(response.content)
    except ValueError:
        return False
    period = part(body, "error", "period")
    if period:
        return str(period).casefold() == "day"
    said = BlingSaid.read(body)
    by_day = said is not None and re.search(r"\bdia\b|\bdiári", said.text, re.IGNORECASE)
    return (integer(part(body, "error", "limit")) or 0) >= 1000 or bool(by_day)


def retry_after(response: httpx2.Response | None) -> float:
    """Os segundos de `Retry-After`, se vierem (medido: o Bling não o manda); senão 0.0."""
    value = response.headers.get("retry-after", "") if response else ""
    return float(value) if re.fullmatch(r"[0-9]{1,6}", value) else 0.0


def _object(content: bytes) -> dict[str, Json]:
    """O objeto JSON; ValueError diz como a resposta veio."""
    return _as_object(_json(content))


def _json(content: bytes) -> Json:
    """O JSON; ValueError diz como a resposta veio."""
    text = content.strip()
    if not text:
        raise ValueError("vazia")
    try:
        return loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise ValueError("em HTML" if text.startswith(b"<") else "cortada, ou não é JSON") from None


def _as_object(body: Json) -> dict[str, Json]:
    if not isinstance(body, dict):
        raise ValueError("em JSON, mas não é um objeto")  # noqa: TRY004 — o tipo é o do texto que chegou, não o de um argumento
    return body


def _speaks_without_envelope(response: httpx2.Response, body: object) -> bool:
    """Respostas cujo código basta: a biblioteca de OAuth do Bling pode dar um 401 vazio; um 5xx já diz que falhou."""
    status = response.status_code
    return (
        status >= 500
        or (status == 429 and body is not None)
        or (status == 401 and (body is not None or not response.content))
    )


def _without_token(text: str, request: httpx2.Request) -> str:
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    return text.replace(token, "…") if token else text
