"""A página de um registro que se olha num período (um cliente, um produto): o endereço dela, e o que dela se baixa."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response

from bling_collector.errors import UsageError
from bling_collector.insight.sales.periods import ComparedPeriod
from bling_collector.web.panel.downloads import csv_file, xlsx_file
from bling_collector.web.panel.forms import record_id, unknown_table
from bling_collector.web.panel.periods import default_period, form_of, form_refused, read_period
from bling_collector.web.panel.tables.revenue import FATURAMENTO, STEPS
from bling_collector.web.panel.tables.table import Table
from bling_collector.web.service import Service
from bling_collector.workplace.account import Account


@dataclass(frozen=True)
class Card:
    """`name` vai no nome dos arquivos; `path` é o começo do endereço, antes do id.

    `load` traz uma tabela inteira: a evolução, ou uma de `tables`.
    """

    name: str
    path: str
    not_an_id: str
    tables: Collection[str]
    load: Callable[[Account, int, ComparedPeriod, str], Awaitable[Table]]

    def id(self, value: str) -> int:
        """O id que o endereço traz; 404 se não é um."""
        return record_id(value, self.not_an_id)

    def address(self, id_: int) -> str:
        return f"{self.path}/{id_}"

    async def form(self, request: Request, account: Account, id_: int) -> tuple[ComparedPeriod, dict[str, Any]]:
        """O período pedido e, para a página, o formulário dele e o código da resposta; de um que não serve, o de
        costume."""
        path = self.address(id_)
        try:
            _, period = await read_period(request, account)
            status, form = 200, form_of(path, period)
        except UsageError as error:
            period = await default_period(account)
            status, form = error.http_status, form_refused(path, request, error, period)
        return period, {"status": status, "path_of": path, "period": period, **form}

    async def csv(self, request: Request, service: Service, value: str) -> Response:
        id_ = self.id(value)
        async with service.opened() as account:
            typed, period = await read_period(request, account, "tabela")
            table = await self._table(account, id_, period, typed["tabela"] or STEPS)
        return csv_file(table, f"{self.name}-{id_}-{table.name}")

    async def xlsx(self, request: Request, service: Service, value: str) -> Response:
        id_ = self.id(value)
        async with service.opened() as account:
            typed, period = await read_period(request, account, "tabela")
            names = [typed["tabela"]] if typed["tabela"] else [STEPS, *self.tables]
            tables = [await self._table(account, id_, period, name) for name in names]
        name = tables[0].name if len(tables) == 1 else "completo"
        about = [f"{self.name.capitalize()} {id_}", FATURAMENTO.counts]
        return await xlsx_file(tables, about, f"{self.name}-{id_}-{name}")

    async def _table(self, account: Account, id_: int, period: ComparedPeriod, name: str) -> Table:
        offered = [STEPS, *self.tables]
        if name not in offered:
            raise unknown_table(name, offered)
        return await self.load(account, id_, period, name)
