"""Nenhuma página do painel, e nada do que dele se baixa, traz um CPF ou um CNPJ de cliente por inteiro."""

import io
import re
import zipfile
from collections.abc import AsyncIterator
from datetime import date

import httpx2
import pytest
from tests.acceptance.service_fixtures import authorise, serving
from tests.support.collecting import rows
from tests.support.fakes import FakeClock

from bling_collector.config import Settings
from bling_collector.documentos import masked
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

pytestmark = pytest.mark.bling(scale=0.02)


@pytest.fixture
async def http(
    settings: Settings, clock: FakeClock, bling: Bling, account: Account
) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(settings, clock) as client:
        client.headers["Accept"] = "text/html"
        await authorise(client, bling)
        yield client


@pytest.mark.slow
@pytest.mark.loaded(date(2021, 1, 1))
async def test_nowhere_in_the_panel(http: httpx2.AsyncClient, account: Account) -> None:
    found = await rows(
        account.engine,
        """SELECT DISTINCT documento FROM (SELECT contato_documento AS documento FROM nfe_cabecalho
           UNION SELECT documento FROM contatos) AS todos WHERE length(documento) IN (11, 14)""",
    )
    documents = [str(documento) for (documento,) in found]
    assert len(documents) > 20
    notes = [id_ for (id_,) in await rows(account.engine, "SELECT id FROM nfe_cabecalho")]
    await account.pipeline.sync("nfe", notes[0])
    whole = "/faturamento?periodo=tudo&partes=sim"
    tables = re.findall(r'href="(/faturamento\.\w+\?[^"]*)"', (await http.get(whole)).text)
    assert len(tables) > 5
    pages = ["/", "/cobertura", "/execucoes", "/execucoes/1", "/notas", whole]
    pages += [f"/notas/{id_}" for id_ in notes] + [address.replace("&amp;", "&") for address in tables]
    seen = ""
    for page in pages:
        answer = await http.get(page)
        assert answer.status_code == 200, page
        seen += _text(answer)
    assert masked(documents[0]) in seen
    shown = re.sub(r"(?<=\d)[./-](?=\d)", "", re.sub(r"\d{44}|(?:\d{4} ){10}\d{4}", "", seen))
    assert [documento for documento in documents if documento in shown] == []


def _text(answer: httpx2.Response) -> str:
    if not answer.content.startswith(b"PK"):
        return answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        return "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))


@pytest.mark.parametrize(
    ("documento", "shown"),
    [
        (None, ""),
        ("", ""),
        ("12345678901", "***.456.789-**"),
        ("123.456.789-01", "***.456.789-**"),
        ("12345678000195", "**.345.678/0001-**"),
        ("12.ABC.345/01DE-35", "**.ABC.345/01DE-**"),
        ("estrangeiro 8812", "***812"),
        ("12", "***"),
    ],
)
def test_what_is_shown_of_a_document(documento: str | None, shown: str) -> None:
    assert masked(documento) == shown
