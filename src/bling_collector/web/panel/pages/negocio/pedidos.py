"""Os pedidos de venda: achar qualquer um, com filtros, ordem e soma; e o que se procura, num arquivo."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from bling_collector.db.reports.order_search import NAMES, NONE, ORDERS, Criteria
from bling_collector.insight.recursos import doubt, load_followed
from bling_collector.insight.sales.pedidos import load_all, load_pedidos
from bling_collector.streams.vendas.pedidos_venda import PEDIDOS_VENDA
from bling_collector.web.panel.downloads import csv_file, xlsx_file
from bling_collector.web.panel.filters import Filters
from bling_collector.web.panel.render import page
from bling_collector.web.panel.tables.orders import channel, orders_table, seller, state
from bling_collector.web.panel.tables.table import Table
from bling_collector.web.service import OneService
from bling_collector.workplace.account import Account

router = APIRouter(include_in_schema=False)

_IDS: Final = ("situacao", "canal", "vendedor", "contato")
_FILTERS: Final = ("q", *_IDS, "produto", "de", "ate")
_NONE_WORD: Final = "nenhum"
_DEFAULT_ORDER: Final = "-data"
_HEADS: Final = (
    ("numero", "Pedido"),
    ("data", "Data"),
    ("cliente", "Cliente"),
    ("canal", "Canal"),
    ("situacao", "Situação"),
    ("total", "Total"),
)


@router.get("/pedidos")
async def pedidos(request: Request, service: OneService) -> Response:
    asked, criteria, order, number = _read(request)
    async with service.opened() as account:
        (recurso,) = await load_followed(
            account.engine, account.settings.recursos, [PEDIDOS_VENDA.name], account.clock.now()
        )
        found = None
        if not asked.errors:
            found = await load_pedidos(account.engine, criteria, order[0], falling=order[1], page=number)
    return page(
        request,
        "pedidos.html",
        section="vendas",
        status=asked.status,
        asked=asked,
        recurso=recurso,
        doubt=doubt([recurso]),
        found=found,
        rows=[_line(row) for row in found.rows] if found else [],
        heads=[asked.head(name, title, order, falls=name not in NAMES) for name, title in _HEADS],
        menus=_menus(found.choices) if found else [],
        previous=asked.address(pagina=found.page - 1) if found and found.page > 1 else None,
        next=asked.address(pagina=found.page + 1) if found and found.page < found.pages else None,
    )


@router.get("/pedidos.csv")
async def pedidos_csv(request: Request, service: OneService) -> Response:
    async with service.opened() as account:
        return csv_file(await _whole(account, request), "pedidos")


@router.get("/pedidos.xlsx")
async def pedidos_xlsx(request: Request, service: OneService) -> Response:
    async with service.opened() as account:
        table = await _whole(account, request)
    return await xlsx_file([table], ["Pedidos de venda", "Os excluídos no Bling ficam de fora."], "pedidos")


async def _whole(account: Account, request: Request) -> Table:
    """Todos os que se procuram. UsageError se o que se pede não serve."""
    asked, criteria, order, _ = _read(request)
    asked.sound()
    return orders_table(await load_all(account.engine, criteria, order[0], falling=order[1]))


def _read(request: Request) -> tuple[Filters, Criteria, tuple[str, bool], int]:
    """O que o endereço pede, o que se procura, a ordem e a página."""
    asked = Filters.of(request, "/pedidos", _FILTERS, exact=("produto",))
    inicio, fim = asked.days()
    criteria = Criteria(
        q=asked.text("q"),
        produto=asked.typed["produto"] or None,
        inicio=inicio,
        fim=fim,
        **{name: asked.id(name, {_NONE_WORD: NONE}) for name in _IDS},
    )
    return asked, criteria, asked.order(_DEFAULT_ORDER, ORDERS), asked.page()


def _menus(choices: Any) -> list[tuple[str, str, str, list[tuple[str, str]]]]:
    """(campo, rótulo, o que é não filtrar, as escolhas)."""
    return [
        (name, label, every, [(str(id_) if id_ else _NONE_WORD, words) for id_, words in options])
        for name, label, every, options in (
            ("situacao", "Situação", "Todas", choices.situacoes),
            ("canal", "Canal", "Todos", choices.canais),
            ("vendedor", "Vendedor", "Todos", choices.vendedores),
        )
    ]


def _line(row: Any) -> dict[str, Any]:
    words, tone = state(row)
    return {
        "id": row["pedido_id"],
        "numero": row["numero"] if row["numero"] is not None else "sem número",
        "numero_loja": row["numero_loja"],
        "data": row["data"],
        "cliente": row["cliente"],
        "canal": channel(row),
        "vendedor": seller(row),
        "situacao": words,
        "tom": tone,
        "total": row["total"],
        "valido": row["valido"],
    }
