"""O que se diz enquanto o Bling se cala."""

import httpx2
import pytest
from tests.support.fakes import FakeClock

from bling_collector.api.transport import RetryTransport, counting
from bling_collector.api.waiting import Waiting
from bling_collector.errors import BlingUnavailableError

GET = httpx2.Request("GET", "https://api.bling.com.br/Api/v3/nfe")


async def test_each_try_says_which_it_is_and_when_it_comes() -> None:
    said: list[str | None] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        said.append(requests.waiting.said(clock.monotonic()))
        return httpx2.Response(503, text="<html>")

    class Telling(FakeClock):
        async def sleep(self, seconds: float) -> None:
            said.append(requests.waiting.said(self.monotonic()))
            await super().sleep(seconds)

    clock = Telling()
    with counting() as requests, pytest.raises(BlingUnavailableError):
        await RetryTransport(httpx2.MockTransport(answer), clock).handle_async_request(GET)
    assert said[0] is None
    assert said[1] in {f"o Bling não respondeu; tentativa 2 de 5, daqui a {n} s" for n in (2, 3)}
    assert said[2] == "o Bling não respondeu; tentativa 2 de 5, à espera da resposta"
    assert str(said[7]).startswith("o Bling não respondeu; tentativa 5 de 5, daqui a 1")
    assert requests.waiting.said(clock.monotonic()) is None, "desistiu"


def test_silence_is_said_and_one_that_fails_among_many_is_not() -> None:
    waiting = Waiting()
    waiting.sent("a", 1, 5, now=0.0)
    assert waiting.said(4.0) is None
    assert waiting.said(12.0) == "o Bling não responde há 12 s"
    waiting.holds("a", 2, 5, 12.0, 8.0)
    assert waiting.said(15.0) == "o Bling não respondeu; tentativa 2 de 5, daqui a 5 s"
    waiting.sent("b", 1, 5, 16.0)
    waiting.ended("b", 17.0, answered=True)
    assert waiting.said(18.0) is None, "a outra respondeu: a execução anda"
    waiting.holds("c", 1, 5, 20.0, 60.0, paused=True)
    assert waiting.said(20.0) == "o Bling está em pausa, depois de muitos erros; tentativa 1 de 5, daqui a 1 min 00 s"
