"""O faturamento contra a conta feita por fora, do JSON do simulador, e contra as views do analista."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.collecting import rows
from tests.support.proving import START, at, execute, outgoing, twin
from tests.support.selling import apart, issue_odd, parts, sold, sold_lines

from bling_collector.insight.sales.periods import ComparedPeriod
from bling_collector.insight.sales.revenue import (
    Amount,
    Part,
    load_breakdown,
    load_breakdowns,
    load_period,
    load_revenue,
    load_steps,
)
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

TODAY = date(2026, 2, 20)
EVER = ComparedPeriod(date(2021, 1, 1), TODAY)
PERIODS = (
    EVER,
    ComparedPeriod(date(2025, 3, 1), TODAY),
    ComparedPeriod(date(2025, 11, 1), date(2025, 11, 30)),
    ComparedPeriod(date(2025, 11, 5), date(2025, 11, 11)),
    ComparedPeriod(date(2025, 2, 1), date(2025, 2, 28)),
)
VALID = (5, 6, 7)
pytestmark = pytest.mark.bling(scale=0.05)
Note = dict[str, Any]


def sell(bling: Bling) -> int:
    """Notas em toda situação, nas bordas dos dias, sem contato; devolve a que há de ser excluída."""
    model = outgoing(bling, 6)[-1]
    for situacao in range(1, 12):
        twin(bling, model, emitted_at=at(f"2025-11-{situacao:02} 23:59:59"), situacao=situacao)
        twin(bling, model, emitted_at=at(f"2024-11-{situacao:02} 00:00:00"), situacao=situacao)
    twin(bling, model, emitted_at=at("2024-02-29 23:59:59"))
    bling.issue_note(emitted_at=at("2025-11-30 23:59:59"), contact_id=0)
    issue_odd(bling, "2025-11-06")
    return twin(bling, model, emitted_at=at("2025-12-01 00:00:00"))


@pytest.fixture
async def notes(account: Account, bling: Bling, changed: int) -> list[Note]:
    """A história coletada, com uma nota excluída; devolve as que existem no Bling."""
    bling.delete_note(changed)
    await account.pipeline.reconcile(date(2025, 12, 1), repair=True)
    return [note for note in bling.notes.values() if note["tipo"] == 1]


def day(note: Note) -> date:
    return datetime.fromisoformat(note["dataEmissao"]).date()


def total(notes: Iterable[Note]) -> Decimal:
    return sum((sold(note) or Decimal(0) for note in notes), Decimal(0))


def amount(notes: Iterable[Note]) -> Amount:
    notes = list(notes)
    sales = [note for note in notes if note["situacao"] in VALID and sold(note) is not None]
    cancelled = [note for note in notes if note["situacao"] == 2 and sold(note) is not None]
    beside = sum((apart(note) for note in notes if note["situacao"] in VALID), Decimal(0))
    return Amount(len(sales), total(sales), len(cancelled), total(cancelled), beside)


def within(notes: list[Note], period: ComparedPeriod) -> list[Note]:
    return [n for n in notes if period.inicio <= day(n) <= period.fim and n["situacao"] in (2, *VALID)]


def grouped(notes: Iterable[Note], key: Callable[[Note], Any]) -> dict[Any, list[Note]]:
    found: defaultdict[Any, list[Note]] = defaultdict(list)
    for note in notes:
        found[key(note)].append(note)
    return found


@pytest.mark.loaded(START, before=sell)
async def test_each_step_agrees_with_an_independent_computation(account: Account, notes: list[Note]) -> None:
    for period in PERIODS:
        found = await load_revenue(account.engine, period, TODAY)
        assert found.now == amount(within(notes, period)), period
        assert found.before == amount(within(notes, period.year_before)), period
        key = {"dia": day, "mes": lambda n: day(n).replace(day=1)}[found.step]
        now = grouped(within(notes, period), key)
        assert {step.inicio: step.now for step in found.steps if step.now != Amount()} == {
            first: amount(group) for first, group in now.items()
        }
        assert found.steps == await load_steps(account.engine, period)
        firsts = [step.inicio for step in found.steps]
        assert firsts == sorted(set(firsts))
    assert {(await load_revenue(account.engine, period, TODAY)).step for period in PERIODS} == {"dia", "mes"}


@pytest.mark.slow
@pytest.mark.loaded(START, before=sell)
async def test_the_year_before_falls_in_the_same_step(account: Account, notes: list[Note]) -> None:
    november = ComparedPeriod(date(2025, 11, 1), date(2025, 11, 30))
    found = await load_revenue(account.engine, november, TODAY)
    for step in found.steps:
        earlier = step.inicio.replace(year=2024)
        assert step.before == amount(n for n in within(notes, ComparedPeriod(earlier, earlier)))
    february = await load_revenue(account.engine, ComparedPeriod(date(2025, 2, 1), date(2025, 2, 28)), TODAY)
    leap = amount(within(notes, ComparedPeriod(date(2024, 2, 28), date(2024, 2, 29))))
    assert february.steps[-1].before == leap, "o dia 29 soma no 28"
    assert leap.vendas >= 1


@pytest.mark.slow
@pytest.mark.loaded(START, before=sell)
async def test_the_breakdowns_agree_with_an_independent_computation(
    account: Account, bling: Bling, notes: list[Note]
) -> None:
    for period in PERIODS:
        inside = within(notes, period)
        valid = [note for note in inside if note["situacao"] in VALID]
        whole, sales = total(valid), [note for note in valid if sold(note) is not None]
        ufs = await load_breakdown(account.engine, period, "ufs")
        assert {part.key: part.amount for part in ufs.rows} == {
            uf: amount(g) for uf, g in grouped(inside, lambda n: n["contato"]["endereco"]["uf"] or None).items()
        }
        customers = await load_breakdown(account.engine, period, "clientes")
        assert {part.key: part.amount for part in customers.rows} == {
            c: amount(g) for c, g in grouped(inside, lambda n: n["contato"]["id"] or None).items()
        }
        assert ufs.whole == customers.whole == whole
        products = await load_breakdown(account.engine, period, "produtos")
        by_sku = {part.key: (part.amount.vendas, part.quantidade, part.amount.valor) for part in products.rows}
        assert by_sku == _by_sku(inside)
        payments = await load_breakdown(account.engine, period, "pagamentos")
        assert {part.key: (part.parcelas, part.amount.valor) for part in payments.rows} == _by_method(sales)
        names = bling.company.payment_methods
        for part in payments.rows:
            if part.key in names:
                assert part.nome == names[part.key]["descricao"]
        operations = await load_breakdown(account.engine, period, "operacoes")
        assert {part.key: (part.amount.vendas, part.amount.valor) for part in operations.rows} == _by_operation(valid)
        for each in (ufs, customers, products, payments, operations):
            values = [part.amount.valor for part in each.rows]
            assert values == sorted(values, reverse=True)
            assert (each.of, each.whole) == (len(each.rows), sum(values, Decimal(0)))


def _by_operation(notes: Iterable[Note]) -> dict[str, tuple[int, Decimal]]:
    found: dict[str, tuple[int, Decimal]] = {}
    for note in notes:
        for kind, value in parts(note).items():
            count, before = found.get(kind, (0, Decimal(0)))
            found[kind] = count + 1, before + value
    return found


def _by_sku(notes: Iterable[Note]) -> dict[str | None, tuple[int, Decimal, Decimal]]:
    ids: defaultdict[str | None, set[int]] = defaultdict(set)
    quantity: defaultdict[str | None, Decimal] = defaultdict(Decimal)
    value: defaultdict[str | None, Decimal] = defaultdict(Decimal)
    for note in notes:
        for line in note["itens"]:
            sku = line["codigo"] or None
            valid = note["situacao"] in VALID and line in sold_lines(note)
            ids[sku] |= {note["id"]} if valid else set()
            quantity[sku] += Decimal(str(line["quantidade"])) if valid else 0
            value[sku] += Decimal(str(line["valorTotal"])) if valid else 0
    return {sku: (len(ids[sku]), quantity[sku], value[sku]) for sku in ids}


def _by_method(notes: Iterable[Note]) -> dict[int | None, tuple[int, Decimal]]:
    found: dict[int | None, tuple[int, Decimal]] = {}
    for note in notes:
        for parcel in note["parcelas"]:
            method = parcel["formaPagamento"]["id"] or None
            count, value = found.get(method, (0, Decimal(0)))
            found[method] = count + 1, value + Decimal(str(parcel["valor"]))
    return found


@pytest.mark.slow
@pytest.mark.loaded(START, before=sell)
async def test_it_agrees_with_the_views(account: Account, notes: list[Note]) -> None:
    """O que o painel diz é o que o analista lê, até no nome."""
    found = await load_revenue(account.engine, EVER, TODAY)
    months = await rows(
        account.engine,
        "SELECT mes, notas, valor, canceladas, valor_cancelado, valor_a_parte FROM vw_faturamento_mes ORDER BY 1",
    )
    assert [(s.inicio, *_values(s.now)) for s in found.steps if s.now != Amount()] == months
    page = (Path(__file__).parents[2] / "docs" / "modelo-de-dados.md").read_text("utf-8").partition("```sql\n")[2]
    first = await rows(account.engine, page.partition(";")[0])
    assert first == [(mes, notas, valor, beside) for mes, notas, valor, _, _, beside in months]
    november = ComparedPeriod(date(2025, 11, 1), date(2025, 11, 30))
    for name, view, columns in (
        ("ufs", "vw_faturamento_uf", "uf, notas, valor, canceladas, valor_cancelado"),
        ("pagamentos", "vw_pagamentos_mes", "forma_pagamento_id, parcelas, valor"),
    ):
        stored = await rows(account.engine, f"SELECT {columns} FROM {view} WHERE mes = '2025-11-01'")
        mine = await load_breakdown(account.engine, november, name)
        assert {part.key: _told(part, columns) for part in mine.rows} == {row[0]: row for row in stored}
    for name, view, columns in (
        ("clientes", "vw_faturamento_cliente", "contato_id, nome, documento, notas, valor, canceladas"),
        ("produtos", "vw_faturamento_produto", "codigo_produto, nome, categoria, notas, quantidade, valor"),
    ):
        stored = await rows(
            account.engine, f"SELECT {columns} FROM {view} WHERE {columns.partition(',')[0]} IS NOT NULL"
        )
        mine = await load_breakdown(account.engine, EVER, name)
        shown = {part.key: _told(part, columns) for part in mine.rows if part.key is not None}
        assert shown == {row[0]: row for row in stored}, view


def _told(part: Part, columns: str) -> tuple[Any, ...]:
    """O que a linha diz, nas colunas da view; a primeira é a da chave."""
    whole = vars(part) | vars(part.amount) | {"notas": part.amount.vendas}
    return part.key, *(whole[column] for column in columns.split(", ")[1:])


def _values(found: Amount) -> tuple[int, Decimal, int, Decimal, Decimal]:
    return found.vendas, found.valor, found.canceladas, found.valor_cancelado, found.valor_a_parte


@pytest.mark.slow
@pytest.mark.loaded(START, before=sell)
async def test_only_the_first_ones_and_how_many_there_are(account: Account, notes: list[Note]) -> None:
    most = await load_breakdowns(account.engine, EVER, most=3)
    for name, found in most.items():
        whole = await load_breakdown(account.engine, EVER, name)
        assert found.rows == whole.rows[:3], name
        assert (found.of, found.whole) == (whole.of, whole.whole), name


@pytest.mark.slow
@pytest.mark.loaded(START, before=sell)
async def test_notas_without_a_date_or_of_another_century_are_said(account: Account, notes: list[Note]) -> None:
    ids = [note["id"] for note in notes if note["situacao"] == 6 and sold(note) == note["valorNota"]][:3]
    for id_, value in zip(ids, ("NULL", "'0001-01-01'", "'2099-12-31 10:00'"), strict=True):
        await execute(account.engine, f"UPDATE nfe_cabecalho SET data_emissao = {value} WHERE id = :id", id=id_)
    period = await load_period(account.engine, TODAY, preset="tudo")
    assert period.inicio > date(2020, 12, 31)
    assert period.fim <= TODAY + timedelta(days=366)
    found = await load_revenue(account.engine, period, TODAY)
    assert found.bounds.undated == 3
    assert found.bounds.undated_value == total(note for note in notes if note["id"] in ids)
    (stored,) = await rows(account.engine, "SELECT count(*), sum(valor_venda) FROM vw_nfe_validas")
    assert (found.now.vendas + 3, found.now.valor + found.bounds.undated_value) == stored


async def test_an_empty_database_adds_up_to_zero(account: Account) -> None:
    period = await load_period(account.engine, TODAY)
    found = await load_revenue(account.engine, period, TODAY)
    assert (found.now, found.before, len(found.steps)) == (Amount(), Amount(), 12)
    assert found.bounds.first is None
    assert not found.comparable
    assert found.now.mean is None
    assert found.now.cancelled_share is None
    for each in (await load_breakdowns(account.engine, period, most=10)).values():
        assert (each.rows, each.of, each.whole) == ([], 0, Decimal(0))


@pytest.mark.slow
@pytest.mark.loaded(START, before=sell)
async def test_many_years_are_shown_by_year(account: Account, notes: list[Note]) -> None:
    found = await load_revenue(account.engine, ComparedPeriod(date(2015, 5, 1), TODAY), TODAY)
    assert found.step == "ano"
    assert [step.inicio.year for step in found.steps] == list(range(2015, 2027))
    for step in found.steps:
        whole = ComparedPeriod(step.inicio, date(step.inicio.year, 12, 31))
        assert step.now == amount(within(notes, whole))
    assert found.steps[-1].before == amount(within(notes, ComparedPeriod(date(2025, 1, 1), date(2025, 2, 20))))


async def test_the_other_notas_of_the_period_are_said_and_not_counted(account: Account) -> None:
    period = ComparedPeriod(date(2025, 1, 1), date(2025, 1, 31))
    assert (await load_revenue(account.engine, period, TODAY)).besides == {}
    await execute(
        account.engine,
        "INSERT INTO nfce_cabecalho (id, situacao, data_emissao, total_nota, excluida_em) VALUES"
        " (1, 5, '2025-01-31 23:59:59', 10.10, NULL), (2, 6, '2025-01-01', 20, NULL), (3, 2, '2025-01-02', 9, NULL),"
        " (4, 5, '2025-01-02', 9, now()), (5, 5, '2025-02-01', 9, NULL)",
        "INSERT INTO nfse (id, situacao, data_emissao, valor) VALUES (1, 1, '2025-01-31', 7), (2, 3, '2025-01-31', 9)",
    )
    found = await load_revenue(account.engine, period, TODAY)
    assert found.besides == {"nfce": (2, Decimal("30.10")), "nfse": (1, Decimal(7))}
    assert found.now.valor == 0
