"""Os avisos do Bling: conferidos pela assinatura, guardados, e mais nada. Quem os lê é o worker, ou a execução."""

import hmac
from hashlib import sha256
from typing import Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from bling_collector.db import empresa, events
from bling_collector.errors import CollectorError, UsageError
from bling_collector.payload import loads
from bling_collector.streams.announced import read_event
from bling_collector.web.api.answers import problems, refusals
from bling_collector.web.service import OneService, Service

router = APIRouter(tags=["Avisos do Bling"])

PATH: Final = "/webhooks/bling"
HEADER: Final = "X-Bling-Signature-256"
MAX_BODY: Final = 256 * 1024
"""Bytes de um aviso; os do Bling têm poucos KB."""


class ForgedEventError(CollectorError):
    """A assinatura falta, ou não confere."""

    http_status = 401
    title = "A assinatura não confere"


class TooManyForgedError(CollectorError):
    """Muitas assinaturas que não conferem, do mesmo endereço."""

    http_status = 429
    title = "Muitas assinaturas que não conferem"


class TooLargeEventError(CollectorError):
    """O aviso é grande demais para ser do Bling."""

    http_status = 413
    title = "Aviso grande demais"


class EventOfAnotherCompanyError(CollectorError):
    """O aviso é de outra empresa que não a deste banco."""

    http_status = 403
    title = "O aviso é de outra empresa"


class UnknownCompanyError(CollectorError):
    """Ainda não se sabe de que empresa é este banco."""

    http_status = 503
    title = "Ainda não se sabe de que empresa é este banco"


class Received(BaseModel):
    """O aviso ficou guardado."""

    status: str = Field(description="`recebido`, ou `repetido` se já se tinha o mesmo `eventId`")


@router.post(
    PATH,
    summary="Um aviso do Bling: um registro mudou",
    description="Quem o chama é o Bling, e a chave é a assinatura: `X-Bling-Signature-256`, o HMAC-SHA256 do corpo com "
    "o client secret. O aviso só diz que registro ler outra vez; o que ele traz não se guarda.",
    responses=problems(422, 503)
    | refusals(
        {
            401: "A assinatura falta, ou não confere",
            403: "O aviso é de outra empresa",
            413: "O aviso é grande demais",
            429: "Muitas assinaturas que não conferem, do mesmo endereço",
        }
    ),
)
async def receive(request: Request, service: OneService) -> Received:
    _, secret = service.settings.credentials
    body = await request.body()
    if len(body) > MAX_BODY:
        raise TooLargeEventError(f"O aviso passa de {MAX_BODY // 1024} KB, e os do Bling têm poucos.")
    if not _is_signed(body, request.headers.get(HEADER, ""), secret.get_secret_value()):
        await _forged(request, service)
    now = service.clock.now()
    try:
        event = read_event(loads(body), now)
    except (UsageError, ValueError, RecursionError) as error:
        await _count(service, "conteúdo")
        raise error if isinstance(error, UsageError) else UsageError("O aviso não é JSON que se leia.") from error
    async with service.opened() as account, account.engine.begin() as connection:
        ours = await empresa.load(connection)
        if ours is None or not ours.bling_id:
            raise UnknownCompanyError("Rode a primeira coleta (`bling-collector run`); o Bling repete o aviso.")
        if event.company.strip().lower() == ours.bling_id:
            return Received(status="recebido" if await events.keep(connection, event.row) else "repetido")
    await _count(service, "empresa")
    raise EventOfAnotherCompanyError(
        f"O aviso é da empresa {event.company}, e este banco é de {ours.name}. Nada se guardou dele."
    )


def _is_signed(body: bytes, given: str, secret: str) -> bool:
    """Em tempo constante: pelo que se demora não se adivinha a assinatura."""
    expected = hmac.new(secret.encode(), body, sha256).hexdigest()
    algorithm, _, signature = given.strip().partition("=")
    return algorithm.lower() == "sha256" and hmac.compare_digest(signature.lower().encode(), expected.encode())


async def _forged(request: Request, service: Service) -> None:
    """Recusa, contando as de cada endereço: quem as inventa espera, e as que conferem passam sempre."""
    caller = request.client.host if request.client else ""
    if wait := service.forged.wait(caller):
        raise TooManyForgedError(f"Foram muitas assinaturas que não conferem. Espere {wait} s.")
    service.forged.failed(caller)
    await _count(service, "assinatura")
    missing = f"Falta o cabeçalho {HEADER}." if HEADER not in request.headers else f"{HEADER} não confere com o corpo."
    raise ForgedEventError(
        f"{missing} É o HMAC-SHA256 do corpo, com o client secret do aplicativo: `sha256=<hexadecimal>`. Se o secret "
        "foi trocado no Bling, atualize BLING_CLIENT_SECRET."
    )


async def _count(service: Service, motivo: str) -> None:
    async with service.opened() as account, account.engine.begin() as connection:
        await events.refuse(connection, motivo, service.clock.now())
