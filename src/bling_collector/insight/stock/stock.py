"""O estoque: quanto dinheiro está nele, o que acaba e quando, e o que está parado."""

from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Row

from bling_collector.clock import BRASILIA
from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.connection.database import one_instant
from bling_collector.db.proof import scope_start
from bling_collector.db.reports import stock
from bling_collector.errors import UsageError
from bling_collector.insight.sales.periods import ComparedPeriod

FILTERS: Final = {
    "": "Todos",
    "acaba": f"Acabam em {stock.RUNS_OUT} dias",
    "esgotado": "Esgotados, e vendem",
    "parado": "Parados: há e não vendem",
    "sem-custo": "Com saldo e sem custo conhecido",
    "negativo": "Com saldo negativo",
    "sem-registro": "Sem registro de estoque",
}
ORDERS: Final = {
    "acaba": "Acaba primeiro",
    "valor": "Maior valor",
    "saldo": "Maior saldo",
    "venda": "Vende mais",
    "parado": "Há mais tempo sem venda",
    "nome": "Nome",
}
PER_PAGE: Final = 25
_SALES_DAYS: Final = 90
"""Os dias de venda, até a leitura, por que as views dividem: os de vendido_90_dias."""
DAYS: Final = 60
"""Quantos dias o gráfico mostra; o que se baixa tem todos."""
_MOST_PAGES: Final = 100_000
_LONGEST: Final = 200


@dataclass(frozen=True)
class Search:
    """O que se pede da lista; o que falta não restringe."""

    words: str | None = None
    name: str = ""
    """Um de FILTERS."""
    deposito: int | None = None
    order: str = "acaba"
    """Um de ORDERS."""
    page: int = 1


@dataclass(frozen=True)
class Summary:
    """O que a última leitura soma."""

    lida_em: datetime
    com_saldo: int
    valor: Decimal
    sem_custo: int
    """Os que têm saldo e não têm custo conhecido: o valor não os conta."""
    acabam: int
    esgotados: int
    parados: int
    valor_parado: Decimal
    valor_antes: Decimal | None
    """O de um ano antes; None se então não se lia o estoque, ou se é o de um depósito só."""

    @property
    def dia(self) -> date:
        return self.lida_em.astimezone(BRASILIA).date()


@dataclass(frozen=True)
class Product:
    """Um produto na última leitura."""

    produto_id: int
    codigo: str | None
    nome: str | None
    categoria: str | None
    saldo_fisico: Decimal | None
    saldo_virtual: Decimal | None
    preco_custo: Decimal | None
    valor_custo: Decimal | None
    vendido_90_dias: Decimal
    ultima_venda: date | None
    dias_cobertura: Decimal | None
    acaba_em: date | None
    situacao: str


@dataclass(frozen=True)
class Products:
    """Uma página dos produtos, e o que todos os do filtro somam."""

    rows: list[Product]
    of: int
    saldo: Decimal
    valor: Decimal | None
    """None se de nenhum se conhece o custo."""


@dataclass(frozen=True)
class Day:
    """Um dia com leitura."""

    dia: date
    saldo: Decimal
    com_saldo: int
    valor: Decimal


@dataclass(frozen=True)
class SalesHeld:
    """De quantos dias, até uma leitura do estoque, se coletaram as notas, que começam em `since`."""

    since: date | None
    day: date

    @property
    def days(self) -> int:
        return 0 if self.since is None else max((self.day - self.since).days + 1, 0)

    @property
    def are_short(self) -> bool:
        """Se são menos do que os por que se divide a venda: do que não vendeu neles não se diz que está parado."""
        return self.days < _SALES_DAYS


@dataclass(frozen=True)
class Stock:
    """A página; sem `summary`, o estoque nunca foi lido."""

    places: list[tuple[int, str]]
    summary: Summary | None
    products: Products
    sales: SalesHeld | None
    """As notas que há para a venda da leitura; None se não há leitura."""


def read_search(q: str, situacao: str, deposito: str, ordem: str, pagina: str) -> Search:
    """O que o endereço pede. UsageError, numa frase, se uma parte não faz sentido."""
    if situacao not in FILTERS:
        raise UsageError(f"Não há produtos da situação “{situacao[:40]}”. Escolha uma da lista.")
    if (ordem or "acaba") not in ORDERS:
        raise UsageError(f"Não há uma ordem chamada “{ordem[:40]}”. Escolha uma da lista.")
    if deposito and (number := _whole(deposito, 10**18)) is None:
        raise UsageError(f"“{deposito[:40]}” não é um depósito. Escolha um da lista.")
    if pagina and _whole(pagina, _MOST_PAGES) is None:
        raise UsageError(f"“{pagina[:40]}” não é uma página desta lista.")
    if len(q) > _LONGEST:
        raise UsageError(f"O que se procura pode ter no máximo {_LONGEST} caracteres.")
    place = number if deposito else None
    return Search(q or None, situacao, place, ordem or "acaba", _whole(pagina, _MOST_PAGES) or 1)


def _whole(value: str, below: int) -> int | None:
    found = int(value) if value.isascii() and value.isdigit() and len(value) < 20 else 0
    return found if 0 < found < below else None


async def load_stock(engine: AsyncEngine, search: Search) -> Stock:
    """O estoque como a página o mostra. UsageError se o depósito pedido não existe."""
    async with one_instant(engine).connect() as connection:
        places = await _places(connection, search.deposito)
        found = await _read(connection, search, PER_PAGE)
        read, summary, sales = found[0], None, None
        if read.lida_em is not None:
            summary = Summary(**_picked(read, Summary, "valor_antes"), valor_antes=None)
            if search.deposito is None:
                day = summary.dia
                before = await stock.read_value_at(connection, ComparedPeriod(day, day).year_before.inicio)
                summary = replace(summary, valor_antes=before)
            sales = SalesHeld(await scope_start(connection), summary.dia)
    return Stock(places, summary, _products(found), sales)


async def load_products(engine: AsyncEngine, search: Search) -> Products:
    """Todos os produtos do filtro."""
    async with engine.connect() as connection:
        await _places(connection, search.deposito)
        return _products(await _read(connection, search, None))


async def load_days(engine: AsyncEngine, deposito: int | None, most: int | None = None) -> list[Day]:
    """Os últimos `most` dias que têm leitura, ou todos, do mais velho ao mais novo."""
    async with engine.connect() as connection:
        await _places(connection, deposito)
        return [Day(**_picked(row, Day)) for row in await stock.read_days(connection, deposito, most)]


async def _places(connection: AsyncConnection, asked: int | None) -> list[tuple[int, str]]:
    found = [
        (row.id, (row.nome or f"Depósito {row.id}") + ("" if row.no_total else " (fora do total)"))
        for row in await stock.read_places(connection)
    ]
    if asked is not None and asked not in dict(found):
        raise UsageError(f"Na última leitura não há um depósito {asked}. Escolha um da lista.")
    return found


async def _read(connection: AsyncConnection, search: Search, per_page: int | None) -> stock.Rows:
    return await stock.read_products(
        connection,
        deposito=search.deposito,
        name=search.name,
        words=search.words,
        order=search.order,
        most=per_page,
        skip=(search.page - 1) * per_page if per_page else 0,
    )


def _products(found: stock.Rows) -> Products:
    first = found[0]
    rows = [Product(**_picked(row, Product)) for row in found if row.produto_id is not None]
    return Products(rows, first.de, first.saldo_todo, first.valor_todo)


def _picked(row: Row[Any], kind: type, *without: str) -> dict[str, Any]:
    """As colunas da linha que são campos de `kind`."""
    return {each.name: row._mapping[each.name] for each in fields(kind) if each.name not in without}
