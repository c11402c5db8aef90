"""O que os testes da prova de completude usam: retratos do banco e mudanças pelas costas do coletor."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.collecting import rows, scalar
from tests.support.truth import assert_equals_truth

from bling_simulator.bling import Bling

START = date(2021, 1, 1)
TODAY = date(2026, 2, 20)
DAY = 86_400.0
API = "^/(?!oauth)"

_SERIAL = {"nfe_itens", "nfe_pagamentos"}
"""Tabelas cujo id não vem do Bling."""
DERIVED = ("nfe_cabecalho", "nfe_itens", "nfe_pagamentos", "contatos", "produtos", "formas_pagamento")
OURS = (
    "limites_bling",
    "alarmes",
    "dias_por_somar",
    "notas_por_dia",
    "vendas_por_dia",
    "pedidos_por_dia",
    "execucao_log",
    "conferencias",
    "etl_controle",
    "oauth_tokens",
    "oauth_states",
    "alembic_version",
)
"""O que uma conferência que não repara pode escrever, e o que não é dado."""


def at(moment: str) -> datetime:
    """A hora de Brasília, sem fuso, como o simulador a pede."""
    return datetime.fromisoformat(moment)


def outgoing(bling: Bling, situacao: int | None = None) -> list[int]:
    """Os ids das notas de saída (desta situação, ou de todas), da mais antiga à mais nova."""
    notes = [n for n in bling.notebook.newest_first() if n["tipo"] == 1 and situacao in (None, n["situacao"])]
    return [int(note["id"]) for note in reversed(notes)]


def twin(bling: Bling, note_id: int, **changes: Any) -> int:
    """Emite outra nota como esta, com o mesmo contato e as mesmas linhas: uma delas pode sumir sem levar cadastros."""
    note = bling.notes[note_id]
    return bling.issue_note(contact_id=note["contato"]["id"], lines=note["itens"], serie=note["serie"], **changes)


@contextmanager
def oldest_period_held(bling: Bling) -> Iterator[None]:
    """O período mais velho não se completa antes da saída: até lá, a listagem dele fica sem resposta."""
    held = bling.fail("^/nfe$", "hold", query=f"={START}")
    yield
    bling.faults.remove(held)


async def owed_periods(engine: AsyncEngine) -> list[tuple[date, date]]:
    """Os períodos devidos, do mais novo ao mais velho."""
    found = await rows(engine, "SELECT data_inicio, data_fim FROM janelas_devidas ORDER BY 1 DESC")
    return [(inicio, fim) for inicio, fim in found]


async def newest_period_is_done(engine: AsyncEngine) -> bool:
    """Se o período que acaba em `TODAY`, de um ano, já foi quitado por uma execução que ainda deve outros."""
    owed = await owed_periods(engine)
    return bool(owed) and owed[0][1] < date(2025, 3, 1)


async def snapshot(engine: AsyncEngine, tables: Iterable[str] | None = None) -> dict[str, list[str]]:
    """Tabela → as suas linhas inteiras, em ordem; sem os ids que só o banco dá."""
    if tables is None:
        names = await rows(engine, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        tables = [name for (name,) in names if name not in OURS]
    found = {}
    for table in tables:
        row = "to_jsonb(t) - 'id'" if table in _SERIAL else "to_jsonb(t)"
        found[table] = [line for (line,) in await rows(engine, f"SELECT ({row})::text FROM {table} t ORDER BY 1")]
    return found


async def execute(engine: AsyncEngine, *statements: str, **parameters: Any) -> None:
    """Mexe no banco por fora."""
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement), parameters)


async def gone(engine: AsyncEngine, table: str = "nfe_cabecalho") -> set[int]:
    """Os ids dados por excluídos."""
    return {id_ for (id_,) in await rows(engine, f"SELECT id FROM {table} WHERE excluida_em IS NOT NULL")}


async def assert_equals_the_living(engine: AsyncEngine, bling: Bling, *, deleted: Collection[int] = ()) -> None:
    """O banco é igual ao Bling, e as notas excluídas estão lá, marcadas, e mais nenhuma o está."""
    assert await gone(engine) == set(deleted)
    marked = "SELECT id FROM nfe_cabecalho WHERE excluida_em IS NOT NULL"
    await execute(
        engine,
        f"DELETE FROM nfe_itens WHERE nfe_id IN ({marked})",
        f"DELETE FROM nfe_pagamentos WHERE nfe_id IN ({marked})",
        "DELETE FROM nfe_cabecalho WHERE excluida_em IS NOT NULL",
    )
    await assert_equals_truth(engine, bling)


async def conferencias(engine: AsyncEngine) -> dict[str, dict[str, Any]]:
    """Mês → a conferência guardada."""
    found = await rows(engine, "SELECT to_char(mes, 'YYYY-MM'), to_jsonb(c) FROM conferencias c ORDER BY 1")
    return dict(found)


def by_month(bling: Bling) -> dict[str, dict[str, int]]:
    """Mês → situação → quantas notas de saída há no Bling."""
    months: dict[str, Counter[str]] = {}
    for id_ in outgoing(bling):
        note = bling.notes[id_]
        months.setdefault(note["dataEmissao"][:7], Counter())[str(note["situacao"])] += 1
    return {month: dict(counts) for month, counts in months.items()}


async def count(engine: AsyncEngine, table: str) -> int:
    return int(await scalar(engine, f"SELECT count(*) FROM {table}"))
