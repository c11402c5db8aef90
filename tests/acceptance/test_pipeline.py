"""O coletor inteiro diante do simulador, em soquetes: o banco fica igual ao Bling."""

from datetime import date

from tests.truth import assert_equals_truth

from bling_collector.bootstrap import App
from bling_simulator.bling import Bling

START = date(2021, 1, 1)


async def test_uma_carga_historica_e_igual_ao_bling(app: App, bling: Bling) -> None:
    result = await app.pipeline.run_full(START)
    assert (result.status, result.message) == ("success", None)
    await assert_equals_truth(app.engine, bling)
