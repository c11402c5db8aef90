"""Os contatos que nada cita e os produtos que nunca se venderam: o cadastro inteiro, para quem o pede."""

from datetime import date
from pathlib import Path

import pytest
from tests.support.collecting import rows
from tests.support.commands import Terminal, variables_for
from tests.support.fakes import FakeClock

from bling_collector.config import Settings
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.server import RunningServer

START = date(2026, 1, 1)
DAY = 86_400.0
pytestmark = [
    pytest.mark.slow,
    pytest.mark.bling(scale=0.02),
    pytest.mark.collector(extraction_lookback_days=10),
]


async def living(account: Account, table: str) -> list[int]:
    return [
        id_ for (id_,) in await rows(account.engine, f"SELECT id FROM {table} WHERE excluida_em IS NULL ORDER BY id")
    ]


def there(bling: Bling, kind: str) -> list[int]:
    register = bling.company.contacts if kind == "contatos" else bling.company.products
    return sorted(id_ for id_, entry in register.entries.items() if not entry.deleted)


@pytest.mark.parametrize("hides", [False, True], ids=["mostra", "esconde_saldo_zero"])
async def test_what_nobody_cites_comes_when_asked_for_and_the_new_too(
    account: Account,
    bling: Bling,
    clock: FakeClock,
    server: RunningServer,
    settings: Settings,
    tmp_path: Path,
    hides: bool,
) -> None:
    bling.configure(default_hides_zero_stock=hides)
    terminal = Terminal(tmp_path, variables_for(settings, server))
    assert (await account.pipeline.run_full(START)).status == "success"
    for kind in ("contatos", "produtos"):
        assert set(await living(account, kind)) < set(there(bling, kind))
    said = (await terminal.run("recursos", "ligar", "contatos_todos", "produtos_todos")).out
    assert said == (
        "A próxima execução passa a coletar o cadastro inteiro de contatos e o cadastro inteiro de produtos, desde o "
        "começo da coleta.\n"
    )
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    for kind in ("contatos", "produtos"):
        assert await living(account, kind) == there(bling, kind)
    clock.advance(DAY)
    bling.add_contact()
    bling.add_product("NOVO-1")
    bling.edit_product(there(bling, "produtos")[0], nome="Outro nome")
    bling.counters.reset()
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    for kind in ("contatos", "produtos"):
        assert await living(account, kind) == there(bling, kind)
    assert await rows(account.engine, "SELECT nome FROM produtos ORDER BY id LIMIT 1") == [("Outro nome",)]
    assert bling.counters.requests["/contatos/{id}"] == 1, "os outros já se tinham"
    assert "Coleta-se o cadastro inteiro de contatos" in (await terminal.run("recursos")).out
    assert (await terminal.run("recursos", "desligar", "contatos_todos")).out == (
        "Deixa-se de coletar o cadastro inteiro de contatos; o que já se tem fica como está.\n"
    )


@pytest.mark.bling(default_hides_zero_stock=True)
@pytest.mark.collector(recursos=("nfe", "contatos", "produtos", "produtos_todos"))
async def test_what_bling_hides_by_default_is_still_asked_for_after_a_repair(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    assert (await account.pipeline.run_full(START)).status == "success"
    empty = await stockless(account, bling)
    clock.advance(DAY)
    assert (await account.pipeline.reconcile(START, repair=True)).status == "success"
    for name in ("Depois da reparação", "E outra vez"):
        bling.edit_product(empty, nome=name)
        clock.advance(DAY)
        assert (await account.pipeline.run()).status == "success"
        assert await rows(account.engine, f"SELECT nome FROM produtos WHERE id = {empty}") == [(name,)]


@pytest.mark.collector(recursos=("nfe", "contatos", "produtos", "produtos_todos"))
async def test_a_change_that_the_filter_did_not_show_is_seen_in_the_week(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    assert (await account.pipeline.run_full(START)).status == "success"
    empty = await stockless(account, bling)
    bling.company.products.entries[empty].detail["nome"] = "Sem data de alteração"
    bling.configure(default_hides_zero_stock=True)
    for _ in range(8):
        clock.advance(DAY)
        assert (await account.pipeline.run()).status == "success"
    assert await rows(account.engine, f"SELECT nome FROM produtos WHERE id = {empty}") == [("Sem data de alteração",)]
    bling.edit_product(empty, nome="Com ela")
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    assert await rows(account.engine, f"SELECT nome FROM produtos WHERE id = {empty}") == [("Com ela",)], "já se sabe"


async def stockless(account: Account, bling: Bling) -> int:
    """Um produto sem saldo que nota nenhuma cita."""
    cited = {sku for (sku,) in await rows(account.engine, "SELECT DISTINCT codigo_produto FROM nfe_itens")}
    balances = {each["id"]: each.get("saldoVirtualTotal") for each in bling.stockroom.balances()}
    found = [
        id_
        for id_ in there(bling, "produtos")
        if balances.get(id_) == 0 and bling.company.products.entries[id_].detail["codigo"] not in cited
    ]
    assert found
    return found[0]
