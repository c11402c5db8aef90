"""O que mudou de uma nota e de um pedido, em palavras: os dias e as horas são os do resto do painel."""

import pytest

from bling_collector.web.panel import notes
from bling_collector.web.panel.tables import orders


@pytest.mark.parametrize(
    ("column", "written", "said"),
    [
        ("excluida_em", "2026-11-30T10:19:58.645675+00:00", "30/11/2026 07:19"),
        ("data_emissao", "2026-11-30T10:19:58", "30/11/2026 10:19"),
        ("data", "2026-11-30", "30/11/2026"),
        ("data_saida", "0000-00-00", "0000-00-00"),
        ("numero_loja", "2026-11-30", "2026-11-30"),
    ],
)
def test_an_instant_is_said_in_the_hours_of_brasilia(column: str, written: str, said: str) -> None:
    for change in (notes.change(column, [None, written]), orders.change(column, [None, written], {})):
        assert (change["antes"], change["agora"]) == ("—", said)
