"""Os tokens: um só renova, o que é gasto nunca se perde, e na dúvida nada se envia de novo."""

import asyncio
import base64
import logging
import tempfile
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import pytest
from tests.support.fakes import START, FakeClock, MemoryStateStore, MemoryTokenStore

from bling_collector.auth.oauth import FAILURE_MEMORY, OAuth
from bling_collector.auth.set_aside import SetAside
from bling_collector.auth.token_cipher import TokenCipher
from bling_collector.auth.token_endpoint import DeniedError, callback_error
from bling_collector.auth.tokens import Token
from bling_collector.errors import (
    BlingMovedError,
    BlingRejectedError,
    BlingUnavailableError,
    CollectorError,
    ConfigurationError,
    ReauthorizeError,
    UsageError,
)

SECRET = "segredo-do-aplicativo"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Bling:
    """O endereço de tokens do Bling: cada refresh token e cada código valem uma vez."""

    def __init__(self) -> None:
        self.live = {"r0"}
        self.codes = {"c0"}
        self.requests: list[httpx2.Request] = []
        self.entered = asyncio.Event()
        self.release = asyncio.Event()
        self.release.set()
        self.issued = 0
        self.answers: list[httpx2.Response | Exception] = []
        """O que responder em lugar disso, na ordem."""

    @property
    def forms(self) -> list[dict[str, str]]:
        return [dict(parse_qsl(request.content.decode())) for request in self.requests]

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        self.entered.set()
        await self.release.wait()
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        form = self.forms[-1]
        spent, live = (form["code"], self.codes) if "code" in form else (form["refresh_token"], self.live)
        if spent not in live:
            return refused("invalid_grant", "Invalid refresh token")
        live.remove(spent)
        self.issued += 1
        self.live.add(f"r{self.issued}")
        return given(f"a{self.issued}", f"r{self.issued}")


def given(access: object, refresh: object = None, **more: object) -> httpx2.Response:
    body = {"access_token": access, "refresh_token": refresh, "expires_in": 21600, "token_type": "Bearer", "scope": "1"}
    return httpx2.Response(200, json={k: v for k, v in {**body, **more}.items() if v is not None})


def refused(kind: str, description: str, status: int = 400) -> httpx2.Response:
    return httpx2.Response(status, json={"error": {"type": kind, "message": kind, "description": description}})


def token(left: timedelta, access: str = "a0", refresh: str = "r0", **more: Any) -> Token:
    return Token(access_token=access, refresh_token=refresh, expires_at=START + left, **more)


class Bench:
    def __init__(self, stored: Token | None = None, store: MemoryTokenStore | None = None) -> None:
        self.clock = FakeClock()
        self.bling = Bling()
        self.store = store or MemoryTokenStore(stored)
        self.states = MemoryStateStore()
        self.http = httpx2.AsyncClient(transport=httpx2.MockTransport(self.bling))
        self.folder = Path(tempfile.gettempdir()) / "nunca-criada"
        self.cipher = TokenCipher()
        self.alarms: list[bool] = []
        self.oauth = self.another_process()

    def another_process(self) -> OAuth:
        return OAuth(
            self.store,
            self.states,
            self.http,
            self.clock,
            client_id="aplicativo",
            client_secret=SECRET,
            token_url="https://api.bling.com.br/Api/v3/oauth/token",
            authorize_url="https://www.bling.com.br/Api/v3/oauth/authorize",
            aside=SetAside(self.folder, self.cipher),
            on_unsaved=self.alarms.append,
        )


# O token presente serve


async def test_without_a_stored_token_it_says_how_to_authorise() -> None:
    with pytest.raises(ReauthorizeError, match="bling-collector auth"):
        await Bench().oauth.get_valid_access_token()


async def test_a_token_with_ten_minutes_left_is_used_from_memory() -> None:
    bench = Bench(token(10 * MINUTE))

    assert (await bench.oauth.get_valid_access_token()).access_token == "a0"
    bench.store.token = None
    assert (await bench.oauth.get_valid_access_token()).access_token == "a0"
    assert bench.bling.requests == []


async def test_what_another_process_renewed_is_used() -> None:
    bench = Bench(token(HOUR))
    await bench.oauth.get_valid_access_token()
    bench.clock.advance(3600 - 599)
    bench.store.token = token(7 * HOUR, "outro", "r9")

    assert (await bench.oauth.get_valid_access_token()).access_token == "outro"
    assert bench.bling.requests == []


async def test_a_short_lived_token_is_not_renewed_at_every_request() -> None:
    bench = Bench(token(-HOUR))
    bench.bling.answers = [given("a1", "r1", expires_in=120)]

    for _ in range(3):
        assert (await bench.oauth.get_valid_access_token()).access_token == "a1"
    assert len(bench.bling.requests) == 1


async def test_a_stored_token_with_under_10_minutes_is_renewed_however_new() -> None:
    bench = Bench(replace(token(5 * MINUTE), updated_at=START))
    assert (await bench.oauth.get_valid_access_token()).access_token == "a1"


# A renovação


async def test_the_renewal_is_what_bling_documents() -> None:
    bench = Bench(token(9 * MINUTE))
    fresh = await bench.oauth.get_valid_access_token()

    (request,) = bench.bling.requests
    assert request.method == "POST"
    assert request.headers["authorization"] == "Basic " + base64.b64encode(f"aplicativo:{SECRET}".encode()).decode()
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["enable-jwt"] == "1"
    assert bench.bling.forms == [{"grant_type": "refresh_token", "refresh_token": "r0"}]
    assert (fresh.access_token, fresh.refresh_token, fresh.token_type) == ("a1", "r1", "Bearer")
    assert fresh.expires_at == START + 6 * HOUR
    assert bench.store.saved == [fresh]


async def test_twenty_tasks_and_two_processes_renew_once() -> None:
    bench = Bench(token(-HOUR))
    other = bench.another_process()

    tokens = await asyncio.gather(*(oauth.get_valid_access_token() for oauth in [bench.oauth, other] * 10))
    assert {t.access_token for t in tokens} == {"a1"}
    assert len(bench.bling.requests) == 1


async def test_twenty_rejections_renew_once() -> None:
    bench = Bench(token(HOUR))
    other = bench.another_process()
    rejected = await bench.oauth.get_valid_access_token()

    tokens = await asyncio.gather(*(oauth.renew_after_401(rejected) for oauth in [bench.oauth, other] * 10))
    assert {t.access_token for t in tokens} == {"a1"}
    assert len(bench.bling.requests) == 1
    assert (await bench.oauth.get_valid_access_token()).access_token == "a1"


async def test_a_rejected_token_that_is_no_longer_the_stored_one_is_not_renewed() -> None:
    bench = Bench(token(HOUR))
    rejected = await bench.oauth.get_valid_access_token()
    bench.store.token = token(6 * HOUR, "outro", "r9")

    assert (await bench.oauth.renew_after_401(rejected)).access_token == "outro"
    assert bench.bling.requests == []


async def test_the_old_refresh_token_stays_if_no_other_came() -> None:
    bench = Bench(token(-HOUR))
    bench.bling.answers = [given("a1", None)]

    assert (await bench.oauth.get_valid_access_token()).refresh_token == "r0"
    bench.clock.advance(6 * 3600)
    assert (await bench.oauth.get_valid_access_token()).refresh_token == "r1"
    assert [form["refresh_token"] for form in bench.bling.forms] == ["r0", "r0"]


@pytest.mark.parametrize("expires_in", [None, 0, -1, "logo", True, [], 10**12, 1.5])
async def test_an_odd_expires_in_means_six_hours(expires_in: object) -> None:
    bench = Bench(token(-HOUR))
    bench.bling.answers = [given("a1", "r1", expires_in=expires_in)]

    assert (await bench.oauth.get_valid_access_token()).expires_at == START + 6 * HOUR


@pytest.mark.parametrize(("token_type", "expires_in"), [("bearer", "3600"), ("BEARER", 3600), (None, 3600.0)])
async def test_the_answer_is_read_tolerantly(token_type: str | None, expires_in: object) -> None:
    bench = Bench(token(-HOUR))
    bench.bling.answers = [given("a1", "r1", token_type=token_type, expires_in=expires_in)]
    fresh = await bench.oauth.get_valid_access_token()

    assert (fresh.token_type, fresh.expires_at) == ("Bearer", START + HOUR)


async def test_the_life_counts_from_before_the_request() -> None:
    bench = Bench(token(-HOUR))
    bench.bling.release.clear()
    renewing = asyncio.create_task(bench.oauth.get_valid_access_token())
    await bench.bling.entered.wait()
    bench.clock.advance(20)
    bench.bling.release.set()

    assert (await renewing).expires_at == START + 6 * HOUR


# O Bling recusa


@pytest.mark.parametrize(
    ("answer", "expected", "sentence"),
    [
        (refused("invalid_grant", "Invalid refresh token"), ReauthorizeError, "já foi usado.*bling-collector auth"),
        (refused("invalid_grant", "Refresh token has expired"), ReauthorizeError, "30 dias"),
        (httpx2.Response(400, json={"error": "invalid_grant"}), ReauthorizeError, "invalid_grant"),
        (refused("UNAUTHORIZED_ERROR", "A empresa vinculada ao token esta inativa.", 401), ReauthorizeError, "inativa"),
        (refused("invalid_client", "The client credentials are invalid"), ConfigurationError, "BLING_CLIENT_SECRET"),
        (refused("invalid_client", "The client credentials are invalid", 401), ConfigurationError, "BLING_CLIENT_ID"),
        (refused("invalid_request", "Malformed"), BlingRejectedError, "Malformed"),
    ],
)
async def test_a_refusal_is_explained(answer: httpx2.Response, expected: type[CollectorError], sentence: str) -> None:
    stored = token(-HOUR)
    bench = Bench(stored)
    bench.bling.answers = [answer]

    with pytest.raises(expected, match=sentence) as caught:
        await bench.oauth.get_valid_access_token()
    assert type(caught.value) is expected
    refused_at = bench.clock.now() if expected is ReauthorizeError else None
    assert bench.store.token == replace(stored, refused_at=refused_at)


ANSWERED_OR_NOT_SENT = [
    httpx2.ConnectError("recusada"),
    httpx2.ConnectTimeout(""),
    httpx2.PoolTimeout(""),
    httpx2.ProxyError("407 Proxy Authentication Required"),
    httpx2.Response(500, json={"error": {"type": "SERVER_ERROR", "description": "Um erro interno ocorreu."}}),
    httpx2.Response(502, html="<html>Bad Gateway</html>"),
    httpx2.Response(403, html="<html>Blocked</html>"),
    httpx2.Response(400, html="<html>Bad Request</html>"),
    httpx2.Response(429, json={"error": {"type": "TOO_MANY_REQUESTS", "description": "Limite."}}),
    httpx2.Response(200, json={"error": {"type": "SERVER_ERROR", "description": "Um erro interno ocorreu."}}),
]


@pytest.mark.parametrize("answer", ANSWERED_OR_NOT_SENT)
async def test_when_bling_is_unavailable_the_token_stays_intact(answer: httpx2.Response | Exception) -> None:
    stored = token(timedelta(seconds=30))
    bench = Bench(stored)
    bench.bling.answers = [answer]

    with pytest.raises(BlingUnavailableError, match="continua a mesma"):
        await bench.oauth.get_valid_access_token()
    assert bench.store.token == stored
    assert bench.store.saved == []
    assert len(bench.bling.requests) == 1

    bench.clock.advance(FAILURE_MEMORY)
    assert (await bench.oauth.get_valid_access_token()).access_token == "a1"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_token_endpoint_that_moved_is_named_and_not_followed(status: int) -> None:
    stored = token(timedelta(minutes=5))
    bench = Bench(stored)
    there = {"Location": "https://gente:senha@novo.example:8443/oauth/token?refresh_token=r0"}
    bench.bling.answers = [httpx2.Response(status, headers=there)]

    with pytest.raises(BlingMovedError, match="continua a mesma") as caught:
        await bench.oauth.get_valid_access_token()
    assert "https://novo.example:8443/oauth/token. " in str(caught.value)
    assert "BLING_OAUTH_URL" in str(caught.value)
    assert not any(secret in str(caught.value) for secret in ("r0", "senha", "gente"))
    assert bench.store.token == stored
    assert len(bench.bling.requests) == 1


@pytest.mark.parametrize("answer", [ANSWERED_OR_NOT_SENT[6], ANSWERED_OR_NOT_SENT[8]])
async def test_a_block_is_named(answer: httpx2.Response) -> None:
    bench = Bench(token(-HOUR))
    bench.bling.answers = [answer]

    with pytest.raises(BlingUnavailableError, match="pode estar bloqueado"):
        await bench.oauth.get_valid_access_token()


class Cut(httpx2.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b'{"access_token": "a1"'
        raise httpx2.RemoteProtocolError("peer closed connection")


async def test_a_5xx_cut_in_the_middle_is_still_an_answer() -> None:
    bench = Bench(token(-HOUR))
    bench.bling.answers = [httpx2.Response(502, stream=Cut())]

    with pytest.raises(BlingUnavailableError):
        await bench.oauth.get_valid_access_token()
    assert bench.store.saved == []


async def test_while_bling_does_not_renew_the_present_token_is_used(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(token(9 * MINUTE))
    bench.bling.answers = [httpx2.Response(503)]

    for _ in range(5):
        assert (await bench.oauth.get_valid_access_token()).access_token == "a0"
    assert len(bench.bling.requests) == 1
    assert caplog.text.count("O token não foi renovado") == 1

    bench.clock.advance(FAILURE_MEMORY)
    assert (await bench.oauth.get_valid_access_token()).access_token == "a1"


async def test_a_rejected_token_is_not_used_while_bling_does_not_renew() -> None:
    bench = Bench(token(HOUR))
    bench.bling.answers = [httpx2.Response(503)]

    with pytest.raises(BlingUnavailableError):
        await bench.oauth.renew_after_401(token(HOUR))


@pytest.mark.parametrize("answer", [httpx2.Response(503), refused("invalid_grant", "Invalid refresh token")])
async def test_a_failure_is_not_asked_again_by_every_task(answer: httpx2.Response) -> None:
    """Vinte pedidos num minuto bloqueariam o IP por uma hora."""
    bench = Bench(token(-HOUR))
    bench.bling.answers = [answer]

    results = await asyncio.gather(*(bench.oauth.get_valid_access_token() for _ in range(30)), return_exceptions=True)
    assert len({type(result) for result in results}) == 1
    assert all(isinstance(result, CollectorError) for result in results)
    assert len(bench.bling.requests) == 1


async def test_a_new_authorisation_ends_the_failure_at_once() -> None:
    bench = Bench(token(-HOUR))
    bench.bling.answers = [refused("invalid_grant", "Invalid refresh token")]
    with pytest.raises(ReauthorizeError):
        await bench.oauth.get_valid_access_token()
    bench.store.token = token(6 * HOUR, "novo", "r5")

    assert (await bench.oauth.get_valid_access_token()).access_token == "novo"


# A dúvida

UNKNOWN = [
    httpx2.ReadTimeout(""),
    httpx2.ReadError("reset"),
    httpx2.WriteError("reset"),
    httpx2.RemoteProtocolError("caiu"),
    httpx2.Response(200, stream=Cut()),
    httpx2.Response(200, content=b'{"access_token": "a1", "refr'),
    httpx2.Response(200, content=b""),
    httpx2.Response(200, html="<html></html>"),
    httpx2.Response(200, json=[]),
    httpx2.Response(200, json={"data": {}}),
    given("", "r1"),
    given("a 1", "r1"),
    given("a1\n", "r1"),
    given(7, "r1"),
    given("a1", ["r1"]),
    given("a1", "r1", token_type="mac"),
]


@pytest.mark.parametrize("answer", UNKNOWN)
async def test_without_an_answer_the_token_is_in_doubt_for_ever(answer: httpx2.Response | Exception) -> None:
    bench = Bench(token(5 * MINUTE))
    bench.bling.answers = [answer]

    with pytest.raises(ReauthorizeError, match=r"pode ter sido gasto.*bling-collector auth"):
        await bench.oauth.get_valid_access_token()
    assert bench.store.token == token(5 * MINUTE, refresh_in_doubt=True)

    for oauth in (bench.oauth, bench.another_process()):
        assert (await oauth.get_valid_access_token()).access_token == "a0"
    bench.clock.advance(300)
    for oauth in (bench.oauth, bench.another_process()):
        with pytest.raises(ReauthorizeError, match="pode ter sido gasto"):
            await oauth.get_valid_access_token()
    assert len(bench.bling.requests) == 1


async def test_a_rejected_token_in_doubt_needs_a_new_authorisation() -> None:
    stored = token(5 * HOUR, refresh_in_doubt=True)
    bench = Bench(stored)

    with pytest.raises(ReauthorizeError):
        await bench.oauth.renew_after_401(stored)
    assert bench.bling.requests == []


async def test_a_new_authorisation_ends_the_doubt() -> None:
    bench = Bench(token(-HOUR, refresh_in_doubt=True))
    state = parse_qs(urlsplit(await bench.oauth.start_authorization()).query)["state"][0]
    await bench.oauth.exchange_authorization_code("c0", state)

    assert (await bench.oauth.get_valid_access_token()).access_token == "a1"
    assert bench.store.token is not None
    assert not bench.store.token.refresh_in_doubt


# O cancelamento e o banco que falha


async def test_a_cancelled_renewal_ends_before_the_cancellation_goes_on() -> None:
    bench = Bench(token(-HOUR))
    bench.bling.release.clear()
    renewing = asyncio.create_task(bench.oauth.get_valid_access_token())
    await bench.bling.entered.wait()
    renewing.cancel()
    await asyncio.sleep(0)
    assert not renewing.done()
    bench.bling.release.set()

    with pytest.raises(asyncio.CancelledError):
        await renewing
    assert [saved.refresh_token for saved in bench.store.saved] == ["r1"]
    assert (await bench.oauth.get_valid_access_token()).access_token == "a1"
    assert len(bench.bling.requests) == 1


async def test_a_renewal_cancelled_twice_still_ends() -> None:
    bench = Bench(token(-HOUR))
    bench.bling.release.clear()
    renewing = asyncio.create_task(bench.oauth.get_valid_access_token())
    await bench.bling.entered.wait()
    for _ in range(2):
        renewing.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert renewing.cancelled()
    bench.bling.release.set()

    assert (await bench.oauth.get_valid_access_token()).access_token == "a1"
    assert len(bench.bling.requests) == 1


@pytest.mark.parametrize("cancels", [1, 2])
async def test_a_cancelled_renewal_that_fails_is_not_lost_in_silence(
    cancels: int, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(token(-HOUR))
    bench.bling.release.clear()
    bench.bling.answers = [httpx2.ReadTimeout("")]
    renewing = asyncio.create_task(bench.oauth.get_valid_access_token())
    await bench.bling.entered.wait()
    for _ in range(cancels):
        renewing.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    bench.bling.release.set()
    with pytest.raises(asyncio.CancelledError):
        await renewing
    with pytest.raises(ReauthorizeError):
        await bench.oauth.get_valid_access_token()

    assert bench.store.token == token(-HOUR, refresh_in_doubt=True)
    assert "never retrieved" not in caplog.text


# O par que o banco não aceita (o arquivo em que ele espera: test_pair_keeper.py)


async def test_the_pair_is_saved_before_it_is_used() -> None:
    saving, saved = asyncio.Event(), asyncio.Event()

    class Slow(MemoryTokenStore):
        async def save(self, token: Token) -> None:
            saving.set()
            await saved.wait()
            await super().save(token)

    bench = Bench(store=Slow(token(-HOUR)))
    tasks = [asyncio.create_task(bench.oauth.get_valid_access_token()) for _ in range(3)]
    await saving.wait()
    await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)
    saved.set()
    assert {(await task).access_token for task in tasks} == {"a1"}


async def test_only_one_task_of_a_process_holds_the_lock_of_the_database() -> None:
    class Counting(MemoryTokenStore):
        holders = most = 0

        @asynccontextmanager
        async def locked(self) -> AsyncIterator[MemoryTokenStore]:
            self.holders += 1
            self.most = max(self.most, self.holders)
            async with super().locked() as tokens:
                yield tokens
            self.holders -= 1

    store = Counting(token(-HOUR))
    bench = Bench(store=store)
    await asyncio.gather(*(bench.oauth.get_valid_access_token() for _ in range(20)))

    assert store.most == 1


# A primeira autorização


async def started(bench: Bench) -> str:
    return parse_qs(urlsplit(await bench.oauth.start_authorization()).query)["state"][0]


async def test_the_authorisation_address() -> None:
    bench = Bench()
    url = urlsplit(await bench.oauth.start_authorization())
    query = parse_qs(url.query)

    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://www.bling.com.br/Api/v3/oauth/authorize"
    assert query.keys() == {"response_type", "client_id", "state"}
    assert (query["response_type"], query["client_id"]) == (["code"], ["aplicativo"])
    assert len(query["state"][0]) >= 40
    assert await started(bench) != await started(bench)


async def test_the_code_becomes_the_first_pair() -> None:
    bench = Bench()
    first = await bench.oauth.exchange_authorization_code("c0", await started(bench))

    assert bench.bling.forms == [{"grant_type": "authorization_code", "code": "c0"}]
    assert bench.bling.requests[0].headers["enable-jwt"] == "1"
    assert bench.store.token == first
    assert (await bench.oauth.get_valid_access_token()) == first


async def test_a_state_is_good_once_for_ten_minutes_and_only_here() -> None:
    bench = Bench()
    state = await started(bench)
    await bench.oauth.exchange_authorization_code("c0", state)
    late = await started(bench)
    bench.clock.advance(600)

    for bad in (state, late, "inventado", ""):
        with pytest.raises(UsageError, match="bling-collector auth"):
            await bench.oauth.exchange_authorization_code("c1", bad)
    assert len(bench.bling.requests) == 1


USED = "This authorization code has already been used, for security reasons the user has been revoked."


@pytest.mark.parametrize(
    ("answer", "expected", "sentence"),
    [
        (refused("invalid_grant", "The authorization code has expired"), ReauthorizeError, "1 minuto.*auth"),
        (refused("VALIDATION_ERROR", USED), ReauthorizeError, "por segurança.*auth"),
        (
            refused("invalid_grant", "Authorization code doesn't exist or is invalid for the client"),
            ReauthorizeError,
            "não existe",
        ),
        (refused("invalid_client", "The client credentials are invalid"), ConfigurationError, "BLING_CLIENT_ID"),
        (httpx2.Response(503), BlingUnavailableError, "Autorize de novo"),
        (httpx2.ConnectError(""), BlingUnavailableError, "Autorize de novo"),
        (httpx2.ReadTimeout(""), ReauthorizeError, "Autorize de novo"),
        (httpx2.Response(200, content=b"{"), ReauthorizeError, "Autorize de novo"),
        (given("a1", None), ReauthorizeError, "Autorize de novo"),
    ],
)
async def test_a_code_that_fails_is_never_sent_again(
    answer: httpx2.Response | Exception, expected: type[CollectorError], sentence: str
) -> None:
    stored = token(HOUR)
    bench = Bench(stored)
    bench.bling.answers = [answer]

    with pytest.raises(expected, match=sentence):
        await bench.oauth.exchange_authorization_code("c0", await started(bench))
    assert len(bench.bling.requests) == 1
    assert bench.store.token == stored


async def test_a_cancelled_exchange_ends_before_the_cancellation_goes_on() -> None:
    bench = Bench()
    bench.bling.release.clear()
    exchanging = asyncio.create_task(bench.oauth.exchange_authorization_code("c0", await started(bench)))
    await bench.bling.entered.wait()
    exchanging.cancel()
    await asyncio.sleep(0)
    bench.bling.release.set()
    with pytest.raises(asyncio.CancelledError):
        await exchanging

    assert bench.store.token is not None
    assert bench.store.token.access_token == "a1"


@pytest.mark.parametrize(
    ("error", "expected", "sentence"),
    [
        ("access_denied", DeniedError, "negada"),
        ("app_inativo", ReauthorizeError, "inativo"),
        ("UNAUTHORIZED_ERROR", ReauthorizeError, "administrador"),
        ("outra coisa", DeniedError, "outra coisa"),
        ("", DeniedError, "bling-collector auth"),
    ],
)
def test_an_error_in_the_callback(error: str, expected: type[CollectorError], sentence: str) -> None:
    plain, wordy = callback_error(error), callback_error(error, "Palavras\n do Bling " + "x" * 900)

    assert type(plain) is expected
    assert sentence in str(plain)
    assert "«Palavras do Bling x" in str(wordy)
    assert len(str(wordy)) < 500


# Os segredos


@pytest.mark.parametrize(
    "answer",
    [
        refused("invalid_grant", f"token refresh-secreto de {SECRET}"),
        httpx2.Response(500, json={"error": {"description": "refresh-secreto"}}),
        httpx2.Response(400, html="refresh-secreto"),
        httpx2.Response(200, content=b'{"access_token": "refresh-secreto"'),
        httpx2.LocalProtocolError("Illegal header value b'refresh-secreto'"),
        httpx2.ConnectError("refresh-secreto"),
        httpx2.ReadTimeout("refresh-secreto"),
    ],
)
async def test_no_secret_leaves(answer: httpx2.Response | Exception, caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(token(-HOUR, "access-secreto", "refresh-secreto"))
    bench.bling.answers = [answer]
    with caplog.at_level(logging.DEBUG), pytest.raises(CollectorError) as caught:
        await bench.oauth.get_valid_access_token()

    told = (
        "".join(traceback.format_exception(caught.value)) + caplog.text + repr(vars(bench.oauth)) + repr(caught.value)
    )
    for secret in (
        "access-secreto",
        "refresh-secreto",
        SECRET,
        base64.b64encode(f"aplicativo:{SECRET}".encode()).decode(),
    ):
        assert secret not in told
