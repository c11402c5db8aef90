"""O que a Situação dobra: só o que está em dia, e nunca o que pede atenção."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from bling_collector.insight.recursos import Proved, ShownResource, in_order

UNTIL = date(2026, 2, 20)
PROVED = Proved(igual=True, no_bling=3, no_banco=3, meses=1, diferentes=0, por_conferir=0, completo_em=None)
FINE = ShownResource(
    recurso="pedidos_venda",
    titulo="Pedidos de venda",
    permissao="Pedidos de venda",
    coletado=True,
    lido=True,
    sem_permissao=False,
    registros=3,
    excluidos=0,
    data_referencia=UNTIL,
    pendencias=0,
    janelas=0,
    conferencia=PROVED,
    inteira=None,
)


def test_what_is_in_order_is_folded() -> None:
    assert in_order(FINE, UNTIL)
    assert in_order(replace(FINE, data_referencia=None, conferencia=None), UNTIL), "o que não tem data"


@pytest.mark.parametrize(
    "wrong",
    [
        {"lido": False},
        {"sem_permissao": True},
        {"pendencias": 1},
        {"janelas": 1},
        {"conferencia": replace(PROVED, igual=False, diferentes=1)},
        {"conferencia": replace(PROVED, igual=False, por_conferir=1)},
        {"data_referencia": date(2026, 2, 19)},
        {"data_referencia": None},
    ],
    ids=str,
)
def test_what_is_wrong_is_never_folded(wrong: dict[str, Any]) -> None:
    assert not in_order(replace(FINE, **wrong), UNTIL)
