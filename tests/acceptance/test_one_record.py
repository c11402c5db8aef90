"""Um registro que o Bling nunca dá custa esse registro, e mais nada: o resto é coletado, e o que falta tem nome."""

from datetime import date, timedelta

import pytest
from tests.collecting import rows, scalar
from tests.fakes import FakeClock
from tests.truth import assert_equals_truth

from bling_collector.bootstrap import App
from bling_simulator.bling import Bling
from bling_simulator.faults import FaultKind

START = date(2021, 1, 1)
TODAY = date(2026, 2, 20)


def notes_of(bling: Bling) -> list[int]:
    """Os ids das notas de saída, da mais nova à mais antiga."""
    return [note["id"] for note in bling.notebook.newest_first() if note["tipo"] == 1]


def day_of(bling: Bling, id_: int) -> date:
    return date.fromisoformat(bling.notes[id_]["dataEmissao"][:10])


def spoil(bling: Bling, path: str, id_: int, kind: FaultKind = "server_error", **rule: object) -> int:
    """Falha toda página de `path` que traz o registro."""
    return bling.fail(f"^{path}$", kind, contains=rf'"id":{id_}[,}}]', **rule)


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("server_error", {}),
        ("bad_gateway", {}),
        ("cut", {}),
        ("drop", {}),
        ("body", {"status": 422, "body": '{"error": {"type": "X", "description": "não"}}'}),
        ("body", {"status": 200, "body": "<html>manutenção</html>"}),
        ("body", {"status": 403, "body": "<html>negado</html>"}),
    ],
)
@pytest.mark.bling(scale=0.05)
async def test_uma_nota_estraga_a_sua_pagina_da_listagem(
    app: App, bling: Bling, clock: FakeClock, kind: FaultKind, rule: dict[str, object]
) -> None:
    bad = notes_of(bling)[17]
    day = day_of(bling, bad)
    fault = spoil(bling, "/nfe", bad, kind, **rule)
    result = await app.pipeline.run_full(START)
    assert (result.status, result.error) == ("partial", None)
    assert f"{day:%d/%m/%Y}" in (result.message or "")
    assert result.data_referencia == day - timedelta(days=1)
    assert await rows(app.engine, "SELECT recurso, data_inicio, data_fim FROM janelas_devidas") == [("nfe", day, day)]
    await assert_equals_truth(app.engine, bling, without=[bad])
    for _ in range(2):
        clock.advance(86400)
        bling.counters.reset()
        bling.issue_note()
        result = await app.pipeline.run()
        assert (result.status, result.error) == ("partial", None)
        assert bling.counters.requests["/nfe"] < 200
        assert await rows(app.engine, "SELECT data_inicio, data_fim FROM janelas_devidas") == [(day, day)]
        await assert_equals_truth(app.engine, bling, without=[bad])
    bling.faults.remove(fault)
    assert (await app.pipeline.run()).status == "success"
    assert await scalar(app.engine, "SELECT count(*) FROM janelas_devidas") == 0
    await assert_equals_truth(app.engine, bling)
