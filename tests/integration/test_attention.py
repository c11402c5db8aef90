"""O que pede atenção: cada regra, dos dois lados do seu limite."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.support.collecting import rows
from tests.support.proving import execute

from bling_collector.insight.attention import RULES, Signal, load_attention
from bling_collector.workplace.account import Account

TODAY = date(2026, 2, 20)
_id = iter(range(1, 10_000))


async def _note(
    account: Account, contato: int, days_ago: int, value: int, *, situacao: int = 6, sku: str | None = None
) -> None:
    id_ = next(_id)
    day = TODAY - timedelta(days=days_ago)
    await execute(
        account.engine,
        "INSERT INTO nfe_cabecalho (id, numero, tipo, situacao, data_emissao, total_nota, contato_id, contato_nome)"
        f" VALUES ({id_}, '{id_}', 1, {situacao}, '{day}', {value}, {contato}, 'Cliente {contato}')",
    )
    if sku is not None:
        await execute(
            account.engine,
            "INSERT INTO nfe_itens (nfe_id, ordem, codigo_produto, quantidade, valor_total)"
            f" VALUES ({id_}, 1, '{sku}', 1, {value})",
        )


async def _signals(account: Account, recursos: tuple[str, ...] | None = None) -> dict[str, Signal]:
    found = await load_attention(account.engine, TODAY, recursos, most=None)
    return {signal.name: signal for signal in found.signals}


def _column(signal: Signal, name: str) -> list[Any]:
    return [row._mapping[name] for row in signal.rows]


async def test_good_clientes_that_stopped_are_signalled(account: Account) -> None:
    for days in (300, 270, 240, 210):
        await _note(account, 1, days, 100)  # de 30 em 30 dias, e parou há 210
        await _note(account, 2, days - 210, 100)  # o mesmo, e comprou hoje
    for days in (700, 500, 300):
        await _note(account, 3, days, 100)  # de 200 em 200: 300 ainda não são o dobro
    for days in (400, 390):
        await _note(account, 4, days, 500)  # só dois dias de compra
    for days in (400, 395, 390):
        await _note(account, 5, days, 1)  # pouco para a maior parte das vendas
    for days in (75, 65, 61):
        await _note(account, 6, days, 300)
    for days in (66, 63, 60):
        await _note(account, 7, days, 300)  # há 60 dias: ainda não é mais de 60
    found = (await _signals(account))["clientes-parados"]
    assert sorted(_column(found, "contato_id")) == [1, 6]
    first = next(row for row in found.rows if row.contato_id == 1)
    assert (first.parado, first.intervalo, first.valor, first.nome) == (210, 30, 400, "Cliente 1")
    assert (found.of, found.rows[0].todo) == (2, 1300)


async def test_produtos_that_fall_are_signalled(account: Account) -> None:
    for sku, before, after in (
        ("CAI", 100, 49),
        ("METADE", 100, 50),
        ("SOBE", 100, 300),
        ("ACABOU", 40, 0),
        ("POUCO", 1, 0),
    ):
        await _note(account, 1, 90, before, sku=sku)
        if after:
            await _note(account, 1, 0, after, sku=sku)
    found = (await _signals(account))["produtos-em-queda"]
    assert _column(found, "codigo") == ["CAI", "ACABOU"]
    assert _column(found, "valor") == [51, 40]


async def test_vendas_in_few_hands_are_signalled(account: Account) -> None:
    for contato in range(1, 11):
        await _note(account, contato, 10, 100)
    assert (await _signals(account))["concentracao"].rows == [], "dez iguais: cinco fazem a metade, e não mais"
    await _note(account, 1, 5, 200)
    found = (await _signals(account))["concentracao"]
    assert _column(found, "contato_id")[0] == 1
    assert _column(found, "parte")[0] == Decimal("0.2500")
    await _note(account, 1, 5 + 365, 10_000)  # a última nota é de há cinco dias
    assert _column((await _signals(account))["concentracao"], "parte")[0] == Decimal("0.2500"), "de há mais de um ano"


async def test_unusual_cancellations_are_signalled(account: Account) -> None:
    for days in range(40, 60):
        await _note(account, 1, days, 10, situacao=2 if days < 42 else 6)  # um em dez
    for days in range(8):
        await _note(account, 1, days, 10, situacao=6)
    for days in range(2):
        await _note(account, 1, days, 10, situacao=2)
    assert (await _signals(account))["cancelamentos"].rows == [], "o dobro do costume, mas são só duas"
    await _note(account, 1, 3, 10, situacao=2)
    found = (await _signals(account))["cancelamentos"]
    assert found.of == 3
    assert round(found.rows[0].parte, 4) == Decimal("0.2727")
    assert round(found.rows[0].costume, 2) == Decimal("0.10")


async def test_overdue_contas_and_estoque_about_to_end_are_signalled(account: Account) -> None:
    await _note(account, 1, 0, 9, sku="A")
    await _note(account, 1, 1, 81, sku="B")
    for table in ("contas_receber", "contas_pagar"):
        await execute(
            account.engine,
            f"INSERT INTO {table} (id, situacao, vencimento, valor, saldo, contato_id, excluida_em) VALUES"
            " (1, 1, '2026-02-19', 100, 100, 7, NULL), (2, 3, '2026-01-10', 100, 40, 7, NULL),"
            " (3, 1, '2026-02-20', 100, 100, 7, NULL), (4, 2, '2026-01-01', 100, 0, 7, NULL),"
            " (5, 5, '2026-01-01', 100, 100, 7, NULL), (6, 1, '2026-01-01', 100, NULL, 8, NULL),"
            " (7, 1, '2026-01-01', 100, 100, 7, now())",
        )
    await execute(
        account.engine,
        "INSERT INTO produtos (id, codigo, nome, preferido) VALUES (1, 'A', 'A', true), (2, 'B', 'B', true)",
        "UPDATE nfe_itens SET quantidade = 9 WHERE codigo_produto = 'B'",
        "INSERT INTO estoque_totais VALUES ('2026-02-20 12:00-03', 1, 0, 0), ('2026-02-20 12:00-03', 2, 3, 3)",
    )
    found = await _signals(account, ("todos",))
    for name in ("receber-vencidas", "pagar-vencidas"):
        assert [(row.contato_id, row.contas, row.valor) for row in found[name].rows] == [(7, 2, 140), (8, 1, 100)]
    assert [(row.codigo, row.dias) for row in found["estoque-acaba"].rows] == [("B", 30), ("A", 0)]
    await execute(account.engine, "UPDATE estoque_totais SET saldo_virtual = 3.1 WHERE produto_id = 2")
    assert _column((await _signals(account, ("todos",)))["estoque-acaba"], "codigo") == ["A"]


async def test_what_is_not_collected_is_not_looked_at(account: Account) -> None:
    found = await load_attention(account.engine, TODAY, None, most=10)
    assert found.day is None
    assert {signal.name for signal in found.signals} | {
        name for name, rule in RULES.items() if rule in found.off
    } == set(RULES)
    assert {rule.recurso for rule in found.off} == {"contas_receber", "contas_pagar", "estoques"}
    assert all(not signal.rows for signal in found.signals)
    assert await rows(account.engine, "SELECT 1 FROM nfe_cabecalho") == []
