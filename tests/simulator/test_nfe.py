from datetime import datetime
from typing import Any

import httpx2
import pytest

from bling_simulator import Bling
from bling_simulator.payload import Json


async def rows(client: httpx2.AsyncClient, **params: Any) -> list[Json]:
    found: list[Json] = []
    while page := (await client.get("/nfe", params={**params, "pagina": 1 + len(found) // 100})).json()["data"]:
        found.extend(page)
        if len(page) < 100:
            break
    return found


def ids_of(bling: Bling, *, tipo: int = 1, situacoes: tuple[int, ...]) -> set[int]:
    return {note_id for note_id, note in bling.notes.items() if note["tipo"] == tipo and note["situacao"] in situacoes}


async def test_by_default_only_outgoing_and_not_cancelled(client: httpx2.AsyncClient, bling: Bling) -> None:
    found = {row["id"] for row in await rows(client)}
    assert found == ids_of(bling, situacoes=(1, 4, 5, 6, 9))


async def test_second_reading_of_the_default(client: httpx2.AsyncClient, bling: Bling) -> None:
    bling.configure(default_hides_all_but_authorised=True)
    assert {row["id"] for row in await rows(client)} == ids_of(bling, situacoes=(6,))


@pytest.mark.parametrize("situacao", range(1, 12))
async def test_one_situation_at_a_time(client: httpx2.AsyncClient, bling: Bling, situacao: int) -> None:
    assert {row["id"] for row in await rows(client, situacao=situacao)} == ids_of(bling, situacoes=(situacao,))


async def test_incoming_only_when_asked(client: httpx2.AsyncClient, bling: Bling) -> None:
    assert {row["id"] for row in await rows(client, tipo=0)} == ids_of(bling, tipo=0, situacoes=(6, 7))


@pytest.mark.parametrize("params", [{"situacao": 12}, {"situacao": "x"}, {"tipo": 2}, {"serie": "um"}])
async def test_values_out_of_the_enumeration(client: httpx2.AsyncClient, params: dict[str, Any]) -> None:
    assert (await client.get("/nfe", params=params)).status_code == 400


async def test_newest_first(client: httpx2.AsyncClient, bling: Bling) -> None:
    emitted = [row["dataEmissao"] for row in await rows(client)]
    assert emitted == sorted(emitted, reverse=True)
    late = bling.issue_note(emitted_at=datetime(2021, 5, 3, 10, 0))  # noqa: DTZ001 - hora de Brasília
    assert (await rows(client))[0]["id"] != late


async def test_row_and_detail(client: httpx2.AsyncClient, bling: Bling) -> None:
    row = (await rows(client))[0]
    detail = (await client.get(f"/nfe/{row['id']}")).json()["data"]
    only_in_detail = {"serie", "valorNota", "valorFrete", "itens", "parcelas", "vendedor", "numeroPedidoLoja", "xml"}
    assert row.items() <= detail.items()
    assert only_in_detail <= detail.keys() - row.keys()
    assert row["contato"]["endereco"].keys() >= {"municipio", "uf", "cep"}
    assert detail["valorNota"] == float(bling.notes[row["id"]]["valorNota"])


async def test_number_is_an_exact_padded_string(client: httpx2.AsyncClient, bling: Bling) -> None:
    note = next(note for note in bling.notes.values() if note["tipo"] == 1 and note["situacao"] == 6)
    found = await rows(client, numero=note["numero"], serie=note["serie"])
    assert [row["id"] for row in found] == [note["id"]]
    assert await rows(client, numero=str(int(note["numero"]))) == []


async def test_other_exact_filters(client: httpx2.AsyncClient, bling: Bling) -> None:
    shop = next(note for note in bling.notes.values() if note["numeroPedidoLoja"] and note["situacao"] == 6)
    for params in ({"chaveAcesso": shop["chaveAcesso"]}, {"numeroLoja": shop["numeroPedidoLoja"]}):
        assert [row["id"] for row in await rows(client, **params)] == [shop["id"]]
    assert await rows(client, idTransportador=7) == []
    series = await rows(client, serie=2)
    assert 0 < len(series) < len(await rows(client))


async def test_hours_are_respected_and_both_ends_are_inside(client: httpx2.AsyncClient) -> None:
    year = {"dataEmissaoInicial": "2024-01-01 00:00:00", "dataEmissaoFinal": "2024-12-31 23:59:59"}
    found = await rows(client, **year)
    assert len(found) == 40
    assert found[0]["dataEmissao"] == "2024-12-31 23:59:59"
    assert found[-1]["dataEmissao"] == "2024-01-01 00:00:00"


async def test_bare_dates_get_the_present_time_of_day(client: httpx2.AsyncClient, bling: Bling) -> None:
    """A tabela medida: 04..04 nada, 05..05 nada, 04..05 só o dia 05, 03..06 só o 05 e o 06."""
    for day in (4, 5, 6):
        bling.issue_note(emitted_at=datetime(2027, 3, day, 9, 0))  # noqa: DTZ001 - hora de Brasília

    async def days(first: int, last: int) -> list[str]:
        span = {"dataEmissaoInicial": f"2027-03-{first:02d}", "dataEmissaoFinal": f"2027-03-{last:02d}"}
        return [row["dataEmissao"][8:10] for row in await rows(client, **span)]

    # O relógio do teste está parado às 12:30 de Brasília; as notas são das 9:00.
    assert await days(4, 4) == []
    assert await days(5, 5) == []
    assert await days(4, 5) == ["05"]
    assert await days(3, 6) == ["06", "05", "04"]
    bling.configure(bare_dates_get_time_of_day=False)
    assert await days(4, 4) == ["04"]


async def test_bare_end_date_loses_the_rest_of_the_day(client: httpx2.AsyncClient, bling: Bling) -> None:
    bling.issue_note(emitted_at=datetime(2027, 3, 31, 15, 0))  # noqa: DTZ001 - hora de Brasília
    span = {"dataEmissaoInicial": "2027-03-01", "dataEmissaoFinal": "2027-03-31"}
    assert await rows(client, **span) == []


@pytest.mark.parametrize(
    ("first", "last", "status"),
    [
        ("2024-01-01 00:00:00", "2024-12-31 23:59:59", 200),
        ("2023-01-01 00:00:00", "2024-01-01 00:00:00", 200),
        ("2023-01-01 00:00:00", "2024-01-01 00:00:01", 400),
        ("2023-01-01", "2024-02-12", 400),
        ("2024-02-29 00:00:00", "2025-03-01 00:00:00", 200),
        ("2024-02-29 00:00:00", "2025-03-01 00:00:01", 400),
        ("01/01/2024", "31/01/2024", 400),
        ("2024-13-01", "2024-12-31", 400),
        ("2024-01-01T00:00:00", "2024-01-31T00:00:00", 400),
        ("2024-06-01 00:00:00", "2024-01-01 00:00:00", 200),
    ],
)
async def test_ranges(client: httpx2.AsyncClient, first: str, last: str, status: int) -> None:
    answer = await client.get("/nfe", params={"dataEmissaoInicial": first, "dataEmissaoFinal": last})
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["error"]["type"] == "VALIDATION_ERROR"


async def test_one_end_alone_is_ignored(client: httpx2.AsyncClient) -> None:
    everything = await rows(client)
    assert await rows(client, dataEmissaoInicial="2026-01-01 00:00:00") == everything
    assert await rows(client, dataEmissaoFinal="2021-12-31 23:59:59") == everything
