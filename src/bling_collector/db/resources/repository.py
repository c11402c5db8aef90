"""O que o motor pergunta às tabelas dos recursos, a todas do mesmo jeito: o que têm, o que lhes falta, o que se deve
perguntar outra vez. O que é de um recurso só está nos módulos ao lado. Nada aqui faz COMMIT."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Column, Select, Table, Text, case, cast, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as pg_insert

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.control import PARKED_AFTER
from bling_collector.db.models import (
    metadata,
    pendencias,
)
from bling_collector.db.proof import UNLISTED, Kept
from bling_collector.payload import Json

Citing = Column[Any] | str
"""A coluna de outra tabela que guarda ids desta; ou, em SQL, a consulta que os dá."""
PARKED: Final = f"""
    EXISTS (SELECT FROM pendencias d
            WHERE d.recurso = '{{recurso}}' AND d.recurso_id = {{id}} AND d.tentativas >= {PARKED_AFTER})"""
"""Se o que tem este `id` está estacionado."""


async def known(connection: AsyncConnection, table: Table, ids: Collection[int]) -> dict[int, str | None]:
    """Dos `ids`, os que a tabela tem e não dá por excluídos, com a impressão da linha de listagem que os trouxe."""
    found = await connection.execute(
        text(f"SELECT id, resumo_lista FROM {table.name} WHERE id = ANY(:ids) AND excluida_em IS NULL"),
        {"ids": list(ids)},
    )
    return {row.id: row.resumo_lista for row in found}


async def details(connection: AsyncConnection, table: Table, ids: Collection[Any]) -> dict[Any, dict[str, Any]]:
    """Dos `ids`, o documento que se guarda de cada um."""
    c = table.c
    found = await connection.execute(select(c.id, c.detalhe).where(c.id.in_(ids), c.detalhe.is_not(None)))
    return {row.id: row.detalhe for row in found}


async def should_answer(
    connection: AsyncConnection, table: Table, recurso: str, *, without: Collection[int], most: int
) -> list[int]:
    """Até `most` registros, dos mais novos, de que o Bling já deu o detalhe, fora de `without` e sem pendência."""
    c, p = table.c, pendencias.c
    pending = select(p.recurso_id).where(p.recurso == recurso, p.recurso_id == cast(c.id, Text))
    newest = select(c.id).where(~pending.exists()).order_by(c.id.desc()).limit(200)
    found = await connection.execute(newest.where(c.detalhe.is_not(None)) if "detalhe" in c else newest)
    return [id_ for id_ in found.scalars() if id_ not in without][:most]


async def open_days(connection: AsyncConnection, kept: Kept, condition: str, today: date) -> dict[int, date]:
    """Id → dia dos registros em aberto (`condition`, em SQL), dos mais novos aos mais velhos, menos os excluídos e os
    que já têm uma pendência, com as suas tentativas."""
    assert kept.dated is not None, kept.recurso
    day = kept.dated.day
    found = await connection.execute(
        text(f"""
            SELECT id, CAST({day} AS date) AS dia FROM {kept.table.name} n
            WHERE ({condition}) AND excluida_em IS NULL AND {day} IS NOT NULL AND {kept.ours}
              AND NOT EXISTS (SELECT FROM pendencias p WHERE p.recurso = :recurso AND p.recurso_id = n.id::text)
            ORDER BY {day} DESC, id DESC"""),
        {"recurso": kept.recurso, "hoje": today},
    )
    return {row.id: row.dia for row in found}


async def settled_before(
    connection: AsyncConnection, kept: Kept, condition: str, ids: Collection[Any], since: date
) -> set[Any]:
    """Dos `ids`, os que o banco tem quitados, e todos antes de `since` (`condition`, em SQL)."""
    statement = text(f"""
        SELECT id FROM {kept.table.name} n
        WHERE id = ANY(:ids) AND excluida_em IS NULL AND {kept.ours} AND ({condition})""")
    return set((await connection.execute(statement, {"ids": list(ids), "desde": since})).scalars())


async def living_day(connection: AsyncConnection, kept: Kept, id_: Any) -> date | None:
    """O dia de um registro que o banco tem por vivo; None se não o tem."""
    assert kept.dated is not None, kept.recurso
    day = kept.dated.day
    statement = text(f"""
        SELECT CAST({day} AS date) FROM {kept.table.name} n
        WHERE id = :id AND excluida_em IS NULL AND {kept.ours}""")
    found: date | None = await connection.scalar(statement, {"id": id_})
    return found


async def is_living(connection: AsyncConnection, kept: Kept, id_: Any) -> bool:
    """Se o banco tem o registro por vivo."""
    statement = text(f"SELECT FROM {kept.table.name} n WHERE id = :id AND excluida_em IS NULL AND {kept.ours}")
    return (await connection.execute(statement, {"id": id_})).one_or_none() is not None


async def already_given(connection: AsyncConnection, kept: Kept, condition: str, today: date) -> list[Any]:
    """Os registros de que o Bling já deu o detalhe e que são como `condition` diz, em SQL, menos os que já têm uma
    pendência."""
    found = await connection.execute(
        text(f"""
            SELECT id FROM {kept.table.name} n
            WHERE ({condition}) AND detalhe IS NOT NULL AND {kept.ours}
              AND NOT EXISTS (SELECT FROM pendencias p WHERE p.recurso = :recurso AND p.recurso_id = n.id::text)
            ORDER BY id"""),
        {"recurso": kept.recurso, "hoje": today},
    )
    return list(found.scalars())


async def documents(
    connection: AsyncConnection, kept: Kept, condition: str, today: date
) -> AsyncIterator[Mapping[str, Json]]:
    """Os documentos dos registros que são como `condition` diz, em SQL, menos os excluídos e os que nenhuma listagem
    mostra."""
    found = await connection.stream(
        text(f"""
            SELECT detalhe FROM {kept.table.name}
            WHERE ({condition}) AND excluida_em IS NULL AND detalhe IS NOT NULL AND {kept.ours} AND {kept.shown}"""),
        {"hoje": today},
    )
    try:
        async for row in found:
            yield row.detalhe
    finally:  # também se quem lê é interrompido a meio: o cursor é do servidor, e não se fecha sozinho
        await found.close()


async def count_sources(connection: AsyncConnection, query: str) -> int:
    """Quantas linhas a consulta de uma declaração devolve."""
    return len((await connection.execute(text(query))).all())


def _waiting(table: Table) -> str:
    """As linhas que alguém citou e de que ainda não se perguntou: sem documento, e sem a resposta de que não há."""
    return "detalhe IS NULL AND nao_encontrado_em IS NULL" if "nao_encontrado_em" in table.c else "false"


def _ids_of(citing: Citing) -> str:
    return citing if isinstance(citing, str) else f"SELECT {citing.name} FROM {citing.table.name}"


def _lacking(table: Table, recurso: str, citing: Collection[Citing]) -> str:
    sources = [f"SELECT id FROM {table.name} WHERE {_waiting(table)}"]
    sources += [
        f"""
        SELECT citado FROM ({each}) AS c (citado)
        WHERE citado::text <> '0' AND NOT EXISTS (SELECT FROM {table.name} t WHERE t.id = c.citado)"""
        for each in map(_ids_of, citing)
    ]
    parked = PARKED.format(recurso=recurso, id="citados.id::text")
    return f"FROM ({' UNION '.join(sources)}) AS citados (id) WHERE NOT {parked}"


async def lacking(
    connection: AsyncConnection,
    table: Table,
    recurso: str,
    citing: Collection[Citing],
    limit: int | None = None,
    after: object = None,
) -> list[Any]:
    """Ids, em ordem, do que a tabela não tem e alguém cita, menos os estacionados."""
    later = "" if after is None else "AND id > :after"
    found = await connection.execute(
        text(f"SELECT id {_lacking(table, recurso, citing)} {later} ORDER BY id LIMIT :limit"),
        {"limit": limit} | ({} if after is None else {"after": after}),
    )
    return list(found.scalars())


async def count_lacking(connection: AsyncConnection, table: Table, recurso: str, citing: Collection[Citing]) -> int:
    """Quantos se citam e não se têm, como em `lacking`."""
    return int(await connection.scalar(text(f"SELECT count(*) {_lacking(table, recurso, citing)}")) or 0)


async def already_read(connection: AsyncConnection, table: Table, ids: Collection[Any]) -> set[Any]:
    """Dos `ids`, os que a tabela tem e de que já se perguntou."""
    statement = text(f"SELECT id FROM {table.name} WHERE id = ANY(:ids) AND NOT ({_waiting(table)})")
    return set((await connection.execute(statement, {"ids": list(ids)})).scalars())


async def read_between(
    connection: AsyncConnection, table: Table, ids: Collection[Any], since: datetime, until: datetime
) -> set[Any]:
    """Dos `ids`, os que se leram entre os dois instantes."""
    statement = text(f"""
        SELECT id FROM {table.name}
        WHERE id = ANY(:ids) AND extraido_em BETWEEN :since AND :until AND NOT ({_waiting(table)})""")
    found = await connection.execute(statement, {"ids": list(ids), "since": since, "until": until})
    return set(found.scalars())


async def last_read(connection: AsyncConnection, table: Table, ids: Collection[Any]) -> dict[Any, datetime | None]:
    """Quando se leu cada um dos `ids` que a tabela tem; None se está por reler."""
    statement = text(f"SELECT id, extraido_em FROM {table.name} WHERE id = ANY(:ids) AND NOT ({_waiting(table)})")
    return {row.id: row.extraido_em for row in await connection.execute(statement, {"ids": list(ids)})}


async def note_read(connection: AsyncConnection, table: Table, ids: Collection[Any], now: datetime) -> None:
    """Estes leram-se agora, e são o que já se tinha."""
    await connection.execute(
        text(f"UPDATE {table.name} SET extraido_em = :now WHERE id = ANY(:ids)"), {"ids": list(ids), "now": now}
    )


async def oldest_read(connection: AsyncConnection, table: Table) -> datetime | None:
    """Quando se leu o mais velho do que a tabela tem; None se ainda não se leu nada."""
    statement = text(f"SELECT min(extraido_em) FROM {table.name} WHERE NOT ({_waiting(table)})")
    found: datetime | None = await connection.scalar(statement)
    return found


async def as_held(
    connection: AsyncConnection, table: Table, ids: Collection[Any], columns: Collection[str]
) -> dict[Any, dict[str, object]]:
    """Dos `ids`, os registros de que já se perguntou, cada um com estas colunas como o banco as tem."""
    columns = ["id", *columns]
    statement = text(f"""
        SELECT {", ".join(columns)} FROM {table.name} WHERE id = ANY(:ids) AND NOT ({_waiting(table)})""")
    found = (await connection.execute(statement, {"ids": list(ids)})).mappings()
    return {row["id"]: {column: row[column] for column in columns} for row in found}


async def cited_among(connection: AsyncConnection, citing: Collection[Citing], ids: Collection[Any]) -> set[Any]:
    """Dos `ids`, os que alguém cita."""
    if not citing or not ids:
        return set()
    sources = " UNION ALL ".join(f"SELECT citado FROM ({each}) AS c (citado)" for each in map(_ids_of, citing))
    found = await connection.execute(
        text(f"SELECT DISTINCT citado FROM ({sources}) AS citados WHERE citado = ANY(:ids)"), {"ids": list(ids)}
    )
    return set(found.scalars())


async def mark_not_found(connection: AsyncConnection, table: Table, ids: Collection[Any], now: datetime) -> None:
    """O Bling respondeu 404 a estes ids: dos que se não tinham fica uma linha que só diz isso."""
    c = table.c
    if "nao_encontrado_em" not in c:
        new = pg_insert(table).from_select(["id", "extraido_em"], each_value(c.id, ids, now))
        await connection.execute(new.on_conflict_do_nothing())
        return
    new = pg_insert(table).from_select(["id", "extraido_em", "nao_encontrado_em"], each_value(c.id, ids, now, now))
    first = c.detalhe.is_(None) & c.nao_encontrado_em.is_(None)
    said = {"nao_encontrado_em": now, "extraido_em": case((first, now), else_=c.extraido_em)}
    await connection.execute(new.on_conflict_do_update(index_elements=["id"], set_=said))


async def mark_without_detail(connection: AsyncConnection, table: Table, ids: Collection[Any], now: datetime) -> None:
    """O Bling lista estes, e ao detalhe respondeu 404: o que se tem deles é a linha."""
    await connection.execute(
        text(f"""
            UPDATE {table.name} SET nao_encontrado_em = :now,
                   extraido_em = CASE WHEN nao_encontrado_em IS NULL THEN :now ELSE extraido_em END
            WHERE id = ANY(:ids)"""),
        {"ids": list(ids), "now": now},
    )


@dataclass(frozen=True)
class Denied:
    """O que o Bling disse não ter (404), e talvez tenha."""

    id: Any
    since: datetime | None
    """Quando se leu o que se tem dele. O mesmo que `asked`, se só se perguntou uma vez; None, se algo diz que mudou."""
    asked: datetime
    is_held: bool
    """Se a listagem o mostra, e se tem a linha dela. Os outros só interessam se alguém os cita."""

    @property
    def is_unconfirmed(self) -> bool:
        """Se ainda só se perguntou por ele uma vez desde que se leu, ou algo diz que mudou."""
        return self.since is None or self.since == self.asked


async def denied(connection: AsyncConnection, kept: Kept, *, listed: bool) -> list[Denied]:
    """Os que o Bling disse não ter, menos os que têm pendência: os que se citam e nunca deu; do que não se lista, os
    que por isso se deram por excluídos; do que se lista (`listed`), os que a listagem mostra. Primeiro aqueles por que
    não se pergunta há mais tempo."""
    if not {"nao_encontrado_em", "excluida_em", "detalhe"} <= {*kept.table.c.keys()}:
        return []
    besides = f"excluida_em IS NULL AND {kept.shown}" if listed else "excluida_em IS NOT NULL"
    found = await connection.execute(
        text(f"""
            SELECT id, extraido_em, nao_encontrado_em, detalhe IS NOT NULL AND excluida_em IS NULL AS is_held
            FROM {kept.table.name} n
            WHERE nao_encontrado_em IS NOT NULL AND (detalhe IS NULL OR ({besides})) AND {kept.ours}
              AND NOT EXISTS (SELECT FROM pendencias p WHERE p.recurso = :recurso AND p.recurso_id = n.id::text)
            ORDER BY nao_encontrado_em, id"""),
        {"recurso": kept.recurso},
    )
    return [Denied(*row) for row in found]


async def not_found_again(
    connection: AsyncConnection, table: Table, read: Collection[Any], missing: Collection[Any], now: datetime
) -> list[Any]:
    """Dos `missing`, os a que o Bling já tinha respondido 404. Anota-o de todos, e esquece-o dos que se leram."""
    told = select(table.c.id).where(table.c.id.in_(missing), table.c.nao_encontrado_em.is_not(None))
    again = list((await connection.execute(told)).scalars())
    await connection.execute(
        text(f"""
            UPDATE {table.name} SET nao_encontrado_em = CASE WHEN id = ANY(:missing) THEN CAST(:now AS timestamptz) END
            WHERE id = ANY(:missing) OR (id = ANY(:read) AND nao_encontrado_em IS NOT NULL)"""),
        {"read": list(read), "missing": list(missing), "now": now},
    )
    return again


async def living_except(
    connection: AsyncConnection, kept: Kept, ids: Collection[Any], since: datetime, until: datetime
) -> list[Any]:
    """Os registros que o banco tem, e o Bling já deu, e não são de `ids` nem se leram entre os dois instantes; menos os
    que já se sabe que listagem nenhuma mostra."""
    found = await connection.execute(
        text(f"""
            SELECT id FROM {kept.table.name}
            WHERE id <> ALL(:ids) AND excluida_em IS NULL AND detalhe IS NOT NULL AND {kept.ours}
              AND {kept.shown}
              AND (extraido_em BETWEEN :since AND :until) IS NOT TRUE"""),
        {"ids": list(ids), "since": since, "until": until},
    )
    return list(found.scalars())


async def mark_unlisted(connection: AsyncConnection, table: Table, ids: Collection[Any]) -> None:
    """Existem, e listagem nenhuma os mostra."""
    await connection.execute(
        text(f"UPDATE {table.name} SET resumo_lista = '{UNLISTED}' WHERE id = ANY(:ids)"), {"ids": list(ids)}
    )


async def unlisted(connection: AsyncConnection, kept: Kept) -> dict[Any, datetime | None]:
    """Os que existem e listagem nenhuma mostra, menos os que já têm uma pendência, com as suas tentativas: quando se
    leu cada um, ou None se da última vez o Bling disse não o ter (404). Primeiro os de que não se pergunta há mais
    tempo."""
    found = await connection.execute(
        text(f"""
            SELECT id, CASE WHEN nao_encontrado_em IS NULL THEN extraido_em END AS read_at FROM {kept.table.name} n
            WHERE resumo_lista = '{UNLISTED}' AND excluida_em IS NULL AND {kept.ours}
              AND NOT EXISTS (SELECT FROM pendencias p WHERE p.recurso = :recurso AND p.recurso_id = n.id::text)
            ORDER BY coalesce(nao_encontrado_em, extraido_em), id"""),
        {"recurso": kept.recurso},
    )
    return {row.id: row.read_at for row in found}


async def excluded(connection: AsyncConnection, kept: Kept) -> list[Any]:
    """Os que se deram por excluídos."""
    found = text(f"SELECT id FROM {kept.table.name} n WHERE excluida_em IS NOT NULL AND {kept.ours} ORDER BY id")
    return list((await connection.execute(found)).scalars())


async def held_among(connection: AsyncConnection, kept: Kept, ids: Collection[Any]) -> set[Any]:
    """Dos `ids`, os que o banco tem e são do recurso."""
    found = text(f"SELECT id FROM {kept.table.name} n WHERE id = ANY(:ids) AND detalhe IS NOT NULL AND {kept.ours}")
    return set((await connection.execute(found, {"ids": list(ids)})).scalars())


async def forget_listed(connection: AsyncConnection, table: Table, ids: Collection[Any]) -> None:
    """A listagem, quando os mostrar, os dá por mudados."""
    await connection.execute(
        text(f"UPDATE {table.name} SET resumo_lista = NULL WHERE id = ANY(:ids)"), {"ids": list(ids)}
    )


def each_value(column: Column[Any], values: Iterable[object], *more: object) -> Select[Any]:
    """Uma linha por valor, com o resto igual em todas; numa instrução só, por muitos que sejam."""
    listed = func.unnest(cast(list({*values}), ARRAY(column.type)))
    return select(listed, *(literal(each) for each in more))


async def analyze(connection: AsyncConnection, tables: Iterable[Table]) -> None:
    """Refaz as estatísticas destas tabelas e das que apontam para elas: os planos feitos com as tabelas vazias tornam
    lenta a primeira carga (medido)."""
    main = {table.name for table in tables}
    pointing = {
        table.name
        for table in metadata.tables.values()
        if any(key.column.table.name in main for key in table.foreign_keys)
    }
    for table in sorted(main | pointing):
        await connection.execute(text(f"ANALYZE {table}"))
