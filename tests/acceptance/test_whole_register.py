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
