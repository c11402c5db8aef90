"""O tamanho do que se lê: um corpo pequeno que se abre em gigabytes não ocupa a memória."""

import gzip
import zlib
from collections.abc import AsyncIterator, Callable

import httpx2
import pytest
from tests.support.fakes import FakeClock
from tests.unit.api.test_transport import Bench

from bling_collector.api.network import MAX_BODY, TooLargeError, network
from bling_collector.auth.token_endpoint import OutcomeUnknownError, TokenEndpoint
from bling_collector.errors import BlingBodyError, BlingUnavailableError

ZEROS = b'{"data": "' + b"0" * (MAX_BODY + 1000)
PARTS_READ: list[int] = []


def squeezed(times: int = 1, compress: Callable[[bytes], bytes] = gzip.compress) -> bytes:
    body = ZEROS
    for _ in range(times):
        body = compress(body)
    return body


class Parts(httpx2.AsyncByteStream):
    """O corpo em pedaços."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for place in range(0, len(self._body), 4096):
            PARTS_READ.append(place)
            yield self._body[place : place + 4096]


def answering(status: int, body: bytes, *codings: str) -> httpx2.MockTransport:
    """Um fio que manda o corpo em pedaços e anota quantos lhe pediram."""
    PARTS_READ.clear()
    headers = {"content-type": "application/json"} | ({"content-encoding": ", ".join(codings)} if codings else {})
    return httpx2.MockTransport(lambda request: httpx2.Response(status, headers=headers, stream=Parts(body)))


async def get(wire: httpx2.MockTransport) -> httpx2.Response:
    async with httpx2.AsyncClient(transport=network(wire)) as http:
        return await http.get("https://api.bling.com.br/Api/v3/nfe")


@pytest.mark.parametrize(
    ("body", "codings"),
    [
        (ZEROS, ()),
        (squeezed(), ("gzip",)),
        (squeezed(compress=zlib.compress), ("deflate",)),
        (squeezed(2), ("gzip", "gzip")),
        (squeezed(3), ("gzip", "gzip", "gzip")),
    ],
)
async def test_a_body_too_large_is_not_read_to_the_end(body: bytes, codings: tuple[str, ...]) -> None:
    with pytest.raises(TooLargeError, match="16 MB"):
        await get(answering(200, body, *codings))
    if not codings:
        assert len(PARTS_READ) * 4096 < MAX_BODY + 10_000


@pytest.mark.parametrize("coding", ["gzip", "deflate", ""])
async def test_a_body_that_fits_comes_whole(coding: str) -> None:
    body = b'{"data": "' + b"0" * 100_000 + b'"}'
    sent = {"gzip": gzip.compress(body), "deflate": zlib.compress(body), "": body}[coding]
    answer = await get(answering(200, sent, *([coding] if coding else [])))
    assert answer.content == body
    assert "content-encoding" not in answer.headers
    assert answer.json()["data"].startswith("000")


async def test_the_client_says_it_in_words() -> None:
    body = squeezed()
    bench = Bench(lambda request: httpx2.Response(200, headers={"content-encoding": "gzip"}, stream=Parts(body)))
    with pytest.raises(BlingBodyError, match=r"GET /Api/v3/nfe: a resposta veio grande demais \(mais de 16 MB\)"):
        await bench.client.get("/nfe")


@pytest.mark.parametrize(("status", "error"), [(200, OutcomeUnknownError), (500, BlingUnavailableError)])
async def test_the_token_endpoint_has_the_same_end(status: int, error: type[Exception]) -> None:
    async with httpx2.AsyncClient(transport=network(answering(status, squeezed(), "gzip"))) as http:
        endpoint = TokenEndpoint(http, FakeClock(), "https://api.bling.com.br/oauth/token", "id", "segredo")
        with pytest.raises(error):
            await endpoint.refresh("gasto-ou-nao")
