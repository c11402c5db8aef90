"""As remessas: uma listagem por logística, que ela pode recusar, e o que nela não vem."""

from datetime import date

import pytest
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock

from bling_collector.doctor import _one_row
from bling_collector.etl.listing import Shown
from bling_collector.streams.logistica.logisticas_remessas import LOGISTICAS_REMESSAS
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

START = date(2025, 12, 1)
WEEK = 7 * 86_400.0
REMESSAS = "/logisticas/{logistica_id}/remessas"
pytestmark = [pytest.mark.bling(scale=0.02), pytest.mark.collector(recursos=("logisticas_remessas",))]


async def held(account: Account) -> set[tuple[int, int, int]]:
    """A remessa, a logística e cada objeto, das que não estão dadas por excluídas."""
    said = """
        SELECT r.id, r.logistica_id, o.objeto_id
        FROM logisticas_remessas r JOIN logisticas_remessas_objetos o ON o.remessa_id = r.id
        WHERE r.excluida_em IS NULL"""
    return {(id_, logistica, objeto) for id_, logistica, objeto in await rows(account.engine, said)}


def there(bling: Bling) -> set[tuple[int, int, int]]:
    found = [entry.detail for entry in bling.kept(REMESSAS).entries.values()]
    return {(each["id"], each["logistica"]["id"], objeto["id"]) for each in found for objeto in each["objetos"]}


@pytest.mark.parametrize("answer", [404, pytest.param(400, marks=pytest.mark.slow)])
async def test_a_logistica_that_refuses_its_listing_has_none(
    account: Account, bling: Bling, clock: FakeClock, answer: int
) -> None:
    bling.configure(logistics_without_shipments_answers=answer)
    first = await account.pipeline.run_full(START)
    assert first.status == "success", first.message
    assert await held(account) == there(bling)
    assert len({logistica for _, logistica, _ in there(bling)}) == 2
    silent, *_ = bling.dimensions["/logisticas"].entries
    asked = Shown(f"/logisticas/{silent}/remessas", ())
    bling.fail(rf"^/logisticas/{silent}/remessas$", "body", status=answer, body='{"error": {"type": "UNKNOWN_ERROR"}}')
    assert await _one_row(account.client, LOGISTICAS_REMESSAS, asked) is None
    removed = max(id_ for id_, logistica, _ in there(bling) if logistica == silent)
    bling.delete_dimension(REMESSAS, removed)
    before = await scalar(account.engine, "SELECT count(*) FROM logisticas_remessas")
    clock.advance(WEEK)
    again = await account.pipeline.run()
    assert again.status == "success", again.message
    assert await held(account) == there(bling), "só a que não responde pelo id foi excluída"
    assert await scalar(account.engine, "SELECT count(*) FROM logisticas_remessas") == before


async def test_every_logistica_without_any_is_no_flaw(account: Account, bling: Bling) -> None:
    for id_ in [*bling.kept(REMESSAS).entries]:
        bling.delete_dimension(REMESSAS, id_)
    bling.configure(logistics_without_shipments_answers=404)
    assert (await account.pipeline.run_full(START)).status == "success"
    assert await held(account) == set()
