"""Os boletos: só se pedem pela nota, ou pelo pedido, de que se cobra por boleto, e releem-se até que nada falte."""

from datetime import date
from typing import Any

import pytest
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.variants import one_now

from bling_collector.privacy.titular import erase_person, export_person
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

START = date(2025, 9, 1)
DAY = 86_400.0
PATH = "/contas/receber/boletos"
pytestmark = [
    pytest.mark.bling(scale=0.02),
    pytest.mark.collector(recursos=("contas_receber", "boletos"), extraction_lookback_days=10),
]
_HELD = """
    SELECT b.conta_id, b.situacao, o.contato_id FROM boletos b JOIN boletos_origens o ON o.id = b.origem_id
    WHERE o.excluida_em IS NULL ORDER BY 1"""


def charge(bling: Bling, origin: int, **changes: Any) -> int:
    """Uma conta em aberto, desta origem, que se paga por boleto."""
    of = {"id": origin, "tipoOrigem": "venda", "numero": "7", "dataEmissao": "", "valor": 100, "situacao": 1, "url": ""}
    link = {"linkBoleto": "https://boleto.example/7"}
    conta = bling.add_account(**({"origem": of} | link | changes))
    bling.edit_account("receber", conta, formaPagamento={"id": 2_094_137, "codigoFiscal": 15})
    return conta


async def assert_equals_the_boletos(account: Account, bling: Bling) -> set[int]:
    """Os boletos das contas que se coletaram são os do Bling; devolve as situações deles."""
    held = {id_ for (id_,) in await rows(account.engine, "SELECT id FROM contas_receber")}
    found = [each for one in bling.slips.values() for each in one["contas"] if each["id"] in held]
    owners = {id_: each["contato"]["id"] for id_, each in bling.receivables.items()}
    expected = sorted((each["id"], each["situacao"], owners[each["id"]]) for each in found)
    assert await rows(account.engine, _HELD) == expected
    return {each["situacao"] for each in found}


async def run(account: Account, clock: FakeClock, days: int = 1) -> None:
    clock.advance(days * DAY)
    result = await account.pipeline.run()
    assert result.status == "success", result.message


@pytest.mark.parametrize("envelope", [False, pytest.param(True, marks=pytest.mark.slow)])
async def test_every_boleto_is_read_and_again_until_nothing_is_awaited(
    account: Account, bling: Bling, clock: FakeClock, envelope: bool
) -> None:
    bling.configure(bare_details_in_envelope=envelope)
    first, second = charge(bling, 71), charge(bling, 71)
    assert (await account.pipeline.run_full(START)).status == "success"
    assert await assert_equals_the_boletos(account, bling) >= {1, 2, 6}
    bling.counters.reset()
    await run(account, clock)
    assert bling.counters.requests[PATH] == 0, "um dia sem nada de novo não pede boletos"
    bling.settle_accounts("receber", first)
    await run(account, clock)
    await assert_equals_the_boletos(account, bling)
    assert bling.counters.requests[PATH] == 1, "só se relê o da conta que mudou"
    bling.settle_accounts("receber", second)
    await run(account, clock)
    bling.counters.reset()
    await run(account, clock, days=8)
    open_ones = {id_ for id_, each in bling.slips.items() if {e["situacao"] for e in each["contas"]} & {1, 3}}
    assert bling.counters.requests[PATH] == len(open_ones - {71})


@pytest.mark.parametrize("nothing", one_now(["no accounts", "404", "empty list"]))
async def test_a_boleto_made_later_is_found(account: Account, bling: Bling, clock: FakeClock, nothing: str) -> None:
    bling.configure(origins_without_boletos_answer_404=nothing == "404")
    if nothing == "empty list":
        bling.fail(f"^{PATH}$", "body", query="idOrigem=71(&|$)", status=200, body='{"data": []}')
    conta = charge(bling, 71, linkBoleto="")
    assert (await account.pipeline.run_full(START)).status == "success"
    assert conta not in {each for each, *_ in await rows(account.engine, _HELD)}
    asked = bling.counters.requests[PATH]
    await run(account, clock)
    assert bling.counters.requests[PATH] == asked
    bling.faults.clear()
    bling.edit_account("receber", conta, linkBoleto="https://boleto.example/7")
    await run(account, clock, days=8)
    await assert_equals_the_boletos(account, bling)


async def test_an_origin_without_boletos_is_asked_once_a_week_however_many_its_accounts(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    """Cada conta em aberto relê-se no seu dia da semana, e relê-la igual não é mudar."""
    bling.configure(origins_without_boletos_answer_404=True)
    accounts = [charge(bling, 72, linkBoleto="") for _ in range(6)]
    assert (await account.pipeline.run_full(START)).status == "success"
    when = "SELECT nao_encontrado_em FROM boletos_origens WHERE id = 72"
    seen = {await scalar(account.engine, when)}
    for _ in range(7):
        await run(account, clock)
        seen.add(await scalar(account.engine, when))
    assert len(seen) == 1
    bling.settle_accounts("receber", accounts[0])
    await run(account, clock, days=0)
    assert await scalar(account.engine, when) not in seen


@pytest.mark.slow
async def test_the_boletos_of_a_person_are_exported_and_erased(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    conta = charge(bling, 71)
    contato = bling.receivables[conta]["contato"]["id"]
    assert (await account.pipeline.run_full(START)).status == "success"
    (hers,) = (await export_person(account.engine, contato, clock.now()))["registros"]["boletos"]
    (boleto,) = hers["boletos"]
    assert boleto["numero_externo"]
    await erase_person(account.engine, contato, clock.now())
    said = "SELECT count(*) FROM boletos_origens o JOIN boletos b ON b.origem_id = o.id WHERE o.id = 71 AND {}"
    code = boleto["numero_externo"]
    for days in (0, 8):
        await run(account, clock, days=days)
        assert await scalar(account.engine, said.format("b.numero_externo IS NULL AND b.valor = 100")) == 1
        assert await scalar(account.engine, said.format("o.detalhe::text LIKE '%' || :code || '%'"), code=code) == 0
