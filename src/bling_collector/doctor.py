"""O que falta para coletar, em palavras: configuração, banco, esquema, autorização, Bling e relógio."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from bling_collector.api.bling_client import BlingClient
from bling_collector.api.bling_clock import BlingClock, in_words
from bling_collector.api.knock import knock
from bling_collector.auth.authorization import Authorization
from bling_collector.auth.texts import allow
from bling_collector.auth.token_store import PgTokenStore
from bling_collector.auth.tokens import WARN_DAYS, Token, refresh_ends_at
from bling_collector.clock import SystemClock
from bling_collector.config import SCHEDULE, Settings
from bling_collector.db import schema
from bling_collector.db.companies.schemas import of_company
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.db.connection.database import check_server, server_time, session_settings
from bling_collector.db.connection.session import PINNED, STRICTER
from bling_collector.db.migrations import HEAD
from bling_collector.db.schema import why_unknown
from bling_collector.errors import (
    BlingBodyError,
    BlingNotFoundError,
    BlingRejectedError,
    BlingScopeError,
    BlingUnavailableError,
    CollectorError,
    ConfigurationError,
    ReauthorizeError,
)
from bling_collector.etl.listing import Shown, any_listing
from bling_collector.etl.resource import Resource
from bling_collector.insight.account.learned import read_learned
from bling_collector.insight.account.webhooks import SWITCH_ON, load_webhooks, missed
from bling_collector.streams.notas.nfe import NFE
from bling_collector.streams.registry import chosen, collected
from bling_collector.words import agreed, day, moment, number, plural, several
from bling_collector.workplace.account import Workplace, open_bling
from bling_collector.workplace.database import open_database, token_store

SKEW = timedelta(seconds=30)
_ATTEMPTS: Final = 2
_ENDING: Final = 1
"""O código de uma autorização que vale e está para acabar."""
_NOTED = {name for name in PINNED if name.startswith("default_transaction")} | {"datestyle", "intervalstyle"}
"""Os costumes de um banco que vale dizer que se deixam de lado; um fuso ou outro todo banco tem."""


@dataclass(frozen=True)
class Finding:
    nome: str
    detalhe: str
    exit_code: int = 0
    """Zero se está bem; senão, o código de saída que um comando teria por causa disto."""

    @property
    def ok(self) -> bool:
        return self.exit_code == 0


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Os achados, um a um, na ordem em que convém resolvê-los.

    Do Bling pede uma linha de cada recurso, pelo caminho de uma execução. Nada muda, a não ser o que pedi-las muda: a
    conta das requisições e, se o Bling não aceita mais o token de acesso, o par, renovado e gravado como numa execução.
    """
    clock = BlingClock(SystemClock())
    yield _credentials(settings)
    for finding in (_agenda(settings), odd := _recursos(settings), await _channels(settings)):
        if finding is not None:
            yield finding
    settings = settings if odd is None else replace(settings, recursos=None)  # o resto examina-se como de costume
    asked = None
    try:
        async with open_database(settings, upgrade=False) as (engine, embedded):
            revision = await schema.current_revision(engine)
            async with engine.connect() as connection:
                major = await check_server(connection)
                database_now = await server_time(connection)
            where = "embutido" if embedded else f"em {engine.url.host or 'soquete local'}"
            yield Finding("Banco", f"PostgreSQL {major} {where} atende.")
            yield await _session(engine)
            yield _migrations(revision)
            rights = await _rights(engine) if revision == HEAD else None
            if rights is not None:
                yield rights
            if rights is not None and (heard := await _webhooks(engine, clock.now())) is not None:
                yield heard
            authorisation = (
                await _token(settings, engine)
                if revision == HEAD
                else Finding("Autorização", "não se sabe antes de o esquema estar em dia.", 1)
            )
            if authorisation.exit_code in (0, _ENDING) and rights is not None and rights.ok:
                asked = await _ask(settings, engine, Workplace.of(settings, of_company(engine, None), embedded, clock))
                authorisation = asked.refused or authorisation
            yield authorisation
            for lesson in await _learned(engine) if revision == HEAD else ():
                yield lesson
            if abs(database_now - SystemClock().now()) > SKEW:
                yield Finding(
                    "Relógio", f"o do banco e o desta máquina diferem mais de {SKEW.seconds} s; acerte-os.", 1
                )
    except CollectorError as error:
        yield Finding("Banco", str(error), error.exit_code)
    for finding in asked.findings if asked is not None else [await _knock(settings, clock)]:
        yield finding
    ahead = SystemClock().now() - clock.now()
    if abs(ahead) > SKEW:
        which = "adiantado" if ahead > timedelta() else "atrasado"
        yield Finding(
            "Relógio",
            f"o desta máquina está {in_words(ahead)} {which} em relação ao do Bling; acerte-o. Até lá, para o que se "
            "coleta vale a hora do Bling.",
            1,
        )


def _credentials(settings: Settings) -> Finding:
    try:
        client_id, _ = settings.credentials
    except CollectorError as error:
        return Finding("Credenciais", str(error), error.exit_code)
    return Finding("Credenciais", f"BLING_CLIENT_ID ({client_id[:4]}…) e BLING_CLIENT_SECRET preenchidos.")


def _agenda(settings: Settings) -> Finding | None:
    """A agenda, se não serve; o worker não começaria."""
    if settings.schedule == SCHEDULE and not settings.of_companies:
        return None  # a de costume serve, e não é preciso carregar quem lê as outras
    from bling_collector.jobs.schedule import check_agendas

    try:
        check_agendas(settings)
    except CollectorError as error:
        return Finding("Agenda", str(error), error.exit_code)
    return None


def _recursos(settings: Settings) -> Finding | None:
    """RECURSOS, se pede o que não há."""
    try:
        chosen(settings.recursos)
    except CollectorError as error:
        return Finding("Recursos", str(error), error.exit_code)
    return None


async def _channels(settings: Settings) -> Finding | None:
    """Os destinos de ALERT_URLS que não se conhecem: um alarme não chegaria a eles."""
    if settings.alert_urls is None:
        return None
    from bling_collector.alarms.channels import channels

    urls = settings.alert_urls.get_secret_value()
    odd = [each.name for each in channels(urls, settings.empresa) if not await each.is_known()]
    if not odd:
        return None
    return Finding(
        "Alarmes", f"ALERT_URLS tem o que o Apprise não conhece: {several(odd)}. Corrija-o: nenhum alarme chega lá.", 2
    )


def _migrations(revision: str | None) -> Finding:
    if revision == HEAD:
        return Finding("Esquema", f"em dia (revisão {HEAD}).")
    if why := why_unknown(revision):
        return Finding("Esquema", why, 1)
    what = "as tabelas ainda não existem" if revision is None else f"está na revisão {revision}, e a atual é {HEAD}"
    return Finding("Esquema", f"{what}. Rode `bling-collector db upgrade`.", 1)


async def _learned(engine: AsyncEngine) -> list[Finding]:
    """O que a coleta já aprendeu de como o Bling responde a esta conta; não é preciso rede para o dizer."""
    async with engine.connect() as connection:
        found = await read_learned(connection)
    return [Finding("Aprendido", f"{each.frase} Visto em {_local(each.quando)}.") for each in found]


async def _session(engine: AsyncEngine) -> Finding:
    """Se a sessão é como o coletor a quer, e que costumes do banco ela deixa de lado."""
    async with engine.connect() as connection:
        found = await session_settings(connection, PINNED)
    wrong = [name for name, (ours, _) in found.items() if ours != PINNED[name] and name not in STRICTER]
    if wrong:
        return Finding("Sessão", f"o banco não aceita os ajustes do coletor: {', '.join(sorted(wrong))}.", 1)
    theirs = {name: found[name][1] for name in sorted(_NOTED & found.keys())}
    aside = [f"{name} = {value}" for name, value in theirs.items() if not PINNED[name].startswith(value.split(",")[0])]
    if not aside:
        return Finding("Sessão", "com os ajustes do coletor.")
    return Finding("Sessão", f"com os ajustes do coletor; os do banco ({'; '.join(aside)}) ficam de lado.")


async def _rights(engine: AsyncEngine) -> Finding:
    async with engine.connect() as connection:
        read_only = await schema.why_read_only(connection)
        missing = await schema.missing_rights(connection)
    if read_only:
        return Finding("Permissões", f"o banco {read_only}", 1)
    if missing:
        return Finding("Permissões", missing, 1)
    return Finding("Permissões", "o usuário do banco pode ler e gravar todas as tabelas.")


async def _webhooks(engine: AsyncEngine, now: datetime) -> Finding | None:
    """O que o Bling avisou, se algo chegou, e o que devia ter avisado."""
    found = await load_webhooks(engine, now)
    if not found.any:
        return None
    said = [
        f"{each.recurso}, o último em {_local(each.ultimo)}"
        + (f" ({plural(each.devidos, 'espera', 'esperam')} uma leitura)" if each.devidos else "")
        + (f" ({missed(each.recurso, found.faltas)})" if each.recurso in found.faltas else "")
        for each in found.recursos
    ]
    said += [f"{name}, que o coletor não conhece ({number(count)})" for name, count in found.desconhecidos.items()]
    said += [
        f"{plural(count, 'recusado', 'recusados')} ({why}), o último em {_local(last)}"
        for why, (count, last) in found.recusas.items()
    ]
    silent = f" {SWITCH_ON}" if found.silent else ""
    return Finding("Avisos", f"{'; '.join(said)}.{silent}", 1 if silent else 0)


async def _token(settings: Settings, engine: AsyncEngine) -> Finding:
    try:
        token = await token_store(settings, engine).read()
    except ConfigurationError as error:
        return Finding("Autorização", str(error), error.exit_code)
    if token is None:
        return Finding("Autorização", "ainda não foi dada. Rode `bling-collector auth`.", 3)
    if token.refresh_in_doubt:
        return Finding("Autorização", "perdida no meio de uma renovação. Rode `bling-collector auth`.", 3)
    if token.refused_at:
        refused = f"o Bling a recusou em {_local(token.refused_at)}"
        return Finding("Autorização", f"{refused}. Rode `bling-collector auth`.", 3)
    detail = f"token guardado, válido até {_local(token.expires_at)}; renova-se sozinho"
    end = refresh_ends_at(token.updated_at)
    if end is not None:
        days = (end - SystemClock().now()).days
        detail += f" até {day(end)}"
        if days <= WARN_DAYS:
            left = plural(max(days, 0), "dia", "dias")
            words = f"{detail}: {agreed(days, 'falta', 'faltam')} {left}. Rode `bling-collector run`."
            return Finding("Autorização", words, _ENDING)
    if not settings.token_keys:
        detail += ". Está em claro no banco: TOKEN_ENCRYPTION_KEY o cifra"
    return Finding("Autorização", f"{detail}.")


@dataclass
class _Asked:
    """O que o Bling respondeu a quem pediu como uma execução pede."""

    findings: list[Finding] = field(default_factory=list)
    refused: Finding | None = None
    """A autorização, se ele não a aceita."""


class _AsStored:
    """O token gravado, mesmo que pareça vencido: só se o Bling o recusa se gasta o refresh token, de uso único."""

    def __init__(self, oauth: Authorization, store: PgTokenStore) -> None:
        self._oauth = oauth
        self._store = store

    async def get_valid_access_token(self) -> Token:
        return await self._store.read() or await self._oauth.get_valid_access_token()

    async def renew_after_401(self, rejected: Token) -> Token:
        return await self._oauth.renew_after_401(rejected)

    async def refuse(self, rejected: Token) -> None:
        await self._oauth.refuse(rejected)


async def _ask(settings: Settings, engine: AsyncEngine, workplace: Workplace) -> _Asked:
    """A primeira vai só: o que ela disser da autorização, ou de um Bling fora do ar, vale para as outras."""
    store = token_store(settings, engine)
    async with engine.connect() as connection:
        resources = await collected(connection, settings.recursos)
    listings = [(resource, await any_listing(engine, resource)) for resource in resources]
    # Do que só se lista por um pai que o banco ainda não tem não há o que pedir.
    (first, its_listing), *others = [(resource, each) for resource, each in listings if each is not None]
    async with open_bling(workplace, settings, engine, tokens=lambda oauth: _AsStored(oauth, store)) as reach:
        answers = {first: await _one_row(reach.client, first, its_listing)}
        if not _concerns_all(answers[first]):
            found = await asyncio.gather(*(_one_row(reach.client, *each) for each in others))
            answers |= {resource: error for (resource, _), error in zip(others, found, strict=True)}
    asked = _Asked()
    given = {resource.permission: None for resource, error in answers.items() if error is None}  # uma vale por vários
    lacking = set[str]()
    if given:
        asked.findings.append(Finding("Bling", f"atende, e deixa ler {several([f'«{name}»' for name in given])}."))
    for resource, error in answers.items():
        if isinstance(error, ReauthorizeError):
            asked.refused = Finding("Autorização", str(error), error.exit_code)
        elif isinstance(error, BlingScopeError):
            if resource.permission in lacking:
                continue
            lacking.add(resource.permission)
            asked.findings.append(Finding("Permissão", _missing(resource.permission), error.exit_code))
        elif error is not None:
            asked.findings.append(Finding("Bling", str(error), error.exit_code))
    return asked


async def _one_row(client: BlingClient, resource: Resource, listing: Shown) -> CollectorError | None:
    """O que impede de ler este recurso, ou None se nada."""
    paging = {"paged": resource.paged, "sized": resource.sized}
    try:
        if resource.snapshot is not None:
            await client.none(resource.path, resource.snapshot.param, attempts=_ATTEMPTS)
        elif resource.listed:
            await client.one_row(listing.path, listing.params, key=resource.key, attempts=_ATTEMPTS, **paging)
        else:
            await client.none(resource.path, resource.detail_by, attempts=_ATTEMPTS)
    except CollectorError as error:
        # Recusar o que não há num pai também é responder.
        refused = isinstance(error, BlingRejectedError | BlingNotFoundError)
        return None if resource.each is not None and refused else error
    return None


def _concerns_all(error: CollectorError | None) -> bool:
    """Se o erro não é deste recurso, e os outros responderiam o mesmo."""
    if error is None or isinstance(error, BlingScopeError | BlingBodyError | BlingRejectedError):
        return False
    return not (isinstance(error, BlingUnavailableError) and error.status is not None)


def _missing(permission: str) -> str:
    return f"falta ao aplicativo a de ler «{permission}». {allow(permission)}"


async def _knock(settings: Settings, clock: BlingClock) -> Finding:
    try:
        await knock(settings.bling_api_base_url, clock, NFE.path)
    except CollectorError as error:
        return Finding("Bling", str(error), error.exit_code)
    return Finding("Bling", "a API responde; o que ela deixa ler, só se sabe com a autorização.")


def _local(at: datetime) -> str:
    return f"{moment(at)}, hora de Brasília"
