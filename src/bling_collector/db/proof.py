"""O lado do banco de uma conferência: os registros que ele tem de cada dia, os que se dão por excluídos (é aqui que se
marca) e o que se achou em cada mês, na tabela conferencias. Sem COMMIT."""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Date, Row, Table, literal_column, select, text
from sqlalchemy.dialects.postgresql import insert

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.models import conferencias, conferencias_inteiras
from bling_collector.db.sums import alive_by_day
from bling_collector.db.upsert import history_key

UNLISTED: Final = ""
"""A impressão da linha de um registro que existe e que listagem nenhuma mostra: a conferência, que compara o banco com
as listagens, não o conta."""


@dataclass(frozen=True)
class Dated:
    """As colunas por que os registros de um recurso se contam: a do dia, e a que os separa (a situação)."""

    day: str
    group: str


@dataclass(frozen=True)
class Kept:
    """Um recurso, no que a prova precisa saber dele. As condições são SQL sobre a tabela."""

    recurso: str
    table: Table
    dated: Dated | None = None
    """None para o que não se confere mês a mês."""
    ours: str = "true"
    """As linhas da tabela que são do recurso."""
    alive: str = "true"
    """Das que não estão dadas por excluídas, as que o banco sabe que existiam."""
    known: str = "true"
    """Das que aparecem excluídas, as de que isso é novidade."""
    on_gone: Callable[[AsyncConnection, Collection[int]], Awaitable[object]] | None = None
    """O que se refaz, na mesma transação, do que passou a estar excluído."""

    @property
    def shown(self) -> str:
        """As que alguma listagem há de mostrar."""
        return f"resumo_lista IS DISTINCT FROM '{UNLISTED}'" if "resumo_lista" in self.table.c else "true"


@dataclass(frozen=True)
class Held:
    """Um registro que o banco tem."""

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


async def held(connection: AsyncConnection, kept: Kept, inicio: date, fim: date) -> dict[int, Held]:
    """Os registros do período que o banco tem e não dá por excluídos."""
    assert kept.dated is not None, kept.recurso
    found = await connection.execute(
        text(f"""
            SELECT id, resumo_lista, {kept.dated.day}::date AS dia FROM {kept.table.name}
            WHERE {kept.dated.day} >= :inicio AND {kept.dated.day} < CAST(:fim AS date) + 1
              AND excluida_em IS NULL AND {kept.ours} AND {kept.shown}"""),
        {"inicio": inicio, "fim": fim},
    )
    return {row.id: Held(row.resumo_lista, row.dia) for row in found}


async def count_held(connection: AsyncConnection, kept: Kept, inicio: date, fim: date) -> dict[date, Counter[str]]:
    """Mês → grupo (a situação) → quantos registros o banco tem e não dá por excluídos."""
    assert kept.dated is not None, kept.recurso
    found = await connection.execute(
        text(f"""
            SELECT date_trunc('month', dia)::date AS mes, {kept.dated.group}::text AS grupo,
                   sum(registros)::bigint AS registros
            FROM {alive_by_day(kept.table.name, kept.dated.day)} AS r
            WHERE {kept.ours} AND {kept.shown} GROUP BY 1, 2"""),
        {"inicio": inicio, "fim": fim},
    )
    counts: dict[date, Counter[str]] = {}
    for row in found:
        counts.setdefault(row.mes, Counter())[row.grupo or ""] = row.registros
    return counts


async def told_otherwise(connection: AsyncConnection, kept: Kept, listed: Mapping[Any, tuple[date, str]]) -> set[Any]:
    """Dos que a listagem mostra (id → dia, grupo), os que o banco tem noutro dia ou noutro grupo."""
    assert kept.dated is not None, kept.recurso
    found = await connection.execute(
        text(f"""
            SELECT id, {kept.dated.day}::date AS dia, coalesce({kept.dated.group}::text, '') AS grupo
            FROM {kept.table.name} WHERE id = ANY(:ids)"""),
        {"ids": list(listed)},
    )
    return {row.id for row in found if (row.dia, row.grupo) != listed[row.id]}


async def living(
    connection: AsyncConnection, table: Table, without: Collection[int], most: int
) -> dict[int, str | None]:
    """Id → número (None se a tabela não o tem) de alguns registros que o banco não dá por excluídos, fora os de
    `without`, espalhados pela história."""
    numero = "t.numero::text" if "numero" in table.c else "NULL"
    found = await connection.execute(
        text(f"""
            SELECT t.id, {numero} AS numero FROM {table.name} t JOIN (
                SELECT id, row_number() OVER (ORDER BY id) AS lugar, count(*) OVER () AS quantos
                FROM {table.name} WHERE excluida_em IS NULL AND id <> ALL(:without)) AS v ON v.id = t.id
            WHERE v.lugar % greatest(v.quantos / :most, 1) = 0 ORDER BY t.id DESC LIMIT :most"""),
        {"without": list(without), "most": most},
    )
    return {row.id: row.numero for row in found}


@dataclass(frozen=True)
class NewlyGone:
    """Dos registros que o Bling dá por excluídos, os que o banco tinha por vivos."""

    total: int
    known: int
    """Os que já se conheciam vivos antes da execução."""


async def count_living(connection: AsyncConnection, kept: Kept) -> int:
    """Quantos registros o banco tem e não dá por excluídos."""
    living = text(f"SELECT count(*) FROM {kept.table.name} WHERE excluida_em IS NULL AND {kept.ours}")
    return int(await connection.scalar(living) or 0)


async def count_rows(connection: AsyncConnection, kept: Kept) -> tuple[int, int]:
    """Quantos registros o banco tem que o Bling já deu, e desses quantos dá por excluídos."""
    gone = "excluida_em IS NOT NULL" if "excluida_em" in kept.table.c else "false"
    known = "detalhe IS NOT NULL" if "nao_encontrado_em" in kept.table.c else "true"
    row = (
        await connection.execute(
            text(f"""
                SELECT count(*) FILTER (WHERE NOT {gone}) AS vivos, count(*) FILTER (WHERE {gone}) AS excluidos
                FROM {kept.table.name} WHERE {known} AND {kept.ours}""")
        )
    ).one()
    return row.vivos, row.excluidos


async def newly_gone(connection: AsyncConnection, kept: Kept, ids: Collection[int], since: datetime) -> NewlyGone:
    """Quantos de `ids` o banco tinha por vivos e ainda não dá por excluídos."""
    row = (
        await connection.execute(
            text(f"""
                SELECT count(*) AS total, count(*) FILTER (WHERE extraido_em < :since) AS known
                FROM {kept.table.name} WHERE id = ANY(:ids) AND excluida_em IS NULL AND {kept.alive}"""),
            {"ids": list(ids), "since": since},
        )
    ).one()
    return NewlyGone(row.total, row.known)


async def mark_gone(
    connection: AsyncConnection,
    kept: Kept,
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
    marked = await _set_gone(connection, kept, which, ids, now, run_id, now, since)
    if kept.on_gone is not None:
        await kept.on_gone(connection, ids)
    return marked


_GONE_EXCEPT = "id <> ALL(:ids) AND excluida_em IS NOT NULL"


async def gone_except(connection: AsyncConnection, kept: Kept, ids: Collection[int]) -> bool:
    """Se o banco dá por excluído algum que não é de `ids`."""
    found = await connection.scalar(
        text(f"SELECT EXISTS (SELECT FROM {kept.table.name} WHERE {_GONE_EXCEPT})"), {"ids": list(ids)}
    )
    return bool(found)


async def clear_gone_except(
    connection: AsyncConnection, kept: Kept, ids: Collection[int], now: datetime, run_id: int | None
) -> int:
    """O que estava por excluído e o Bling não dá mais por excluído reapareceu."""
    return await _set_gone(connection, kept, _GONE_EXCEPT, ids, None, run_id, now, None)


async def gone_saying(connection: AsyncConnection, kept: Kept, said: str) -> set[Any]:
    """Os excluídos que são como `said` diz, em SQL."""
    found = text(f"SELECT id FROM {kept.table.name} WHERE excluida_em IS NOT NULL AND ({said})")
    return set((await connection.execute(found)).scalars())


async def clear_gone_unsaying(
    connection: AsyncConnection, kept: Kept, said: str, ids: Collection[Any], now: datetime, run_id: int | None
) -> None:
    """Destes excluídos, os que já não são como `said` diz, em SQL, reapareceram."""
    which = f"id = ANY(:ids) AND excluida_em IS NOT NULL AND ({said}) IS NOT TRUE"
    await _set_gone(connection, kept, which, ids, None, run_id, now, None)


async def _set_gone(
    connection: AsyncConnection,
    kept: Kept,
    which: str,
    ids: Collection[int],
    value: datetime | None,
    run_id: int | None,
    now: datetime,
    since: datetime | None,
) -> int:
    name = kept.table.name
    result = await connection.execute(
        text(f"""
            WITH antes AS (SELECT id, excluida_em, extraido_em, detalhe FROM {name} WHERE {which}),
            mudadas AS (UPDATE {name} t SET excluida_em = :value FROM antes WHERE antes.id = t.id RETURNING t.id)
            INSERT INTO historico (tabela, {history_key(kept.table)}, quando, run_id, mudancas)
            SELECT '{name}', antes.id, :now, :run_id,
                   jsonb_build_object('excluida_em', jsonb_build_array(antes.excluida_em, CAST(:value AS timestamptz)))
            FROM antes JOIN mudadas ON mudadas.id = antes.id
            WHERE (CAST(:since AS timestamptz) IS NULL OR antes.extraido_em NOT BETWEEN :since AND :now)
              AND {kept.known}"""),
        {"ids": list(ids), "value": value, "now": now, "run_id": run_id, "since": since},
    )
    return result.rowcount


async def record(
    connection: AsyncConnection,
    recurso: str,
    months: Collection[Month],
    now: datetime,
    run_id: int | None,
    *,
    repaired: bool,
) -> None:
    """Guarda a conferência de cada mês de um recurso no lugar da anterior; e quando, se o que diferia se reparou."""
    if not months:
        return
    rows = [
        {
            "recurso": recurso,
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
            **({"reparada_em": now} if repaired else {}),
        }
        for month in months
    ]
    new = insert(conferencias).values(rows)
    changes = {name: new.excluded[name] for name in rows[0]}
    await connection.execute(new.on_conflict_do_update(index_elements=["recurso", "mes"], set_=changes))


SCOPE_START: Final = literal_column(
    """
    least((SELECT min(data_inicio) FROM etl_controle WHERE tipo IN ('run', 'run-full')),
          (SELECT min(data_inicio) FROM conferencias),
          (SELECT date_trunc('year', min(data_emissao))::date FROM nfe_cabecalho
           WHERE detalhe IS NULL AND excluida_em IS NULL))""",
    Date,
)
"""O primeiro dia da história que o banco diz ter: o que alguma coleta já pediu, ou alguma conferência já cobriu.

Do primeiro coletor não se sabe o que pediu: das notas dele que ainda não se releram, vale o começo do ano da mais
antiga, que ele perdia as das bordas.
"""


async def scope_start(connection: AsyncConnection) -> date | None:
    """O mesmo, de uma conexão."""
    return await connection.scalar(select(SCOPE_START))


async def counted_months(
    connection: AsyncConnection, recurso: str, inicio: date, fim: date
) -> Sequence[Row[Any, Any, Any]]:
    """As conferências dos meses que tocam estes dias: o que contaram no Bling, e de que dia a que dia."""
    c = conferencias.c
    rows = await connection.execute(
        select(c.no_bling, c.data_inicio, c.data_fim)
        .where(c.recurso == recurso, c.data_fim >= inicio, c.data_inicio <= fim)
        .order_by(c.mes)
    )
    return rows.all()


async def checked_months(connection: AsyncConnection, recurso: str, now: datetime) -> dict[date, tuple[date, datetime]]:
    """Mês → (primeiro dia conferido, quando), das conferências que reparam: a que só olha não relê nada. Uma posterior
    a `now` não conta."""
    c = conferencias.c
    found = await connection.execute(
        select(c.mes, c.data_inicio, c.reparada_em).where(c.recurso == recurso, c.reparada_em <= now)
    )
    return {row.mes: (row.data_inicio, row.reparada_em) for row in found}


async def record_whole(
    connection: AsyncConnection,
    kept: Kept,
    listed: Mapping[Any, str],
    since: datetime,
    now: datetime,
    run_id: int | None,
    changed: Collection[Any] = (),
) -> tuple[set[Any], set[Any]]:
    """Guarda a conferência de um recurso que se leu inteiro entre os dois instantes; `listed` é a situação de cada id
    que a listagem mostrou, e `changed`, os que ela mostra de outro jeito que o banco. Do que se gravou entretanto sem
    que ela o mostre, e do que listagem nenhuma mostra, nada se diz. Devolve o que falta no banco, e o que só ele
    tem."""
    living = "excluida_em IS NULL" if "excluida_em" in kept.table.c else "true"
    found = await connection.execute(
        text(f"""
            SELECT id, CASE WHEN jsonb_typeof(detalhe -> 'situacao') IN ('number', 'string')
                            THEN detalhe ->> 'situacao' ELSE '' END AS situacao
            FROM {kept.table.name}
            WHERE {living} AND detalhe IS NOT NULL AND {kept.ours}
              AND (id = ANY(:listed) OR {kept.shown} AND (extraido_em BETWEEN :since AND :now) IS NOT TRUE)"""),
        {"listed": list(listed), "since": since, "now": now},
    )
    held = {row.id: row.situacao for row in found}
    missing, extra = listed.keys() - held.keys(), held.keys() - listed.keys()
    row = {
        "recurso": kept.recurso,
        "conferida_em": now,
        "run_id": run_id,
        "no_bling": dict(sorted(Counter(listed.values()).items())),
        "no_banco": dict(sorted(Counter(held.values()).items())),
        "faltam": sorted(map(str, missing)),
        "sobram": sorted(map(str, extra)),
        "diferem": sorted(map(str, changed)),
    }
    new = insert(conferencias_inteiras).values(row)
    changes = {name: new.excluded[name] for name in row}
    await connection.execute(new.on_conflict_do_update(index_elements=["recurso"], set_=changes))
    return missing, extra
