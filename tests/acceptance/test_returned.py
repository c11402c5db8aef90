"""O que se excluiu no Bling e lá se restaura: volta na execução seguinte, sem esperar a semana."""

from datetime import date

import pytest
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock

from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

START = date(2025, 9, 1)
DAY = 86_400.0
ALIVE = "SELECT situacao, excluida_em IS NULL FROM {} WHERE id = :id"
pytestmark = [pytest.mark.bling(scale=0.02), pytest.mark.loaded(START)]


@pytest.mark.parametrize("table", ["contatos", "produtos"])
async def test_what_is_restored_is_back_in_the_next_run(
    account: Account, bling: Bling, clock: FakeClock, table: str
) -> None:
    living = f"SELECT max(id) FROM {table} WHERE excluida_em IS NULL AND situacao = 'A' AND detalhe IS NOT NULL"
    id_ = await scalar(account.engine, living)
    if table == "contatos":
        bling.delete_contact(id_)
    else:
        bling.edit_product(id_, situacao="E")
        bling.delete_product(id_)
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    assert (await account.pipeline.reconcile(repair=True)).status == "success"
    [(_, is_alive)] = await rows(account.engine, ALIVE.format(table), id=id_)
    assert not is_alive

    if table == "contatos":
        bling.company.contacts.entries[id_].deleted = False
        bling.edit_contact(id_, situacao="I")
    else:
        bling.company.products.entries[id_].deleted = False
        bling.edit_product(id_, situacao="I")
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    assert await rows(account.engine, ALIVE.format(table), id=id_) == [("I", True)]
    noted = "SELECT count(*) FROM historico WHERE tabela = :table AND registro_id = :id AND mudancas ? 'excluida_em'"
    assert await scalar(account.engine, noted, table=table, id=id_) == 2, "que saiu, e que voltou"
