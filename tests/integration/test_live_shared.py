"""O andamento de uma execução: muitas páginas que o acompanham custam ao banco o que custa uma."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, text

from bling_collector.insight.status import UnknownRunError
from bling_collector.web import live
from bling_collector.web.live import Live
from bling_collector.workplace.account import Account

PAGES = 50


@contextmanager
def counted(account: Account) -> Iterator[list[str]]:
    """Os comandos que chegam ao banco."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(account.engine.sync_engine, "before_cursor_execute", note)
    yield seen
    event.remove(account.engine.sync_engine, "before_cursor_execute", note)


async def running(account: Account) -> int:
    async with account.engine.begin() as connection:
        statement = "INSERT INTO etl_controle (inicio, status, requisicoes) VALUES (now(), 'success', 7) RETURNING id"
        return int(await connection.scalar(text(statement)))


async def test_fifty_pages_cost_what_one_costs(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = await running(account)
    with counted(account) as one:
        await Live().look(account, run_id)
    shared = Live()
    with counted(account) as many:
        answers = await asyncio.gather(*(shared.look(account, run_id) for _ in range(PAGES)))
        again, _ = await shared.look(account, run_id)
    assert len(many) == len(one) > 0
    assert {seen.run.requisicoes for seen, _ in answers} == {again.run.requisicoes} == {7}
    async with account.engine.begin() as connection:
        await connection.execute(text("UPDATE etl_controle SET requisicoes = 8"))
    monkeypatch.setattr(live, "EVERY", 0.0)
    fresh, _ = await shared.look(account, run_id)
    assert fresh.run.requisicoes == 8


async def test_the_error_is_said_to_each_and_the_next_look_tries_again(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = Live()
    answers = await asyncio.gather(*(shared.look(account, 1) for _ in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [UnknownRunError] * 3
    run_id = await running(account)
    monkeypatch.setattr(live, "EVERY", 0.0)
    assert (await shared.look(account, run_id))[0].run.run_id == run_id


async def test_one_that_leaves_does_not_take_the_others_with_it(account: Account) -> None:
    run_id = await running(account)
    shared = Live()
    first, second = (asyncio.create_task(shared.look(account, run_id)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second)[0].run.run_id == run_id
