"""As rotas da prova: o que respondem, e o problema claro de um pedido errado."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.acceptance.service_fixtures import authorise, problem, serving
from tests.support.fakes import FakeClock
from tests.support.proving import at, count, execute, gone, outgoing, snapshot, twin

from bling_collector.config import Settings
from bling_collector.db.control import PARKED_AFTER
from bling_simulator.bling import Bling

FULL = "/run/full?data_inicio=2025-01-01"


@pytest.fixture
async def http(settings: Settings, clock: FakeClock, bling: Bling) -> AsyncIterator[httpx2.AsyncClient]:
    """O serviço, já autorizado."""
    async with serving(settings, clock) as client:
        assert (await authorise(client, bling)).status_code == 200
        yield client


@pytest.mark.slow
async def test_reconciling_repairing_and_showing(http: httpx2.AsyncClient, bling: Bling, engine: AsyncEngine) -> None:
    doomed = twin(bling, outgoing(bling, 6)[-1], emitted_at=at("2025-05-31 23:59:59"))
    assert (await http.post(FULL)).status_code == 200
    issued = bling.issue_note(emitted_at=at("2025-06-01 00:00:00"))
    bling.delete_note(doomed)
    before = await snapshot(engine)
    looked = (await http.post("/reconcile")).json()
    assert looked["status"] == "partial"
    assert looked["encontrado"]["ids"] == {"faltavam": [issued], "sumiram": [doomed]}
    assert await snapshot(engine) == before
    shown = (await http.get("/reconcile")).json()
    assert not shown["igual"]
    may, june = (next(m for m in shown["meses"] if m["mes"] == mes) for mes in ("2025-05", "2025-06"))
    assert (may["sobram"], june["faltam"]) == ([doomed], [issued])
    repaired = (await http.post("/reconcile?repair=true")).json()
    assert (repaired["status"], repaired["mensagem"]) == ("success", None)
    shown = (await http.get("/reconcile")).json()
    total = sum(bling.notes[i]["dataEmissao"] >= "2025" for i in outgoing(bling))
    assert (shown["igual"], shown["no_bling"], shown["no_banco"]) == (True, total, total)
    assert shown["completo_em"] == min(month["conferida_em"] for month in shown["meses"])
    assert shown["por_conferir"] == []
    assert await gone(engine) == {doomed}


@pytest.mark.slow
async def test_the_numbering(http: httpx2.AsyncClient, bling: Bling) -> None:
    first = bling.issue_note(serie=7)
    bling.notebook._numbers[7] += 1
    second = bling.issue_note(serie=7)
    await http.post("/run")
    (serie,) = (await http.get("/reconcile/numeracao?serie=7")).json()
    (gap,) = serie["sem_explicacao"]
    assert (gap["de"], gap["ate"], gap["antes"]["id"], gap["depois"]["id"]) == (2, 2, first, second)
    assert serie in (await http.get("/reconcile/numeracao")).json()
    problem(await http.get("/reconcile/numeracao?serie=99"), 404)
    for wrong in ("serie=abc", "serie=-1", "serie=1000", "série=7"):
        problem(await http.get(f"/reconcile/numeracao?{wrong}"), 422)


@pytest.mark.slow
async def test_what_failed_is_listed_and_retried(http: httpx2.AsyncClient, bling: Bling, engine: AsyncEngine) -> None:
    bad = outgoing(bling)[-1]
    bling.fail(rf"^/nfe/{bad}$", "body", status=400, body='{"error": {"description": "Nota estragada."}}')
    assert (await http.post("/run")).json()["status"] == "partial"
    await execute(engine, "UPDATE pendencias SET tentativas = :n", n=PARKED_AFTER)
    (failure,) = (await http.get("/failures")).json()["pendencias"]
    assert (failure["nome"], failure["estacionada"], failure["tentativas"]) == (f"nfe/{bad}", True, PARKED_AFTER)
    assert (await http.get("/status")).json()["owed"]["nomes_estacionadas"] == [f"nfe/{bad}"]
    bling.faults.clear()
    assert (await http.post("/run")).json()["status"] == "partial", "parada até que se peça"
    assert (await http.post("/failures/retry")).json()["status"] == "success"
    assert (await http.get("/failures")).json() == {"pendencias": [], "janelas": []}


@pytest.mark.slow
async def test_a_nota_and_its_history(http: httpx2.AsyncClient, bling: Bling) -> None:
    note = outgoing(bling, 6)[-1]
    problem(await http.get(f"/nfe/{note}"), 404)
    assert (await http.post(f"/sync/nfe/{note}")).json() == {"recurso": "nfe", "id": note, "resultado": "criado"}
    bling.cancel_note(note)
    assert (await http.post(f"/sync/nfe/{note}")).json()["resultado"] == "atualizado"
    read = (await http.get(f"/nfe/{note}")).json()
    truth = bling.notes[note]
    assert (read["id"], read["situacao"], read["numero"]) == (note, 2, truth["numero"])
    assert float(read["total_nota"]) == float(truth["valorNota"])
    assert len(read["linhas"]) == len(truth["itens"])
    assert len(read["pagamentos"]) == len(truth["parcelas"])
    assert read["contato"]["nome"] == truth["contato"]["nome"]
    assert [(h["run_id"], h["mudancas"]) for h in read["historico"]] == [(None, {"situacao": [6, 2]})]


@pytest.mark.collector(recursos=("nfe", "documentos"))
async def test_a_document_is_asked_by_its_key(http: httpx2.AsyncClient, bling: Bling) -> None:
    key = bling.notes[outgoing(bling, 6)[-1]]["chaveAcesso"]
    assert (await http.post(f"/sync/documentos/{key}")).json() == {
        "recurso": "documentos",
        "id": key,
        "resultado": "criado",
    }
    said = problem(await http.post("/sync/nfe/um"), 422)["detail"]
    assert said == "O registro que se pede não serve: o id precisa ser um número inteiro, de 1 a 9223372036854775807."


WRONG = [
    ("POST", "/reconcile", 422),
    ("POST", "/reconcile?data_inicio=2027-01-01", 422),
    ("POST", "/reconcile?data_inicio=2025-02-30", 422),
    ("POST", "/reconcile?data_inicio=2025-02-02&data_fim=2025-02-01", 422),
    ("POST", "/reconcile?repair=talvez", 422),
    ("POST", "/reconcile?reparar=true", 422),
    ("POST", "/sync/pedido/1", 422),
    ("POST", "/sync/nfe/abc", 422),
    ("POST", "/sync/nfe/0", 422),
    ("POST", "/sync/nfe/99999999999999999999", 422),
    ("POST", "/sync/nfe/43260212345678000195550010000024471234567890", 422),
    ("POST", "/sync/documentos/chave", 422),
    ("POST", "/sync/documentos/4326-0212", 422),
    ("POST", "/sync/nfe/123", 404),
    ("POST", "/sync/contato/123", 404),
    ("POST", "/sync/produto/123", 404),
    ("GET", "/nfe/123", 404),
    ("GET", "/nfe/99999999999999999999", 422),
    ("GET", "/reconcile/numeracao?serie=1", 404),
]


@pytest.mark.slow
async def test_wrong_requests_change_nothing(
    http: httpx2.AsyncClient, engine: AsyncEngine, subtests: pytest.Subtests
) -> None:
    before = await snapshot(engine)
    for method, address, status in WRONG:
        with subtests.test(method=method, address=address, status=status):
            problem(await http.request(method, address), status)
            assert await snapshot(engine) == before
            assert await count(engine, "etl_controle") == 0


@pytest.mark.slow
async def test_before_anything_is_read_the_readings_answer(http: httpx2.AsyncClient) -> None:
    empty: dict[str, Any] = {
        "completo_em": None,
        "igual": False,
        "por_conferir": [],
        "no_bling": 0,
        "no_banco": 0,
        "meses": [],
    }
    assert (await http.get("/reconcile")).json() == empty
    assert (await http.get("/reconcile/numeracao")).json() == []
    assert (await http.get("/failures")).json() == {"pendencias": [], "janelas": []}
