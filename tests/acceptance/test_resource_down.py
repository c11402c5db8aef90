"""Um recurso do Bling que não responde, com o resto de pé: nem se insiste registro por registro, nem se perde nada."""

from datetime import date

import pytest
from tests.support.collecting import rows, scalar
from tests.support.truth import assert_equals_truth

from bling_collector.errors import BlingResourceDownError, BlingUnavailableError
from bling_collector.etl.fetch import SUSPECTS
from bling_collector.runs.reader import IN_FLIGHT
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.faults import FaultKind

START = date(2021, 1, 1)
MOST = 5 * (2 * SUSPECTS + IN_FLIGHT)
"""As tentativas dos que levantam a suspeita, em cada uma das janelas que se leem juntas, e dos que já tinham saído."""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["server_error", pytest.param("bad_gateway", marks=pytest.mark.slow)])
@pytest.mark.bling(scale=0.05)
async def test_when_no_nota_detail_answers_the_run_gives_up_soon(
    account: Account, bling: Bling, kind: FaultKind
) -> None:
    rule = bling.fail(r"^/nfe/\d+$", kind)
    for _ in range(2):
        result = await account.pipeline.run_full(START)
        assert result.status == "error"
        assert isinstance(result.error, BlingResourceDownError)
        assert "/nfe" in (result.message or "")
        assert bling.counters.requests["/nfe/{id}"] <= MOST < len(bling.notes) * 5
        assert await scalar(account.engine, "SELECT count(*) FROM pendencias") == 0
        assert await scalar(account.engine, "SELECT count(*) FROM janelas_devidas") > 0
        assert result.data_referencia is None
        bling.counters.reset()
    bling.faults.remove(rule)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.loaded(START)
@pytest.mark.slow
@pytest.mark.bling(scale=0.05)
async def test_a_detail_that_stops_answering_after_a_load_is_given_up_soon(account: Account, bling: Bling) -> None:
    changed = [id_ for id_, note in bling.notes.items() if note["tipo"] == 1][-2 * SUSPECTS :]
    for id_ in changed:
        bling.edit_note(id_, valorNota=1)
        bling.edit_note(id_, situacao=2 if bling.notes[id_]["situacao"] != 2 else 6)
    rule = bling.fail(r"^/nfe/\d+$")
    bling.counters.reset()
    result = await account.pipeline.reconcile(repair=True)
    assert isinstance(result.error, BlingUnavailableError), (
        "ou o disjuntor abriu antes: o que já respondeu também falha"
    )
    assert bling.counters.requests["/nfe/{id}"] <= MOST
    assert await scalar(account.engine, "SELECT count(*) FROM janelas_devidas") > 0
    bling.faults.remove(rule)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.bling(scale=0.1)
async def test_when_no_contato_answers_the_produtos_still_come(account: Account, bling: Bling) -> None:
    rule = bling.fail(r"^/contatos/\d+$")
    result = await account.pipeline.run_full(START)
    assert (result.status, result.error) == ("partial", None)
    assert "/contatos" in (result.message or "")
    assert bling.counters.requests["/contatos/{id}"] <= MOST
    assert await scalar(account.engine, "SELECT count(*) FROM produtos") > 0
    bling.faults.remove(rule)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.bling(scale=0.2)
async def test_the_hundred_newest_failing_are_not_the_whole_resource(account: Account, bling: Bling) -> None:
    """Na primeira carga nada respondeu ainda: a testemunha é a nota mais velha da janela."""
    newest = sorted((n["dataEmissao"], id_) for id_, n in bling.notes.items() if n["tipo"] == 1)[-100:]
    bad = [id_ for _, id_ in newest]
    assert len(bad) > IN_FLIGHT + SUSPECTS, "nenhuma boa responde antes da suspeita"
    bling.fail(rf"^/nfe/({'|'.join(map(str, bad))})$")
    result = await account.pipeline.run_full(START)
    assert (result.status, result.error) == ("partial", None)
    assert {int(id_) for (id_,) in await rows(account.engine, "SELECT recurso_id FROM pendencias")} == set(bad)
    await assert_equals_truth(account.engine, bling, without=bad)


@pytest.mark.loaded(START)
@pytest.mark.slow
@pytest.mark.bling(scale=0.1)
async def test_unlisted_ones_that_fail_are_not_the_whole_resource(account: Account, bling: Bling) -> None:
    """Um Bling que às excluídas responde 500, e não 404: as outras janelas seguem, e a história não fica sem coleta."""
    gone = [id_ for id_, n in bling.notes.items() if n["tipo"] == 1 and n["dataEmissao"].startswith("2025")][:SUSPECTS]
    assert len(gone) == SUSPECTS
    for id_ in gone:
        bling.delete_note(id_)
    bling.fail(rf"^/nfe/({'|'.join(map(str, gone))})$")
    bling.issue_note()
    result = await account.pipeline.reconcile(repair=True)
    assert (result.status, result.error) == ("partial", None)
    assert await scalar(account.engine, "SELECT count(*) FROM janelas_devidas") == 0
    assert await scalar(account.engine, "SELECT count(*) FROM nfe_cabecalho WHERE excluida_em IS NOT NULL") == 0
