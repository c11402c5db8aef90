"""Os alarmes: uma mensagem por mudança de estado, a cada destino, e nunca um erro por causa deles."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.support.fakes import FakeClock
from tests.support.inbox import Inbox, open_inbox

from bling_collector.alarms import states, texts, watch
from bling_collector.alarms.channels import Channel, channels
from bling_collector.alarms.watch import Alarms, Ended
from bling_collector.auth.token_cipher import TokenCipher
from bling_collector.clock import brasilia_day
from bling_collector.db.connection.database import close, create_engine, parse_url
from bling_collector.errors import BlingUnavailableError, DatabaseError, ReauthorizeError
from bling_collector.insight import alarms as names
from bling_collector.insight.alarms import AVISO, ERRO, load_alarms

NOON = datetime(2026, 2, 20, 15, 0, tzinfo=UTC)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with open_inbox() as opened:
        yield opened


@pytest.fixture
def other() -> Iterator[Inbox]:
    with open_inbox() as opened:
        yield opened


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


def alarms_of(engine: AsyncEngine, clock: FakeClock, *inboxes: Inbox) -> Alarms:
    return Alarms(engine, TokenCipher(), clock, channels(" ".join(inbox.url for inbox in inboxes)), no_run_hours=26)


async def execute(engine: AsyncEngine, sql: str, **values: Any) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(sql), values)


async def state(engine: AsyncEngine, nome: str) -> str | None:
    return next((alarm.estado for alarm in await load_alarms(engine) if alarm.nome == nome), None)


# --- as mensagens --------------------------------------------------------------------------------------------------


async def test_one_message_a_change_of_state_whoever_raises_it(
    engine: AsyncEngine, clock: FakeClock, inbox: Inbox
) -> None:
    for _ in range(3):
        await alarms_of(engine, clock, inbox).raise_(names.CONFERENCIA, "Faltam 2 notas.", estado=AVISO)
    assert [(m["type"], m["message"]) for m in inbox.received] == [("warning", "Faltam 2 notas.")]

    await alarms_of(engine, clock, inbox).raise_(names.CONFERENCIA, "Agora é grave.")
    assert inbox.kinds == ["warning", "failure"]
    for _ in range(2):
        await alarms_of(engine, clock, inbox).clear(names.CONFERENCIA)
    assert inbox.kinds == ["warning", "failure", "success"]
    assert inbox.titles[-1] == "Coletor Bling: resolvido — o banco difere do Bling"
    assert "Agora é grave." in inbox.received[-1]["message"]


@pytest.mark.slow
async def test_clearing_what_never_rang_says_nothing(engine: AsyncEngine, clock: FakeClock, inbox: Inbox) -> None:
    await alarms_of(engine, clock, inbox).clear(names.EXECUCAO)
    assert not inbox.received
    assert await load_alarms(engine) == []


@pytest.mark.slow
async def test_a_refused_message_is_sent_at_the_next_occasion_and_the_other_channel_hears_once(
    engine: AsyncEngine, clock: FakeClock, inbox: Inbox, other: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    other.status = 503
    alarms = alarms_of(engine, clock, inbox, other)
    await alarms.raise_(names.EXECUCAO, "Falhou.")
    await alarms.deliver()
    assert (inbox.kinds, other.attempts) == (["failure"], 2)

    other.status = 200
    await alarms.deliver()
    assert (inbox.kinds, other.kinds) == (["failure"], ["failure"])
    assert "não foi aceita por json://…" in caplog.text
    assert "senha-do-destino" not in caplog.text


async def test_who_ended_saying_gives_the_turn_at_once(
    engine: AsyncEngine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ainda que o servidor demore a notar que a sessão acabou."""

    async def late(_: AsyncConnection) -> None:
        pass

    monkeypatch.setattr(AsyncConnection, "invalidate", late)
    other = create_engine(parse_url(database_url))
    try:
        async with states.delivering(engine):
            pass
        async with states.delivering(other) as connection:
            assert connection is not None
    finally:
        await close(other)


async def test_what_sounds_while_another_has_just_looked_is_said_by_it(
    engine: AsyncEngine, clock: FakeClock, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Depois da última vez que um olha, e antes de dar a vez: o outro não a tem, e ninguém o diria tão cedo."""
    looked, look = 0, states.heard

    async def heard(connection: AsyncConnection) -> list[Any]:
        nonlocal looked
        found, looked = await look(connection), looked + 1
        if looked == 2:
            await alarms_of(engine, clock, inbox).raise_(names.BANCO, "Não atende.")
        return found

    monkeypatch.setattr(states, "heard", heard)
    await alarms_of(engine, clock, inbox).raise_(names.EXECUCAO, "Falhou.")
    assert inbox.kinds == ["failure", "failure"]


async def test_a_digest_that_ran_out_of_time_is_owed_to_who_did_not_take_it(
    engine: AsyncEngine, clock: FakeClock, inbox: Inbox, other: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def compose(*_: object, **__: object) -> tuple[str, str]:
        return "resumo", "o dia"

    alarms = alarms_of(engine, clock, inbox, other)
    quick, slow = channels(f"{inbox.url} {other.url}")
    taken = asyncio.Event()

    async def send(channel: Channel, title: str, body: str) -> bool:
        if channel.key == slow.key:
            await taken.wait()
            raise TimeoutError  # como o tempo que acaba
        taken.set()
        return True

    monkeypatch.setattr(watch, "compose", compose)
    monkeypatch.setattr(Channel, "send", send)
    await alarms.tell_the_day()
    async with engine.connect() as connection:
        told = [await states.digest_day(connection, each.key) for each in (quick, slow)]
    assert told == [brasilia_day(NOON), None]


@pytest.mark.slow
async def test_what_passed_before_it_could_be_said_is_never_said(
    engine: AsyncEngine, clock: FakeClock, inbox: Inbox
) -> None:
    inbox.status = 500
    alarms = alarms_of(engine, clock, inbox)
    await alarms.raise_(names.EXECUCAO, "Falhou.")
    inbox.status = 200
    await alarms.clear(names.EXECUCAO)
    assert not inbox.received


@pytest.mark.slow
async def test_many_processes_say_it_once(engine: AsyncEngine, clock: FakeClock, inbox: Inbox) -> None:
    everyone = [alarms_of(engine, clock, inbox) for _ in range(5)]
    await asyncio.gather(*(alarms.raise_(names.EXECUCAO, "Falhou.") for alarms in everyone))
    await everyone[0].deliver()
    assert inbox.kinds == ["failure"]


@pytest.mark.slow
async def test_a_database_that_is_down_is_told_once_and_raises_nothing(
    clock: FakeClock, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "bling_collector")
    nowhere = create_engine(parse_url("postgresql://ninguem@127.0.0.1:1/nada"))
    alarms = alarms_of(nowhere, clock, inbox)
    alarms.unsaved(True)
    await alarms.aclose()
    await alarms.raise_(names.TOKEN, texts.UNSAVED)
    for _ in range(3):
        await alarms.check()
    assert inbox.titles == ["Coletor Bling: um token trocado não foi gravado", "Coletor Bling: o banco não atende"]
    assert caplog.text.count("não puderam ser conferidos") == 1
    await close(nowhere)


@pytest.mark.slow
async def test_a_run_that_ends_with_the_database_down_is_told_all_the_same(clock: FakeClock, inbox: Inbox) -> None:
    nowhere = create_engine(parse_url("postgresql://ninguem@127.0.0.1:1/nada"))
    alarms = alarms_of(nowhere, clock, inbox)
    for _ in range(2):
        await alarms.run_ended(Ended(7, "run", "error", DatabaseError("O banco caiu.")))
    assert inbox.titles == ["Coletor Bling: a coleta não ficou completa"]
    assert "A execução 7 (coleta do dia) não chegou ao fim" in inbox.received[0]["message"]
    await close(nowhere)


@pytest.mark.slow
async def test_what_another_process_raises_while_one_is_telling_is_told_by_it(
    engine: AsyncEngine, clock: FakeClock, inbox: Inbox
) -> None:
    one, other = alarms_of(engine, clock, inbox), alarms_of(engine, clock)
    deaf = alarms_of(engine, clock, inbox)
    loop = asyncio.get_running_loop()

    def fail() -> None:
        asyncio.run_coroutine_threadsafe(other.raise_(names.EXECUCAO, "A outra falhou."), loop).result()

    inbox.on_post = fail
    await one.raise_(names.CONFERENCIA, "Faltam 2 notas.", estado=AVISO)
    assert inbox.kinds == ["warning", "failure"]
    await deaf.deliver()
    assert inbox.kinds == ["warning", "failure"]


@pytest.mark.parametrize("urls", ["", "  ", ","])
def test_without_urls_there_is_nobody_to_tell(urls: str) -> None:
    assert channels(urls) == []


async def test_urls_are_separated_by_spaces_commas_or_lines_and_named_without_secrets() -> None:
    found = channels("slack://a/b/c, mailto://u:segredo@x.com?to=a@x.com,b@x.com\n\ntgram://bot/chat slack://a/b/c")
    assert [channel.name for channel in found] == ["slack://…", "mailto://…", "tgram://…"]
    assert "segredo" not in repr(found)
    assert await channels("sem-esquema")[0].send("t", "b") is False


# --- o que os faz soar ---------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_a_failed_run_a_partial_one_and_a_good_one(engine: AsyncEngine, clock: FakeClock, inbox: Inbox) -> None:
    alarms = alarms_of(engine, clock, inbox)
    await execute(engine, "INSERT INTO pendencias (recurso, recurso_id, erro) VALUES ('nfe', '7', 'Fulano de Tal')")
    refused = BlingUnavailableError("GET /nfe/7: O Bling diz: «Fulano de Tal».")
    await alarms.run_ended(Ended(1, "run", "error", refused))
    await alarms.run_ended(Ended(2, "run", "error", refused))
    await alarms.run_ended(Ended(3, "run", "partial"))
    await alarms.run_ended(Ended(4, "run", "success"))
    assert inbox.kinds == ["failure", "warning", "success"]
    said = " ".join(message["message"] for message in inbox.received)
    assert "ficou devido 1 registro." in said
    assert "bling-collector failures" in said
    assert "Fulano" not in said


@pytest.mark.slow
async def test_an_authorisation_that_bling_refuses(engine: AsyncEngine, clock: FakeClock, inbox: Inbox) -> None:
    alarms = alarms_of(engine, clock, inbox)
    await alarms.run_ended(Ended(1, "run", "error", ReauthorizeError("revogada")))
    assert await state(engine, names.RECUSADA) == ERRO
    await alarms.run_ended(Ended(2, "run", "success"))
    assert await state(engine, names.RECUSADA) == "normal"


@pytest.mark.slow
async def test_an_authorisation_about_to_end_and_lost(engine: AsyncEngine, clock: FakeClock, inbox: Inbox) -> None:
    alarms = alarms_of(engine, clock, inbox)
    await alarms.check()
    assert await load_alarms(engine) == []  # quem ainda não começou não perdeu nada
    await execute(
        engine,
        "INSERT INTO oauth_tokens (id, access_token, refresh_token, expires_at, updated_at)"
        " VALUES (1, 'a', 'r', :t, :t)",
        t=NOON - timedelta(days=25),
    )
    await alarms.check()
    clock.advance(24 * 3600)
    await alarms.check()
    assert [(m["type"], m["title"]) for m in inbox.received] == [
        ("warning", "Coletor Bling: a autorização do Bling precisa de você")
    ]
    await execute(engine, "UPDATE oauth_tokens SET refresh_in_doubt = true")
    await alarms.check()
    assert inbox.kinds == ["warning", "failure"]
    assert "bling-collector auth" in inbox.received[-1]["message"]
    await execute(engine, "UPDATE oauth_tokens SET refresh_in_doubt = false, updated_at = :t", t=clock.now())
    await alarms.check()
    assert inbox.kinds == ["warning", "failure", "success"]


@pytest.mark.slow
async def test_a_reconciliation_that_differs(engine: AsyncEngine, clock: FakeClock, inbox: Inbox) -> None:
    await execute(
        engine,
        "INSERT INTO conferencias"
        " (mes, data_inicio, data_fim, conferida_em, no_bling, no_banco, faltam, sobram, diferem) VALUES"
        " ('2026-01-01', '2026-01-01', '2026-01-31', :t, '{\"6\": 3}', '{\"6\": 1}', '{1,2}', '{}', '{}')",
        t=clock.now(),
    )
    await alarms_of(engine, clock, inbox).run_ended(Ended(1, "reconcile", "partial"))
    assert inbox.titles == ["Coletor Bling: o banco difere do Bling"]
    assert "jan/2026: 2 notas faltam no banco" in inbox.received[0]["message"]


@pytest.mark.slow
async def test_no_good_run_for_a_day_and_two_hours(engine: AsyncEngine, clock: FakeClock, inbox: Inbox) -> None:
    alarms = alarms_of(engine, clock, inbox)
    run = "INSERT INTO etl_controle (tipo, inicio, fim, status, leu_o_presente) VALUES (:tipo, :t, :t, :status, :read)"
    token = "INSERT INTO oauth_tokens (id, access_token, refresh_token, expires_at, updated_at)"
    await execute(engine, f"{token} VALUES (1, 'a', 'r', :t, :t)", t=NOON)
    await execute(engine, run, tipo="run", t=NOON, status="success", read=True)
    clock.advance(25 * 3600)
    await execute(engine, run, tipo="run", t=clock.now(), status="partial", read=False)
    await execute(engine, run, tipo="reprocess", t=clock.now(), status="success", read=False)
    await alarms.check()
    assert not inbox.received
    clock.advance(2 * 3600)
    for _ in range(3):
        await alarms.check()
    assert inbox.kinds == ["failure"]
    assert "a última vez foi em 20/02/2026 12:00" in inbox.received[0]["message"]
    await execute(engine, run, tipo="run", t=clock.now(), status="success", read=True)
    await alarms.check()
    assert inbox.kinds == ["failure", "success"]


@pytest.mark.slow
async def test_the_names_keep_their_capitals(engine: AsyncEngine, clock: FakeClock, inbox: Inbox) -> None:
    await alarms_of(engine, clock, inbox).run_ended(Ended(1, "run", "error", BlingUnavailableError("HTTP 502")))
    assert "não chegou ao fim: o Bling falhou." in inbox.received[-1]["message"]
