"""O que a conferência lê e grava: o lado do banco, o que foi excluído e o resultado de cada mês. Sem COMMIT."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Table, select, text
from sqlalchemy.dialects.postgresql import insert

from bling_collector.db.core import AsyncConnection
from bling_collector.db.models import conferencias, contatos, nfe_cabecalho
from bling_collector.db.resources import nota_search


@dataclass(frozen=True)
class Held:
    """Uma nota que o banco tem."""

    resumo: str | None
    day: date


@dataclass
class Month:
    """A conferência de um mês, depois do que se reparou."""

    inicio: date
    fim: date
    no_bling: Counter[str] = field(default_factory=Counter)
    no_banco: Counter[str] = field(default_factory=Counter)
    faltam: list[int] = field(default_factory=list)
    sobram: list[int] = field(default_factory=list)
    diferem: list[int] = field(default_factory=list)
    reparadas: int = 0

    @property
    def same(self) -> bool:
        """Se os dois lados são iguais."""
        return self.no_bling == self.no_banco and not (self.faltam or self.sobram or self.diferem)


async def held(connection: AsyncConnection, inicio: date, fim: date) -> dict[int, Held]:
    """As notas de saída do período que o banco tem e não dá por excluídas."""
    found = await connection.execute(
        text("""
            SELECT id, resumo_lista, data_emissao::date AS dia FROM nfe_cabecalho
            WHERE data_emissao >= :inicio AND data_emissao < CAST(:fim AS date) + 1
              AND excluida_em IS NULL AND coalesce(tipo, 1) = 1"""),
        {"inicio": inicio, "fim": fim},
    )
    return {row.id: Held(row.resumo_lista, row.dia) for row in found}


async def count_held(connection: AsyncConnection, inicio: date, fim: date) -> dict[date, Counter[str]]:
    """Mês → situação → quantas notas de saída o banco tem e não dá por excluídas."""
    found = await connection.execute(
        text("""
            SELECT date_trunc('month', data_emissao)::date AS mes, situacao::text AS situacao, count(*) AS notas
            FROM nfe_cabecalho
            WHERE data_emissao >= :inicio AND data_emissao < CAST(:fim AS date) + 1
              AND excluida_em IS NULL AND coalesce(tipo, 1) = 1
            GROUP BY 1, 2"""),
        {"inicio": inicio, "fim": fim},
    )
    counts: dict[date, Counter[str]] = {}
    for row in found:
        counts.setdefault(row.mes, Counter())[row.situacao or ""] = row.notas
    return counts


async def living(
    connection: AsyncConnection, table: Table, without: Collection[int], most: int
) -> dict[int, str | None]:
    """Id → número de algumas notas que o banco não dá por excluídas, fora as de `without`, espalhadas pela história."""
    found = await connection.execute(
        text(f"""
            SELECT id, numero FROM {table.name} JOIN (
                SELECT id, row_number() OVER (ORDER BY id) AS lugar, count(*) OVER () AS total
                FROM {table.name} WHERE excluida_em IS NULL AND id <> ALL(:without)) AS v USING (id)
            WHERE lugar % greatest(total / :most, 1) = 0 ORDER BY id DESC LIMIT :most"""),
        {"without": list(without), "most": most},
    )
    return {row.id: row.numero for row in found}


@dataclass(frozen=True)
class NewlyGone:
    """Dos registros que o Bling dá por excluídos, os que o banco tinha por vivos."""

    total: int
    known: int
    """Os que já se conheciam vivos antes da execução."""


async def count_living(connection: AsyncConnection, table: Table) -> int:
    """Quantos registros o banco tem, de saída se são notas, e não dá por excluídos."""
    only = "AND coalesce(tipo, 1) = 1" if table is nfe_cabecalho else ""
    return int(
        await connection.scalar(text(f"SELECT count(*) FROM {table.name} WHERE excluida_em IS NULL {only}")) or 0
    )


async def newly_gone(connection: AsyncConnection, table: Table, ids: Collection[int], since: datetime) -> NewlyGone:
    """Quantos de `ids` o banco ainda não dá por excluídos; um contato sem detalhe, ou que no detalhe já estava
    excluído, o banco nunca teve por vivo."""
    alive = "AND detalhe IS NOT NULL AND situacao IS DISTINCT FROM 'E'" if table is contatos else ""
    row = (
        await connection.execute(
            text(f"""
                SELECT count(*) AS total, count(*) FILTER (WHERE extraido_em < :since) AS known
                FROM {table.name} WHERE id = ANY(:ids) AND excluida_em IS NULL {alive}"""),
            {"ids": list(ids), "since": since},
        )
    ).one()
    return NewlyGone(row.total, row.known)


async def mark_gone(
    connection: AsyncConnection,
    table: Table,
    ids: Collection[int],
    now: datetime,
    run_id: int | None,
    *,
    since: datetime | None = None,
) -> int:
    """Dá por excluídos no Bling os registros `ids` que ainda não o estavam, e o anota no histórico.

    O que só se extraiu depois de `since` (e não no futuro, que é de um relógio adiantado) já foi conhecido assim: não é
    mudança.
    """
    which = "id = ANY(:ids) AND excluida_em IS NULL"
    marked = await _set_gone(connection, table, which, ids, now, run_id, now, since)
    if table is nfe_cabecalho:
        await nota_search.refresh(connection, ids)
    return marked


async def clear_gone_except(
    connection: AsyncConnection, table: Table, ids: Collection[int], now: datetime, run_id: int | None
) -> int:
    """O que estava por excluído e o Bling não dá mais por excluído reapareceu."""
    which = "id <> ALL(:ids) AND excluida_em IS NOT NULL"
    return await _set_gone(connection, table, which, ids, None, run_id, now, None)


async def _set_gone(
    connection: AsyncConnection,
    table: Table,
    which: str,
    ids: Collection[int],
    value: datetime | None,
    run_id: int | None,
    now: datetime,
    since: datetime | None,
) -> int:
    # De um contato sem detalhe o Bling já tinha respondido que não o conhece: que está excluído não é novidade.
    known = "antes.detalhe IS NOT NULL" if table is contatos else "true"
    result = await connection.execute(
        text(f"""
            WITH antes AS (SELECT id, excluida_em, extraido_em, detalhe FROM {table.name} WHERE {which}),
            mudadas AS (UPDATE {table.name} t SET excluida_em = :value FROM antes WHERE antes.id = t.id RETURNING t.id)
            INSERT INTO historico (tabela, registro_id, quando, run_id, mudancas)
            SELECT '{table.name}', antes.id, :now, :run_id,
                   jsonb_build_object('excluida_em', jsonb_build_array(antes.excluida_em, CAST(:value AS timestamptz)))
            FROM antes JOIN mudadas ON mudadas.id = antes.id
            WHERE (CAST(:since AS timestamptz) IS NULL OR antes.extraido_em NOT BETWEEN :since AND :now)
              AND {known}"""),
        {"ids": list(ids), "value": value, "now": now, "run_id": run_id, "since": since},
    )
    return result.rowcount


async def record(connection: AsyncConnection, months: Collection[Month], now: datetime, run_id: int | None) -> None:
    """Guarda a conferência de cada mês no lugar da anterior."""
    if not months:
        return
    rows = [
        {
            "mes": month.inicio.replace(day=1),
            "data_inicio": month.inicio,
            "data_fim": month.fim,
            "conferida_em": now,
            "run_id": run_id,
            "no_bling": dict(sorted(month.no_bling.items())),
            "no_banco": dict(sorted(month.no_banco.items())),
            "faltam": month.faltam,
            "sobram": month.sobram,
            "diferem": month.diferem,
            "reparadas": month.reparadas,
        }
        for month in months
    ]
    new = insert(conferencias).values(rows)
    changes = {name: new.excluded[name] for name in rows[0]}
    await connection.execute(new.on_conflict_do_update(index_elements=["mes"], set_=changes))


async def scope_start(connection: AsyncConnection) -> date | None:
    """O primeiro dia da história que o banco diz ter: o que alguma coleta já pediu, ou alguma conferência já cobriu.

    Do primeiro coletor não se sabe o que pediu: das notas dele que ainda não se releram, vale o começo do ano da mais
    antiga, que ele perdia as das bordas.
    """
    day: date | None = await connection.scalar(
        text("""
            SELECT least(
                (SELECT min(data_inicio) FROM etl_controle WHERE tipo IN ('run', 'run-full')),
                (SELECT min(data_inicio) FROM conferencias),
                (SELECT date_trunc('year', min(data_emissao))::date FROM nfe_cabecalho
                 WHERE detalhe IS NULL AND excluida_em IS NULL))""")
    )
    return day


async def checked_months(connection: AsyncConnection, now: datetime) -> dict[date, tuple[date, datetime]]:
    """Mês → (primeiro dia conferido, quando). Uma conferência posterior a `now` não conta."""
    c = conferencias.c
    found = await connection.execute(select(c.mes, c.data_inicio, c.conferida_em).where(c.conferida_em <= now))
    return {row.mes: (row.data_inicio, row.conferida_em) for row in found}
