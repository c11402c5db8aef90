"""As leituras: registro por id e listagem página a página."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import pytest
import simplejson
from hypothesis import given
from hypothesis import strategies as st
from tests.support.fakes import START, FakeClock
from tests.support.sliding_log import SlidingLogLimiter

from bling_collector.api.bling_client import BlingClient, Params, build_http
from bling_collector.api.transport import ATTEMPTS
from bling_collector.auth.tokens import Token
from bling_collector.errors import BlingBodyError, BlingMovedError, BlingUnavailableError, PaginationLoopError
from bling_collector.payload import UnreadableError

HUGE = 9_007_199_254_740_993  # 2**53 + 1: um float o arredondaria


class OneToken:
    async def get_valid_access_token(self) -> Token:
        return Token(access_token="t", refresh_token="r", expires_at=START + timedelta(hours=6))

    async def renew_after_401(self, rejected: Token) -> Token:
        raise AssertionError("não houve 401")

    async def refuse(self, rejected: Token) -> None:
        raise AssertionError("não houve 401")


def http_over(answer: Callable[[httpx2.Request], httpx2.Response], base_url: str = "https://bling/Api/v3") -> Any:
    clock = FakeClock()
    limiter = SlidingLogLimiter(clock, spacing=0)
    return build_http(base_url, OneToken(), limiter, clock, wire=httpx2.MockTransport(answer))


def json(body: object) -> httpx2.Response:
    return httpx2.Response(200, content=simplejson.dumps(body, use_decimal=True))


class Listing:
    """Uma listagem: cada item é uma página, e depois delas vêm páginas vazias."""

    def __init__(self, *pages: list[Any]) -> None:
        self._pages = pages
        self.queries: list[list[tuple[str, str]]] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        query = parse_qsl(request.url.query.decode(), keep_blank_values=True)
        self.queries.append(query)
        page = int(dict(query)["pagina"])
        return json({"data": self._pages[page - 1] if page <= len(self._pages) else []})


def rows(*ids: int) -> list[dict[str, Any]]:
    return [{"id": id_, "nome": f"n{id_}"} for id_ in ids]


async def listed(answer: Callable[[httpx2.Request], httpx2.Response], params: Params = (), **options: int) -> Any:
    client = BlingClient(http_over(answer), **options)
    return [[row["id"] for row in page] async for page in client.pages("/nfe", params)]


async def test_it_goes_on_to_the_empty_page() -> None:
    listing = Listing(rows(1, 2), rows(3), rows(4, 5))

    assert await listed(listing, page_size=2) == [[1, 2], [3], [4, 5]]
    assert [dict(query)["pagina"] for query in listing.queries] == ["1", "2", "3", "4"]
    assert {dict(query)["limite"] for query in listing.queries} == {"2"}


async def test_one_row_is_asked_of_what_has_pages() -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.query.decode())
        return json({"data": rows(1, 2)})

    client = BlingClient(http_over(answer))
    await client.one_row("/nfe", [("tipo", "1")])
    await client.one_row("/caixas", sized=False)
    await client.one_row("/contatos/tipos", paged=False)
    assert asked == ["tipo=1&pagina=1&limite=1", "pagina=1", ""]


async def test_an_empty_listing_yields_nothing() -> None:
    assert await listed(Listing()) == []


async def test_pages_may_exceed_the_limit() -> None:
    assert await listed(Listing(rows(*range(130)), rows(200))) == [list(range(130)), [200]]


async def test_repeated_rows_come_once() -> None:
    assert await listed(Listing(rows(1, 2, 2), rows(2, 3), rows(3, 1), rows(4))) == [[1, 2], [3], [4]]


async def test_two_stale_pages_are_tolerated_and_three_are_a_loop() -> None:
    assert await listed(Listing(rows(1), rows(1), rows(1), rows(2), rows(2), rows(1))) == [[1], [2]]

    with pytest.raises(PaginationLoopError, match="páginas 3 a 5"):
        await listed(Listing(rows(1), rows(2), rows(1), rows(2), rows(1), rows(3)))


async def test_a_listing_that_ignores_the_page_is_a_loop() -> None:
    with pytest.raises(PaginationLoopError):
        await listed(lambda _: json({"data": rows(1, 2)}))


async def short_ends_after(followed: list[int], last: int) -> list[str]:
    """As páginas pedidas de uma listagem de uma página só, de `last` linhas, por um cliente que já leu outra em que
    páginas de `followed` linhas tinham outra depois."""
    start = 1000
    earlier = []
    for size in [*followed, 1]:
        earlier.append(rows(*range(start, start + size)))
        start += size
    listing = Listing(rows(*range(last)))
    client = BlingClient(
        http_over(lambda request: (Listing(*earlier) if "/nfe" in str(request.url) else listing)(request))
    )
    assert [page async for page in client.pages("/nfe")] == earlier
    assert [len(page) async for page in client.pages("/produtos", short_is_last=True)] == [last]
    return [dict(query)["pagina"] for query in listing.queries]


@pytest.mark.parametrize(
    ("followed", "last", "asked"),
    [
        ([], 49, ["1"]),
        ([100], 50, ["1", "2"]),
        ([100, 98, 103, 50, 100], 9, ["1"]),
        ([100, 98, 103, 49, 100], 9, ["1", "2"]),
        ([1, 100], 1, ["1", "2"]),
    ],
)
async def test_a_page_of_less_than_half_may_be_the_last_until_one_such_has_another_after_it(
    followed: list[int], last: int, asked: list[str]
) -> None:
    assert await short_ends_after(followed, last) == asked


@given(st.lists(st.lists(st.integers(1, 40), min_size=1, max_size=10), max_size=20))
async def test_each_id_comes_exactly_once(pages: list[list[int]]) -> None:
    seen: list[int] = []
    client = BlingClient(http_over(Listing(*(rows(*page) for page in pages))))
    try:
        async for page in client.pages("/nfe"):
            assert page
            seen.extend(row["id"] for row in page)
    except PaginationLoopError:
        return
    assert sorted(seen) == sorted({id_ for page in pages for id_ in page})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": None},
        {"data": ""},
        {"data": "2026-01-12"},
        {"data": {"id": None}},
        {"data": {"vendedores": [{"id": 7}]}},
        {"error": None},
        {"nome": "n7"},
        [None],
        [[{"id": 7}]],
        {"data": [None]},
        {"data": [1]},
        {"data": [{}]},
        {"data": [{"id": "sete"}]},
        {"data": {"a": {"id": 7}}},
        {"data": [{"id": 7.5}]},
        {"data": [{"id": True}]},
        {"data": [{"id": 1}, {"id": None}]},
    ],
)
async def test_a_page_of_another_shape_is_asked_again(body: object) -> None:
    good = iter([json(body), json({"data": rows(1)}), json({"data": []})])
    assert await listed(lambda _: next(good)) == [[1]]

    with pytest.raises(BlingBodyError, match="GET /nfe: a listagem veio"):
        await listed(lambda _: json(body))


@pytest.mark.parametrize(
    "page",
    [
        {"data": {"id": 7, "contato": {"id": 5}}},
        {"id": 7, "data": "2026-01-12"},
        {"7": {"id": 7}},
        [{"id": 7}],
    ],
)
@pytest.mark.parametrize("end", [{"data": []}, {"data": {}}, []])
async def test_a_page_may_be_an_object_or_come_without_the_envelope(page: object, end: object) -> None:
    assert await listed(lambda request: json(page if request.url.params["pagina"] == "1" else end)) == [[7]]


@pytest.mark.parametrize("body", [{"error": {"type": "X", "message": "x"}}, {"data": [], "error": {"type": "X"}}])
async def test_an_error_is_never_an_empty_page(body: object) -> None:
    with pytest.raises(BlingBodyError, match="com um erro"):
        await listed(lambda _: json(body))


async def test_a_failed_page_is_never_the_end() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        return json({"data": rows(1)}) if request.url.params["pagina"] == "1" else httpx2.Response(500)

    pages = BlingClient(http_over(answer)).pages("/nfe")
    assert [row["id"] for row in await anext(pages)] == [1]
    with pytest.raises(BlingUnavailableError):
        await anext(pages)


async def test_parameters_arrive_as_they_are() -> None:
    listing = Listing()
    params: Params = [
        ("codigos[]", "A B+C%41&x=1#ç"),
        ("codigos[]", "çãé/\\\"'"),
        ("codigos[]", ""),
        ("dataEmissaoInicial", "2026-02-01 00:00:00"),
        ("situacao", 5),
    ]
    await listed(listing, params)

    expected = [(key, str(value)) for key, value in params]
    assert listing.queries == [[*expected, ("pagina", "1"), ("limite", "100")]]


async def test_a_detail_is_the_record_asked_for() -> None:
    detail = {"id": HUGE, "valorNota": Decimal("0.10"), "itens": [{"quantidade": 1, "valor": Decimal("4.90")}]}
    paths = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        paths.append(request.url.raw_path)
        return json({"data": detail})

    assert await BlingClient(http_over(answer)).detail("/nfe", HUGE) == detail
    assert paths == [b"/Api/v3/nfe/9007199254740993"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": None},
        {"data": []},
        {"data": {}},
        {"data": {"id": 8}},
        {"data": {"id": "07x"}},
        {"data": [{"id": 7}, {"id": 7}]},
        {"data": [{"id": 8}]},
        {"id": 8},
    ],
)
async def test_another_record_is_asked_again_and_then_refused(body: object) -> None:
    asked = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return json(body)

    with pytest.raises(BlingBodyError, match="GET /nfe/7"):
        await BlingClient(http_over(answer)).detail("/nfe", 7)
    assert len(asked) == ATTEMPTS


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"id": "7", "n": 1}},
        {"data": [{"id": 7, "n": 1}]},
        {"data": {"0": {"id": 7, "n": 1}}},
        {"data": [{"id": 8, "n": 2}, {"id": 7, "n": 1}]},
        {"id": 7, "n": 1},
    ],
)
async def test_the_record_may_come_wrapped_in_other_ways(body: object) -> None:
    assert await BlingClient(http_over(lambda _: json(body))).detail("/nfe", 7) == {"id": 7, "n": 1}


async def test_a_record_without_the_envelope_may_have_a_date_called_data() -> None:
    entry = {"id": 7, "data": "2026-01-12"}
    assert await BlingClient(http_over(lambda _: json(entry))).detail("/caixas", 7) == entry


@pytest.mark.parametrize(("status", "attends"), [(200, True), (404, True), (400, True), (403, False), (500, False)])
async def test_what_has_no_list_is_asked_for_what_nobody_has(status: int, attends: bool) -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        body = {"data": {"id": 1}} if status == 200 else {"error": {"type": "X", "message": "x"}}
        return httpx2.Response(status, content=simplejson.dumps(body))

    assert await BlingClient(http_over(answer)).attends("/borderos") is attends
    assert {path.rpartition("/Api/v3")[2] for path in asked} == {"/borderos/1"}


async def test_the_id_may_go_in_a_parameter() -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.raw_path.decode())
        return httpx2.Response(200, content=simplejson.dumps({"contas": []}))

    client = BlingClient(http_over(answer))
    found = await client.detail("/contas/receber/boletos", 7, key=lambda row: 7, by="idOrigem", params=(("n", "2"),))
    assert found == {"contas": [], "id": 7}
    assert await client.attends("/contas/receber/boletos", "idOrigem")
    assert [path.rpartition("/")[2] for path in asked] == ["boletos?idOrigem=7&n=2", "boletos?idOrigem=1"]


async def test_a_list_of_php_may_come_as_an_object() -> None:
    pages = [{"1": {"id": "5"}, "0": {"id": 4}}, {"7": {"id": 6}}, []]
    assert await listed(lambda request: json({"data": pages[int(request.url.params["pagina"]) - 1]})) == [[4, 5], [6]]


async def test_a_record_that_cannot_be_read_is_asked_again() -> None:
    def read(record: dict[str, Any]) -> None:
        if record["n"] != 3:
            raise UnreadableError("n veio como texto")

    answers = iter(range(1, 99))
    client = BlingClient(http_over(lambda _: json({"data": {"id": 7, "n": next(answers)}})))
    assert (await client.detail("/nfe", 7, read))["n"] == 3
    with pytest.raises(BlingBodyError, match="GET /nfe/7: o registro não se lê inteiro: n veio como texto"):
        await client.detail("/nfe", 7, read)
    assert next(answers) == 4 + ATTEMPTS


@pytest.mark.parametrize("base_url", ["https://bling/Api/v3", "https://bling/Api/v3/"])
@pytest.mark.parametrize("path", ["/nfe", "nfe"])
async def test_the_path_is_joined_to_the_base(base_url: str, path: str) -> None:
    urls = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        urls.append(str(request.url))
        return json({"data": []})

    await BlingClient(http_over(answer, base_url)).get(path)

    assert urls == ["https://bling/Api/v3/nfe"]


async def test_the_client_asks_for_json_keeps_no_cookie_and_follows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:1")
    requests = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        headers = {"Set-Cookie": "PHPSESSID=1; path=/", "Location": "https://outro/"}
        return httpx2.Response(200 if len(requests) < 2 else 302, headers=headers, content=b'{"data": []}')

    http = http_over(answer)
    await BlingClient(http).get("/nfe")
    with pytest.raises(BlingMovedError, match="https://outro/"):
        await BlingClient(http).get("/nfe")

    assert [request.url.host for request in requests] == ["bling", "bling"]
    assert all("cookie" not in request.headers for request in requests)
    assert requests[0].headers["accept"] == "application/json"
    assert requests[0].headers["user-agent"].startswith("bling-collector/")
    assert http.timeout == httpx2.Timeout(30, connect=10)


async def test_closing_the_client_closes_the_wire() -> None:
    class Wire(httpx2.AsyncBaseTransport):
        closed = False

        async def aclose(self) -> None:
            self.closed = True

    clock, wire = FakeClock(), Wire()
    async with build_http("https://b", OneToken(), SlidingLogLimiter(clock), clock, wire=wire):
        assert not wire.closed
    assert wire.closed
