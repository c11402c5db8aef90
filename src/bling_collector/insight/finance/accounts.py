"""As contas de um lado, por página, e uma conta com o que a quitou."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import RowMapping

from bling_collector.db.connection.core import AsyncEngine
from bling_collector.db.connection.database import one_instant
from bling_collector.db.reports import accounts
from bling_collector.db.reports.accounts import Criteria, Rows
from bling_collector.errors import CollectorError

PER_PAGE: Final = 50


class UnknownAccountError(CollectorError):
    """O banco não tem esta conta a pagar ou a receber."""

    http_status = 404
    exit_code = 2
    title = "Conta a pagar ou a receber desconhecida"


@dataclass(frozen=True)
class Accounts:
    """Uma página das contas, ou todas; quantas são ao todo, o que valem e quanto delas está em aberto."""

    rows: Rows
    total: int
    valor: Decimal
    em_aberto: Decimal
    contato: str | None
    """O nome do contato por que se filtra."""


@dataclass(frozen=True)
class Conta:
    """Uma conta, os borderôs que a quitaram e as outras que vieram do mesmo documento."""

    conta: RowMapping
    settlements: list[Mapping[str, Any]]
    siblings: Rows


async def load_accounts(engine: AsyncEngine, asked: Criteria, order: str, number: int | None) -> Accounts:
    """A página `number`, a partir de 1, ou todas se é None; a contagem é exata."""
    limit, skip = (None, 0) if number is None else (PER_PAGE, (number - 1) * PER_PAGE)
    async with one_instant(engine).connect() as connection:
        counted = await accounts.count(connection, asked)
        rows = await accounts.find(connection, asked, order, limit, skip)
        contato = await accounts.read_contact(connection, asked.contato_id) if asked.contato_id else None
    return Accounts(rows, counted.contas, counted.valor, counted.em_aberto, contato)


async def load_account(engine: AsyncEngine, lado: str, conta_id: int) -> Conta:
    """A conta, também se o Bling a excluiu. UnknownAccountError se não há."""
    async with one_instant(engine).connect() as connection:
        found = await accounts.read_account(connection, lado, conta_id)
        if found is None:
            raise UnknownAccountError(
                f"Este banco não tem a conta a {lado} {conta_id}. "
                f"`bling-collector sync contas_{lado}/{conta_id}` a busca."
            )
        settlements = await accounts.read_settlements(connection, lado, conta_id)
        siblings = (
            await accounts.read_siblings(connection, found["origem_tipo"], found["origem_id"], conta_id)
            if found["origem_id"]
            else []
        )
    return Conta(found, settlements, siblings)
