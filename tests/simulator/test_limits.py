"""A cota da conta e o bloqueio de endereços, com um relógio parado."""

import httpx2

from bling_simulator import Bling, ManualClock
from bling_simulator.limits import SlidingWindow

PATH = "/formas-pagamentos"


async def statuses(client: httpx2.AsyncClient, count: int, path: str = PATH) -> list[int]:
    return [(await client.get(path)).status_code for _ in range(count)]


def test_sliding_window_forgets_exactly_at_its_width() -> None:
    window = SlidingWindow(1.0)
    assert [window.add(at) for at in (0.0, 0.5, 0.99)] == [1, 2, 3]
    assert window.count(0.999) == 3
    assert window.count(1.0) == 2
    assert window.count(5.0) == 0


async def test_three_a_second_sliding(client: httpx2.AsyncClient, bling: Bling, clock: ManualClock) -> None:
    bling.configure(requests_per_second=3)
    assert await statuses(client, 1) == [200]
    clock.advance(0.9)
    assert await statuses(client, 3) == [200, 200, 429]
    clock.advance(0.1)
    assert await statuses(client, 2) == [200, 429]
    assert bling.counters.too_many_requests == 2


async def test_second_answer(client: httpx2.AsyncClient, bling: Bling) -> None:
    bling.configure(requests_per_second=1)
    await client.get(PATH)
    answer = await client.get(PATH)
    assert answer.json() == {
        "error": {
            "type": "TOO_MANY_REQUESTS",
            "message": "Limite de requisições atingido.",
            "description": "O limite de requisições por segundo foi atingido, tente novamente mais tarde.",
            "limit": 1,
            "period": "second",
        }
    }
    assert not {"retry-after", "x-ratelimit-limit", "x-ratelimit-remaining"} & answer.headers.keys()


async def test_day(client: httpx2.AsyncClient, bling: Bling, clock: ManualClock) -> None:
    bling.configure(requests_per_day=2)
    assert await statuses(client, 3) == [200, 200, 429]
    error = (await client.get(PATH)).json()["error"]
    assert (error["limit"], error["period"]) == (2, "day")
    assert error["description"].endswith("tente novamente amanhã.")
    clock.advance(11 * 3600)  # são 23:30 em Brasília: lá ainda é o mesmo dia
    assert await statuses(client, 1) == [429]
    clock.advance(3600)
    client.headers["Authorization"] = f"Bearer {bling.grant()['access_token']}"
    assert await statuses(client, 1) == [200]


async def test_tokens_do_not_spend_the_quota(client: httpx2.AsyncClient, bling: Bling) -> None:
    bling.configure(requests_per_second=1)
    assert (await client.post("/oauth/token")).status_code == 400
    assert await statuses(client, 2) == [200, 429]


async def test_token_calls_block_the_address(client: httpx2.AsyncClient, bling: Bling, clock: ManualClock) -> None:
    for _ in range(20):
        assert (await client.post("/oauth/token")).status_code == 400
    answer = await client.post("/oauth/token")
    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("text/html")
    assert await statuses(client, 1) == [403]
    clock.advance(3599)
    assert await statuses(client, 1) == [403]
    clock.advance(1)
    assert await statuses(client, 1) == [200]
    assert bling.counters.token_calls == 21
    assert bling.counters.blocked == 3


async def test_errors_block_the_address(client: httpx2.AsyncClient, bling: Bling, clock: ManualClock) -> None:
    bling.configure(errors_per_10s=5)
    assert await statuses(client, 7, "/nada") == [404] * 6 + [403]
    clock.advance(600)
    assert await statuses(client, 1) == [200]


async def test_slow_errors_do_not(client: httpx2.AsyncClient, bling: Bling, clock: ManualClock) -> None:
    bling.configure(errors_per_10s=5)
    for _ in range(30):
        clock.advance(2)
        assert await statuses(client, 1, "/nada") == [404]


async def test_floods_block_the_address(client: httpx2.AsyncClient, bling: Bling) -> None:
    bling.configure(requests_per_second=1000, requests_per_10s=10)
    assert await statuses(client, 11) == [200] * 10 + [403]
    bling.ip_limits.forgive()
    assert await statuses(client, 1) == [200]


async def test_everything_can_be_switched_off(client: httpx2.AsyncClient, bling: Bling) -> None:
    bling.configure(requests_per_day=0, token_calls_per_minute=0, errors_per_10s=0)
    assert set(await statuses(client, 650)) == {200}
    assert set(await statuses(client, 310, "/nada")) == {404}
    assert {(await client.post("/oauth/token")).status_code for _ in range(25)} == {400}
