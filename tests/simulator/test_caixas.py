"""`/caixas`: o padrão que esconde, o sinal do valor e o detalhe sem envelope."""

from typing import Any

import httpx2

from bling_simulator import Bling
from bling_simulator.clock import local_now
from bling_simulator.payload import Json

PATH = "/caixas"
SPAN = {"dataInicial": "2025-06-01", "dataFinal": "2026-02-28"}


async def rows(client: httpx2.AsyncClient, **params: Any) -> list[Json]:
    found: list[Json] = (await client.get(PATH, params=params)).json()["data"]
    return found


async def ids(client: httpx2.AsyncClient, **params: Any) -> set[int]:
    return {int(row["id"]) for row in await rows(client, **params)}


def some(bling: Bling, **wanted: Any) -> set[int]:
    inside = {i: e for i, e in bling.cash_entries.items() if SPAN["dataInicial"] <= e["data"] <= SPAN["dataFinal"]}
    return {i for i, entry in inside.items() if all(entry[field] == value for field, value in wanted.items())}


async def test_by_default_the_month_and_what_is_registered(client: httpx2.AsyncClient, bling: Bling) -> None:
    month = f"{local_now(bling.clock):%Y-%m}"
    entries = {i for i, e in bling.cash_entries.items() if e["data"][:7] == month and e["situacao"] == "R"}
    assert await ids(client) == entries
    assert await ids(client, dataInicial="2025-06-01") == entries
    assert await ids(client, **SPAN) == some(bling, situacao="R")
    assert await ids(client, **SPAN, situacao="E") == some(bling, situacao="E")
    assert (await client.get(PATH, params={"situacao": "X"})).status_code == 400


async def test_row_and_detail(client: httpx2.AsyncClient, bling: Bling) -> None:
    row = next(row for row in await rows(client, **SPAN) if row["debCred"] == "D")
    detail = (await client.get(f"{PATH}/{row['id']}")).json()
    assert (row["id"], row["valor"]) == (str(detail["id"]), -detail["valor"])
    assert detail["data"] == row["data"]
    assert detail.keys() - row.keys() == {
        "saldo", "transferencia", "tipoLancamento", "competencia", "parcela", "categoria", "conciliacaoMovimentacao",
    }  # fmt: skip
    bling.configure(bare_details_in_envelope=True)
    assert (await client.get(f"{PATH}/{row['id']}")).json() == {"data": detail}


async def test_the_size_of_a_page_is_not_ours_to_say(client: httpx2.AsyncClient, bling: Bling) -> None:
    whole = await rows(client, **SPAN, limite=1)
    assert len(whole) > 3
    bling.configure(cash_page_size=3)
    assert await rows(client, **SPAN, limite=50, pagina=1) == whole[:3]
    assert await rows(client, **SPAN, limite=50, pagina=2) == whole[3:6]


async def test_filters(client: httpx2.AsyncClient, bling: Bling) -> None:
    entry = next(each for each in bling.cash_entries.values() if each["id"] in some(bling, situacao="R"))
    whole = some(bling, situacao="R")
    assert entry["id"] in await ids(client, **SPAN, idContaFinanceira=entry["contaFinanceira"]["id"])
    assert await ids(client, **SPAN, idContaFinanceira=1) == set()
    assert entry["id"] in await ids(client, **SPAN, pesquisa=entry["observacoes"][:6])
    assert entry["id"] in await ids(client, **SPAN, valor=str(entry["valor"]))
    assert entry["id"] in await ids(client, **SPAN, idsCategorias=entry["categoria"]["id"])
    assert await ids(client, **SPAN, situacaoConciliacao=2) == whole
    assert await ids(client, **SPAN, situacaoConciliacao=1) == set()


async def test_to_delete_is_to_mark(client: httpx2.AsyncClient, bling: Bling) -> None:
    chosen = next(iter(some(bling, situacao="R")))
    bling.delete_cash_entry(chosen)
    assert chosen not in await ids(client, **SPAN)
    assert chosen in await ids(client, **SPAN, situacao="E")
    assert (await client.get(f"{PATH}/{chosen}")).json()["situacao"] == "E"


def test_a_reversal_takes_the_entry_with_it(bling: Bling) -> None:
    account = bling.add_account()
    bordero = bling.settle_accounts("receber", account)
    entry = next(e for e in bling.cash_entries.values() if e["origem"] == {"id": bordero, "tipo": "bordero"})
    assert (entry["situacao"], entry["debCred"]) == ("R", "C")
    bling.reopen_account("receber", account)
    assert entry["situacao"] == "E"
