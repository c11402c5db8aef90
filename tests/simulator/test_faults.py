"""Defeitos encomendados, num transporte em memória."""

import json
import re
from typing import Any

import httpx2
import pytest

from bling_simulator import Bling
from bling_simulator.faults import FaultBook, FaultKind, FaultRule
from bling_simulator.gate import DroppedConnectionError

PATH = "/formas-pagamentos"


async def statuses(client: httpx2.AsyncClient, count: int) -> list[int]:
    return [(await client.get(PATH)).status_code for _ in range(count)]


async def test_after_and_times(client: httpx2.AsyncClient, bling: Bling) -> None:
    bling.fail("^/formas-pagamentos$", after=2, times=2)
    assert await statuses(client, 6) == [200, 200, 500, 500, 200, 200]
    assert bling.counters.faults == 2


async def test_removing_and_clearing(client: httpx2.AsyncClient, bling: Bling) -> None:
    rule = bling.fail(PATH)
    assert await statuses(client, 1) == [500]
    bling.faults.remove(rule)
    assert await statuses(client, 1) == [200]
    bling.fail(PATH)
    bling.faults.clear()
    assert await statuses(client, 1) == [200]


async def test_path_and_method_choose(client: httpx2.AsyncClient, bling: Bling) -> None:
    bling.fail(r"^/nfe/\d+$", method="get")
    note = next(iter(bling.notes))
    assert (await client.get("/nfe")).status_code == 200
    assert (await client.post(f"/nfe/{note}")).status_code == 405
    assert (await client.get(f"/nfe/{note}")).status_code == 500


async def test_a_page_fails_only_while_it_brings_the_record(client: httpx2.AsyncClient, bling: Bling) -> None:
    bad = next(note["id"] for note in bling.notebook.newest_first() if note["tipo"] == 1)
    bling.fail("^/nfe$", contains=f'"id":{bad},')
    page = {"limite": 5, "tipo": 1}
    assert [(await client.get("/nfe", params=page | {"pagina": n})).status_code for n in (1, 2)] == [500, 200]
    bling.delete_note(bad)
    assert (await client.get("/nfe", params=page)).status_code == 200


async def test_the_query_chooses(client: httpx2.AsyncClient, bling: Bling) -> None:
    bling.fail("^/produtos$", query=r"codigos\[\]=A/1(&|$)")
    for codigos, status in ((["B", "A/1"], 500), (["A/10"], 200), (["B"], 200)):
        assert (await client.get("/produtos", params={"codigos[]": codigos})).status_code == status


def test_first_rule_that_fires_wins_and_all_count() -> None:
    book = FaultBook(seed=1)
    book.add(FaultRule("a", "empty", after=1))
    book.add(FaultRule("a", "null"))
    chosen = [book.choose("GET", "/a") for _ in range(2)]
    assert [rule.kind for rule in chosen if rule] == ["null", "empty"]
    assert [fired for _, _, fired in book] == [1, 1]


def test_probability_is_seeded() -> None:
    def draw(seed: int) -> list[bool]:
        book = FaultBook(seed)
        book.add(FaultRule("a", probability=0.3))
        return [book.choose("GET", "/a") is not None for _ in range(1000)]

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)
    assert 250 < sum(draw(1)) < 350


def test_a_path_must_be_an_expression() -> None:
    with pytest.raises(re.error):
        FaultBook(1).add(FaultRule("("))


@pytest.mark.parametrize(
    ("kind", "extra", "status", "body"),
    [
        ("bad_gateway", {}, 502, "<h1>502 Bad Gateway</h1>"),
        ("bad_gateway", {"status": 503}, 503, "<h1>503 Bad Gateway</h1>"),
        ("error_with_200", {}, 200, '{"error":'),
        ("server_error", {}, 500, '"type":"SERVER_ERROR"'),
        ("empty", {}, 200, ""),
        ("null", {}, 200, "null"),
        ("body", {"status": 418, "body": "chá"}, 418, "chá"),
    ],
)
async def test_canned_answers(
    client: httpx2.AsyncClient, bling: Bling, kind: FaultKind, extra: dict[str, Any], status: int, body: str
) -> None:
    bling.fail(PATH, kind, **extra)
    answer = await client.get(PATH)
    assert answer.status_code == status
    assert body in answer.text
    assert bool(answer.text) == bool(body)


async def test_cut_json(client: httpx2.AsyncClient, bling: Bling) -> None:
    whole = (await client.get(PATH)).content
    bling.fail(PATH, "cut")
    answer = await client.get(PATH)
    assert answer.status_code == 200
    assert answer.content == whole[: len(whole) // 2]
    with pytest.raises(json.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize("kind", ["drop", "hang", "lost_answer"])
async def test_dropped_connections(client: httpx2.AsyncClient, bling: Bling, kind: FaultKind) -> None:
    bling.fail(PATH, kind, seconds=0, times=1)
    with pytest.raises(DroppedConnectionError):
        await client.get(PATH)
    assert await statuses(client, 1) == [200]


async def test_a_token_rotated_but_never_delivered(anonymous: httpx2.AsyncClient, bling: Bling) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": bling.grant()["refresh_token"]}
    auth = httpx2.BasicAuth(bling.settings.client_id, bling.settings.client_secret)
    bling.fail("^/oauth/token$", "lost_answer", times=1)
    with pytest.raises(DroppedConnectionError):
        await anonymous.post("/oauth/token", data=form, auth=auth)
    answer = await anonymous.post("/oauth/token", data=form, auth=auth)
    assert answer.json()["error"]["description"] == "Invalid refresh token"


async def test_a_spoilt_detail_is_not_counted_as_delivered(client: httpx2.AsyncClient, bling: Bling) -> None:
    note = next(iter(bling.notes))
    bling.fail("/nfe/", "null", times=1)
    for _ in range(3):
        await client.get(f"/nfe/{note}")
    assert bling.counters.details[f"/nfe/{note}"] == 2
    assert bling.counters.requests["/nfe/{id}"] == 3


async def test_a_refused_request_does_not_spend_the_fault(client: httpx2.AsyncClient, bling: Bling) -> None:
    bling.configure(requests_per_second=1)
    bling.fail(PATH, after=1)
    assert await statuses(client, 3) == [200, 429, 429]
    assert bling.counters.faults == 0
