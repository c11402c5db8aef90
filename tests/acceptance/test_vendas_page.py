"""Vendas e pedidos pelo HTTP: os números da página e dos arquivos, o que se procura, e os pedidos errados."""

import csv
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from html import unescape
from io import BytesIO, StringIO
from urllib.parse import parse_qs, urlsplit
from zipfile import ZipFile

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.acceptance.service_fixtures import authorise, problem, serving
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.ordering import PACKED, RECURSOS, order_oddly
from tests.support.proving import DAY, execute

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
async def test_the_page_and_the_files_add_up_to_what_the_view_does(
    http: httpx2.AsyncClient, engine: AsyncEngine
) -> None:
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


async def test_what_is_not_collected_says_how_to_turn_it_on(http: httpx2.AsyncClient) -> None:
    for path in ("/vendas", "/pedidos"):
        shown = await http.get(path)
        assert shown.status_code == 200
        assert "bling-collector recursos ligar pedidos_venda" in shown.text, path
    for extension in ("csv", "xlsx"):
        refused = problem(await http.get(f"/vendas.{extension}?periodo=mes", headers={"Accept": "*/*"}), 422)
        assert refused["detail"] == "Estes números saem de pedidos_venda, que não se coleta."


@collected
@loaded
async def test_what_is_switched_off_is_said_and_has_no_sale_of_today(settings: Settings, clock: FakeClock) -> None:
    async with serving(replace(settings, recursos=("nfe",)), clock) as http:
        http.headers |= PAGE
        assert "Vendido" not in (await http.get("/")).text
        for path in ("/vendas", "/pedidos", "/pedidos?q=ninguem-assim"):
            shown = (await http.get(path)).text
            assert "edidos que não se coletam" in shown, path
            assert "bling-collector recursos ligar pedidos_venda" in shown, path


@collected
@loaded
async def test_a_today_that_was_not_read_is_not_said_to_be_zero(http: httpx2.AsyncClient, clock: FakeClock) -> None:
    def cards(shown: str) -> list[str]:
        found = re.findall(r'<div class="card stat">\s*<dt>(?:Faturado|Vendido) .*?</div>', shown, flags=re.DOTALL)
        return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", each)).strip() for each in found]

    assert not any("não se leu" in card or "lido até" in card for card in cards((await http.get("/")).text))
    clock.advance(DAY)
    notes, notes_month, orders, orders_month = cards((await http.get("/")).text)
    assert notes == "Faturado hoje — hoje ainda não se leu"
    assert orders == "Vendido hoje — hoje ainda não se leu"
    assert "lido até 20/02/2026" in notes_month
    assert "lido até 20/02/2026" in orders_month
    for path in ("/faturamento", "/vendas"):
        shown = (await http.get(f"{path}?de=2026-02-21&ate=2026-02-21")).text
        assert "De 21/02/2026 a 21/02/2026 ainda nada se leu: o que há vai até 20/02/2026." in shown, path
    clock.advance(10 * DAY)
    assert "Faturado neste mês — neste mês ainda não se leu" in cards((await http.get("/")).text)


def counted(shown: str) -> tuple[int, str]:
    """(quantos pedidos, quanto somam) que a lista diz: os que contam ou, se nenhum conta, os cancelados."""
    found = re.search(r"<strong>([\d.]+) pedidos?(?: cancelados?)?</strong>[^,]*, (R\$ [\d.]+,\d\d)", shown)
    assert found is not None, shown
    return int(found[1].replace(".", "")), found[2]


@pytest.mark.slow
@collected
@loaded
async def test_each_row_of_vendas_leads_to_the_list_of_what_it_counts(http: httpx2.AsyncClient) -> None:
    shown = (await http.get(f"/vendas?{YEAR}&partes=sim")).text
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="(/pedidos\?[^"]+)"', shown)]
    assert {re.search(r"\?(\w+)=", link)[1] for link in links} == {  # type: ignore[index]
        *("de", "canal", "vendedor", "contato", "produto", "situacao")
    }
    for table in ("canais", "vendedores", "clientes", "situacoes"):
        rows_ = await csv_of(http, f"/vendas.csv?tabela={table}&{YEAR}")
        name = {"canais": "canal", "vendedores": "vendedor", "clientes": "contato", "situacoes": "situacao"}[table]
        behind = [link for link in links if link.startswith(f"/pedidos?{name}=")]
        for row, link in zip(rows_[:3], behind, strict=False):
            found = counted((await http.get(link)).text)
            which = ("Pedidos", "Valor") if int(row["Pedidos"]) else ("Cancelados", "Valor cancelado")
            assert found == (int(row[which[0]]), money(decimal(row[which[1]]))), link


@collected
@loaded
async def test_a_product_of_an_odd_code_leads_to_its_pedidos(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    codes = await rows(
        engine,
        "SELECT codigo_produto FROM pedidos_venda_itens WHERE codigo_produto IS NOT NULL"
        " GROUP BY 1 ORDER BY sum(quantidade * valor_unitario) DESC LIMIT 3",
    )
    odd = ("AB  12", " AB12", "AB12" + "x" * 250)
    for (code,), other in zip(codes, odd, strict=True):
        changed = "UPDATE pedidos_venda_itens SET codigo_produto = :other WHERE codigo_produto = :code"
        await execute(engine, changed, other=other, code=code)
    found = await csv_of(http, "/vendas.csv?tabela=produtos&periodo=tudo")
    links = re.findall(r'href="(/pedidos\?produto=[^"]+)"', (await http.get("/vendas?periodo=tudo&partes=sim")).text)
    by_code = {parse_qs(urlsplit(unescape(link)).query)["produto"][0]: unescape(link) for link in links}
    for code in odd:
        row = next(each for each in found if each["Código"] == code)
        page = (await http.get(by_code[code])).text
        assert row["Pedidos"] != "0"
        assert counted(page)[0] == int(row["Pedidos"]), code
        assert f'value="{code}"' in page, "e a caixa tem o mesmo código"


@pytest.mark.slow
@collected
@loaded
async def test_a_pedido_is_found_by_what_is_known_of_it(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    seen = (
        await rows(
            engine,
            "SELECT pedido_id, p.numero, p.numero_loja, c.nome, c.documento, p.data FROM vw_pedidos p "
            "JOIN contatos c ON c.id = contato_id WHERE p.numero_loja <> '' AND c.nome ~ '[ÁÉÍÓÚÇÃ áéíóúçã]' LIMIT 1",
        )
    )[0]
    id_, numero, loja, nome, documento, day = seen
    words = nome.upper().translate(str.maketrans("ÁÉÍÓÚÇÃÂÊÔÕ", "AEIOUCAAEOO"))
    for typed in (str(numero), loja, words, documento):
        answer = await http.get("/pedidos", params={"q": typed})
        assert f'href="/pedidos/{id_}"' in answer.text, typed
    assert "Nenhum pedido assim" in (await http.get("/pedidos?q=zzzzquenaoha")).text
    only = await csv_of(http, f"/pedidos.csv?q={numero}&de={day}&ate={day}")
    assert str(numero) in {row["Pedido"] for row in only}
    assert documento not in str(only)
    packed = counted((await http.get(f"/pedidos?situacao={PACKED}")).text)[0]
    base = counted((await http.get("/pedidos?situacao=15")).text)[0]
    assert (packed, base > packed) == (2, True), "a de fábrica traz as que dela se tiraram"


@pytest.mark.slow
@collected
@loaded
async def test_the_list_sorts_counts_sums_and_goes_into_a_file(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    (every, *sums), *_ = await rows(
        engine,
        "SELECT count(*), count(*) FILTER (WHERE valido), sum(total) FILTER (WHERE valido), "
        "count(*) FILTER (WHERE NOT valido), sum(total) FILTER (WHERE NOT valido) FROM vw_pedidos",
    )
    shown = (await http.get("/pedidos")).text
    assert counted(shown) == (sums[0], money(sums[1]))
    assert f"; e {sums[2]} cancelados, {money(sums[3])}." in shown
    assert counted((await http.get("/pedidos?situacao=12")).text) == (sums[2], money(sums[3]))
    assert "Página 1 de" in shown
    for order, column, falling in (("total", "Total", False), ("-total", "Total", True), ("numero", "Pedido", False)):
        found = [decimal(row[column]) for row in await csv_of(http, f"/pedidos.csv?ordem={order}")]
        assert len(found) == every
        assert found == sorted(found, reverse=falling), order
    first = {unescape(each) for each in re.findall(r'href="/pedidos\?ordem=([^"&]+)"', shown)}
    assert first == {"-numero", "data", "cliente", "canal", "situacao", "-total"}, "o primeiro toque; já se vê por data"
    pages = [(await http.get(f"/pedidos?pagina={n}")).text for n in (1, 2)]
    ids = [re.findall(r'href="/pedidos/(\d+)"', each) for each in pages]
    assert len({*ids[0], *ids[1]}) == len(ids[0]) + len(ids[1])
    assert (await http.get("/pedidos.xlsx?situacao=12")).content.startswith(b"PK")


@pytest.mark.slow
@collected
@loaded
async def test_the_page_of_a_pedido_leads_to_the_nota_and_the_contas(
    http: httpx2.AsyncClient, engine: AsyncEngine
) -> None:
    found = await rows(
        engine,
        "SELECT pedido_id, nota_id, numero FROM vw_pedidos_caminho WHERE contas > 0 AND nota_numero IS NOT NULL "
        "ORDER BY pedido_id LIMIT 1",
    )
    id_, nota, numero = found[0]
    contas = await rows(engine, "SELECT conta_id FROM vw_pedidos_contas WHERE pedido_id = :id", id=id_)
    shown = (await http.get(f"/pedidos/{id_}")).text
    assert f"<h1>Pedido {numero}</h1>" in shown
    for link in (f"/notas/{nota}", *(f"/contas/receber/{conta}" for (conta,) in contas)):
        assert f'href="{link}"' in shown
    assert f'href="/pedidos/{id_}"' in (await http.get(f"/notas/{nota}")).text, "e a nota leva ao pedido"
    assert await scalar(engine, "SELECT codigo_produto FROM pedidos_venda_itens WHERE pedido_id = :id", id=id_) in shown
    documento = await scalar(
        engine,
        "SELECT documento FROM contatos JOIN pedidos_venda p ON contato_id = contatos.id WHERE p.id = :id",
        id=id_,
    )
    assert documento not in shown
    await execute(
        engine,
        "UPDATE pedidos_venda SET excluida_em = now(), detalhe = NULL WHERE id = :id",
        "UPDATE contatos SET nome = '<script>x</script>' "
        "WHERE id = (SELECT contato_id FROM pedidos_venda WHERE id = :id)",
        id=id_,
    )
    shown = (await http.get(f"/pedidos/{id_}")).text
    assert "O Bling não tem mais este pedido" in shown
    assert "<script>x" not in shown


@pytest.mark.slow
@collected
@loaded
async def test_the_situacao_page_says_what_was_sold(http: httpx2.AsyncClient, engine: AsyncEngine) -> None:
    """Neste mês até hoje, ao lado dos mesmos dias do ano anterior; o que o banco não tinha não se compara."""
    month, before = (
        await rows(
            engine,
            "SELECT sum(valor) FILTER (WHERE dia BETWEEN '2026-02-01' AND '2026-02-20'), "
            "sum(valor) FILTER (WHERE dia BETWEEN '2025-02-01' AND '2025-02-20') FROM vw_pedidos_dia",
        )
    )[0]
    shown = (await http.get("/")).text
    assert f'<a href="/vendas?periodo=mes">{money(month)}</a>' in shown
    assert f"um ano antes, {money(before)}" in shown
    assert "Faturado hoje" in shown
    await execute(engine, "DELETE FROM pedidos_venda_itens", "DELETE FROM pedidos_venda_parcelas")
    await execute(engine, "DELETE FROM pedidos_venda WHERE data < '2025-06-01'")
    assert "o banco não tem pedidos de um ano antes" in (await http.get("/")).text
    await execute(engine, "DELETE FROM pedidos_venda")
    assert "Vendido" not in (await http.get("/")).text


WRONG = (
    ("/vendas?de=2025-02-30", 422, "não é um dia que exista"),
    ("/vendas?de=2025-03-01&ate=2025-02-01", 422, "vem antes da inicial"),
    ("/vendas?periodo=seculo", 422, "Não há um período chamado"),
    ("/vendas?outro=1", 422, "não conhece o filtro"),
    ("/vendas.csv?tabela=ufs", 422, "Não há uma tabela chamada"),
    ("/pedidos?situacao=abc", 422, "só de algarismos"),
    ("/pedidos?de=2025-02-30", 422, "não é um dia que se possa procurar"),
    ("/pedidos?de=2025-03-01&ate=2025-02-01", 422, "termina antes de começar"),
    ("/pedidos?ordem=preco", 422, "Não se ordena por"),
    ("/pedidos?pagina=0", 422, "uma página que não existe"),
    ("/pedidos?loja=1", 422, "um filtro que não existe"),
    ("/pedidos.csv?vendedor=-1", 422, "só de algarismos"),
    ("/pedidos?q=" + "9" * 201, 422, "no máximo 200"),
    ("/pedidos?q=" + "9" * 19, 200, "Nenhum pedido assim"),
    ("/pedidos?q=%00%25_'", 200, "Nenhum pedido assim"),
    ("/pedidos?canal=999999999999999999", 200, "Nenhum pedido assim"),
    ("/pedidos?pagina=9999999", 200, "Página"),
    ("/pedidos/abc", 404, "só de algarismos"),
    ("/pedidos/1", 404, "não tem o pedido de id 1"),
)


@pytest.mark.slow
@collected
@loaded
async def test_a_wrong_request_is_said_in_one_sentence(http: httpx2.AsyncClient) -> None:
    for path, code, said in WRONG:
        answer = await http.get(path)
        assert (answer.status_code, said in answer.text) == (code, True), path
