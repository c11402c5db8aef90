"""As views do dinheiro, cada uma contra a conta feita por fora, do JSON do simulador."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.collecting import rows, scalar
from tests.support.owing import RESOURCES, ZERO, accounts, categories, due, links, loose, still_open, trade
from tests.support.proving import START, execute

from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

pytestmark = pytest.mark.collector(recursos=RESOURCES)


@pytest.mark.loaded(START, before=trade)
@pytest.mark.slow
async def test_the_views_of_the_money_agree_with_an_independent_computation(
    account: Account, bling: Bling, changed: dict[str, int]
) -> None:
    engine = account.engine
    stored = await rows(engine, "SELECT conta_tipo, conta_id, em_aberto, vencimento FROM vw_contas")
    assert {row[:2]: row[2:] for row in stored} == {key: (still_open(a), due(a)) for key, a in accounts(bling)}
    await _ages(engine, bling)
    await _settled(engine, bling, changed)
    await _flow(engine, bling)
    await _dre(engine, bling)
    await _checked(engine, bling, changed)


async def _ages(engine: AsyncEngine, bling: Bling) -> None:
    today = await scalar(engine, "SELECT (now() AT TIME ZONE 'America/Sao_Paulo')::date")
    for kind in ("receber", "pagar"):
        expected: defaultdict[int, list[Decimal]] = defaultdict(list)
        for (side, _), conta in accounts(bling):
            if side == kind and still_open(conta):
                day = due(conta)
                late = (today - day).days if day else None
                band = 6 if late is None else next((n for n, most in enumerate((0, 30, 60, 90), 1) if late <= most), 5)
                expected[band].append(still_open(conta))
        found = await rows(engine, f"SELECT ordem, contas, em_aberto FROM vw_contas_{kind}_idade ORDER BY 1")
        assert found == [(band, len(each), sum(each)) for band, each in sorted(expected.items())]
        assert found


async def _settled(engine: AsyncEngine, bling: Bling, ids: dict[str, int]) -> None:
    """De cada conta, o que se quitou e quando; das irmãs, pagas em partes iguais, não se sabe o que é de qual."""
    unknown = {("receber", ids[name]) for name in ("irmã", "outra irmã", "irmã menor")}
    stored = await rows(engine, "SELECT conta_tipo, conta_id, liquidado, ultimo_pagamento FROM vw_contas_liquidacao")
    expected = {
        key: (
            ZERO if key in unknown else conta["valor"] - conta["saldo"],
            max(date.fromisoformat(bling.borderos[each]["data"]) for each in conta["borderos"]),
        )
        for key, conta in accounts(bling)
        if conta["borderos"]
    }
    found = {row[:2]: row[2:] for row in stored}
    assert len(found) == len(stored)
    assert {key: found.get(key) for key in expected} == expected
    paid = "SELECT conta_id FROM vw_borderos_contas WHERE bordero_id = :id ORDER BY ordem"
    assert await rows(engine, paid, id=ids["borderô das gêmeas"]) == [(ids["gêmea"],), (ids["outra gêmea"],)]
    assert await rows(engine, paid, id=ids["borderô das irmãs"]) == [(None,)] * 3
    assert await rows(engine, paid, id=ids["borderô da excluída"]) == []


async def _flow(engine: AsyncEngine, bling: Bling) -> None:
    expected: defaultdict[date, list[Decimal]] = defaultdict(lambda: [ZERO] * 5)
    for bordero, keys in links(bling).items():
        day = expected[date.fromisoformat(bling.borderos[bordero]["data"])]
        for payment in bling.borderos[bordero]["pagamentos"]:
            day[0 if keys[0][0] == "receber" else 1] += payment["valorPago"]
            day[2] += payment["tarifa"]
    for entry in loose(bling):
        expected[date.fromisoformat(entry["data"])][0 if entry["debCred"] == "C" else 1] += entry["valor"]
    for (kind, _), conta in accounts(bling):
        day_due = due(conta)
        if still_open(conta) and day_due:
            expected[day_due][3 if kind == "receber" else 4] += still_open(conta)
    stored = await rows(
        engine, "SELECT dia, entradas, saidas, tarifas, a_receber, a_pagar, saldo FROM vw_fluxo_caixa_dia"
    )
    assert {row[0]: list(row[1:6]) for row in stored} == expected
    assert all(row[6] == row[1] - row[2] for row in stored)


async def _dre(engine: AsyncEngine, bling: Bling) -> None:
    kinds = {entry["id"]: entry["tipo"] for entry in categories(bling)}
    expected: defaultdict[tuple[date, int | None], Decimal] = defaultdict(Decimal)

    def count(competencia: str, category: int, valor: Decimal) -> None:
        """`valor` é positivo se entra; numa despesa é o que se gasta que é positivo."""
        expense = kinds.get(category) == 1 or (kinds.get(category) != 2 and valor < 0)
        expected[date.fromisoformat(competencia).replace(day=1), category or None] += -valor if expense else valor

    for (kind, _), conta in accounts(bling):
        if conta["situacao"] not in (4, 5):
            valor = conta["valor"] if kind == "receber" else -conta["valor"]
            count(conta["competencia"], conta["categoria"]["id"], valor)
    for entry in loose(bling):
        if entry["origem"]["tipo"] == "caixa":  # o de um borderô é uma conta, que já está
            valor = entry["valor"] if entry["debCred"] == "C" else -entry["valor"]
            count(entry["competencia"], entry["categoria"]["id"], valor)
    stored = await rows(engine, "SELECT mes, categoria_id, sum(valor) FROM vw_dre_mes GROUP BY 1, 2")
    assert {row[:2]: row[2] for row in stored} == expected
    groups = dict(await rows(engine, "SELECT categoria_id, grupo FROM vw_dre_mes WHERE grupo IS NOT NULL"))
    names = {each["id"]: each["descricao"] for each in categories(bling)}
    parents = {each["id"]: each["idCategoriaPai"] for each in categories(bling)}
    assert groups == {id_: names[parents[id_] or id_] for id_ in groups}
    assert {parents[id_] > 0 for id_ in groups} == {True, False}


async def _checked(engine: AsyncEngine, bling: Bling, ids: dict[str, int]) -> None:
    shared = {key for keys in links(bling).values() if len(keys) > 1 for key in keys}
    stored = await rows(
        engine,
        "SELECT registro_tipo, registro_id, resultado, esperado, encontrado, motivo FROM vw_conferencia_financeira",
    )
    found = {(kind.removeprefix("conta_"), id_): rest for kind, id_, *rest in stored}
    assert len(found) == len(stored)
    for key, conta in accounts(bling):
        same = conta["situacao"] not in (4, 5, 6) and key not in shared
        if key == ("pagar", ids["sem borderô"]):
            assert found[key][0::3] == ["nao_comparavel", "a conta foi quitada sem borderô"]
        else:
            assert found[key][0] == ("igual" if same else "nao_comparavel"), (key, conta, found[key])
    origins = {each["origem"]["id"] for each in bling.receivables.values() if each["origem"]["id"]}
    assert {id_ for (kind, id_) in found if kind in ("nota", "pedido")} == origins
    assert {found[key][0] for key in found if key[0] in ("nota", "pedido")} == {"igual"}


@pytest.mark.slow
@pytest.mark.loaded(START, before=trade)
async def test_the_parcelas_of_a_consumer_nota_are_checked_too(account: Account) -> None:
    note = await scalar(
        account.engine, "SELECT min(registro_id) FROM vw_conferencia_financeira WHERE registro_tipo='nota'"
    )
    await execute(
        account.engine,
        "INSERT INTO nfce_cabecalho (id, situacao, data_emissao)"
        " SELECT 5, situacao, data_emissao FROM nfe_cabecalho WHERE id = :note",
        "INSERT INTO nfce_pagamentos (nfe_id, numero_parcela, valor)"
        " SELECT 5, numero_parcela, valor FROM nfe_pagamentos WHERE nfe_id = :note",
        "UPDATE contas_receber SET origem_id = 5 WHERE origem_id = :note AND origem_tipo ~* 'nota'",
        note=note,
    )
    found = "SELECT resultado, motivo FROM vw_conferencia_financeira WHERE registro_tipo = 'nota' AND registro_id = 5"
    assert await rows(account.engine, found) == [("igual", None)]


async def test_a_pedido_cancelled_by_another_name_is_not_compared(engine: AsyncEngine) -> None:
    await execute(
        engine,
        "INSERT INTO situacoes (id, modulo_id, nome, id_herdado) VALUES (77, 1, 'Cancelado pelo cliente', 12)",
        "INSERT INTO pedidos_venda (id, data, situacao_id) VALUES (1, '2026-01-05', 77)",
        "INSERT INTO pedidos_venda_parcelas (id, pedido_id, ordem, valor) VALUES (1, 1, 1, 100)",
        "INSERT INTO contas_receber (id, situacao, valor, origem_id, origem_tipo) VALUES (1, 5, 150, 1, 'venda')",
    )
    asked = "SELECT resultado, motivo FROM vw_conferencia_financeira WHERE registro_tipo = 'pedido'"
    assert await rows(engine, asked) == [("nao_comparavel", "o documento foi cancelado")]


@pytest.mark.loaded(START, before=trade)
async def test_what_differs_or_cannot_be_compared_says_how_much_and_why(
    account: Account, changed: dict[str, int]
) -> None:
    id_ = changed["em duas partes"]
    note = await scalar(
        account.engine, "SELECT min(registro_id) FROM vw_conferencia_financeira WHERE registro_tipo='nota'"
    )
    order = await scalar(
        account.engine, "SELECT min(registro_id) FROM vw_conferencia_financeira WHERE registro_tipo = 'pedido'"
    )
    await execute(
        account.engine,
        "UPDATE contas_pagar SET saldo = 4 WHERE id = :id",
        "UPDATE nfe_pagamentos SET valor = valor + 1 WHERE nfe_id = :note AND numero_parcela = 1",
        "UPDATE pedidos_venda SET situacao_id = 12 WHERE id = :order",
        id=id_,
        note=note,
        order=order,
    )
    found = await rows(
        account.engine,
        "SELECT registro_id, resultado, diferenca, motivo FROM vw_conferencia_financeira WHERE registro_id = ANY(:ids)",
        ids=[id_, note, order],
    )
    assert set(found) == {
        (id_, "difere", Decimal(4), None),
        (note, "difere", Decimal(-1), None),
        (order, "nao_comparavel", ZERO, "o documento foi cancelado"),
    }
    await execute(
        account.engine, "UPDATE borderos SET excluida_em = now() WHERE id = :id", id=changed["borderô da parte"]
    )
    again = "SELECT resultado, motivo FROM vw_conferencia_financeira WHERE registro_id = :id"
    assert await rows(account.engine, again, id=id_) == [("nao_comparavel", "um borderô dela não foi lido")]


@pytest.mark.loaded(START, before=trade)
async def test_with_only_the_lancamentos_the_fluxo_and_the_dre_are_theirs(
    account: Account, bling: Bling, changed: object
) -> None:
    """Quem não coleta as contas nem os borderôs vê, dos lançamentos que eles fizeram, o que foi pago."""
    await execute(
        account.engine,
        "DELETE FROM borderos_pagamentos",
        "DELETE FROM borderos",
        "DELETE FROM contas_borderos",
        "DELETE FROM contas_receber",
        "DELETE FROM contas_pagar",
    )
    kept = [
        each
        for each in bling.cash_entries.values()
        if each["situacao"] == "R" and each["transferencia"] == "0" and each["saldo"] == "N"
    ]
    signed = sum((each["valor"] if each["debCred"] == "C" else -each["valor"] for each in kept), ZERO)
    assert await scalar(account.engine, "SELECT sum(saldo) FROM vw_fluxo_caixa_dia") == signed
    result = "SELECT sum(CASE natureza WHEN 'receita' THEN valor ELSE -valor END) FROM vw_dre_mes"
    assert await scalar(account.engine, result) == signed
    assert await scalar(account.engine, "SELECT count(*) FROM vw_conferencia_financeira") == 0
    await execute(account.engine, "DELETE FROM caixas_lancamentos")
    assert await rows(account.engine, "SELECT * FROM vw_fluxo_caixa_dia") == []


async def test_a_duplicata_counts_if_it_has_no_bordero(engine: AsyncEngine) -> None:
    """E nunca duas vezes; e a categoria que se tem por mãe, ou cuja mãe não há, não prende a conta."""
    entry = (
        "INSERT INTO caixas_lancamentos (id, data, valor, situacao, origem_tipo, origem_id) "
        "VALUES ({id}, '2026-01-0{id}', {id}, 'R', 'duplicata', {conta})"
    )
    await execute(
        engine,
        "INSERT INTO categorias_financeiras (id, categoria_pai_id, descricao, tipo) "
        "VALUES (1, NULL, 'Vendas', 2), (2, 1, 'Loja', 2), (3, 3, 'Sua', 3), (4, 5, 'Volta', 1), (5, 4, 'Meia', 1)",
        "INSERT INTO contas_receber (id, situacao, valor, saldo, competencia, categoria_id) SELECT n, 2, 10, 0, "
        "'2026-01-01', n FROM generate_series(1, 6) n",
        "INSERT INTO borderos (id, data) VALUES (900, '2026-01-01')",
        "INSERT INTO contas_borderos VALUES ('receber', 1, 900)",
        *(entry.format(id=id_, conta=conta) for id_, conta in ((1, 1), (2, 2), (3, 77))),
    )
    assert await rows(engine, "SELECT dia, entradas FROM vw_fluxo_caixa_dia") == [(date(2026, 1, 2), Decimal(2))]
    assert await rows(engine, "SELECT categoria_id, grupo, natureza, valor FROM vw_dre_mes ORDER BY 1") == [
        (1, "Vendas", "receita", Decimal(10)),
        (2, "Vendas", "receita", Decimal(10)),
        (3, "Sua", "receita", Decimal(10)),
        (4, "Volta", "despesa", Decimal(-10)),
        (5, "Meia", "despesa", Decimal(-10)),
        (6, None, "receita", Decimal(10)),
    ]


async def test_a_bordero_that_cannot_be_split_stays_unsplit(engine: AsyncEngine) -> None:
    """Um borderô de uma conta que o coletor tem e de outras que não tem só lhe dá o que é dela."""
    await execute(
        engine,
        "INSERT INTO contas_receber (id, situacao, valor, saldo, contato_id, numero_documento) VALUES "
        "(1, 2, 10, 0, 5, 'A'), (2, 2, 10, 0, 5, 'B'), (3, 2, 10, 0, 5, 'C'), (4, 2, 10, 0, 5, 'D')",
        "INSERT INTO borderos (id, data) SELECT n, '2026-01-01' FROM generate_series(900, 903) n",
        "INSERT INTO contas_borderos VALUES ('receber', 1, 900), ('receber', 2, 901), ('receber', 3, 902), "
        "('receber', 4, 903)",
        "INSERT INTO borderos_pagamentos (bordero_id, ordem, contato_id, numero_documento, valor_pago, juros, desconto)"
        " VALUES (900, 1, 5, 'A', 10, 0, 0), (900, 2, 6, 'Z', 99, 0, 0), (901, 1, NULL, NULL, 11, 2, 1), "
        "(902, 1, 9, 'x', 4, NULL, NULL), (902, 2, 9, 'y', 6, NULL, NULL), (903, 1, 9, 'x', 4, 0, 0), "
        "(903, 2, 9, 'y', 60, 0, 0)",
    )
    assert await rows(engine, "SELECT bordero_id, ordem, conta_id FROM vw_borderos_contas ORDER BY 1, 2") == [
        (900, 1, 1),
        (900, 2, None),
        (901, 1, 2),
        (902, 1, 3),
        (902, 2, 3),
        (903, 1, None),
        (903, 2, None),
    ]
    results = "SELECT registro_id, resultado FROM vw_conferencia_financeira ORDER BY 1"
    assert await rows(engine, results) == [
        (1, "nao_comparavel"),
        (2, "igual"),
        (3, "igual"),
        (4, "nao_comparavel"),
    ]
    assert await scalar(engine, "SELECT entradas FROM vw_fluxo_caixa_dia WHERE dia = '2026-01-01'") == Decimal(194)
