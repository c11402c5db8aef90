"""O serviço diante do que o OpenAPI dele permite e do que não permite: nenhum 5xx, nenhuma pilha, respostas como o
esquema as promete.

O banco, o Bling e a autorização estão no ar: aqui um 502 ou um 503 é um defeito como um 500.
"""

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import httpx2
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.acceptance.service_fixtures import authorise
from tests.support.collecting import collector_settings
from tests.support.postgres import create_database, drop_database

from bling_collector.config import Secret
from bling_collector.db.embedded.postgres import EmbeddedServer
from bling_collector.main import create_app
from bling_simulator.server import running
from bling_simulator.settings import SimulatorSettings

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
COLLECTIONS = ("POST /run/full", "POST /reconcile")
"""O que, aceito, percorre anos: um pedido destes custa o de cem outros."""
SMALL = SimulatorSettings(scale=0.003, requests_per_second=0, errors_per_10s=0, today=date(2026, 2, 20))


@asynccontextmanager
async def _service(postgres: EmbeddedServer, template: str) -> AsyncIterator[str]:
    """O serviço num soquete, autorizado num Bling pequeno; o seu endereço."""
    url = await create_database(postgres, template)
    async with running(SMALL) as simulator:
        app = create_app(collector_settings(simulator.api_url, Secret(url)))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on", ws="none"))
            task = asyncio.create_task(server.serve(sockets=[listener]))
            async with httpx2.AsyncClient(base_url=address, timeout=30) as http:
                assert (await authorise(http, simulator.bling)).status_code == 200
            yield address
            server.should_exit = True
            await task
    await drop_database(postgres, url)


@pytest.fixture(scope="module")
def address(postgres: EmbeddedServer, migrated_template: str) -> Iterator[str]:
    """O serviço roda noutra thread: o schemathesis é síncrono."""
    ready, done = threading.Event(), threading.Event()
    found: list[str] = []

    async def serve() -> None:
        async with _service(postgres, migrated_template) as url:
            found.append(url)
            ready.set()
            await asyncio.to_thread(done.wait)

    def work() -> None:
        try:
            asyncio.run(serve())
        finally:
            ready.set()

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait()
    assert found, "o serviço não começou"
    yield found[0]
    done.set()
    thread.join()


def try_everything(address: str, examples: int) -> Counter[int]:
    """Pedidos que o esquema permite e pedidos que não, a cada operação; as respostas, por código."""
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    assert {f"{o.method.upper()} {o.path}" for o in operations} >= {"POST /run", "GET /status", "GET /runs/{run_id}"}
    statuses: Counter[int] = Counter()
    for operation in operations:
        fewer = 4 if f"{operation.method.upper()} {operation.path}" in COLLECTIONS else 1
        for mode in GenerationMode:
            _try(operation, mode, max(1, examples // fewer), statuses)
    return statuses


def _try(
    operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, examples: int, statuses: Counter[int]
) -> None:
    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def answers_as_it_says(case: Case[Any]) -> None:
        response = case.call_and_validate(checks=CHECKS, timeout=120)
        statuses[response.status_code] += 1
        assert "Traceback" not in response.text

    try:
        answers_as_it_says()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, operation.label  # não há como errar quem não tem parâmetros


def test_the_service_answers_as_its_description_says(address: str) -> None:
    statuses = try_everything(address, 1)
    assert statuses[200] > 5
    assert statuses[422] > 5


@pytest.mark.slow
def test_the_service_answers_as_its_description_says_to_many_more(address: str) -> None:
    assert try_everything(address, 50)[422] > 100
