"""De quem são os dados: nada se grava no banco de uma empresa com a autorização de outra."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from tests.support.collecting import authorise, rows, scalar
from tests.support.fakes import FakeClock
from tests.support.proving import START, TODAY, execute, snapshot

from bling_collector.auth.oauth import OAuth
from bling_collector.cli.screen.report import status as show_status
from bling_collector.config import Settings
from bling_collector.db import control, proof
from bling_collector.errors import AnotherCompanyError, UsageError
from bling_collector.insight.account.empresa import ShownEmpresa
from bling_collector.insight.status import load_status
from bling_collector.runs.confirm import forget_empresa
from bling_collector.workplace.account import Account, open_account
from bling_simulator.bling import Bling

pytestmark = pytest.mark.bling(scale=0.005)

OURS = "Engrenagens Sol do Vale Ltda (simulada)"
THEIRS = "Outra Empresa Ltda (simulada)"
PATH = "^/empresas/me/dados-basicos$"
PAIR = "SELECT id, access_token, refresh_token FROM oauth_tokens ORDER BY id"
MARKS = ("checkpoints", "janelas_devidas", "pendencias", "conferencias")
KEPT = ("nfe_cabecalho", "nfe_itens", "contatos", "produtos", "historico", "empresa", "conferencias")


async def company(account: Account) -> list[tuple[Any, ...]]:
    return await rows(account.engine, "SELECT nome, cnpj, bling_id FROM empresa")


async def test_the_first_authorisation_keeps_the_empresa(
    account: Account, bling: Bling, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await company(account) == [(OURS, bling.profile["cnpj"], bling.profile["id"])]
    said = await load_status(account.engine, account.cipher, account.clock.now())
    assert said.empresa == ShownEmpresa(OURS, "**.827.364/0001-**")
    show_status(said, account.clock.now(), 26)
    assert f"Empresa: {OURS} (CNPJ **.827.364/0001-**)." in capsys.readouterr().out


@pytest.mark.loaded(START)
async def test_an_authorisation_of_another_empresa_is_refused(account: Account, bling: Bling) -> None:
    before, pair = await snapshot(account.engine, KEPT), await rows(account.engine, PAIR)
    bling.become_another()
    with pytest.raises(AnotherCompanyError) as refused:
        await authorise(account, bling)
    assert OURS in str(refused.value)
    assert THEIRS in str(refused.value)
    assert "**.ABC.345/01DE-**" in str(refused.value)
    assert "`bling-collector empresas add NOME`" in str(refused.value)
    assert (await snapshot(account.engine, KEPT), await rows(account.engine, PAIR)) == (before, pair)


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_a_run_in_the_account_of_another_empresa_is_refused(account: Account, bling: Bling) -> None:
    before = await snapshot(account.engine, KEPT)
    bling.become_another()
    with pytest.raises(AnotherCompanyError):
        await account.pipeline.sync("nfe", next(iter(bling.notes)))
    for work in (account.pipeline.run(), account.pipeline.reconcile(repair=True), account.pipeline.retry()):
        result = await work
        assert (result.status, result.exit_code) == ("error", 2)
        assert OURS in str(result.message)
        assert THEIRS in str(result.message)
        assert "`bling-collector empresas add NOME`" in str(result.message)
    assert await snapshot(account.engine, KEPT) == before


@pytest.mark.slow
async def test_not_knowing_is_not_being_another(account: Account, bling: Bling, clock: FakeClock) -> None:
    """Sem permissão, ou com o recurso fora do ar, coleta-se; e a autorização nova é guardada."""
    before = await company(account)
    for how in ({"kind": "server_error"}, {"kind": "body", "status": 200, "body": '{"data": []}'}):
        bling.fail(PATH, **how)
        assert (await account.pipeline.run_full(START)).status == "success"
        bling.faults.clear()
    bling.configure(missing_scopes=frozenset({"/empresas"}))
    pair = await rows(account.engine, PAIR)
    await authorise(account, bling)
    assert await rows(account.engine, PAIR) != pair
    assert (await account.pipeline.run()).status == "success"
    assert await company(account) == before


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_an_older_database_takes_the_empresa_only_if_its_notas_prove_it(account: Account, bling: Bling) -> None:
    """A primeira execução guarda a empresa, se as notas foram emitidas por ela; senão, se o Bling responde por elas."""
    mine = await company(account)
    await execute(account.engine, "DELETE FROM empresa")
    assert (await account.pipeline.run()).status == "success"
    assert await company(account) == mine
    await execute(account.engine, "UPDATE empresa SET bling_id = 'outro'")
    assert (await account.pipeline.run()).status == "success", "o Bling responde pelas notas: a conta é a mesma"
    assert await company(account) == mine
    # O CNPJ da conta mudou desde que as notas foram emitidas: os ids ainda são dela.
    await execute(account.engine, "DELETE FROM empresa")
    bling.profile["cnpj"] = "12ABC34501DE35"
    assert (await account.pipeline.run()).status == "success"
    assert await scalar(account.engine, "SELECT cnpj FROM empresa") == "12ABC34501DE35"
    await execute(account.engine, "DELETE FROM empresa")
    bling.become_another()
    before = await snapshot(account.engine, KEPT)
    result = await account.pipeline.run()
    assert (result.status, result.exit_code) == ("error", 2)
    assert "**.827.364/0001-**" in str(result.message)
    assert THEIRS in str(result.message)
    assert await snapshot(account.engine, KEPT) == before


@pytest.mark.slow
async def test_dying_between_the_exchange_and_the_check_loses_no_authorisation(
    account: Account, bling: Bling, settings: Settings, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O par de uma autorização cujo processo morreu é confirmado pelo seguinte: guardado, ou esquecido."""

    async def dies(token: object) -> None:
        raise KeyboardInterrupt

    async def crash() -> None:
        assert isinstance(account.oauth, OAuth)
        with monkeypatch.context() as patch:
            patch.setattr(account.oauth, "_confirm", dies)
            with pytest.raises(KeyboardInterrupt):
                await account.oauth._exchange(bling.authorise())

    (_, *old), *_ = await rows(account.engine, PAIR)
    await crash()
    kept, proposed = await rows(account.engine, PAIR)
    assert kept[1:] == tuple(old)
    async with open_account(settings, clock=clock) as another:
        assert await rows(another.engine, PAIR) == [(1, *proposed[1:])]
        assert (await another.pipeline.run_full(START)).status == "success"
    await crash()
    bling.become_another()
    async with open_account(settings, clock=clock) as another:
        assert await rows(another.engine, PAIR) == [(1, *proposed[1:])]


@pytest.mark.loaded(START)
async def test_an_id_that_another_account_also_has_proves_nothing(account: Account, bling: Bling) -> None:
    await execute(account.engine, "DELETE FROM empresa", "UPDATE nfe_cabecalho SET numero = 'de outra'")
    before = await snapshot(account.engine, KEPT)
    bling.profile.update(id="0" * 32, cnpj="12ABC34501DE35")
    assert (await account.pipeline.run()).status == "error"
    assert await snapshot(account.engine, KEPT) == before


@pytest.mark.slow
@pytest.mark.bling(volumes={})
async def test_the_next_empresa_does_not_inherit_how_far_the_other_was_read(account: Account, bling: Bling) -> None:
    assert (await account.pipeline.run_full(START)).data_referencia == TODAY
    bling.become_another()
    await forget_empresa(account.engine)
    await authorise(account, bling)
    async with account.engine.connect() as connection:
        assert await control.bookmark(connection, account.clock.now()) == control.Bookmark()
        assert await proof.scope_start(connection) is None
    assert {await scalar(account.engine, f"SELECT count(*) FROM {table}") for table in MARKS} == {0}
    said = await load_status(account.engine, account.cipher, account.clock.now())
    assert (said.started, said.last_run, said.freshness.read_at) == (False, None, None)


@pytest.mark.slow
async def test_only_an_empty_database_may_be_given_to_another_empresa(account: Account, bling: Bling) -> None:
    bling.become_another()
    with pytest.raises(AnotherCompanyError):
        await authorise(account, bling)
    await forget_empresa(account.engine)
    await authorise(account, bling)
    assert (await company(account))[0][:2] == (THEIRS, "12ABC34501DE35")
    assert (await account.pipeline.run(date(2026, 1, 1))).status == "success"
    with pytest.raises(UsageError, match="não pode passar a ser de outra"):
        await forget_empresa(account.engine)
    async with account.engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM empresa")) == 1
