"""O simulador num soquete de verdade, e a linha de comando."""

import logging

import httpx2
import pytest

from bling_simulator import SimulatorSettings, running
from bling_simulator.__main__ import main, parse_settings
from bling_simulator.faults import FaultKind

SMALL = SimulatorSettings(scale=0.01, requests_per_second=0)


async def test_serves_in_the_background() -> None:
    async with running(SMALL) as server, httpx2.AsyncClient(base_url=server.api_url, timeout=60) as client:
        assert server.api_url == f"{server.url}/Api/v3"
        headers = {"Authorization": f"Bearer {server.bling.grant()['access_token']}"}
        answer = await client.get("/nfe", headers=headers)
        assert len(answer.json()["data"]) == sum(
            note["tipo"] == 1 and note["situacao"] != 2 for note in server.bling.notes.values()
        )
    async with httpx2.AsyncClient(timeout=60) as client:
        with pytest.raises(httpx2.ConnectError):
            await client.get(server.url)


async def test_two_servers_at_once() -> None:
    async with running(SMALL) as first, running(SMALL) as second:
        assert first.url != second.url
        assert first.bling is not second.bling


@pytest.mark.parametrize("kind", ["drop", "hang", "lost_answer"])
async def test_a_dropped_connection_is_a_transport_error(kind: FaultKind, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        async with running(SMALL) as server, httpx2.AsyncClient(base_url=server.api_url, timeout=60) as client:
            server.bling.fail("^/nfe$", kind, times=1, seconds=0)
            with pytest.raises(httpx2.TransportError):
                await client.get("/nfe")
            assert (await client.get("/nfe")).status_code == 401
    assert caplog.records == []


async def test_a_hung_request_can_be_abandoned() -> None:
    async with running(SMALL) as server, httpx2.AsyncClient(base_url=server.api_url, timeout=60) as client:
        server.bling.fail("^/nfe$", "hang", times=1, seconds=3600)
        with pytest.raises(httpx2.ReadTimeout):
            await client.get("/nfe", timeout=httpx2.Timeout(60, read=0.05))
        assert (await client.get("/nfe")).status_code == 401


async def test_latency_is_a_setting() -> None:
    async with running(SMALL) as server, httpx2.AsyncClient(base_url=server.api_url, timeout=60) as client:
        server.bling.configure(latency=0.2, latency_jitter=0.1)
        with pytest.raises(httpx2.ReadTimeout):
            await client.get("/nfe", timeout=httpx2.Timeout(60, read=0.02))


def test_command_line() -> None:
    host, port, settings = parse_settings(["--port", "9000", "--scale", "0.1", "--requests-per-second", "0"])
    assert (host, port) == ("127.0.0.1", 9000)
    assert settings == SimulatorSettings(scale=0.1, requests_per_second=0)
    assert parse_settings([])[1] == 8099


def test_main_says_where_it_answers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    served: list[object] = []
    monkeypatch.setattr("bling_simulator.__main__.serve", lambda *arguments: served.extend(arguments))
    main(["--port", "9000", "--client-id", "meu-app"])
    assert served == ["127.0.0.1", 9000, SimulatorSettings(client_id="meu-app")]
    told = capsys.readouterr().err
    assert "http://127.0.0.1:9000/Api/v3" in told
    assert "meu-app" in told
