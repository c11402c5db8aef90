"""O que muda no Bling enquanto se lê: um recurso inventado, cujas listas mudam entre uma página e outra."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import text
from tests.support.collecting import at_request, rows, scalar
from tests.support.fakes import FakeClock
from tests.support.invented import MODULOS, create_tables, resource, run, served

from bling_collector.bootstrap import App
from bling_collector.etl.resource import WEEKLY, Changed, Document, Resource, Rows, Whole
from bling_collector.payload import Json
from bling_collector.windows import Between
from bling_simulator.api.query import Query
from bling_simulator.bling import Bling
from bling_simulator.clock import local_now

HOUR = 3600.0
DAY = 24 * HOUR
CHANGED = Changed(Between("dataAlteracaoInicial", "dataAlteracaoFinal"))
pytestmark = [
    pytest.mark.bling(scale=0.005, repeat_previous_row=False, uneven_pages=False),
    pytest.mark.collector(api_page_size=10),
]


@dataclass
class Modules:
    """Os módulos de um Bling simulado, que dizem quando cada um mudou."""

    bling: Bling
    records: dict[Any, Json] = field(default_factory=dict)
    altered: dict[Any, str] = field(default_factory=dict)
    reads_the_filter: bool = True

    def put(self, id_: int, nome: str) -> None:
        self.records[id_] = {"id": id_, "nome": nome}
        self.altered[id_] = f"{local_now(self.bling.clock):%Y-%m-%d %H:%M:%S}"

    def shown(self, row: Json, query: Query) -> bool:
        since, until = query.text("dataAlteracaoInicial"), query.text("dataAlteracaoFinal")
        return not (self.reads_the_filter and since and until) or since <= self.altered[row["id"]] <= until

    def asked(self, id_: int) -> int:
        return self.bling.counters.details[f"/modulos/{id_}"]


@pytest.fixture
async def modules(app: App, bling: Bling, monkeypatch: pytest.MonkeyPatch) -> Modules:
    """Trinta módulos, em três páginas."""
    await create_tables(app)
    found = Modules(bling)
    for id_ in range(1, 31):
        found.put(id_, f"M{id_}")
    served(monkeypatch, "/modulos", found.records, found.shown)
    return found


def modulos(**how: Any) -> Resource:
    def mapped(document: Document) -> Rows:
        return {MODULOS: [{"id": document["id"], "nome": document["nome"], "detalhe": document}]}

    return resource("/modulos", MODULOS, mapped, **how)


def during(bling: Bling, monkeypatch: pytest.MonkeyPatch, page: int, action: Callable[[], object]) -> None:
    """Faz `action` antes da página de número `page`, a contar de agora."""
    at_request(bling, monkeypatch, "^/modulos$", page, action)


async def name_of(app: App, id_: int) -> str:
    return str(await scalar(app.engine, "SELECT nome FROM modulos WHERE id = :id", id=id_))


async def test_o_que_muda_durante_a_primeira_carga_e_lido_pela_execucao_seguinte(
    app: App, bling: Bling, clock: FakeClock, modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change() -> None:
        modules.put(1, "Mudou")  # já se leu, na primeira página
        clock.advance(10 * HOUR)  # e a carga ainda demora

    during(bling, monkeypatch, 3, change)
    slow = modulos(detail=False, whole=Whole(every=WEEKLY), changed=CHANGED)
    await run(app, slow)
    assert await name_of(app, 1) == "M1"
    clock.advance(DAY)
    await run(app, slow)
    assert await name_of(app, 1) == "Mudou"


async def test_o_que_se_leu_antes_da_primeira_execucao_que_chega_ao_fim_tambem(
    app: App, clock: FakeClock, modules: Modules
) -> None:
    """Uma carga que parou no meio, ou um registro que se pediu sozinho: a execução seguinte começa dias depois."""
    async with app.engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO modulos (id, nome, detalhe, extraido_em) VALUES (1, 'M1', '{}', :now)"),
            {"now": clock.now()},
        )
    clock.advance(2 * DAY)
    modules.put(1, "Mudou")
    clock.advance(2 * DAY)
    only = modulos(detail=False, changed=CHANGED)
    await run(app, only)
    clock.advance(DAY)
    await run(app, only)
    assert await name_of(app, 1) == "Mudou"


async def test_o_que_a_execucao_leu_ha_muito_e_mudou_depois_e_lido_outra_vez(
    app: App, bling: Bling, clock: FakeClock, modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = modulos(detail=False, whole=Whole(), changed=CHANGED)
    await run(app, slow)
    clock.advance(DAY)
    modules.put(1, "Mudou")

    def change_again() -> None:
        modules.put(1, "Mudou outra vez")
        clock.advance(10 * HOUR)

    during(bling, monkeypatch, 3, change_again)
    await run(app, slow)
    assert await name_of(app, 1) == "Mudou outra vez"


async def test_o_que_a_execucao_acaba_de_ler_nao_se_pede_outra_vez(
    app: App, clock: FakeClock, modules: Modules
) -> None:
    both = modulos(whole=Whole(), changed=CHANGED)
    await run(app, both)
    clock.advance(DAY)
    modules.put(1, "Mudou")
    await run(app, both)
    assert (await name_of(app, 1), modules.asked(1)) == ("Mudou", 2)
