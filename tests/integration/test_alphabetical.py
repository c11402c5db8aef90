"""A ordem alfabética das listas: sem ligar a acentos nem a maiúsculas, a mesma em todo banco."""

import pytest
from tests.support.proving import execute

from bling_collector.db.reports.accounts import Criteria as AccountCriteria
from bling_collector.db.reports.order_search import Criteria
from bling_collector.insight.finance.accounts import load_accounts
from bling_collector.insight.sales.pedidos import load_all, load_pedidos
from bling_collector.workplace.account import Account

NAMES = ["ana", "Ângela", "Caio", "CÉLIA", "célia", "Consumidor", "Zoé", None]


@pytest.fixture
async def named(account: Account) -> Account:
    """Um contato de cada nome, e de cada um uma conta e um pedido, no seu canal."""
    for id_, name in enumerate(reversed(NAMES), start=1):
        written = "NULL" if name is None else f"'{name}'"
        await execute(
            account.engine,
            f"INSERT INTO contatos (id, nome) VALUES ({id_}, {written})",
            f"INSERT INTO canais_venda (id, descricao) VALUES ({id_}, {written})",
            f"INSERT INTO contas_receber (id, situacao, valor, saldo, contato_id) VALUES ({id_}, 1, 1, 1, {id_})",
            f"INSERT INTO pedidos_venda (id, numero, data, contato_id, loja_id, total) "
            f"VALUES ({id_}, {id_}, '2026-02-01', {id_}, {id_}, 1)",
        )
    return account


@pytest.mark.parametrize("falling", [False, True])
async def test_the_lists_are_in_the_order_of_who_reads_them(named: Account, *, falling: bool) -> None:
    known = [name for name in NAMES if name is not None]
    expected = [*(reversed(known) if falling else known), None]
    for column in ("cliente", "canal"):
        found = await load_all(named.engine, Criteria(), column, falling=falling)
        assert [row[column] for row in found] == expected
    accounts = await load_accounts(named.engine, AccountCriteria("receber"), f"{'-' * falling}cliente", None)
    assert [row.contato_nome for row in accounts.rows] == expected
    menu = (await load_pedidos(named.engine, Criteria(), "data", falling=True, page=1)).choices.canais
    assert [name for _, name in menu if not name.startswith("Canal ")] == known
