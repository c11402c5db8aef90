"""As maneiras de ler que nenhum recurso de hoje usa sozinha: um recurso inventado aqui as tem, por declará-las."""

from typing import Any

import pytest
from sqlalchemy import text
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.invented import AVISOS, CAMPOS, MODULOS, SALDOS, aviso, create_tables, resource, run, served

from bling_collector.etl.resource import Each, Snapshot, Whole
from bling_collector.payload import Json
from bling_collector.payload import text as as_text
from bling_collector.workplace.account import Account
from bling_simulator.api.query import Query
from bling_simulator.bling import Bling

DAY = 86_400.0
pytestmark = [pytest.mark.bling(scale=0.005)]


@pytest.fixture(autouse=True)
async def tables(account: Account) -> None:
    await create_tables(account)


async def test_a_listing_whose_key_is_a_text(
    account: Account, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: dict[Any, Json] = {f"01JX{n:04}Z": {"id": f"01JX{n:04}Z", "titulo": f"Aviso {n}"} for n in range(250)}
    served(monkeypatch, "/avisos", held)
    avisos = resource("/avisos", AVISOS, aviso, key=lambda row: as_text(row.get("id")), detail=False, whole=Whole())
    await run(account, avisos)
    assert await rows(account.engine, "SELECT id, titulo FROM avisos ORDER BY id") == [
        (id_, row["titulo"]) for id_, row in held.items()
    ]
    clock.advance(DAY)
    held["01JX0007Z"]["titulo"] = "Outro"
    del held["01JX0100Z"]
    held["01JX0009Z"]["titulo"] = {"não": "se lê"}
    await run(account, avisos)
    assert await scalar(account.engine, "SELECT titulo FROM avisos WHERE id = '01JX0007Z'") == "Outro"
    assert await rows(account.engine, "SELECT id FROM avisos WHERE excluida_em IS NOT NULL") == [("01JX0100Z",)]
    assert await rows(account.engine, "SELECT recurso, recurso_id FROM pendencias") == [("avisos", "01JX0009Z")]
    clock.advance(DAY)
    held["01JX0009Z"]["titulo"] = "Agora se lê"
    held["01JX0100Z"] = {"id": "01JX0100Z", "titulo": "Voltou"}
    await run(account, avisos)
    assert await scalar(account.engine, "SELECT count(*) FROM pendencias") == 0
    assert await scalar(account.engine, "SELECT count(*) FROM avisos WHERE excluida_em IS NULL") == 250


async def test_what_only_the_listing_says_of_the_row(
    account: Account, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uma listagem por situação, que a linha não traz: mudar de uma para a outra é mudar."""
    held: dict[Any, Json] = {n: {"id": n, "titulo": f"Aviso {n}"} for n in range(1, 6)}
    active = {1, 2, 3}
    served(monkeypatch, "/avisos", held, lambda row, query: (query.text("situacao") == "A") == (row["id"] in active))
    shows = ((("situacao", "A"),), (("situacao", "I"),))
    avisos = resource(
        "/avisos",
        AVISOS,
        aviso,
        key=lambda row: as_text(row.get("id")),
        detail=False,
        whole=Whole(),
        shows=shows,
        told=(("situacao", "situacao"),),
    )
    await run(account, avisos)
    said = "SELECT id, situacao FROM avisos ORDER BY id"
    assert await rows(account.engine, said) == [("1", "A"), ("2", "A"), ("3", "A"), ("4", "I"), ("5", "I")]
    clock.advance(DAY)
    active.remove(2)
    await run(account, avisos)
    assert (await rows(account.engine, said))[1] == ("2", "I")
    assert await scalar(account.engine, "SELECT count(*) FROM avisos WHERE excluida_em IS NOT NULL") == 0


async def test_what_is_owed_and_only_the_listings_say_is_read_from_each_of_them_once(
    account: Account, bling: Bling, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: dict[Any, Json] = {n: {"id": n, "titulo": f"Aviso {n}"} for n in range(1, 6)}
    held[4]["titulo"] = {"não": "se lê"}
    served(monkeypatch, "/avisos", held, lambda row, query: (query.text("situacao") == "A") == (row["id"] < 4))
    avisos = resource(
        "/avisos",
        AVISOS,
        aviso,
        key=lambda row: as_text(row.get("id")),
        detail=False,
        whole=Whole(weekly=True),
        shows=((("situacao", "A"),), (("situacao", "I"),)),
        told=(("situacao", "situacao"),),
    )
    await run(account, avisos)
    assert await rows(account.engine, "SELECT recurso_id FROM pendencias") == [("4",)]
    held[4]["titulo"] = "Agora se lê"
    clock.advance(DAY)
    bling.counters.reset()
    await run(account, avisos)
    assert bling.counters.requests["/avisos"] == 2 * 2, "uma página e a vazia, de cada uma"
    assert await rows(account.engine, "SELECT titulo, situacao FROM avisos WHERE id = '4'") == [("Agora se lê", "I")]
    assert await scalar(account.engine, "SELECT count(*) FROM pendencias") == 0


async def test_a_listing_for_each_record_of_another_resource(
    account: Account, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    served(monkeypatch, "/modulos", {id_: {"id": id_, "nome": f"M{id_}"} for id_ in (10, 20)})
    for module in (10, 20):
        served(
            monkeypatch, f"/modulos/{module}/campos", {n: {"id": n, "nome": f"C{n}"} for n in (module + 1, module + 2)}
        )
    modulos = resource(
        "/modulos",
        MODULOS,
        lambda d: {MODULOS: [{"id": d["id"], "nome": d["nome"], "detalhe": d}]},
        detail=False,
        whole=Whole(),
        paged=False,
    )
    campos = resource(
        "/modulos/{id}/campos",
        CAMPOS,
        lambda d: {CAMPOS: [{"id": d["id"], "nome": d["nome"], "detalhe": d}]},
        detail=False,
        whole=Whole(),
        each=Each("SELECT id FROM modulos WHERE excluida_em IS NULL ORDER BY id"),
    )
    await run(account, modulos, campos)
    assert await rows(account.engine, "SELECT id, nome FROM campos ORDER BY id") == [
        (n, f"C{n}") for n in (11, 12, 21, 22)
    ]


async def test_the_key_of_a_row_may_be_made_of_what_its_parent_says(
    account: Account, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    served(monkeypatch, "/modulos", {id_: {"id": id_, "nome": f"M{id_}"} for id_ in (10, 20)})
    for module in (10, 20):
        fields = {n: {"id": n, "numero": n, "nome": f"{module}.{n}"} for n in (1, 2)}
        served(monkeypatch, f"/modulos/{module}/campos", fields, row=_without_id)
    modulos = resource(
        "/modulos",
        MODULOS,
        lambda d: {MODULOS: [{"id": d["id"], "nome": d["nome"], "detalhe": d}]},
        detail=False,
        whole=Whole(),
    )
    campos = resource(
        "/modulos/{id}/campos",
        CAMPOS,
        lambda d: {CAMPOS: [{"id": d["id"], "modulo_id": d["idModulo"], "nome": d["nome"], "detalhe": d}]},
        key=lambda row: row["idModulo"] * 1000 + row["numero"],
        detail=False,
        whole=Whole(),
        each=Each("SELECT id FROM modulos WHERE excluida_em IS NULL ORDER BY id", told=(("id", "idModulo"),)),
    )
    assert not (await run(account, modulos, campos)).problems
    assert await rows(account.engine, "SELECT id, modulo_id, nome FROM campos ORDER BY id") == [
        (module * 1000 + n, module, f"{module}.{n}") for module in (10, 20) for n in (1, 2)
    ]


def _without_id(row: Json) -> Json:
    return {name: value for name, value in row.items() if name != "id"}


async def test_a_photograph_is_kept_whole_or_not_at_all(
    account: Account, bling: Bling, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with account.engine.begin() as connection:
        for id_ in range(1, 301):
            await connection.execute(text("INSERT INTO avisos (id, titulo) VALUES (:id, '')"), {"id": str(id_)})
    balances: dict[Any, Json] = {
        id_: {"produto": {"id": id_}, "saldo": id_ - 3} for id_ in range(1, 300)
    }  # o 300 não há

    def shown(row: Json, query: Query) -> bool:
        stock = query.text("filtroSaldoEstoque") or "1"
        kind = "1" if row["saldo"] > 0 else "0" if row["saldo"] == 0 else "2"
        return str(row["produto"]["id"]) in query.many("idsProdutos[]") and kind == stock

    served(monkeypatch, "/saldos", {id_: row | {"id": id_} for id_, row in balances.items()}, shown)
    saldos = resource(
        "/saldos",
        SALDOS,
        lambda d: {SALDOS: [{"produto_id": d["produto"]["id"], "saldo": d.get("saldo")}]},
        detail=False,
        suspects=((("filtroSaldoEstoque", "0"),), (("filtroSaldoEstoque", "2"),)),
        proves=lambda row: row["saldo"] <= 0,
        snapshot=Snapshot(
            "SELECT id FROM avisos", lambda id_: {"produto": {"id": int(id_)}}, "idsProdutos[]", "lido_em"
        ),
    )
    await run(account, saldos)
    assert await rows(account.engine, "SELECT count(DISTINCT lido_em), count(*), sum(saldo) FROM saldos") == [
        (1, 300, sum(row["saldo"] for row in balances.values()))
    ]
    assert await scalar(account.engine, "SELECT saldo IS NULL FROM saldos WHERE produto_id = 300"), "o Bling não o tem"
    clock.advance(DAY / 2)
    await run(account, saldos)
    assert await scalar(account.engine, "SELECT count(DISTINCT lido_em) FROM saldos") == 1, "ainda não é a hora"
    clock.advance(DAY)
    fault = bling.fail(r"^/saldos$", "server_error", query="299")
    assert not (await run(account, saldos)).problems
    assert await scalar(account.engine, "SELECT count(*) FROM saldos") == 300 + 299
    assert await rows(account.engine, "SELECT recurso, recurso_id FROM pendencias") == [("saldos", "299")]
    clock.advance(DAY)
    bling.faults.remove(fault)
    await run(account, saldos)
    assert await scalar(account.engine, "SELECT count(*) FROM saldos") == 300 + 299 + 300
    assert await scalar(account.engine, "SELECT count(*) FROM pendencias") == 0
