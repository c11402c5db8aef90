"""As perguntas que se fazem uma vez a cada conta: o que ela responde sob cada leitura, e que nenhuma falha."""

from typing import Any

import pytest
from tests.support.collecting import rows, scalar

from bling_collector.insight.account.learned import read_learned
from bling_collector.streams.questions import QUESTIONS
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

ALL = tuple({question.resource.name for question in QUESTIONS})
OTHERWISE: dict[str, Any] = {
    "default_hides_zero_stock": True,
    "payable_filters_are_ignored": True,
    "receivable_filters_are_ignored": True,
    "default_hides_cancelled_orders": True,
    "service_default_hides_cancelled": True,
    "coupon_default_hides_cancelled": False,
    "default_hides_inactive": False,
    "status_filters_are_ignored": True,
}
pytestmark = [pytest.mark.bling(scale=0.05), pytest.mark.collector(recursos=ALL)]


async def answers(account: Account) -> dict[str, str]:
    return dict(await rows(account.engine, "SELECT pergunta, resposta FROM respostas_da_conta"))


async def test_each_reading_has_its_answers(account: Account, bling: Bling) -> None:
    bling.add_order()
    bling.counters.reset()
    await account.pipeline.first_look()
    assert bling.counters.total <= 32
    assert await answers(account) == {
        "produtos_zerados": "mostra",
        "saldos_zerados": "mostra",
        "contas_pagar_datas": "lido",
        "contas_receber_datas": "lido",
        "alteracao_de_uma_ponta": "ignorado",
        "pedidos_de_hoje": "exclui",
        "pedidos_cancelados": "mostra",
        "compras_canceladas": "mostra",
        "nfce_canceladas": "esconde",
        "nfse_canceladas": "mostra",
        "naturezas_inativas": "esconde",
        "canais_desabilitados": "esconde",
        "logisticas_desabilitadas": "esconde",
        "situacao_das_contas": "lido",
    }
    assert await scalar(account.engine, "SELECT count(*) FROM checkpoints WHERE recurso = 'produtos.escondidas'") == 0
    bling.configure(**OTHERWISE, order_list_final_date_excludes_today=False)
    bling.counters.reset()
    await account.pipeline.first_look()
    assert bling.counters.total == 0, "já se perguntou"
    await account.pipeline.first_look(again=True)
    changed = await answers(account)
    assert {name: changed[name] for name in changed if not name.startswith("alteracao")} == {
        "produtos_zerados": "esconde",
        "saldos_zerados": "esconde",
        "contas_pagar_datas": "ignorado",
        "contas_receber_datas": "ignorado",
        "pedidos_de_hoje": "inclui",
        "pedidos_cancelados": "esconde",
        "compras_canceladas": "esconde",
        "nfce_canceladas": "mostra",
        "nfse_canceladas": "esconde",
        "naturezas_inativas": "mostra",
        "canais_desabilitados": "mostra",
        "logisticas_desabilitadas": "mostra",
        "situacao_das_contas": "ignorado",
    }
    assert await scalar(account.engine, "SELECT count(*) FROM checkpoints WHERE recurso = 'produtos.escondidas'") == 1
    async with account.engine.connect() as connection:
        said = [each.frase for each in await read_learned(connection)]
    assert "a listagem de costume esconde os produtos de saldo zerado." in said
    assert "o Bling ignora o filtro do vencimento das contas a pagar; o que ele traz a mais fica de lado." in said


@pytest.mark.parametrize("kind", ["server_error", "empty", "body"])
async def test_what_bling_does_not_answer_fails_nothing(account: Account, bling: Bling, kind: Any) -> None:
    bling.configure(missing_scopes=frozenset({"/nfse"}))
    bling.fail("^/nfce$", kind, status=400 if kind == "body" else None)
    await account.pipeline.first_look()
    assert {"nfse_canceladas", "nfce_canceladas"}.isdisjoint(await answers(account))
    bling.fail(".", kind, status=400 if kind == "body" else None)
    await account.pipeline.first_look(again=True)
