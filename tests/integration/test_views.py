"""As views dos relatórios, cada uma contra a conta feita por fora, do JSON do simulador."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.collecting import rows
from tests.support.proving import START, at, execute, outgoing, twin
from tests.support.selling import apart, issue_odd, parts, sold, sold_lines

from bling_collector.db import schema
from bling_collector.payload import dumps
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

VALID = (5, 6, 7)
Note = dict[str, Any]


def sell(bling: Bling) -> int:
    """Notas em toda situação; devolve a que há de ser excluída."""
    model = outgoing(bling, 6)[-1]
    for situacao in range(1, 12):
        twin(bling, model, emitted_at=at(f"2025-11-{situacao:02} 23:59:59"), situacao=situacao)
    bling.issue_note(emitted_at=at("2025-11-30 08:00:00"), contact_id=0)
    issue_odd(bling, "2025-11-29")
    return twin(bling, model, emitted_at=at("2025-12-01 00:00:00"))


@pytest.fixture
async def notes(account: Account, bling: Bling, changed: int) -> list[Note]:
    """A história coletada, com notas em toda situação e uma excluída; devolve as que existem no Bling."""
    doomed = changed
    bling.delete_note(doomed)
    await account.pipeline.reconcile(date(2025, 12, 1), repair=True)
    assert await rows(account.engine, "SELECT id FROM nfe_cabecalho WHERE excluida_em IS NOT NULL") == [(doomed,)]
    return [note for note in bling.notes.values() if note["tipo"] == 1]


def moment(note: Note) -> datetime:
    return datetime.fromisoformat(note["dataEmissao"])


def month(note: Note) -> date:
    return moment(note).date().replace(day=1)


def total(notes: Iterable[Note]) -> Decimal:
    return sum((sold(note) or Decimal(0) for note in notes), Decimal(0))


def grouped(notes: Iterable[Note], key: Callable[[Note], Any]) -> dict[Any, list[Note]]:
    found: defaultdict[Any, list[Note]] = defaultdict(list)
    for note in notes:
        found[key(note)].append(note)
    return found


def sales(notes: Iterable[Note]) -> list[Note]:
    return [note for note in notes if note["situacao"] in VALID and sold(note) is not None]


def cancelled(notes: Iterable[Note]) -> list[Note]:
    return [note for note in notes if note["situacao"] == 2 and sold(note) is not None]


def sums(notes: list[Note]) -> tuple[int, Decimal, int, Decimal, Decimal]:
    """Vendas e valor, as canceladas, e o que não é venda."""
    beside = sum((apart(note) for note in notes if note["situacao"] in VALID), Decimal(0))
    return len(sales(notes)), total(sales(notes)), len(cancelled(notes)), total(cancelled(notes)), beside


def contact(note: Note) -> int | None:
    return note["contato"]["id"] or None


@pytest.mark.loaded(START, before=sell)
async def test_each_view_agrees_with_an_independent_computation(
    account: Account, bling: Bling, notes: list[Note]
) -> None:
    counted = [note for note in notes if note["situacao"] in (2, *VALID)]
    await _validas(account, notes)
    await _situacoes(account, notes)
    for view, keys, key in (
        ("vw_faturamento_dia", "dia", lambda n: (moment(n).date(),)),
        ("vw_faturamento_mes", "mes", lambda n: (month(n),)),
        ("vw_faturamento_uf", "mes, uf", lambda n: (month(n), n["contato"]["endereco"]["uf"] or None)),
        ("vw_faturamento_cliente", "contato_id", lambda n: (contact(n),)),
    ):
        stored = await rows(
            account.engine, f"SELECT notas, valor, canceladas, valor_cancelado, valor_a_parte, {keys} FROM {view}"
        )
        assert len({row[5:] for row in stored}) == len(stored), f"{view}: a mesma linha duas vezes"
        assert {row[5:]: row[:5] for row in stored} == {k: sums(g) for k, g in grouped(counted, key).items()}, view
    await _clientes(account, bling, counted)
    await _produtos(account, bling, counted)
    await _abc(
        account, "vw_abc_clientes", "contato_id", {c: total(g) for c, g in grouped(sales(notes), contact).items()}
    )
    await _abc(account, "vw_abc_produtos", "codigo_produto", _by_sku(sales(notes)))
    await _pagamentos(account, bling, notes)
    await _saidas(account, notes)
    await _decimal_places(account)


async def _saidas(account: Account, notes: list[Note]) -> None:
    stored = await rows(account.engine, "SELECT mes, operacao, notas, valor FROM vw_saidas_mes WHERE notas > 0")
    expected: dict[Any, list[Decimal]] = defaultdict(list)
    for note in notes:
        for kind, value in parts(note).items() if note["situacao"] in VALID else ():
            expected[month(note), kind].append(value)
    assert {row[:2]: row[2:] for row in stored} == {k: (len(v), sum(v)) for k, v in expected.items()}
    assert {kind for _, kind in expected} >= {"venda", "devolucao", "transferencia", "remessa", "outra", "complementar"}
    assert {kind for _, kind in expected} >= {"ajuste", "credito", "debito", "desconhecida"}


async def _decimal_places(account: Account) -> None:
    """Dinheiro com duas casas, participações com quatro."""
    columns = await rows(
        account.engine,
        """
        SELECT table_name, column_name FROM information_schema.columns
        WHERE table_name LIKE 'vw_%' AND table_name !~ 'nfe|itens|estoque|margem|custos' AND data_type = 'numeric'
          AND column_name <> 'quantidade'
        """,
    )
    assert len(columns) > 25
    for view, column in columns:
        places = await rows(account.engine, f"SELECT DISTINCT scale({column}) FROM {view} WHERE {column} IS NOT NULL")
        assert {*places} <= {(4 if column in ("participacao", "acumulado") else 2,)}, (view, column)


async def _validas(account: Account, notes: list[Note]) -> None:
    found = {row[0] for row in await rows(account.engine, "SELECT id FROM vw_nfe_validas")}
    assert found == {note["id"] for note in sales(notes)}
    columns = "SELECT column_name FROM information_schema.columns WHERE table_name = :t ORDER BY ordinal_position"
    named = await rows(account.engine, columns, t="nfe_cabecalho")
    assert await rows(account.engine, columns, t="vw_nfe_validas") == [*named, ("valor_venda",)]
    stored = dict(await rows(account.engine, "SELECT id, valor_venda FROM vw_nfe_validas"))
    assert stored == {note["id"]: sold(note) for note in sales(notes)}


async def _situacoes(account: Account, notes: list[Note]) -> None:
    stored = await rows(account.engine, "SELECT mes, situacao, notas, valor, descricao FROM vw_notas_por_situacao")
    groups = grouped(notes, lambda n: (month(n), n["situacao"]))
    expected = {k: (len(g), sum(Decimal(str(n["valorNota"])) for n in g)) for k, g in groups.items()}
    assert {row[:2]: row[2:4] for row in stored} == expected
    names = {row[1]: row[4] for row in stored}
    assert names.keys() == set(range(1, 12))
    assert (names[1], names[2], names[6], names[9]) == ("Pendente", "Cancelada", "Emitida DANFE", "Denegada")


async def _clientes(account: Account, bling: Bling, counted: list[Note]) -> None:
    stored = await rows(
        account.engine, "SELECT contato_id, nome, documento, primeira_compra, ultima_compra FROM vw_faturamento_cliente"
    )
    last = await rows(
        account.engine, "SELECT contato_id, nfe_id, data_emissao, total_nota, nome FROM vw_ultima_compra_cliente"
    )
    groups = grouped(counted, contact)
    assert {row[0]: row[3:] for row in stored} == {
        c: (
            min((moment(n) for n in sales(g)), default=None),
            max((moment(n) for n in sales(g)), default=None),
        )
        for c, g in groups.items()
    }
    for c, nome, documento, *_ in stored:
        entry = bling.company.contacts.entries.get(c or -1)
        if entry is not None and not entry.deleted:
            assert (nome, documento) == (entry.detail["nome"], entry.detail["numeroDocumento"] or None)
    newest = {
        c: max(sales(g), key=lambda n: (moment(n), n["id"])) for c, g in groups.items() if c is not None and sales(g)
    }
    assert {row[0]: row[1:4] for row in last} == {
        c: (n["id"], moment(n), Decimal(str(n["valorNota"]))) for c, n in newest.items()
    }
    assert len(last) == len(newest)


@pytest.mark.slow
@pytest.mark.loaded(START, before=sell)
async def test_an_exception_of_the_empresa_takes_effect_at_once(account: Account, notes: list[Note]) -> None:
    """O x949 que para esta empresa é venda; e o que a tabela oficial não tem."""
    before = await rows(account.engine, "SELECT sum(valor), sum(valor_a_parte) FROM vw_faturamento_mes")
    valid = [note for note in notes if note["situacao"] in VALID]
    odd = sum(
        (parts(n).get("outra", 0) + parts(n).get("desconhecida", 0) for n in valid if n["finalidade"] == 1), Decimal(0)
    )
    await execute(
        account.engine,
        "INSERT INTO cfops_da_empresa SELECT cfop, 'venda', 'revenda' FROM cfops WHERE cfop LIKE '%949'",
        "INSERT INTO cfops_da_empresa VALUES ('5999', 'venda')",
    )
    after = await rows(account.engine, "SELECT sum(valor), sum(valor_a_parte) FROM vw_faturamento_mes")
    assert after == [(before[0][0] + odd, before[0][1] - odd)]
    assert odd > 0
    products = "SELECT sum(valor), sum(valor_a_parte) FROM vw_faturamento_produto"
    assert (await rows(account.engine, products))[0][0] > 0
    names = await rows(
        account.engine, "SELECT operacao, da_empresa FROM vw_cfops WHERE cfop IN ('5102', '5999') ORDER BY cfop"
    )
    assert names == [("venda", False), ("venda", True)]


async def test_what_has_no_code_nor_register_has_the_name_of_nobody(engine: AsyncEngine) -> None:
    await execute(
        engine,
        "INSERT INTO nfe_cabecalho (id, situacao, tipo, data_emissao, total_nota, contato_nome, contato_documento)"
        " VALUES (1, 5, 1, '2026-01-05', 900, 'Maria de Ninguém', '11144477735'),"
        " (2, 5, 1, '2026-01-06', 50, 'Pedro Também Sem', '52998224725')",
        "INSERT INTO nfe_itens (id, nfe_id, ordem, descricao_produto, quantidade, valor_total) VALUES"
        " (1, 1, 1, 'Engrenagem avulsa', 1, 900), (2, 2, 1, 'Pinhão avulso', 1, 50)",
        "INSERT INTO pedidos_venda (id, data, total) VALUES (1, '2026-01-05', 900)",
        "INSERT INTO pedidos_venda_itens (pedido_id, ordem, descricao, quantidade, valor_unitario) VALUES"
        " (1, 1, 'Engrenagem avulsa', 1, 850), (1, 2, 'Pinhão avulso', 1, 50)",
    )
    asked = "SELECT nome, documento, valor FROM {view}"
    for view in ("vw_faturamento_cliente", "vw_abc_clientes"):
        assert await rows(engine, asked.format(view=view)) == [("Sem cadastro no Bling", None, 950)], view
    for view in ("vw_faturamento_produto", "vw_abc_produtos", "vw_pedidos_produto"):
        found = await rows(engine, asked.format(view=view).replace("documento, valor", "valor"))
        assert found == [("Sem código", 950 if "pedidos" not in view else 900)], view
    assert await rows(engine, "SELECT nome, receita FROM vw_margem_produto") == [("Sem código", 900)]


def _by_sku(notes: Iterable[Note]) -> dict[str | None, Decimal]:
    sums: defaultdict[str | None, Decimal] = defaultdict(Decimal)
    for note in notes:
        for line in sold_lines(note):
            sums[line["codigo"] or None] += Decimal(str(line["valorTotal"]))
    return sums


async def _produtos(account: Account, bling: Bling, counted: list[Note]) -> None:
    stored = await rows(
        account.engine,
        "SELECT codigo_produto, notas, quantidade, valor, valor_cancelado, nome FROM vw_faturamento_produto",
    )
    assert len({row[0] for row in stored}) == len(stored)
    notas: defaultdict[str | None, set[int]] = defaultdict(set)
    quantity: defaultdict[str | None, Decimal] = defaultdict(Decimal)
    for note in sales(counted):
        for line in sold_lines(note):
            notas[line["codigo"] or None].add(note["id"])
            quantity[line["codigo"] or None] += Decimal(str(line["quantidade"]))
    value, lost = _by_sku(sales(counted)), _by_sku(cancelled(counted))
    assert {row[0]: row[1:5] for row in stored} == {
        sku: (len(notas[sku]), quantity[sku], value[sku], lost[sku])
        for sku in {line["codigo"] or None for note in counted for line in note["itens"]}
    }
    living = defaultdict(list)
    for entry in bling.company.products.entries.values():
        if not entry.deleted:
            living[entry.detail["codigo"]].append(entry.detail["nome"])
    names = {row[0]: row[5] for row in stored}
    assert all(names[sku] == living[sku][0] for sku in names if len(living[sku]) == 1)


async def _abc(account: Account, view: str, key: str, values: dict[Any, Decimal]) -> None:
    """A soma corre até 80 % e 95 %; quem atravessa o limite ainda é da classe de baixo."""
    stored = await rows(
        account.engine, f"SELECT {key}, valor, participacao, acumulado, classe FROM {view} ORDER BY posicao"
    )
    positive = {k: v for k, v in values.items() if v > 0}
    assert {row[0]: row[1] for row in stored} == positive
    assert [row[1] for row in stored] == sorted(positive.values(), reverse=True)
    whole, running = sum(positive.values(), Decimal(0)), Decimal(0)
    for _, value, share, cumulative, kind in stored:
        expected = "A" if running / whole < Decimal("0.8") else "B" if running / whole < Decimal("0.95") else "C"
        running += value
        assert kind == expected
        assert abs(share - value / whole) < Decimal("0.00005")
        assert abs(cumulative - running / whole) < Decimal("0.00005")
    assert {row[4] for row in stored} == {"A", "B", "C"}


async def _pagamentos(account: Account, bling: Bling, notes: list[Note]) -> None:
    expected: defaultdict[Any, list[Any]] = defaultdict(lambda: [0, set(), Decimal(0)])
    methods = bling.company.payment_methods
    for note in sales(notes):
        for parcel in note["parcelas"]:
            forma = parcel["formaPagamento"]["id"] or None
            tipo = methods[forma]["tipoPagamento"] if forma in methods else None
            entry = expected[month(note), tipo, forma]
            entry[0] += 1
            entry[1].add(note["id"])
            entry[2] += Decimal(str(parcel["valor"]))
    stored = await rows(
        account.engine, "SELECT mes, tipo_pagamento, forma_pagamento_id, parcelas, notas, valor FROM vw_pagamentos_mes"
    )
    assert {row[:3]: row[3:] for row in stored} == {k: (n, len(ids), v) for k, (n, ids, v) in expected.items()}
    names = dict(await rows(account.engine, "SELECT forma_pagamento_id, forma_pagamento FROM vw_pagamentos_mes"))
    assert all(names[forma] == methods[forma]["descricao"] for forma in names if forma in methods)


@pytest.mark.slow
@pytest.mark.loaded(START, before=sell)
async def test_an_older_database_gets_the_operacoes_and_keeps_its_readers_views(
    account: Account, notes: list[Note], empty_engine: AsyncEngine
) -> None:
    """A migração tira do JSON guardado o mesmo que a coleta grava."""
    old = "SELECT to_jsonb(t) - 'cfop' - 'cfops' FROM {} t"
    kept = {table: await rows(account.engine, old.format(table)) for table in ("nfe_cabecalho", "nfe_itens")}
    async with empty_engine.begin() as connection:
        await connection.run_sync(schema.migrate, "0005")
        for table, stored in kept.items():
            fill = f"INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, CAST(:rows AS jsonb))"
            await connection.execute(text(fill), {"rows": dumps([row for (row,) in stored])})
        await connection.execute(text("CREATE VIEW meus_meses AS SELECT mes, valor FROM vw_faturamento_mes"))
        await connection.execute(text("CREATE VIEW minhas_notas AS SELECT * FROM vw_nfe_validas"))
    await schema.upgrade(empty_engine)
    for query in (
        "SELECT id, cfop, cfops FROM nfe_cabecalho ORDER BY 1",
        "SELECT nfe_id, ordem, cfop, cfops FROM nfe_itens ORDER BY 1, 2",
        "SELECT * FROM vw_faturamento_dia ORDER BY 1",
        "SELECT codigo_produto, quantidade, valor, valor_a_parte FROM vw_faturamento_produto ORDER BY 1",
    ):
        assert await rows(empty_engine, query) == await rows(account.engine, query), query
    assert await rows(empty_engine, "SELECT * FROM meus_meses ORDER BY 1") == await rows(
        account.engine, "SELECT mes, valor FROM vw_faturamento_mes ORDER BY 1"
    )


async def test_every_view_says_what_it_is(account: Account) -> None:
    views = await rows(
        account.engine,
        "SELECT relname, obj_description(oid) FROM pg_class WHERE relkind = 'v' AND relname LIKE 'vw_%'",
    )
    assert len(views) >= 12
    assert [name for name, comment in views if not comment] == []
    said = dict(views)
    for word in ("canceladas", "denegadas", "pendentes", "excluídas"):
        assert word in said["vw_nfe_validas"]


async def test_the_views_of_an_empty_database_do_not_fail(account: Account) -> None:
    for (name,) in await rows(
        account.engine, "SELECT viewname FROM pg_views WHERE viewname LIKE 'vw_%' AND viewname <> 'vw_cfops'"
    ):
        assert await rows(account.engine, f"SELECT * FROM {name}") == [], name
