"""A numeração: toda lacuna sem explicação é dita, com as notas dos dois lados, e nenhuma outra."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.collecting import rows
from tests.support.fakes import FakeClock
from tests.support.proving import DAY, START, at, execute, outgoing

from bling_collector.db.reports import numbering
from bling_collector.db.resources.gaps import Edge, Gap
from bling_collector.errors import UsageError
from bling_collector.insight.proof.numbering import Repeated, UnknownSerieError, load_numbering
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling


def numbers(bling: Bling, serie: int) -> dict[int, int]:
    """Número → id das notas de saída da série."""
    return {int(bling.notes[i]["numero"]): i for i in outgoing(bling) if bling.notes[i]["serie"] == serie}


def side(bling: Bling, id_: int) -> Edge:
    note = bling.notes[id_]
    return Edge(int(note["numero"]), id_, at(note["dataEmissao"]))


@pytest.mark.loaded(START)
async def test_a_history_without_lacunas_has_only_explained_numbers(account: Account, bling: Bling) -> None:
    found = {each.serie: each for each in await load_numbering(account.engine)}
    series = {bling.notes[i]["serie"] for i in outgoing(bling)}
    assert found.keys() == series
    for serie, each in found.items():
        mine = numbers(bling, serie)
        assert (each.primeiro, each.ultimo, each.numeros) == (min(mine), max(mine), len(mine))
        assert (each.sem_explicacao, each.repetidas) == ([], [])
        explained = {
            number: {2: "cancelada", 9: "denegada"}[bling.notes[id_]["situacao"]]
            for number, id_ in mine.items()
            if bling.notes[id_]["situacao"] in (2, 9)
        }
        assert {row.numero: row.motivo for row in each.explicadas} == explained


async def test_the_planted_lacunas_are_said_and_no_other(account: Account, bling: Bling) -> None:
    mine = numbers(bling, 1)
    last = max(mine)
    before = mine[last]
    bling.notebook._numbers[1] += 3  # três números que ninguém emitiu
    after = bling.issue_note()
    pending = bling.issue_note(situacao=1)
    denied = bling.issue_note(situacao=9)
    other = [bling.issue_note(serie=7, emitted_at=at("2026-02-19 10:00:00")) for _ in range(2)]
    bling.notebook._numbers[7] += 1
    other.append(bling.issue_note(serie=7))
    await account.pipeline.run_full(START)
    bling.delete_note(pending)
    await account.pipeline.run()
    lost = sorted(mine)[5]
    victim = mine[lost]
    await execute(
        account.engine,
        "DELETE FROM nfe_itens WHERE nfe_id = :id",
        "DELETE FROM nfe_pagamentos WHERE nfe_id = :id",
        "DELETE FROM nfe_cabecalho WHERE id = :id",
        id=victim,
    )
    found = {each.serie: each for each in await load_numbering(account.engine)}
    assert found[1].sem_explicacao == [
        Gap(lost, lost, 1, side(bling, mine[lost - 1]), side(bling, mine[lost + 1])),
        Gap(last + 1, last + 3, 3, side(bling, before), side(bling, after)),
    ]
    reasons = {row.id: row.motivo for row in found[1].explicadas}
    assert (reasons[pending], reasons[denied]) == ("excluida", "denegada")
    assert [(gap.de, gap.ate) for gap in found[7].sem_explicacao] == [(3, 3)]
    assert (found[7].primeiro, found[7].ultimo, found[7].numeros) == (1, 4, 3)
    assert all(each.sem_explicacao == [] for serie, each in found.items() if serie not in (1, 7))
    assert await load_numbering(account.engine, 7) == [found[7]]


@pytest.mark.slow
async def test_repeated_ones_and_numbers_that_are_no_numbers(account: Account, bling: Bling) -> None:
    first = bling.issue_note(serie=5)
    second = bling.issue_note(serie=5, numero=bling.notes[first]["numero"])
    bling.issue_note(serie=5, numero="1A")
    bling.issue_note(serie=5, numero="")
    bling.issue_note(serie=5, numero="9" * 25)
    cancelled = bling.issue_note(serie=5, situacao=2, numero="000002")
    reissued = bling.issue_note(serie=5, numero="2")
    await account.pipeline.run()
    (found,) = await load_numbering(account.engine, 5)
    assert (found.primeiro, found.ultimo, found.numeros) == (1, 2, 2)
    assert found.repetidas == [
        Repeated(1, sorted([first, second])),
        Repeated(2, sorted([cancelled, reissued])),
    ]
    assert (found.sem_explicacao, found.explicadas) == ([], []), "o número 2 tem uma nota que vale"


@pytest.mark.slow
async def test_the_notas_of_the_first_collector_count_in_serie_zero(account: Account, bling: Bling) -> None:
    await account.pipeline.run()
    await execute(account.engine, "UPDATE nfe_cabecalho SET serie = NULL, tipo = NULL, numero = '7' WHERE serie = 1")
    (found,) = await load_numbering(account.engine, 0)
    assert (found.serie, found.numeros) == (0, 1)


@pytest.mark.slow
async def test_a_serie_that_does_not_exist(account: Account, bling: Bling) -> None:
    assert await load_numbering(account.engine) == []
    await account.pipeline.run()
    with pytest.raises(UnknownSerieError, match="série 99"):
        await load_numbering(account.engine, 99)


async def test_the_numbering_is_read_from_the_index(engine: AsyncEngine) -> None:
    """As notas, largas por causa do JSON, nem são abertas: com cem mil, 0,4 s em vez de 2,6 s (medido)."""
    async with engine.begin() as connection:
        await connection.execute(
            text("""
                INSERT INTO nfe_cabecalho (id, numero, serie, situacao)
                SELECT i, lpad(i::text, 6, '0'), 1, 6 FROM generate_series(1, 3000) i""")
        )
        await connection.execute(text("ANALYZE nfe_cabecalho"))
        for node in ("seqscan", "bitmapscan"):  # numa tabela pequena o plano não importa: importa que o índice sirva
            await connection.execute(text(f"SET LOCAL enable_{node} = off"))
        for query in numbering.statements("nfe"):
            plan = (await connection.execute(text(f"EXPLAIN {query.text}"), {"serie": None})).scalars().all()
            assert "Index Only Scan using ix_nfe_cabecalho_numeracao" in "\n".join(plan)
            assert "Seq Scan" not in "\n".join(plan)


@pytest.mark.slow
async def test_an_incoming_nota_of_our_own_explains_its_number(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    """Divide a série com as de saída; a de um fornecedor, com a chave dele, não explica nada."""
    first = bling.issue_note(serie=4, emitted_at=at("2026-01-05 10:00:00"))
    own = [bling.issue_note(serie=4, tipo=0, own=True, emitted_at=at(f"2026-01-{day:02} 10:00:00")) for day in (6, 7)]
    bling.edit_note(own[1], situacao=2)
    bling.notebook._numbers[4] += 1  # um número que ninguém emitiu
    bling.issue_note(serie=4, tipo=0, numero="000004", emitted_at=at("2026-01-08 10:00:00"))
    last = bling.issue_note(serie=4, emitted_at=at("2026-01-09 10:00:00"))
    await account.pipeline.run_full(START)
    (found,) = await load_numbering(account.engine, 4)
    assert [(row.numero, row.motivo, row.id) for row in found.explicadas] == [
        (2, "entrada", own[0]),
        (3, "entrada", own[1]),
    ]
    assert found.sem_explicacao == [Gap(4, 4, 1, side(bling, first), side(bling, last))]
    assert not set(own) & {id_ for (id_,) in await rows(account.engine, "SELECT id FROM nfe_cabecalho")}
    # A lacuna de hoje é explicada hoje, e não só daqui a uma semana.
    clock.advance(DAY)
    for tipo in (1, 0, 1):
        bling.issue_note(serie=5, tipo=tipo, own=True)
    await account.pipeline.run()
    (found,) = await load_numbering(account.engine, 5)
    assert (found.sem_explicacao, [row.motivo for row in found.explicadas]) == ([], ["entrada"])


async def test_the_coupons_and_the_orders_have_sequences_too(engine: AsyncEngine) -> None:
    await execute(
        engine,
        "INSERT INTO nfce_cabecalho (id, serie, numero, situacao, tipo) VALUES"
        " (1, 1, '1', 5, 1), (2, 1, '2', 2, 1), (3, 1, '5', 5, 1), (4, 2, '9', 5, 1)",
        "INSERT INTO pedidos_venda (id, numero, data) VALUES (1, 10, '2026-02-01'), (2, 12, '2026-02-02')",
        "INSERT INTO pedidos_venda (id, numero, data, excluida_em) VALUES (3, 11, '2026-02-01', now())",
        "INSERT INTO pedidos_compra (id, numero, data) VALUES (1, 1, '2026-02-01'), (2, 4, NULL), (3, 4, NULL)",
    )
    one, two = await load_numbering(engine, recurso="nfce")
    assert [(each.numero, each.motivo) for each in one.explicadas] == [(2, "cancelada")]
    assert [(each.de, each.ate) for each in one.sem_explicacao] == [(3, 4)]
    assert (two.serie, two.sem_explicacao) == (2, [])
    (sales,) = await load_numbering(engine, recurso="pedidos_venda")
    assert [(each.numero, each.motivo) for each in sales.explicadas] == [(11, "excluida")]
    assert sales.sem_explicacao == []
    (purchases,) = await load_numbering(engine, recurso="pedidos_compra")
    assert [(each.de, each.ate) for each in purchases.sem_explicacao] == [(2, 3)]
    assert purchases.repetidas == [Repeated(4, [2, 3])]
    with pytest.raises(UsageError, match="nfce"):
        await load_numbering(engine, recurso="contatos")
