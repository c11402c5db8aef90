"""Vendas e pedidos pelo HTTP: os números da página e dos arquivos, o que se procura, e os pedidos errados."""

import csv
import re
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from io import BytesIO, StringIO
from zipfile import ZipFile

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.acceptance.service_fixtures import authorise, serving
from tests.support.collecting import rows
from tests.support.fakes import FakeClock
from tests.support.ordering import RECURSOS, order_oddly

from bling_collector.config import Settings
from bling_collector.words import money
from bling_simulator.bling import Bling

START = date(2024, 1, 1)
PAGE = {"Accept": "text/html"}
YEAR = "de=2025-01-01&ate=2025-12-31"
collected = pytest.mark.collector(recursos=RECURSOS)
loaded = pytest.mark.loaded(START, before=order_oddly)
pytestmark = pytest.mark.bling(scale=0.03)


@pytest.fixture
async def http(settings: Settings, clock: FakeClock, bling: Bling) -> AsyncIterator[httpx2.AsyncClient]:
    """O serviço, já autorizado."""
    async with serving(settings, clock) as client:
        client.headers |= PAGE
        assert (await authorise(client, bling)).status_code == 200
        yield client


async def csv_of(http: httpx2.AsyncClient, address: str) -> list[dict[str, str]]:
    answer = await http.get(address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";"))


def decimal(written: str) -> Decimal:
    return Decimal(written.replace(",", "."))


@collected
@loaded
async def test_a_pagina_e_os_arquivos_somam_o_que_a_view_soma(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    pedidos, valor = (
        await rows(engine, "SELECT sum(pedidos), sum(valor) FROM vw_pedidos_dia WHERE extract(year FROM dia) = 2025")
    )[0]
    steps = await csv_of(http, f"/vendas.csv?{YEAR}")
    assert sum(int(step["Pedidos"]) for step in steps) == pedidos
    assert sum(decimal(step["Valor"]) for step in steps) == valor
    for table in ("canais", "vendedores", "clientes", "situacoes"):
        found = await csv_of(http, f"/vendas.csv?tabela={table}&{YEAR}")
        assert sum(int(row["Pedidos"]) for row in found) == pedidos, table
        assert sum(decimal(row["Valor"]) for row in found) == valor, table
    shown = (await http.get(f"/vendas?{YEAR}&partes=sim")).text
    assert f"venderam-se {money(valor)} em {pedidos} pedidos" in shown
    assert "Venda própria" in shown
    with ZipFile(BytesIO((await http.get(f"/vendas.xlsx?{YEAR}")).content)) as book:
        names = re.findall(r'sheet name="([^"]+)"', book.read("xl/workbook.xml").decode())
    assert names == ["Sobre", "Evolução", "Canais de venda", "Vendedores", "Clientes", "Produtos", "Situações"]


async def test_o_que_nao_se_coleta_diz_como_se_liga(http: httpx2.AsyncClient) -> None:
    for path in ("/vendas",):
        shown = await http.get(path)
        assert shown.status_code == 200
        assert "bling-collector recursos ligar pedidos_venda" in shown.text, path
    assert (await csv_of(http, "/vendas.csv?periodo=mes"))[0]["Pedidos"] == "0"
