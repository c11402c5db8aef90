"""O que muda no Bling enquanto se lê: um recurso inventado, cujas listas mudam entre uma página e outra."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Column, MetaData, Table, text
from sqlalchemy.schema import CreateTable
from tests.support.collecting import at_request, rows, scalar, until
from tests.support.fakes import FakeClock
from tests.support.invented import MODULOS, create_tables, resource, run, served

from bling_collector.db import control
from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.control import Pendencia
from bling_collector.etl.resource import Changed, Document, Removed, Resource, Rows, Whole
from bling_collector.etl.strategies import changed, whole
from bling_collector.payload import Json
from bling_collector.windows import Between
from bling_collector.workplace.account import Account
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
async def modules(account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch) -> Modules:
    """Trinta módulos, em três páginas."""
    await create_tables(account)
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


async def name_of(account: Account, id_: int) -> str:
    return str(await scalar(account.engine, "SELECT nome FROM modulos WHERE id = :id", id=id_))


async def test_what_changes_during_the_first_load_is_read_by_the_next_run(
    account: Account, bling: Bling, clock: FakeClock, modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change() -> None:
        modules.put(1, "Mudou")  # já se leu, na primeira página
        clock.advance(10 * HOUR)  # e a carga ainda demora

    during(bling, monkeypatch, 3, change)
    slow = modulos(detail=False, whole=Whole(weekly=True), changed=CHANGED)
    await run(account, slow)
    assert await name_of(account, 1) == "M1"
    clock.advance(DAY)
    await run(account, slow)
    assert await name_of(account, 1) == "Mudou"


async def test_what_changed_before_the_first_run_to_reach_the_end_is_read_too(
    account: Account, clock: FakeClock, modules: Modules
) -> None:
    """Uma carga que parou no meio, ou um registro que se pediu sozinho: a execução seguinte começa dias depois."""
    async with account.engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO modulos (id, nome, detalhe, extraido_em) VALUES (1, 'M1', '{}', :now)"),
            {"now": clock.now()},
        )
    clock.advance(2 * DAY)
    modules.put(1, "Mudou")
    clock.advance(2 * DAY)
    only = modulos(detail=False, changed=CHANGED)
    await run(account, only)
    clock.advance(DAY)
    await run(account, only)
    assert await name_of(account, 1) == "Mudou"


async def test_what_changed_long_after_the_run_read_it_is_read_again(
    account: Account, bling: Bling, clock: FakeClock, modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = modulos(detail=False, whole=Whole(), changed=CHANGED)
    await run(account, slow)
    clock.advance(DAY)
    modules.put(1, "Mudou")

    def change_again() -> None:
        modules.put(1, "Mudou outra vez")
        clock.advance(10 * HOUR)

    during(bling, monkeypatch, 3, change_again)
    await run(account, slow)
    assert await name_of(account, 1) == "Mudou outra vez"


async def test_what_the_run_has_just_read_is_not_asked_for_again(
    account: Account, clock: FakeClock, modules: Modules
) -> None:
    both = modulos(whole=Whole(), changed=CHANGED)
    await run(account, both)
    clock.advance(DAY)
    modules.put(1, "Mudou")
    await run(account, both)
    assert (await name_of(account, 1), modules.asked(1)) == ("Mudou", 2)


async def gone(account: Account) -> list[int]:
    return [
        id_ for (id_,) in await rows(account.engine, "SELECT id FROM modulos WHERE excluida_em IS NOT NULL ORDER BY 1")
    ]


@pytest.mark.parametrize("detail", [True, False])
async def test_a_deletion_between_two_pages_does_not_hide_one_that_exists(
    account: Account, bling: Bling, clock: FakeClock, modules: Modules, monkeypatch: pytest.MonkeyPatch, *, detail: bool
) -> None:
    register = modulos(detail=detail, whole=Whole())
    await run(account, register)
    clock.advance(DAY)
    del modules.records[30]
    during(bling, monkeypatch, 2, lambda: modules.records.pop(3))  # o 11 passa para a primeira página
    await run(account, register)
    assert await gone(account) == [30], "o 3 ainda se mostrou"
    await run(account, register)
    assert await gone(account) == [3, 30]


@pytest.mark.parametrize("detail", [True, False])
async def test_in_the_first_load_none_slips_between_two_pages(
    account: Account, bling: Bling, modules: Modules, monkeypatch: pytest.MonkeyPatch, *, detail: bool
) -> None:
    during(bling, monkeypatch, 2, lambda: modules.records.pop(3))
    await run(account, modulos(detail=detail, whole=Whole(weekly=True)))
    held = await rows(account.engine, "SELECT id FROM modulos WHERE detalhe IS NOT NULL ORDER BY 1")
    assert {id_ for (id_,) in held} >= modules.records.keys()
    assert max(bling.counters.details.values(), default=0) <= 1


async def test_in_the_first_reading_of_a_whole_register_none_slips_between_two_pages(
    account: Account, bling: Bling, modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    register = modulos(register=((),), whole=Whole(weekly=True))
    ctx = await run(account)
    during(bling, monkeypatch, 2, lambda: modules.records.pop(3))
    await whole.read_register(ctx, register)
    held = await rows(account.engine, "SELECT id FROM modulos WHERE detalhe IS NOT NULL ORDER BY 1")
    assert {id_ for (id_,) in held} >= modules.records.keys()


async def test_what_was_read_while_the_listing_was_read_exists(
    account: Account, bling: Bling, clock: FakeClock, modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    register = modulos(whole=Whole())
    await run(account, register)
    clock.advance(DAY)
    del modules.records[7]
    # Alguém o pede sozinho no meio, e ele responde.
    async with account.engine.begin() as connection:
        await connection.execute(
            text("UPDATE modulos SET extraido_em = :soon WHERE id = 7"), {"soon": clock.now() + timedelta(seconds=1)}
        )
    during(bling, monkeypatch, 2, lambda: clock.advance(60))
    await run(account, register)
    assert await gone(account) == []


async def test_a_deleted_one_that_slips_between_two_pages_stays_deleted(
    account: Account, bling: Bling, clock: FakeClock, modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    everyone = modulos(detail=False, whole=Whole(weekly=True))
    await run(account, everyone)
    bin_ = {id_: modules.records[id_] for id_ in range(1, 13)}
    served(monkeypatch, "/modulos", bin_)
    deleted = modulos(detail=False, removed=Removed((), at_first=True))
    await run(account, deleted, accept_deletions=True)
    assert await gone(account) == [*range(1, 13)]
    clock.advance(8 * DAY)
    during(bling, monkeypatch, 2, lambda: bin_.pop(3))
    await run(account, deleted)
    assert await gone(account) == [*range(1, 13)], "o 3 ainda se mostrou, e o 11 passou sem ser visto"
    clock.advance(8 * DAY)
    await run(account, deleted)
    assert await gone(account) == [1, 2, *range(4, 13)]


async def test_a_failure_that_slips_between_two_pages_is_not_lost(
    account: Account, bling: Bling, clock: FakeClock, modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = modulos(detail=False, alone=False, changed=CHANGED)
    async with account.engine.begin() as connection:
        await control.add_pendencias(connection, [Pendencia("modulos", "11", "não se leu")], clock.now())
    clock.advance(DAY)
    during(bling, monkeypatch, 2, lambda: modules.records.pop(3))
    await run(account, listed)
    assert await rows(account.engine, "SELECT id, nome FROM modulos") == [(11, "M11")]


async def test_one_that_loses_its_detail_keeps_what_was_known_of_it(
    account: Account, bling: Bling, clock: FakeClock, modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    served(monkeypatch, "/modulos", modules.records, row=lambda full: {k: v for k, v in full.items() if k != "extra"})
    for record in modules.records.values():
        record["extra"] = "só o detalhe o diz"
    register = modulos(whole=Whole())
    bling.fail(r"^/modulos/5$", "body", status=404, body='{"error": {"type": "RESOURCE_NOT_FOUND"}}')
    await run(account, register)
    said = "SELECT nome, detalhe ->> 'extra' FROM modulos WHERE id IN (4, 5) ORDER BY id"
    assert await rows(account.engine, said) == [("M4", "só o detalhe o diz"), ("M5", None)], "do 5 há só a linha"
    clock.advance(DAY)
    bling.fail(r"^/modulos/4$", "body", status=404, body='{"error": {"type": "RESOURCE_NOT_FOUND"}}')
    modules.put(4, "Outro 4")
    modules.put(5, "Outro 5")
    await run(account, register)
    assert await rows(account.engine, said) == [("M4", "só o detalhe o diz"), ("Outro 5", None)]
    assert await rows(account.engine, "SELECT 1 FROM pendencias") == []


async def test_the_first_load_fetches_while_it_lists(
    account: Account, bling: Bling, modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Por partes: o que espera pelo detalhe não cresce com o cadastro."""
    monkeypatch.setattr(whole, "PORTION", 10)
    asked: list[int] = []
    during(bling, monkeypatch, 3, lambda: asked.append(sum(modules.asked(id_) for id_ in modules.records)))
    await run(account, modulos(whole=Whole()))
    assert asked == [20]
    assert await scalar(account.engine, "SELECT count(*) FROM modulos") == 30


@pytest.mark.parametrize("reads", [True, False])
async def test_a_filter_bling_ignores_does_not_ask_for_every_detail(
    account: Account, clock: FakeClock, modules: Modules, monkeypatch: pytest.MonkeyPatch, *, reads: bool
) -> None:
    """De um cadastro que não guarda a impressão da linha, compara-se o que ela mostra."""
    people = Table(
        "pessoas",
        MetaData(),
        *(Column(c.name, c.type, primary_key=c.primary_key) for c in MODULOS.c if c.name != "resumo_lista"),
    )
    async with account.engine.begin() as connection:
        await connection.execute(CreateTable(people))
    monkeypatch.setattr(changed, "MANY", 10)
    told: list[set[int]] = []

    async def after(_: AsyncConnection, ids: Collection[int]) -> None:
        told.append({*ids})

    register = resource(
        "/modulos",
        people,
        lambda d: {people: [{"id": d["id"], "nome": d["nome"], "detalhe": d}]},
        whole=Whole(weekly=True),
        changed=replace(CHANGED, after=after),
        shown=("nome",),
    )
    clock.advance(DAY)
    await run(account, register)
    clock.advance(DAY)
    modules.reads_the_filter = reads
    modules.put(4, "Outro")
    await run(account, register)
    assert {id_ for id_ in modules.records if modules.asked(id_) > 1} == {4}
    assert await rows(account.engine, "SELECT nome FROM pessoas WHERE id = 4") == [("Outro",)]
    assert told == ([{4}] if reads else []), "de um filtro que mostra tudo, nada se sabe do que mudou"
    seen = "SELECT recurso FROM checkpoints WHERE recurso LIKE '%.alteracoes%'"
    assert await rows(account.engine, seen) == [(f"pessoas.alteracoes_{'lidas' if reads else 'ignoradas'}",)]


async def park(account: Account, id_: int, clock: FakeClock, resumo: str | None) -> None:
    async with account.engine.begin() as connection:
        for _ in range(control.PARKED_AFTER):
            await control.add_pendencias(
                connection, [Pendencia("modulos", str(id_), "falha", resumo=resumo)], clock.now()
            )


@pytest.mark.parametrize("how", [{"whole": Whole()}, {"changed": CHANGED}], ids=["inteira", "alterações"])
async def test_a_parked_failure_is_tried_only_if_its_row_changes(
    account: Account, clock: FakeClock, modules: Modules, how: dict[str, Any]
) -> None:
    register = modulos(**how)
    await park(account, 4, clock, register.resumo(modules.records[4]))
    await run(account, register)
    clock.advance(DAY)
    for id_ in modules.records:
        modules.put(id_, f"M{id_}")  # alterados, e iguais
    await run(account, register)
    assert (modules.asked(4), modules.asked(5)) == (0, 1)
    clock.advance(DAY)
    modules.put(4, "Outro")
    await run(account, register)
    assert modules.asked(4) == 1
    assert await name_of(account, 4) == "Outro"
    assert await scalar(account.engine, "SELECT count(*) FROM pendencias") == 0


def listings(bling: Bling) -> int:
    return bling.counters.requests["/modulos"]


async def test_a_short_page_is_enough_if_it_shows_all_that_is_held(
    account: Account, bling: Bling, clock: FakeClock, modules: Modules
) -> None:
    """Se falta algo, lê-se até a página vazia; e também na primeira vez, e uma vez por semana."""
    for id_ in range(5, 31):
        del modules.records[id_]
    short = modulos(detail=False, whole=Whole())
    for days, gone, asked in ((0, None, 2), (1, None, 1), (1, 4, 1 + 2), (1, None, 1), (5, None, 2)):
        clock.advance(days * DAY)
        modules.records.pop(gone, None)
        bling.counters.reset()
        await run(account, short)
        assert listings(bling) == asked
    assert await rows(account.engine, "SELECT id FROM modulos WHERE excluida_em IS NOT NULL") == [(4,)]


async def test_once_a_short_page_has_another_none_is_the_last(
    account: Account, bling: Bling, clock: FakeClock, modules: Modules
) -> None:
    """O que se viu uma vez vale também para os processos seguintes."""
    for id_ in range(5, 31):
        del modules.records[id_]
    short = modulos(detail=False, whole=Whole())
    await run(account, short)
    account.client.short_go_on = True
    assert (await account.pipeline.run()).status == "success"
    account.client.short_go_on = False
    assert (await account.pipeline.run()).status == "success"
    clock.advance(DAY)
    bling.counters.reset()
    await run(account, short)
    assert listings(bling) == 2


async def test_a_row_that_was_listed_before_does_not_cover_what_another_read_since(
    account: Account, bling: Bling, clock: FakeClock, modules: Modules
) -> None:
    """Enquanto a página não chega, um aviso faz ler o registro; a linha dela é a de antes."""
    listed = modulos(detail=False, whole=Whole())
    await run(account, listed)
    clock.advance(HOUR)
    modules.put(1, "Mudou antes")
    bling.counters.reset()
    held = bling.fail("^/modulos$", "hold")
    reading = asyncio.create_task(run(account, listed))
    await until(lambda: _is_held(bling))
    clock.advance(1)
    async with account.engine.begin() as connection:
        newer = text("UPDATE modulos SET nome = 'Mais novo', extraido_em = :now WHERE id = 1")
        await connection.execute(newer, {"now": clock.now()})
    clock.advance(1)
    modules.put(2, "Mudou")
    bling.faults.remove(held)
    await reading
    assert await name_of(account, 1) == "Mais novo"
    assert await name_of(account, 2) == "Mudou"
    clock.advance(HOUR)
    modules.put(1, "Ainda mais novo")
    await run(account, listed)
    assert await name_of(account, 1) == "Ainda mais novo"


async def _is_held(bling: Bling) -> bool:
    return bling.counters.requests["/modulos"] > 0
