"""Os pedidos de venda: achar qualquer um, com filtros, ordem e soma; e o que se procura, num arquivo."""

import asyncio
from dataclasses import dataclass, field
from datetime import date
from tempfile import TemporaryFile
from typing import IO, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from bling_collector.db.reports.order_search import NONE, ORDERS, Criteria
from bling_collector.errors import UsageError
from bling_collector.insight.notas.terms import UnreadableTermError, cleaned
from bling_collector.insight.recursos import load_recurso
from bling_collector.insight.sales.pedidos import load_all, load_pedidos
from bling_collector.payload import storable
from bling_collector.streams.vendas.pedidos_venda import PEDIDOS_VENDA
from bling_collector.web.panel.downloads import XLSX, attachment, read_file, unblocked
from bling_collector.web.panel.render import page
from bling_collector.web.panel.tables.orders import channel, orders_table, seller, state
from bling_collector.web.panel.tables.table import Table, csv_lines, write_xlsx
from bling_collector.web.service import OneService
from bling_collector.workplace.account import Account

router = APIRouter(include_in_schema=False)

_IDS: Final = ("situacao", "canal", "vendedor", "contato")
_FILTERS: Final = ("q", *_IDS, "produto", "de", "ate")
_PARAMETERS: Final = (*_FILTERS, "ordem", "pagina")
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
_OLDEST: Final = 1990
_NEWEST: Final = 2100


@dataclass
class Asked:
    """O que o endereço pede: o que foi digitado, o que se entendeu e o que não serve, por campo."""

    typed: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    criteria: Criteria = field(default_factory=Criteria)
    order: str = "data"
    falling: bool = True
    page: int = 1

    def address(self, path: str = "/pedidos", **changes: str | None) -> str:
        """O mesmo pedido, com estas mudanças; sem a página, que muda com elas."""
        kept = {name: value for name in (*_FILTERS, "ordem") if (value := self.typed.get(name))}
        query = {name: value for name, value in (kept | changes).items() if value}
        return f"{path}?{urlencode(query)}" if query else path


@router.get("/pedidos")
async def pedidos(request: Request, service: OneService) -> Response:
    asked = read(dict(request.query_params))
    async with service.opened() as account:
        recurso = await load_recurso(account.engine, account.settings.recursos, PEDIDOS_VENDA.name, account.clock.now())
        found = None
        if not asked.errors:
            found = await load_pedidos(
                account.engine, asked.criteria, asked.order, falling=asked.falling, page=asked.page
            )
    return page(
        request,
        "pedidos.html",
        section="vendas",
        status=422 if asked.errors else 200,
        typed={name: asked.typed.get(name, "") for name in (*_FILTERS, "ordem")},
        errors=asked.errors,
        filtered=any(asked.typed.get(name) for name in _FILTERS),
        recurso=recurso,
        found=found,
        rows=[_line(row) for row in found.rows] if found else [],
        heads=[_head(asked, name, title) for name, title in _HEADS],
        menus=_menus(found.choices) if found else [],
        previous=asked.address(pagina=str(found.page - 1)) if found and found.page > 1 else None,
        next=asked.address(pagina=str(found.page + 1)) if found and found.page < found.pages else None,
        csv=asked.address("/pedidos.csv"),
        xlsx=asked.address("/pedidos.xlsx"),
    )


@router.get("/pedidos.csv")
async def pedidos_csv(request: Request, service: OneService) -> Response:
    async with service.opened() as account:
        table = await _whole(account, request)
    return StreamingResponse(
        unblocked(csv_lines(table)),
        media_type="text/csv; charset=utf-8",
        headers=attachment("pedidos", "csv"),
    )


@router.get("/pedidos.xlsx")
async def pedidos_xlsx(request: Request, service: OneService) -> Response:
    async with service.opened() as account:
        table = await _whole(account, request)
    file = await asyncio.to_thread(_workbook, table)
    return StreamingResponse(read_file(file), media_type=XLSX, headers=attachment("pedidos", "xlsx"))


async def _whole(account: Account, request: Request) -> Table:
    """Todos os que se procuram. UsageError se o que se pede não serve."""
    asked = read(dict(request.query_params))
    if asked.errors:
        raise UsageError(next(iter(asked.errors.values())))
    return orders_table(await load_all(account.engine, asked.criteria, asked.order, falling=asked.falling))


def read(parameters: dict[str, str]) -> Asked:
    """O que o endereço pede."""
    asked = Asked({name: storable(value).strip() for name, value in parameters.items() if name in _PARAMETERS})
    if strange := sorted(parameters.keys() - {*_PARAMETERS}):
        asked.errors["geral"] = f"Este endereço traz um filtro que não existe: {strange[0][:40]!r}."
    inicio, fim = _day(asked, "de"), _day(asked, "ate")
    if inicio and fim and inicio > fim:
        asked.errors["ate"] = "O período termina antes de começar."
    ids = {name: _id(asked, name) for name in _IDS}
    asked.criteria = Criteria(q=_text(asked, "q"), produto=_text(asked, "produto"), inicio=inicio, fim=fim, **ids)
    order = asked.typed.get("ordem") or _DEFAULT_ORDER
    asked.order, asked.falling = order.removeprefix("-"), order.startswith("-")
    if asked.order not in ORDERS:
        asked.errors["geral"] = f"Os pedidos não se ordenam por {asked.order[:40]!r}."
    number = asked.typed.get("pagina") or "1"
    if not (number.isascii() and number.isdigit() and len(number) < 8 and int(number)):
        asked.errors["geral"] = "Este endereço pede uma página que não existe."
    else:
        asked.page = int(number)
    return asked


def _text(asked: Asked, name: str) -> str | None:
    try:
        return cleaned(asked.typed.get(name, "")) or None
    except UnreadableTermError as error:
        asked.errors[name] = str(error)
        asked.typed[name] = asked.typed[name][:400]
        return None


def _id(asked: Asked, name: str) -> int | None:
    value = asked.typed.get(name)
    if not value:
        return None
    if value == _NONE_WORD:
        return NONE
    if value.isascii() and value.isdigit() and len(value) < 19 and int(value):
        return int(value)
    asked.errors["geral"] = f"O filtro «{name}» traz o id que o Bling dá, que é só de algarismos, e não {value[:40]!r}."
    return None


def _day(asked: Asked, name: str) -> date | None:
    value = asked.typed.get(name)
    if not value:
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError:
        day = None
    if day is None or len(value) != len("AAAA-MM-DD") or not _OLDEST <= day.year <= _NEWEST:
        asked.errors[name] = f"«{value[:40]}» não é um dia que se possa procurar. Escreva, por exemplo, 2025-01-31."
        asked.typed[name] = ""
        return None
    return day


def _head(asked: Asked, name: str, title: str) -> dict[str, Any]:
    """O título de uma coluna, que ordena por ela, e do avesso se já se ordena."""
    current = asked.order == name
    way = "" if current and asked.falling else "-"
    sort = ("descending" if asked.falling else "ascending") if current else None
    return {"name": name, "title": title, "address": asked.address(ordem=f"{way}{name}"), "sort": sort}


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


def _workbook(table: Table) -> IO[bytes]:
    file = TemporaryFile()  # noqa: SIM115 — quem a manda a fecha, no fim
    write_xlsx(file, [table], ["Pedidos de venda", "Os excluídos no Bling ficam de fora."])
    file.seek(0)
    return file
