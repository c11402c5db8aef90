"""Das linhas listadas, as que é preciso buscar."""

from datetime import date
from typing import Any

import pytest

from bling_collector.etl.fetch import Wanted
from bling_collector.etl.listing import diff
from bling_collector.payload import digest
from bling_collector.streams.notas.nfe import NFE


def row(id_: int, situacao: int = 6, **changes: Any) -> dict[str, Any]:
    return {"id": id_, "situacao": situacao, "dataEmissao": "2026-02-03 09:52:12"} | changes


def test_a_nova_a_mudada_e_a_que_ainda_pode_mudar() -> None:
    new, changed, same, pending = row(1), row(2), row(3), row(4, situacao=1)
    known = {2: digest(row(2, situacao=5)), 3: digest(same), 4: digest(pending)}
    assert diff([new, changed, same, pending], known, NFE) == {
        r["id"]: Wanted(digest(r), date(2026, 2, 3)) for r in (new, changed, pending)
    }


def test_a_que_o_primeiro_coletor_deixou_nao_tem_impressao_e_e_buscada() -> None:
    assert diff([row(1)], {1: None}, NFE).keys() == {1}


@pytest.mark.parametrize(
    "change", [{"situacao": 2}, {"numero": "2"}, {"contato": {"id": 9}}, {"dataEmissao": "2026-02-04"}]
)
def test_qualquer_campo_da_lista_que_muda_e_uma_mudanca(change: dict[str, Any]) -> None:
    assert diff([row(1) | change], {1: digest(row(1))}, NFE).keys() == {1}


def test_a_ordem_das_chaves_nao_e_uma_mudanca() -> None:
    shuffled = dict(reversed(row(1).items()))
    assert diff([shuffled], {1: digest(row(1))}, NFE) == {}


def test_uma_linha_sem_dia_conta_como_do_primeiro_dia_da_janela() -> None:
    found = diff([row(1, dataEmissao="0000-00-00")], {}, NFE, since=date(2026, 1, 1))
    assert found[1].day == date(2026, 1, 1)
