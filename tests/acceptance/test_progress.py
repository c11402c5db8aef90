"""Uma execução em curso diz o que espera e quanto lhe falta, a quem a acompanha e a quem só olha o banco."""

from datetime import date

import pytest
from tests.acceptance.service_fixtures import serving
from tests.support.collecting import scalar, until
from tests.support.fakes import FakeClock

from bling_collector.cli.screen import report
from bling_collector.config import Settings
from bling_collector.etl.progress import Progress
from bling_collector.insight.status import load_status
from bling_collector.runs import journal
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

PAGE = {"Accept": "text/html"}


async def test_while_bling_is_silent_the_panel_and_status_say_which_try_it_is(
    account: Account,
    settings: Settings,
    bling: Bling,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(journal, "BEAT", 0.01)
    bling.fail("^/nfe$", "body", status=503, body="<html>manutenção</html>", times=2)
    rest, told = clock.sleep, list[str]()

    async def sleep(seconds: float) -> None:
        """A pessoa olha enquanto se espera pela terceira tentativa."""
        if seconds >= 4 and not told:

            async def noted() -> object:
                return await scalar(account.engine, "SELECT espera ~ 'tentativa 3 de 5, daqui a' FROM etl_controle")

            await until(noted)
            now = clock.now()
            report.status(await load_status(account.engine, account.cipher, now), now, 26)
            told.append(capsys.readouterr().out)
            async with serving(settings, clock) as http:
                told.append((await http.get("/execucoes/1", headers=PAGE)).text)
                told.append((await http.get("/runs/1")).text)
        await rest(seconds)

    monkeypatch.setattr(clock, "sleep", sleep)
    assert (await account.pipeline.run_full(date(2026, 1, 1))).status == "success"
    assert len(told) == 3
    for each in told:
        assert "Bling não respondeu; tentativa 3 de 5, daqui a" in each
    assert await scalar(account.engine, "SELECT espera IS NULL AND restam IS NULL FROM etl_controle")


@pytest.mark.slow
@pytest.mark.bling(scale=0.03)
async def test_the_time_left_is_of_the_whole_run_and_not_of_a_window(account: Account, bling: Bling) -> None:
    seen: list[tuple[str, int, int | None]] = []

    def sink(progress: Progress) -> None:
        seen.append((progress.fase, progress.requisicoes, progress.restam))

    result = await account.pipeline.run_full(date(2021, 1, 1), sink=sink)
    assert result.status == "success"
    known = [(fase, done, left) for fase, done, left in seen if left is not None]
    first_window = [left for fase, _, left in known if fase == known[0][0]]
    assert min(first_window) > 30, "no fim da primeira janela ainda faltam as outras"
    middle = next((done, left) for _, done, left in known if done >= result.requisicoes / 2)
    assert 0.5 < (middle[0] + middle[1]) / result.requisicoes < 2
    assert known[-1][2] is not None
    assert known[-1][2] <= 12
    late = [done + left for fase, done, left in known if fase == "Categorias"]
    assert max(late) <= 1.2 * result.requisicoes, "um produto não custa uma requisição onde a categoria custa uma"
