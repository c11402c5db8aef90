"""Nada do futuro, e nenhuma fé no relógio desta máquina: vale a hora que o Bling diz no cabeçalho `Date`."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.conftest import NOW
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock, TickingClock
from tests.support.proving import execute, outgoing
from tests.support.variants import one_now

from bling_collector.clock import BRASILIA
from bling_collector.config import Settings
from bling_collector.db import control
from bling_collector.workplace.account import Account, open_account
from bling_simulator.bling import Bling
from bling_simulator.clock import local_now
from bling_simulator.company.invoices.lines import line_of

pytestmark = pytest.mark.bling(scale=0.004)
START = date(2026, 1, 1)
TODAY = NOW.astimezone(BRASILIA).date()


class Skewed(FakeClock):
    """O relógio de uma máquina que anda certo e está `ahead` adiantada."""

    def __init__(self, true: FakeClock, ahead: timedelta) -> None:
        super().__init__()
        self._true = true
        self.ahead = ahead

    def now(self) -> datetime:
        return self._true.now() + self.ahead

    def monotonic(self) -> float:
        return self._true.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._true.sleep(seconds)


async def run_with(settings: Settings, clock: FakeClock, *inicio: date) -> Account:
    async with open_account(settings, clock=clock) as account:
        result = await (account.pipeline.run_full(*inicio) if inicio else account.pipeline.run())
        assert result.status == "success", result.message
    return account


async def marks(engine: AsyncEngine) -> list[Any]:
    """Tudo o que o banco guarda de quando algo foi lido, conferido ou tentado."""
    return [
        await scalar(engine, "SELECT max(data_referencia) FROM etl_controle"),
        await scalar(engine, "SELECT max(data_fim) FROM etl_controle"),
        await scalar(engine, "SELECT max(data_fim) FROM conferencias"),
        *(
            moment.astimezone(BRASILIA).date()
            for (moment,) in await rows(
                engine,
                "SELECT posicao FROM checkpoints UNION ALL SELECT max(conferida_em) FROM conferencias UNION ALL "
                "SELECT max(fim) FROM etl_controle UNION ALL SELECT max(inicio) FROM etl_controle UNION ALL "
                "SELECT updated_at FROM oauth_tokens UNION ALL SELECT max(extraido_em) FROM nfe_cabecalho",
            )
        ),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("ahead", one_now([timedelta(days=370), timedelta(hours=30), timedelta(days=-370)]), ids=str)
async def test_a_wrong_clock_leaves_no_mark(
    account: Account, settings: Settings, bling: Bling, clock: FakeClock, ahead: timedelta
) -> None:
    """A execução com o relógio errado lê o presente do Bling, e a seguinte, com ele certo, não perde nada."""
    await run_with(settings, Skewed(clock, ahead), START)
    found = await marks(account.engine)
    assert set(found) == {TODAY}, found

    clock.advance(25 * 86400)
    late = bling.issue_note(emitted_at=local_now(bling.clock) - timedelta(days=24))
    bling.counters.reset()
    await run_with(settings, Skewed(clock, ahead))
    asked = await scalar(account.engine, "SELECT requisicoes FROM etl_controle ORDER BY id DESC LIMIT 1")
    assert asked == bling.counters.total - bling.counters.token_calls, "também as que só ouviram que horas eram"
    assert await scalar(account.engine, "SELECT count(*) FROM nfe_cabecalho WHERE id = :id", id=late) == 1
    held = await scalar(account.engine, "SELECT count(*) FROM nfe_cabecalho WHERE data_emissao >= '2026-01-01'")
    assert held == sum(bling.notes[id_]["dataEmissao"] >= "2026-01-01" for id_ in outgoing(bling))


@pytest.mark.slow
async def test_a_database_that_already_has_marks_of_the_future_heals(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    """Como o deixou uma execução de antes, com o relógio 370 dias adiantado: a única que houve."""
    engine = account.engine
    contato, other = bling.add_contact(), bling.add_contact()
    product = bling.add_product("CURA")
    lines = [line_of(codigo="CURA", descricao="Peça", quantidade=1, valor=Decimal(5))]
    for each in (contato, other):
        bling.issue_note(emitted_at=local_now(bling.clock) - timedelta(days=50), contact_id=each, lines=lines)
    await account.pipeline.run_full(date(2025, 12, 1))
    missed = bling.issue_note(emitted_at=local_now(bling.clock) - timedelta(days=50))
    bling.edit_contact(contato, email="outro@exemplo.com.br")
    bling.edit_product(product, nome="Outro nome")
    bling.delete_contact(other)
    clock.advance(20 * 86400)
    await execute(
        engine,
        *(
            f"UPDATE {table} SET {column} = {column} + interval '370 days'"
            for table, columns in {
                "etl_controle": ("inicio", "fim"),
                "checkpoints": ("posicao",),
                "conferencias": ("conferida_em",),
                "contatos": ("extraido_em",),
            }.items()
            for column in columns
        ),
        "UPDATE etl_controle SET data_referencia = data_referencia + 370, data_fim = data_fim + 370",
        "INSERT INTO janelas_devidas (recurso, data_inicio, data_fim) VALUES ('nfe', '2026-02-01', '2027-02-25'), "
        "('nfe', '2027-03-01', '2027-03-05')",
        "INSERT INTO produtos_desconhecidos (codigo, verificado_em) VALUES ('FUTURO', '2027-02-25')",
        "INSERT INTO pendencias (recurso, recurso_id, tentada_em, data_emissao, erro) "
        f"VALUES ('nfe', '{missed}', '2027-02-25', '2026-01-01', 'x')",
    )
    assert (await account.pipeline.run()).status == "success"

    assert await scalar(engine, "SELECT count(*) FROM nfe_cabecalho WHERE id = :id", id=missed) == 1
    assert await scalar(engine, "SELECT email FROM contatos WHERE id = :id", id=contato) == "outro@exemplo.com.br"
    assert await scalar(engine, "SELECT nome FROM produtos WHERE id = :id", id=product) == "Outro nome"
    assert await scalar(engine, "SELECT excluida_em IS NOT NULL FROM contatos WHERE id = :id", id=other)
    assert await rows(engine, "SELECT * FROM janelas_devidas") == []
    assert await rows(engine, "SELECT * FROM pendencias") == []
    assert await scalar(engine, "SELECT max(posicao) < '2026-03-20' FROM checkpoints")
    assert await scalar(engine, "SELECT max(conferida_em) < '2026-03-20' FROM conferencias")
    async with engine.connect() as connection:
        healed = control.Bookmark(TODAY + timedelta(days=20))
        assert await control.bookmark(connection, clock.now()) == healed
        # Também quando aquele dia chegar: quem o pôs diz ter começado depois de uma que a seguiu.
        assert await control.bookmark(connection, NOW + timedelta(days=400)) == healed


@pytest.mark.slow
@pytest.mark.bling(date_header="")
@pytest.mark.parametrize("ahead", one_now([timedelta(minutes=2), timedelta(hours=5)]), ids=str)
async def test_without_the_hour_of_bling_a_change_soon_after_the_run_is_read(
    account: Account, settings: Settings, bling: Bling, clock: FakeClock, ahead: timedelta
) -> None:
    fast = Skewed(clock, ahead)
    bling.issue_note(contact_id=(contato := bling.add_contact()))
    await run_with(settings, fast, START)
    clock.advance(30)
    bling.edit_contact(contato, email="outro@exemplo.com.br")
    clock.advance(86400)
    await run_with(settings, fast)
    assert (
        await scalar(account.engine, "SELECT email FROM contatos WHERE id = :id", id=contato) == "outro@exemplo.com.br"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "header", one_now(["ontem", "", "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"])
)
async def test_a_missing_or_absurd_date_header_does_not_count(
    account: Account, settings: Settings, bling: Bling, header: str
) -> None:
    bling.configure(date_header=header)
    await run_with(settings, TickingClock(NOW), START)
    assert set(await marks(account.engine)) == {TODAY}


@pytest.mark.slow
async def test_reconcile_repair_reads_the_registers_again(account: Account, bling: Bling, clock: FakeClock) -> None:
    """Também o que o filtro de alteração nunca mostraria."""
    bling.issue_note(contact_id=(contato := bling.add_contact()))
    clock.advance(8 * 3600)
    await account.pipeline.run_full(START)
    produto, sku = (await rows(account.engine, "SELECT id, codigo FROM produtos ORDER BY id LIMIT 1"))[0]
    bling.company.contacts.entries[contato].detail["nome"] = "Mudou em silêncio"
    bling.company.products.entries[produto].detail["nome"] = f"{sku} em silêncio"
    assert (await account.pipeline.run()).status == "success"
    assert await scalar(account.engine, "SELECT nome FROM contatos WHERE id = :id", id=contato) != "Mudou em silêncio"
    assert (await account.pipeline.reconcile(repair=True)).status == "success"
    assert await scalar(account.engine, "SELECT nome FROM contatos WHERE id = :id", id=contato) == "Mudou em silêncio"
    assert await scalar(account.engine, "SELECT nome FROM produtos WHERE id = :id", id=produto) == f"{sku} em silêncio"
