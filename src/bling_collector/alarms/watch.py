"""Os alarmes: uma mensagem a cada mudança de estado, a quem ALERT_URLS diz. Uma que falha nunca derruba a coleta."""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bling_collector.alarms import states, texts
from bling_collector.alarms.channels import NAME, Channel
from bling_collector.alarms.digest import compose
from bling_collector.auth.token_cipher import TokenCipher
from bling_collector.clock import Clock, brasilia_day
from bling_collector.db import control, schema
from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.connection.database import explanation
from bling_collector.db.connection.patience import patiently
from bling_collector.errors import CollectorError, DatabaseError, ReauthorizeError
from bling_collector.insight import alarms as names
from bling_collector.insight.account.token_status import TokenStatus
from bling_collector.insight.account.webhooks import Webhooks, read_webhooks
from bling_collector.insight.advance import advanced_at
from bling_collector.insight.alarms import AVISO, ERRO, NORMAL, Alarm
from bling_collector.insight.freshness import load_freshness
from bling_collector.insight.proof.reconciliation import read_proofs
from bling_collector.insight.status import load_status
from bling_collector.streams.registry import RESOURCES
from bling_collector.words import lower_first

log = logging.getLogger(__name__)

_UNREACHABLE: Final = (SQLAlchemyError, CollectorError, OSError)
_PATIENCE: Final = 60.0
"""Segundos que o resumo do dia tem para ser feito e mandado."""
_SILENT: Final = 3
_SILENT_FOR: Final = timedelta(hours=1)
"""Mudanças sem aviso, e há quanto tempo, para que se diga que o Bling deixou de avisar."""
_LEVELS: Final = {NORMAL: "success", AVISO: "warning", ERRO: "failure"}


@dataclass(frozen=True)
class Ended:
    """Uma execução que acabou."""

    run_id: int | None
    """None se o banco não a deixou nem começar."""
    tipo: str
    status: str
    error: BaseException | None = None
    unlikely: tuple[str, ...] = ()
    """As exclusões improváveis que esperam a palavra de uma pessoa."""
    looked_for_gone: bool = False
    """Procurou, até o fim, o que sumiu do Bling: se não há exclusão improvável, nenhuma espera."""


class Alarms:
    """Guarda o estado de cada alarme no banco, e diz a cada destino só o que mudou desde a última vez que lhe falou.

    Nenhum método levanta erro por causa do banco ou de um destino: o que não se pôde dizer fica para a próxima ocasião.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        cipher: TokenCipher,
        clock: Clock,
        channels: Sequence[Channel],
        *,
        no_run_hours: int,
        recursos: Collection[str] | None = None,
        digest: bool = False,
    ) -> None:
        """`recursos` são os que `RECURSOS` pede; com `digest`, manda-se também o resumo do dia."""
        self._engine = engine
        self._cipher = cipher
        self._clock = clock
        self._channels = channels
        self._no_run_hours = no_run_hours
        self._recursos = recursos
        self._digest = digest
        self._background: set[asyncio.Task[None]] = set()
        self._said_without_state: set[tuple[str, str]] = set()
        self._unchecked: set[str] = set()
        """O que já se disse que os impede: é dito uma vez, e não a cada tentativa."""

    async def raise_(self, nome: str, mensagem: str, *, estado: str = ERRO) -> None:
        """O alarme soa (`aviso` ou `erro`). Se o banco não guarda o estado, a mensagem sai assim mesmo, uma vez."""
        if await self._set(nome, estado, mensagem):
            self._said_without_state.discard((nome, estado))  # daqui em diante é o banco que sabe a quem já se disse
            await self.deliver()
        elif (nome, estado) not in self._said_without_state:
            self._said_without_state.add((nome, estado))
            await asyncio.gather(*(_tell(channel, nome, estado, mensagem) for channel in self._channels))

    async def clear(self, nome: str) -> None:
        """O que o alarme dizia passou."""
        self._said_without_state -= {(nome, AVISO), (nome, ERRO)}
        await self._set(nome, NORMAL, "")
        await self.deliver()

    def unsaved(self, is_unsaved: bool) -> None:
        """O banco não aceita um par de tokens já trocado no Bling, ou voltou a aceitá-lo. Di-lo em segundo plano."""
        work = self.raise_(names.TOKEN, texts.UNSAVED) if is_unsaved else self.clear(names.TOKEN)
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def run_ended(self, ended: Ended) -> None:
        """O que o fim de uma execução diz aos alarmes. Sem o banco, uma que falhou diz-se assim mesmo."""
        if ended.run_id is None:
            await self.raise_(names.BANCO, texts.not_begun(str(ended.error)))
            return
        try:
            async with self._engine.begin() as connection:
                now, asked_bling = self._clock.now(), ended.tipo != "reprocess"
                if isinstance(ended.error, ReauthorizeError):
                    await states.set_state(connection, names.RECUSADA, ERRO, texts.REFUSED, now)
                elif ended.status == "success" and asked_bling:
                    await states.set_normal(connection, names.RECUSADA, now)
                if ended.status in {"success", "partial"}:
                    await states.set_normal(connection, names.BANCO, now)
                if ended.unlikely:
                    await states.set_state(connection, names.EXCLUSOES, ERRO, texts.unlikely(ended.unlikely), now)
                elif ended.looked_for_gone:
                    await states.set_normal(connection, names.EXCLUSOES, now)
                # As diferenças são assunto do alarme delas; e refazer o que já se tinha não cura uma coleta que falhou.
                if ended.status == "error" or ended.error is not None or (asked_bling and ended.tipo != "reconcile"):
                    await _judge(connection, names.EXECUCAO, await _about_the_run(connection, ended), now)
        except _UNREACHABLE as error:
            self._say_unchecked(error)
            if ended.status != "success":
                await self.raise_(names.EXECUCAO, _about_the_end(ended))
            return
        await self.check()
        if self._digest and ended.tipo == "run" and ended.status in {"success", "partial"}:
            await self.tell_the_day()

    async def tell_the_day(self) -> None:
        """Manda o resumo de ontem a cada destino que hoje ainda não o recebeu. O que dê errado fica no log."""
        now = self._clock.now()
        try:
            async with asyncio.timeout(_PATIENCE), states.delivering(self._engine) as connection:
                if connection is None:
                    return  # outro processo o está mandando
                today = brasilia_day(now)
                before = {each: await states.digest_day(connection, each.key) for each in self._channels}
                waiting = [each for each, last in before.items() if last != today]
                if not waiting:
                    return
                title, body = await compose(
                    self._engine, self._cipher, now, no_run_hours=self._no_run_hours, recursos=self._recursos
                )
                took: set[Channel] = set()

                async def send(each: Channel) -> None:
                    if await each.send(title, body):
                        took.add(each)

                try:
                    for each in waiting:  # antes de mandar: quem morre a meio não o manda duas vezes
                        await states.note_digest(connection, each.key, today)
                    await asyncio.gather(*map(send, waiting))
                finally:  # também quando o tempo acaba a meio: o que um destino não aceitou ainda se lhe deve
                    for each in set(waiting) - took:
                        await states.note_digest(connection, each.key, before[each])
        except Exception as error:  # noqa: BLE001 — um resumo nunca derruba a coleta
            log.error("O resumo do dia não pôde ser mandado (%s); fica para a próxima execução.", type(error).__name__)

    async def check(self, *, patience: float = 0.0) -> CollectorError | None:
        """Olha o que não depende de uma execução acabar e diz o que mudou. Se o banco não deixa, diz isso, uma vez, e
        devolve por quê.

        Por um banco fora do ar espera até `patience` segundos: um que reinicia não é um alarme.
        """
        try:
            await patiently(self._look, patience=patience)
        except _UNREACHABLE as error:
            why = self._say_unchecked(error)
            await self.raise_(names.BANCO, texts.unchecked(str(why)))
            return why
        self._unchecked.clear()
        if (names.BANCO, ERRO) in self._said_without_state:
            await asyncio.gather(*(_tell(channel, names.BANCO, NORMAL, texts.BACK) for channel in self._channels))
        await self.clear(names.BANCO)
        return None

    async def _look(self) -> None:
        async with self._engine.connect() as connection:
            await schema.check_usable(connection)
        now = self._clock.now()
        oauth = (await load_status(self._engine, self._cipher, now)).oauth
        async with self._engine.begin() as connection:
            fresh = await load_freshness(connection, now)
            ran = fresh.first_at is not None
            await _judge(connection, names.AUTORIZACAO, _about_the_token(oauth, ran=ran), now)
            reconciliation, others = await read_proofs(connection, now, self._recursos)
            different = (notas := reconciliation.different) or any(each.found.different for each in others)
            verdict = (AVISO, texts.differs(notas, others)) if different else None
            await _judge(connection, names.CONFERENCIA, verdict, now)
            late = fresh.is_stale(now, self._no_run_hours)
            verdict = (ERRO, texts.not_read(self._no_run_hours, fresh.read_at)) if late else None
            await _judge(connection, names.SEM_EXECUCAO, verdict, now)
            await _judge(
                connection, names.SEM_AVISOS, _about_the_silence(await read_webhooks(connection, now), now), now
            )

    async def deliver(self) -> None:
        """Diz a cada destino o que mudou desde o que ele ouviu por último."""
        if not self._channels:
            return
        tried: set[tuple[str, str]] = set()
        """O que um destino não aceitou fica para depois."""
        try:
            while await self._deliver_all(tried):
                pass
        except _UNREACHABLE as error:
            self._say_unchecked(error)

    async def _deliver_all(self, tried: set[tuple[str, str]]) -> bool:
        """Diz o que há, menos o que já se tentou; se depois, com a vez já dada, há mais."""
        async with states.delivering(self._engine) as connection:
            if connection is None:
                return False  # outro processo está avisando, e olha de novo depois de acabar
            while news := await self._untried(connection, tried):
                tried |= {(alarm.nome, alarm.estado) for alarm, _ in news}
                for alarm, heard in news:
                    await self._deliver(connection, alarm, heard)
        async with self._engine.connect() as connection:
            return bool(await self._untried(connection, tried))

    async def _untried(
        self, connection: AsyncConnection, tried: Collection[tuple[str, str]]
    ) -> list[tuple[Alarm, Mapping[str, str]]]:
        return [a for a in await states.heard(connection) if (a[0].nome, a[0].estado) not in tried]

    async def _deliver(self, connection: AsyncConnection, alarm: Alarm, heard: Mapping[str, str]) -> None:
        waiting = [c for c in self._channels if heard.get(c.key, NORMAL) != alarm.estado]
        took = await asyncio.gather(*(_tell(channel, alarm.nome, alarm.estado, alarm.mensagem) for channel in waiting))
        told = {channel.key: alarm.estado for channel, ok in zip(waiting, took, strict=True) if ok}
        if told:
            await states.told(connection, alarm.nome, told)

    async def untold(self) -> list[str]:
        """Os destinos que ainda não ouviram um alarme que está soando."""
        async with self._engine.connect() as connection:
            found = await states.heard(connection)
        sounding = [(alarm.estado, heard) for alarm, heard in found if alarm.estado != NORMAL]
        return sorted({c.name for c in self._channels for estado, heard in sounding if heard.get(c.key) != estado})

    async def test(self) -> list[tuple[str, bool]]:
        """Manda uma mensagem de teste a cada destino: o nome dele e se aceitou."""
        heard = await asyncio.gather(*(c.send(f"{NAME}: {texts.TEST_TITLE}", texts.TEST) for c in self._channels))
        return [(channel.name, ok) for channel, ok in zip(self._channels, heard, strict=True)]

    async def aclose(self) -> None:
        """Espera as mensagens em segundo plano."""
        await asyncio.gather(*self._background, return_exceptions=True)

    def _say_unchecked(self, error: SQLAlchemyError | CollectorError | OSError) -> CollectorError:
        match error:
            case CollectorError():
                why = error
            case DBAPIError() | PoolTimeoutError():
                why = explanation(self._engine.url, error)
            case _:
                why = DatabaseError(f"{type(error).__name__}: {(str(error).splitlines() or ['—'])[0]}")
        if str(why) not in self._unchecked:
            self._unchecked.add(str(why))
            log.error("Os alarmes não puderam ser conferidos agora. %s", why)
        return why

    async def _set(self, nome: str, estado: str, mensagem: str) -> bool:
        try:
            async with self._engine.begin() as connection:
                await _judge(connection, nome, None if estado == NORMAL else (estado, mensagem), self._clock.now())
        except _UNREACHABLE as error:
            self._say_unchecked(error)
            return False
        return True


async def tell_database_down(channels: Sequence[Channel], reason: str) -> None:
    """Diz a cada destino que o banco não atende. Não tem estado: quem o guardaria é o banco."""
    await asyncio.gather(*(_tell(channel, names.BANCO, ERRO, texts.not_begun(reason)) for channel in channels))


async def _tell(channel: Channel, nome: str, estado: str, mensagem: str) -> bool:
    title = names.TITLES.get(nome, nome)
    if estado == NORMAL:
        return await channel.send(f"{NAME}: resolvido — {title}", texts.over(mensagem), level="success")
    return await channel.send(f"{NAME}: {title}", mensagem, level=_LEVELS.get(estado, "warning"))


async def _judge(connection: AsyncConnection, nome: str, verdict: tuple[str, str] | None, now: datetime) -> None:
    if verdict is None:
        await states.set_normal(connection, nome, now)
    else:
        await states.set_state(connection, nome, verdict[0], verdict[1], now)


async def _about_the_run(connection: AsyncConnection, ended: Ended) -> tuple[str, str] | None:
    if ended.status == "success" or (ended.error is None and await advanced_at(connection) is not None):
        return None
    if ended.status == "partial" and ended.run_id is not None:
        debts = await control.debts(connection)
        return AVISO, texts.partial(ended.run_id, ended.tipo, debts.pendencias, debts.janelas)
    return ERRO, _about_the_end(ended)


def _about_the_end(ended: Ended) -> str:
    assert ended.run_id is not None
    title = ended.error.title if isinstance(ended.error, CollectorError) else "um erro que o coletor não previu"
    return texts.failed(ended.run_id, ended.tipo, title[:1].lower() + title[1:])


def _about_the_silence(heard: Webhooks, now: datetime) -> tuple[str, str] | None:
    """Uma mudança sem aviso pode ser um que se atrasa, ou a que o Bling não avisa; várias, há bastante, não são."""
    silent = [
        lower_first(each.title)
        for each in RESOURCES
        if (found := heard.silent.get(each.name)) is not None
        and found.calado >= _SILENT
        and found.desde is not None
        and found.desde <= now - _SILENT_FOR
    ]
    return (AVISO, texts.silent(silent)) if silent else None


def _about_the_token(oauth: TokenStatus, *, ran: bool) -> tuple[str, str] | None:
    if oauth.needs_authorization and oauth.readable:
        return (ERRO, texts.LOST) if ran or oauth.has_token else None  # quem ainda não começou não perdeu nada
    if oauth.warning is None:
        return None
    return (AVISO if oauth.readable and oauth.refresh_days_left else ERRO), oauth.warning
