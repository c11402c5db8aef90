"""Gravar: criar, mudar, não tocar no igual, trocar as filhas, achar o registro que o banco recusa."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.collecting import rows, scalar

from bling_collector.db.models import contatos, nfe_cabecalho, nfe_pagamentos
from bling_collector.db.upsert import Upserted, insert, replace_children, upsert
from bling_collector.etl.resource import Child
from bling_collector.etl.save import Item, Saved, save
from bling_collector.payload import loads
from bling_collector.streams.notas.nfe import NFE

NOW = datetime(2026, 2, 20, 12, tzinfo=UTC)


def nota(id_: int, **changes: Any) -> dict[str, Any]:
    """Um detalhe pequeno de nota, com um item e uma parcela."""
    return {
        "id": id_,
        "numero": f"{id_:06d}",
        "situacao": 6,
        "dataEmissao": "2026-02-03 09:52:12",
        "valorNota": Decimal("4.90"),
        "contato": {"id": 77, "nome": "Cliente"},
        "itens": [{"codigo": "A", "quantidade": 1, "valor": Decimal("4.90"), "valorTotal": Decimal("4.90")}],
        "parcelas": [{"data": "2026-03-05", "valor": Decimal("4.90"), "formaPagamento": {"id": 5}}],
    } | changes


async def _save(engine: AsyncEngine, *notas: dict[str, Any], resumo: str = "r", now: datetime = NOW) -> Saved:
    async with engine.begin() as connection:
        return await save(connection, NFE, [Item(n, resumo) for n in notas], now)


async def test_it_creates_changes_and_does_not_touch_the_equal(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        first = [{"id": 1, "nome": "Um", "extraido_em": NOW}, {"id": 2, "nome": "Dois", "extraido_em": NOW}]
        assert await upsert(connection, contatos, first) == Upserted(frozenset({1, 2}), frozenset())
    later = NOW + timedelta(days=1)
    async with engine.begin() as connection:
        again = [{"id": 1, "nome": "Um", "extraido_em": later}, {"id": 2, "nome": "Outro", "extraido_em": later}]
        assert await upsert(connection, contatos, again) == Upserted(frozenset(), frozenset({2}))
    stored = await rows(engine, "SELECT id, nome, extraido_em FROM contatos ORDER BY id")
    assert stored == [(1, "Um", NOW), (2, "Outro", later)]


async def test_of_an_id_repeated_in_the_batch_the_last_counts(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await upsert(connection, contatos, [{"id": 1, "nome": "velho"}, {"id": 1, "nome": "novo"}])
    assert await rows(engine, "SELECT id, nome FROM contatos") == [(1, "novo")]


async def test_a_value_that_becomes_null_is_a_change(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await upsert(connection, contatos, [{"id": 1, "nome": "Um", "email": "a@b.example"}])
        done = await upsert(connection, contatos, [{"id": 1, "nome": "Um", "email": None}])
    assert done.updated == {1}
    assert await scalar(engine, "SELECT email FROM contatos") is None


async def test_no_rows_make_no_command(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        assert await upsert(connection, contatos, []) == Upserted(frozenset(), frozenset())
        await insert(connection, contatos, [])
        assert await save(connection, NFE, [], NOW) == Saved()


async def test_inserting_does_not_touch_what_already_exists(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await upsert(connection, contatos, [{"id": 1, "nome": "do cadastro"}])
        await insert(
            connection, contatos, [{"id": 1, "nome": "da nota"}, {"id": 2, "nome": "novo"}], ignore_present=True
        )
    assert await rows(engine, "SELECT id, nome FROM contatos ORDER BY 1") == [(1, "do cadastro"), (2, "novo")]


@pytest.mark.parametrize(
    "words",
    [
        "NUL \x00 no meio",
        "meio par \ud83d solto",
        "outro \ude00",
        "😀 inteiro",
        "barra \\u0000 escrita",
        "aspas \" ' \\",
        "\\\x00",
    ],
    ids=lambda value: ascii(value).replace("\\", "-"),
)
async def test_any_text_is_kept(engine: AsyncEngine, words: str) -> None:
    expected = words.replace("\x00", "").replace("\ud83d", "\ufffd").replace("\ude00", "\ufffd")
    outcome = await _save(engine, nota(1, numero=words, itens=[{"codigo": words, "descricao": words}]))
    assert outcome.created == {1}
    assert await scalar(engine, "SELECT numero FROM nfe_cabecalho") == expected
    assert await rows(engine, "SELECT codigo_produto, descricao_produto FROM nfe_itens") == [(expected, expected)]
    assert await scalar(engine, "SELECT detalhe->>'numero' FROM nfe_cabecalho") == expected
    assert await scalar(engine, "SELECT codigo_produto FROM vw_nfe_linhas") == expected


async def test_skus_the_database_stores_alike_are_a_single_item(engine: AsyncEngine) -> None:
    lines = [{"codigo": "A", "quantidade": 1}, {"codigo": "A\x00", "quantidade": 2}]
    assert (await _save(engine, nota(1, itens=lines))).refused == []
    assert await rows(engine, "SELECT codigo_produto, quantidade FROM nfe_itens") == [("A", Decimal(3))]


async def test_the_numbers_stay_exact(engine: AsyncEngine) -> None:
    text = '{"id": 1, "valorNota": 123456789012345678.90, "valorFrete": 0.1, "x": 1e-20,'
    text += ' "dataEmissao": "2026-02-03", "itens": [{"codigo": "A"}]}'
    await _save(engine, loads(text))
    stored = (await rows(engine, "SELECT total_nota, valor_frete, detalhe FROM nfe_cabecalho"))[0]
    assert stored[:2] == (Decimal("123456789012345678.90"), Decimal("0.1"))
    assert stored[2]["x"] == Decimal("1e-20")
    assert stored[2]["valorNota"] == Decimal("123456789012345678.90")


async def test_the_children_are_replaced_and_only_those_of_the_nota(engine: AsyncEngine) -> None:
    await _save(engine, nota(1), nota(2))
    changed = nota(1, itens=[{"codigo": "B", "quantidade": 2}, {"codigo": "C", "quantidade": 3}], parcelas=[])
    assert (await _save(engine, changed)).updated == {1}
    items = await rows(engine, "SELECT nfe_id, codigo_produto FROM nfe_itens ORDER BY 1, 2")
    assert items == [(1, "B"), (1, "C"), (2, "A")]
    assert await rows(engine, "SELECT nfe_id FROM nfe_pagamentos") == [(2,)]


async def test_the_children_of_another_resource_in_the_same_table_stay(engine: AsyncEngine) -> None:
    await _save(engine, nota(1))
    async with engine.begin() as connection:
        theirs = [{"nfe_id": 1, "valor": 9, "numero_parcela": 900}]
        await replace_children(connection, nfe_pagamentos, "nfe_id", [1], theirs, ours="numero_parcela >= 900")
    kept = "SELECT numero_parcela, valor FROM nfe_pagamentos ORDER BY 1"
    assert await rows(engine, kept) == [(1, Decimal("4.90")), (900, 9)]
    mine = replace(NFE, children=(Child(nfe_pagamentos, "nfe_id", ours="numero_parcela < 900"),))
    async with engine.begin() as connection:
        changed = nota(1, parcelas=[{"data": "2026-03-05", "valor": 7, "formaPagamento": {"id": 5}}])
        await save(connection, mine, [Item(changed, "r")], NOW)
    assert await rows(engine, kept) == [(1, 7), (900, 9)]


async def test_an_equal_nota_is_not_touched_and_neither_are_its_children(engine: AsyncEngine) -> None:
    await _save(engine, nota(1))
    before = await rows(engine, "SELECT id FROM nfe_itens UNION ALL SELECT id FROM nfe_pagamentos")
    outcome = await _save(engine, nota(1), now=NOW + timedelta(days=1))
    assert (outcome.created, outcome.updated, len(outcome.saved)) == (set(), set(), 1)
    assert await rows(engine, "SELECT id FROM nfe_itens UNION ALL SELECT id FROM nfe_pagamentos") == before
    assert await scalar(engine, "SELECT extraido_em FROM nfe_cabecalho") == NOW


async def test_a_nota_repeated_in_the_batch_does_not_double_its_children(engine: AsyncEngine) -> None:
    await _save(engine, nota(1), nota(1, valorNota=Decimal(9)))
    assert await scalar(engine, "SELECT total_nota FROM nfe_cabecalho") == 9
    assert await scalar(engine, "SELECT count(*) FROM nfe_itens") == 1


async def test_the_contato_of_a_nota_only_enters_where_none_is_registered(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await upsert(connection, contatos, [{"id": 77, "nome": "Do cadastro", "detalhe": {"id": 77}}])
    other = nota(2, contato={"id": 78, "nome": "Da nota", "endereco": {"uf": "RS"}})
    await _save(engine, nota(1), other, nota(3, contato={"id": 78, "nome": "Depois"}), nota(4, contato={"id": 0}))
    stored = await rows(engine, "SELECT id, nome, uf, detalhe IS NULL FROM contatos ORDER BY id")
    assert stored == [(77, "Do cadastro", None, False), (78, "Da nota", "RS", True)]


@pytest.mark.parametrize(
    "bad", [set(), {0}, {49}, {3, 4}, {1, 17, 33}, set(range(50))], ids=lambda b: f"{len(b)}-ruins"
)
async def test_the_bisection_finds_exactly_the_bad_ones(engine: AsyncEngine, bad: set[int]) -> None:
    notas = [nota(i, **({"x": Decimal("1e400000")} if i in bad else {})) for i in range(50)]
    outcome = await _save(engine, *notas)
    assert {item.document["id"] for item, _ in outcome.refused} == bad
    assert all(reason.startswith("o banco recusou o registro: ") for _, reason in outcome.refused)
    good = set(range(50)) - bad
    assert {item.document["id"] for item in outcome.saved} == good
    assert {id_ for (id_,) in await rows(engine, "SELECT id FROM nfe_cabecalho")} == good
    assert await scalar(engine, "SELECT count(*) FROM nfe_itens") == len(good)


async def test_one_that_cannot_be_read_is_refused_whole_and_alone(engine: AsyncEngine) -> None:
    whole = nota(1)
    await _save(engine, whole, nota(2))
    before = await rows(engine, "SELECT to_jsonb(n) FROM nfe_cabecalho n WHERE id = 1")
    outcome = await _save(engine, nota(1, valorNota="mil"), nota(2, valorNota=5), {"id": 3, "numero": "3"})
    assert [(item.document["id"], reason) for item, reason in outcome.refused] == [
        (1, "o registro não se lê inteiro: valorNota veio como «mil», e não como número"),
        (3, "o registro não se lê inteiro: dataEmissao não veio"),
    ]
    assert outcome.updated == {2}
    assert await rows(engine, "SELECT to_jsonb(n) FROM nfe_cabecalho n WHERE id = 1") == before
    assert await scalar(engine, "SELECT count(*) FROM nfe_itens WHERE nfe_id = 1") == 1


async def test_lines_that_came_as_an_object_appear_in_the_view(engine: AsyncEngine) -> None:
    line = {"codigo": "A", "quantidade": "1,5", "valor": "1.234,56", "valorTotal": "1.851,84"}
    await _save(engine, nota(1, itens={"1": line, "2": line | {"codigo": "B"}}))
    read = "SELECT linha, codigo_produto, quantidade, valor_unitario, valor_total FROM vw_nfe_linhas ORDER BY linha"
    numbers = (Decimal("1.5"), Decimal("1234.56"), Decimal("1851.84"))
    assert await rows(engine, read) == [(1, "A", *numbers), (2, "B", *numbers)]


async def test_a_nota_without_an_id_is_refused_alone(engine: AsyncEngine) -> None:
    outcome = await _save(engine, nota(1), {"id": None, "itens": []}, nota(2))
    assert [item.document["id"] for item, _ in outcome.refused] == [None]
    assert outcome.created == {1, 2}


async def test_a_flaw_of_the_database_is_not_the_fault_of_the_nota(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE nfe_itens RENAME TO outra")
    with pytest.raises(DBAPIError):
        await _save(engine, nota(1))
    assert await scalar(engine, "SELECT count(*) FROM nfe_cabecalho") == 0


async def test_the_resumo_of_the_list_goes_with_the_nota(engine: AsyncEngine) -> None:
    await _save(engine, nota(1), resumo="abc")
    await _save(engine, nota(1), resumo="def")
    assert await scalar(engine, "SELECT resumo_lista FROM nfe_cabecalho") == "def"
    assert "resumo_lista" in nfe_cabecalho.c
