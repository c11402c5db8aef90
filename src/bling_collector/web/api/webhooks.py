"""Os avisos do Bling: conferidos pela assinatura, guardados, e mais nada. Quem os lê é o worker, ou a execução."""

import hmac
from contextlib import suppress
from hashlib import sha256
from typing import Final, NoReturn

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from bling_collector.db import empresa, events
from bling_collector.errors import CollectorError, UnknownCompanyError, UsageError
from bling_collector.payload import loads
from bling_collector.streams.announced import Event, read_event
from bling_collector.web.api.answers import problems, refusals
from bling_collector.web.service import AllServices, AskedCompany, Service, Services

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
    """O aviso é de outra empresa que não a deste endereço."""

    http_status = 403
    title = "O aviso é de outra empresa"


class UnknownOwnerError(CollectorError):
    """Ainda não se sabe de que empresa é a conta que se coleta."""

    http_status = 503
    title = "Ainda não se sabe de que empresa é a conta"


class Received(BaseModel):
    """O aviso ficou guardado."""

    status: str = Field(description="`recebido`, ou `repetido` se já se tinha o mesmo `eventId`")


_RESPONSES: Final = problems(422, 503) | refusals(
    {
        401: "A assinatura falta, ou não confere",
        403: "O aviso é de outra empresa",
        413: "O aviso é grande demais",
        429: "Muitas assinaturas que não conferem, do mesmo endereço",
    }
)


@router.post(
    PATH,
    summary="Um aviso do Bling: um registro mudou",
    description="Quem o chama é o Bling, e a chave é a assinatura: `X-Bling-Signature-256`, o HMAC-SHA256 do corpo com "
    "o client secret. O aviso só diz que registro ler outra vez; o que ele traz não se guarda.",
    responses=_RESPONSES,
)
async def receive(request: Request, empresa: AskedCompany, services: AllServices) -> Received:
    return await _receive(request, services, empresa, shared=True)


@router.post(
    PATH + "/{empresa}",
    summary="Um aviso do Bling a uma empresa, onde há várias",
    description="O mesmo, com o client secret do aplicativo dessa empresa. As que dividem um aplicativo, que no Bling "
    "tem um endereço só, recebem os avisos todas no outro.",
    responses=_RESPONSES,
)
async def receive_of(request: Request, empresa: str, services: AllServices) -> Received:
    return await _receive(request, services, empresa, shared=False)


async def _receive(request: Request, services: Services, name: str | None, *, shared: bool) -> Received:
    """Guarda o aviso; com `shared`, se não é desta empresa, na de que ele é, se as duas dividem este aplicativo."""
    body = await request.body()
    if len(body) > MAX_BODY:
        raise TooLargeEventError(f"O aviso passa de {MAX_BODY // 1024} KB, e os do Bling têm poucos.")
    try:
        service = await services.of(name)
    except UnknownCompanyError:  # a mesma recusa: quem não assina não fica a saber que empresas há
        await _forged(request, services, services.main)
    _, secret = service.settings.credentials
    if not _is_signed(body, request.headers.get(HEADER, ""), secret.get_secret_value()):
        await _forged(request, services, service)
    now = service.clock.now()
    try:
        event = read_event(loads(body), now)
    except (UsageError, ValueError, RecursionError) as error:
        await _count(service, "conteúdo")
        raise error if isinstance(error, UsageError) else UsageError("O aviso não é JSON que se leia.") from error
    said = await _keep(service, event)
    if said is None and shared and (other := await _whose(services, event.company, secret.get_secret_value())):
        said = await _keep(other, event)
    if said is not None:
        return said
    async with service.opened() as account, account.engine.connect() as connection:
        ours = await empresa.load(connection)
    if ours is None or not ours.bling_id:
        raise UnknownOwnerError("Rode a primeira coleta (`bling-collector run`); o Bling repete o aviso.")
    await _count(service, "empresa")
    raise EventOfAnotherCompanyError(
        f"O aviso é da empresa {event.company}, e este banco é de {ours.name}. Nada se guardou dele."
    )


async def _keep(service: Service, event: Event) -> Received | None:
    """Guarda o aviso; None se não é desta empresa."""
    async with service.opened() as account, account.engine.begin() as connection:
        if await events.keep(connection, event.row, event.company):
            return Received(status="recebido")
        ours = await empresa.load(connection)
    return Received(status="repetido") if ours is not None and event.company == ours.bling_id else None


def _is_signed(body: bytes, given: str, secret: str) -> bool:
    """Em tempo constante: pelo que se demora não se adivinha a assinatura."""
    expected = hmac.new(secret.encode(), body, sha256).hexdigest()
    algorithm, _, signature = given.strip().partition("=")
    return algorithm.lower() == "sha256" and hmac.compare_digest(signature.lower().encode(), expected.encode())


async def _whose(services: Services, company: str, secret: str) -> Service | None:
    """O serviço da empresa de que é o aviso, se tem o mesmo aplicativo."""
    found = await services.called(company)
    same = found.settings.bling_client_secret if found is not None else None
    return found if same is not None and same.get_secret_value() == secret else None


async def _forged(request: Request, services: Services, service: Service) -> NoReturn:
    """Recusa, contando as de cada endereço: quem as inventa espera, e as que conferem passam sempre."""
    caller = request.client.host if request.client else ""
    if wait := services.forged.wait(caller):
        raise TooManyForgedError(f"Foram muitas assinaturas que não conferem. Espere {wait} s.")
    services.forged.failed(caller)
    with suppress(CollectorError):  # se o banco não a conta, recusa-se assim mesmo
        await _count(service, "assinatura")
    missing = f"Falta o cabeçalho {HEADER}." if HEADER not in request.headers else f"{HEADER} não confere com o corpo."
    raise ForgedEventError(
        f"{missing} É o HMAC-SHA256 do corpo, com o client secret do aplicativo: `sha256=<hexadecimal>`. Se o secret "
        "foi trocado no Bling, atualize BLING_CLIENT_SECRET; se o endereço diz uma empresa, confira o nome dela."
    )


async def _count(service: Service, motivo: str) -> None:
    async with service.opened() as account, account.engine.begin() as connection:
        await events.refuse(connection, motivo, service.clock.now())
