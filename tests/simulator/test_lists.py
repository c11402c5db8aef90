"""O que vale para toda listagem: páginas, parâmetros ignorados, respostas vazias, caminhos que não há."""

import httpx2
import pytest

from bling_simulator import Bling

LISTS = (
    "/nfe",
    "/contatos",
    "/produtos",
    "/formas-pagamentos",
    "/categorias/produtos",
    "/vendedores",
    "/pedidos/vendas",
)

NOT_FOUND = {
    "error": {
        "type": "RESOURCE_NOT_FOUND",
        "message": "Recurso não encontrado",
        "description": "O recurso requisitado não foi encontrado. Verifique se o endpoint solicitado está correto "
        "ou se o ID informado realmente existe no sistema.",
    }
}


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "params", [{"limite": "101"}, {"limite": "0"}, {"pagina": "0"}, {"pagina": "-1"}, {"pagina": "abc"}]
)
async def test_bad_pages_are_refused(client: httpx2.AsyncClient, path: str, params: dict[str, str]) -> None:
    answer = await client.get(path, params=params)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["type"] == "VALIDATION_ERROR"
    assert error["message"] == "Não foi possível executar a operação"
    assert error["fields"][0]["element"] == next(iter(params))


@pytest.mark.parametrize("path", LISTS)
async def test_past_the_end_is_an_empty_list(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(path, params={"pagina": 999})
    assert answer.status_code == 200
    assert answer.text == '{"data":[]}'


@pytest.mark.parametrize("path", LISTS)
async def test_unknown_parameters_are_ignored(client: httpx2.AsyncClient, path: str) -> None:
    plain = await client.get(path)
    odd = await client.get(path, params={"dataEmissaoDe": "2030-01-01", "idTipo": "x", "vazio": ""})
    assert odd.json() == plain.json()


@pytest.mark.parametrize("path", ["/nada", "/nfe/1", "/nfe/abc", "/nfe/1/itens", "/contatos/99", "/produtos/0", "/"])
async def test_unknown_paths_and_ids_answer_alike(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.json() == NOT_FOUND


async def test_writing_is_not_simulated(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/contatos", json={"nome": "x"})
    assert answer.status_code == 405
    assert answer.json()["error"]["type"] == "METHOD_NOT_ALLOWED"


async def test_offsets_drift_over_the_live_set(client: httpx2.AsyncClient, bling: Bling) -> None:
    """Uma nota nova empurra as linhas: uma se repete. Uma cancelada as puxa: uma se perde."""

    async def page(number: int) -> list[int]:
        answer = await client.get("/nfe", params={"pagina": number, "limite": 10})
        return [row["id"] for row in answer.json()["data"]]

    first = await page(1)
    bling.issue_note()
    assert (await page(2))[0] == first[-1]

    bling.cancel_note((await page(1))[0])
    second = await page(2)
    bling.cancel_note((await page(1))[0])
    assert (await page(2))[0] == second[1]


async def test_quirks_of_paging_are_settings(client: httpx2.AsyncClient, bling: Bling) -> None:
    async def sizes() -> list[int]:
        answers = [await client.get("/nfe", params={"pagina": n}) for n in (1, 2)]
        return [len(answer.json()["data"]) for answer in answers]

    total = sum(note["tipo"] == 1 and note["situacao"] != 2 for note in bling.notes.values())
    assert await sizes() == [100, total - 100]
    bling.configure(uneven_pages=True)
    assert await sizes() == [98, total - 98]
    bling.configure(repeat_previous_row=True)
    assert await sizes() == [98, total - 98 + 1]
