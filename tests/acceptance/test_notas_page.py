"""As páginas das notas por HTTP: o que mostram, e o que dizem a um endereço que não faz sentido."""

import html
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import quote, urlencode

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.acceptance.service_fixtures import authorise, serving
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.noted import NAMES, fill
from tests.support.proving import execute, outgoing

from bling_collector.clock import BRASILIA
from bling_collector.config import Settings
from bling_collector.web.panel.pages.negocio import nota
from bling_simulator.bling import Bling

PAGE = {"Accept": "text/html"}
MOST_BYTES = 200_000


@pytest.fixture
async def http(settings: Settings, clock: FakeClock, bling: Bling) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(settings, clock) as client:
        client.headers["Accept"] = "text/html"
        yield client


def listed(answer: httpx2.Response) -> list[int]:
    """Os ids das notas que a página lista."""
    return [int(id_) for id_ in re.findall(r'href="/notas/(\d+)"', answer.text)]


def link(answer: httpx2.Response, rel: str) -> str | None:
    found = re.search(rf'href="([^"]+)" rel="{rel}"', answer.text)
    return html.unescape(found[1]) if found else None


def said(answer: httpx2.Response) -> str:
    """O texto da página, sem as marcas."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


async def test_the_pages_follow_each_other_by_their_links(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    await fill(engine, many=230)
    order = "SELECT nfe_id FROM nfe_busca ORDER BY data_emissao DESC, nfe_id DESC"
    expected = [id_ for (id_,) in await rows(engine, order)]
    answers = [await http.get("/notas")]
    assert "230 notas" in said(answers[0])
    while (address := link(answers[-1], "next")) is not None:
        answers.append(await http.get(address))
    assert [id_ for answer in answers for id_ in listed(answer)] == expected
    assert [len(listed(answer)) for answer in answers] == [50, 50, 50, 50, 30]
    back = [answers[-1]]
    while (address := link(back[-1], "prev")) is not None:
        back.append(await http.get(address))
    assert [listed(answer) for answer in reversed(back)] == [listed(answer) for answer in answers]


async def test_the_filters_stay_in_the_address_and_in_the_form(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    await fill(engine, many=400)
    filters = {"q": "jose", "como": "cliente", "situacao": "6", "de": "2021-01-01", "ate": "2025-12-31"}
    answer = await http.get("/notas", params=filters)
    assert answer.status_code == 200
    assert len(listed(answer)) > 1
    for value in ('value="jose"', '<option value="6" selected>', 'value="2021-01-01"', 'value="2025-12-31"'):
        assert value in answer.text
    deeper = await http.get("/notas", params={"q": "e", "cliente": "ltda"})
    assert deeper.status_code == 200
    one = await http.get("/notas", params={"q": "002447", "produto": "parafuso"})
    assert "com este número" in said(one)
    assert {"/notas?q=002447&produto=parafuso&como=produto", "/notas?q=002447&produto=parafuso&como=cliente"} <= {
        html.unescape(found) for found in re.findall(r'href="(/notas\?[^"]+)"', one.text)
    }


USELESS = [
    ("de=2025-02-30", "não é um dia"),
    ("de=20250131", "não é um dia"),
    ("de=0001-01-01", "não é um dia"),
    ("ate=9999-12-31", "não é um dia"),
    ("ate=ontem", "não é um dia"),
    ("de=2025-02-01&ate=2025-01-01", "termina antes de começar"),
    ("situacao=77", "Escolha uma situação da lista"),
    ("situacao=%D9%A6", "Escolha uma situação da lista"),
    ("situacao=6;drop", "Escolha uma situação da lista"),
    ("como=tudo&q=x", "Não se procura por"),
    ("como=chave&q=123", "44 caracteres"),
    ("como=numero&q=abc", "só tem algarismos"),
    ("como=documento&q=%25%25%25", "CPF tem 11"),
    ("q=%25", "nenhuma letra nem algarismo"),
    ("cliente=---", "nenhuma letra nem algarismo"),
    ("q=" + "x" * 201, "no máximo 200 caracteres"),
    ("q=" + "x" * 5000, "no máximo 200 caracteres"),
    ("produto=" + "y" * 300, "no máximo 200 caracteres"),
    ("antes=x", "uma página que não existe"),
    ("apos=2025-01-01_-5", "uma página que não existe"),
    ("antes=2025-01-01_1&apos=2025-01-01_1", "duas páginas"),
    ("pagina=3", "um filtro que não existe"),
    ("<script>=1", "um filtro que não existe"),
]


async def test_a_useless_filter_is_explained(http: httpx2.AsyncClient, subtests: pytest.Subtests) -> None:
    for query, sentence in USELESS:
        with subtests.test(query=query, sentence=sentence):
            answer = await http.get(f"/notas?{query}")
            assert answer.status_code == 422
            assert sentence in said(answer)
            assert 'name="q"' in answer.text, "o formulário continua ali"
            assert "<script>=" not in answer.text
            assert len(answer.content) < MOST_BYTES


TYPED = [
    *("'", '"', "';--", "' OR '1'='1", "\\", "%' AND 1=1", "a:*", "a & b | !c", "<script>alert(1)</script>", "🙂"),
    *(
        "a\x00b",
        "\x00",
        "\u202e",
        "ﷺ",
        "a" * 200,
        "' & ':*",
        "{{7*7}}",
        "../../etc/passwd",
        "\ud83d".encode("utf-8", "surrogatepass").decode("latin-1"),
    ),
]


@pytest.mark.slow
async def test_whatever_is_typed_nothing_is_executed(
    http: httpx2.AsyncClient, engine: AsyncEngine, subtests: pytest.Subtests
) -> None:
    await fill(engine, many=60)
    for typed in TYPED:
        with subtests.test(typed=typed):
            for name in ("q", "cliente", "produto"):
                for kind in ("", "texto", "cliente", "produto", "numero", "documento", "chave"):
                    query = urlencode({name: typed} | ({"como": kind} if kind else {}))
                    answer = await http.get(f"/notas?{query}")
                    assert answer.status_code in (200, 422)
                    assert "<script>alert" not in answer.text
                    assert "\x00" not in answer.text
                    assert "{{7*7}}" in answer.text or typed != "{{7*7}}"
            assert await scalar(engine, "SELECT count(*) FROM nfe_busca") == 60
            too_long = await http.get(f"/notas?q={quote(typed)[:12] * 900}")
            assert too_long.status_code in ((414, 422) if typed.strip("\x00") else (200,))


async def test_what_is_in_the_notas_is_not_executed_and_does_not_fill_the_page(
    http: httpx2.AsyncClient, engine: AsyncEngine
) -> None:
    await fill(engine, many=len(NAMES) * 12)
    huge = "<b>" + "&" * 20_000
    await execute(engine, "UPDATE nfe_cabecalho SET contato_nome = :huge, contato_municipio = :huge", huge=huge)
    answer = await http.get("/notas")
    assert len(listed(answer)) == 50
    assert "<b>&" not in answer.text
    assert len(answer.content) < MOST_BYTES
    id_ = listed(answer)[0]
    evil = "javascript:alert(1)"
    changes = "link_pdf = :evil, link_danfe = :evil, link_xml = 'data:text/html,x', natureza_operacao_id = 1"
    await execute(engine, f"UPDATE nfe_cabecalho SET {changes} WHERE id = :id", evil=evil, id=id_)
    note = await http.get(f"/notas/{id_}")
    assert note.status_code == 200
    assert "javascript:" not in note.text
    assert "data:text" not in note.text
    assert len(note.content) < MOST_BYTES


@pytest.mark.slow
async def test_the_page_of_a_nota_says_what_the_api_says(http: httpx2.AsyncClient, bling: Bling) -> None:
    await authorise(http, bling)
    await http.post("/run/full?data_inicio=2025-06-01")
    for id_ in outgoing(bling)[-12:]:
        told = (await http.get(f"/nfe/{id_}", headers={"Accept": "application/json"})).json()
        answer = await http.get(f"/notas/{id_}")
        words = said(answer)
        assert answer.status_code == 200
        assert told["numero"] in words
        for part in (told["contato_nome"], *(line["descricao_produto"] for line in told["linhas"])):
            assert part is None or " ".join(part.split())[:150] in words
        assert len(told["pagamentos"]) == 0 or f"{len(told['pagamentos'])} parcela" in words
        for address in filter(None, (told["link_pdf"] or told["link_danfe"], told["link_xml"])):
            anchor = re.search(rf'<a [^>]*href="{re.escape(html.escape(address))}"[^>]*>', answer.text)
            assert anchor
            assert "noopener" in anchor[0]
        assert "Igual à do Bling" in words
        assert len(answer.content) < MOST_BYTES


async def test_fetching_again_brings_what_changed(http: httpx2.AsyncClient, bling: Bling, engine: AsyncEngine) -> None:
    await authorise(http, bling)
    id_ = outgoing(bling, 6)[-1]
    unknown = await http.get(f"/notas/{id_}")
    assert unknown.status_code == 404
    assert f'action="/notas/{id_}/buscar"' in unknown.text
    answer = await http.post(f"/notas/{id_}/buscar")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/notas/{id_}?busca=criado")
    assert "agora está aqui" in said(await http.get(answer.headers["location"]))
    assert "Ainda não conferida" in said(await http.get(f"/notas/{id_}"))
    bling.cancel_note(id_)
    again = await http.post(f"/notas/{id_}/buscar")
    shown = said(await http.get(again.headers["location"]))
    assert "foi atualizada" in shown
    assert "Situação : Emitida → passou a ser Cancelada" in shown
    bling.fail(rf"^/nfe/{id_}$", "server_error")
    failed = await http.post(f"/notas/{id_}/buscar")
    assert failed.status_code == 502
    assert "não pôde ser buscada de novo" in said(failed)
    assert "Cancelada" in said(failed)


async def test_fetching_again_does_not_wait_for_ever(
    http: httpx2.AsyncClient, bling: Bling, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await authorise(http, bling)
    id_ = outgoing(bling, 6)[-1]
    await http.post(f"/notas/{id_}/buscar")
    monkeypatch.setattr(nota, "PATIENCE", 0.05)
    rule = bling.fail(rf"^/nfe/{id_}$", "hang", seconds=3600)
    slow = await http.post(f"/notas/{id_}/buscar")
    assert slow.status_code == 502
    assert "busque de novo. Nada ficou pela metade." in said(slow)
    assert "Linhas" in said(slow), "a nota continua ali"
    bling.faults.remove(rule)
    monkeypatch.undo()
    assert (await http.post(f"/notas/{id_}/buscar")).headers["location"].endswith("?busca=igual")


async def test_fetching_again_while_bling_is_paused_says_until_when(
    http: httpx2.AsyncClient, bling: Bling, engine: AsyncEngine, clock: FakeClock
) -> None:
    await authorise(http, bling)
    id_ = outgoing(bling, 6)[-1]
    await http.post(f"/notas/{id_}/buscar")
    until = clock.now() + timedelta(minutes=2)
    await execute(engine, "UPDATE limites_bling SET pausada_ate = :until", until=until)
    asked = bling.counters.total
    answer = await http.post(f"/notas/{id_}/buscar")
    assert answer.status_code == 502
    assert f"até as {until.astimezone(BRASILIA):%H:%M}" in said(answer)
    assert bling.counters.total == asked


async def test_only_a_page_of_ours_can_fetch(http: httpx2.AsyncClient, bling: Bling, engine: AsyncEngine) -> None:
    await authorise(http, bling)
    id_ = outgoing(bling, 6)[-1]
    answer = await http.post(f"/notas/{id_}/buscar", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert await scalar(engine, "SELECT count(*) FROM nfe_cabecalho") == 0
    assert (await http.get(f"/notas/{id_}/buscar")).status_code == 405


@pytest.mark.parametrize("id_", ["abc", "0", "-1", "9" * 30, "1e5", "%00", "١", "<script>"])
async def test_an_id_that_is_no_id_is_not_found(http: httpx2.AsyncClient, id_: str) -> None:
    for answer in (await http.get(f"/notas/{id_}"), await http.post(f"/notas/{id_}/buscar")):
        assert answer.status_code == 404
        assert "só de algarismos" in said(answer)
        assert "<script>" not in answer.text.replace("<script src", "")


async def test_a_nota_that_bling_does_not_have_either(http: httpx2.AsyncClient, bling: Bling) -> None:
    await authorise(http, bling)
    assert (await http.get("/notas/123")).status_code == 404
    answer = await http.post("/notas/123/buscar")
    assert answer.status_code == 404
    assert "O Bling não tem nfe/123" in said(answer)


@pytest.mark.slow
async def test_a_nota_of_many_lines_is_shown_little_by_little(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    await fill(engine, many=1)
    id_ = await scalar(engine, "SELECT id FROM nfe_cabecalho")
    lines = [
        {"codigo": f"SKU-{n}", "descricao": f"Linha de número {n} " + "&" * 300, "quantidade": 1.5, "valor": n}
        for n in range(1, 991)
    ]
    async with engine.begin() as connection:
        detail = text("UPDATE nfe_cabecalho SET detalhe = jsonb_build_object('itens', CAST(:lines AS jsonb))")
        await connection.execute(detail, {"lines": json.dumps(lines)})
    address: str | None = f"/notas/{id_}"
    seen = []
    while address is not None:
        answer = await http.get(address)
        assert len(answer.content) < MOST_BYTES
        seen += re.findall(r"Linha de número (\d+) ", answer.text)
        address = link(answer, "next")
    assert seen == [str(n) for n in range(1, 991)]
    for strange in ("0", "-5", "99999", "abc", "1000000000", ""):
        answer = await http.get(f"/notas/{id_}?linhas={strange}")
        assert (answer.status_code, "Linha de número 1 " in answer.text) == (200, True)


async def test_before_the_first_collection_the_page_says_what_to_do(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/notas")
    assert answer.status_code == 200
    assert "Ainda não há notas" in said(answer)
    assert "Nenhuma nota assim" in said(await http.get("/notas?q=engrenagem"))


async def test_each_state_of_the_proof_is_said(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    await fill(engine, many=1)
    await execute(
        engine,
        "DELETE FROM nfe_itens",
        "DELETE FROM nfe_cabecalho",
        "INSERT INTO nfe_cabecalho (id, numero, data_emissao, situacao, extraido_em)"
        " VALUES (77, '77', '2025-02-10', 6, '2025-03-01Z')",
    )
    check = (
        "INSERT INTO conferencias VALUES ('2025-02-01', '2025-02-05', '2025-02-28', '2025-03-02Z', 1, '{}', '{}', '{}',"
        " '{}', '{}')"
    )
    states = [
        ("Ainda não conferida", "SELECT 1"),
        ("Igual à do Bling", check),
        ("Mudou no Bling depois de lida", "UPDATE conferencias SET diferem = '{77}'"),
        ("Igual à do Bling", "UPDATE nfe_cabecalho SET extraido_em = '2025-03-03Z'"),
        ("O Bling não listou esta nota", "UPDATE conferencias SET sobram = '{77}'"),
        (
            "A última leitura desta nota falhou",
            "INSERT INTO pendencias (recurso, recurso_id, erro) VALUES ('nfe', '77', '<i>ruim</i>')",
        ),
        ("O Bling não tem mais esta nota", "UPDATE nfe_cabecalho SET excluida_em = now()"),
        ("Ainda não conferida", "UPDATE conferencias SET data_inicio = '2025-02-11', sobram = '{}', diferem = '{}'"),
    ]
    for sentence, change in states[:-1]:
        await execute(engine, change)
        answer = await http.get("/notas/77")
        assert answer.status_code == 200
        assert sentence in said(answer)
        assert "<i>" not in answer.text
    await execute(engine, "DELETE FROM pendencias", "UPDATE nfe_cabecalho SET excluida_em = NULL", states[-1][1])
    assert states[-1][0] in said(await http.get("/notas/77"))
    await execute(engine, "UPDATE nfe_cabecalho SET data_emissao = NULL, numero = NULL, extraido_em = NULL")
    bare = await http.get("/notas/77")
    assert (bare.status_code, "sem número" in said(bare), "sem data" in said(bare)) == (200, True, True)
