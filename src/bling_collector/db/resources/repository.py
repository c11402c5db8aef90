"""O que o banco sabe dos dados coletados, e o que lhe falta. Nada aqui faz COMMIT."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Column, Select, Table, Text, cast, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as pg_insert

from bling_collector.db.control import PARKED_AFTER
from bling_collector.db.core import AsyncConnection
from bling_collector.db.models import (
    categorias_produto,
    metadata,
    nfce_pagamentos,
    nfe_entrada_pagamentos,
    nfe_pagamentos,
    pendencias,
    produtos,
    produtos_desconhecidos,
)
from bling_collector.db.proof import Kept
from bling_collector.payload import Json

ASK_AGAIN_AFTER = timedelta(days=7)
"""Um SKU que o Bling não conhece não é perguntado de novo antes disso."""
Citing = Column[Any] | str
"""A coluna de outra tabela que guarda ids desta; ou, em SQL, a consulta que os dá."""
_PARKED = f"""
    EXISTS (SELECT FROM pendencias d
            WHERE d.recurso = '{{recurso}}' AND d.recurso_id = {{id}} AND d.tentativas >= {PARKED_AFTER})"""


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
    """Os documentos dos registros que são como `condition` diz, em SQL, menos os excluídos."""
    found = await connection.stream(
        text(f"""
            SELECT detalhe FROM {kept.table.name}
            WHERE ({condition}) AND excluida_em IS NULL AND detalhe IS NOT NULL AND {kept.ours}"""),
        {"hoje": today},
    )
    async for row in found:
        yield row.detalhe


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
    parked = _PARKED.format(recurso=recurso, id="citados.id::text")
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


async def mark_not_found(connection: AsyncConnection, table: Table, ids: Collection[Any], now: datetime) -> None:
    """O Bling respondeu 404 a estes ids: fica uma linha que só diz isso, e não se pergunta de novo."""
    said = {"nao_encontrado_em": now} if "nao_encontrado_em" in table.c else {}
    new = pg_insert(table).from_select(["id", "extraido_em", *said], _each(table.c.id, ids, now, *said.values()))
    await connection.execute(
        new.on_conflict_do_update(index_elements=["id"], set_=said) if said else new.on_conflict_do_nothing()
    )


async def not_found_again(
    connection: AsyncConnection, table: Table, asked: Collection[Any], missing: Collection[Any], now: datetime
) -> list[Any]:
    """Dos `missing`, os a que o Bling já tinha respondido 404. Anota-o dos outros, e esquece-o do mais que se pediu."""
    told = select(table.c.id).where(table.c.id.in_(missing), table.c.nao_encontrado_em.is_not(None))
    again = list((await connection.execute(told)).scalars())
    await connection.execute(
        text(f"""
            UPDATE {table.name} SET nao_encontrado_em = CASE WHEN id = ANY(:missing) THEN :now END
            WHERE id = ANY(:asked) AND (id = ANY(:missing)) <> (nao_encontrado_em IS NOT NULL)"""),
        {"asked": list(asked), "missing": list(missing), "now": now},
    )
    return again


async def living_except(
    connection: AsyncConnection, kept: Kept, ids: Collection[Any], since: datetime, until: datetime
) -> list[Any]:
    """Os registros que o banco tem, e o Bling já deu, e não são de `ids` nem se leram entre os dois instantes."""
    found = await connection.execute(
        text(f"""
            SELECT id FROM {kept.table.name}
            WHERE id <> ALL(:ids) AND excluida_em IS NULL AND detalhe IS NOT NULL AND {kept.ours}
              AND (extraido_em BETWEEN :since AND :until) IS NOT TRUE"""),
        {"ids": list(ids), "since": since, "until": until},
    )
    return list(found.scalars())


async def forget_listed(connection: AsyncConnection, table: Table, ids: Collection[Any]) -> None:
    """A listagem, quando os mostrar, os dá por mudados."""
    await connection.execute(
        text(f"UPDATE {table.name} SET resumo_lista = NULL WHERE id = ANY(:ids)"), {"ids": list(ids)}
    )


async def skus_without_produto(connection: AsyncConnection, now: datetime) -> list[str]:
    """Os SKUs das notas sem produto no banco, menos os que o Bling há pouco disse não conhecer e os estacionados."""
    found = await connection.execute(
        text(f"""
            SELECT DISTINCT i.codigo_produto
            FROM nfe_itens i
            WHERE i.codigo_produto IS NOT NULL
              AND NOT EXISTS (SELECT FROM produtos p WHERE p.codigo = i.codigo_produto AND p.detalhe IS NOT NULL)
              AND NOT EXISTS (SELECT FROM produtos_desconhecidos d
                              WHERE d.codigo = i.codigo_produto
                                AND d.verificado_em > :unknown_since AND d.verificado_em <= :now)
              AND NOT {_PARKED.format(recurso="produtos", id="i.codigo_produto")}
            ORDER BY 1"""),
        {"unknown_since": now - ASK_AGAIN_AFTER, "now": now},
    )
    return list(found.scalars())


async def skus_pending(connection: AsyncConnection) -> list[str]:
    """Os SKUs das notas que estão pendentes, menos os estacionados."""
    found = await connection.execute(
        text("""
            SELECT recurso_id FROM pendencias d
            WHERE d.recurso = 'produtos' AND d.tentativas < :parked
              AND EXISTS (SELECT FROM nfe_itens i WHERE i.codigo_produto = d.recurso_id)
            ORDER BY 1"""),
        {"parked": PARKED_AFTER},
    )
    return list(found.scalars())


async def skus_with_produto(connection: AsyncConnection) -> list[str]:
    """Os SKUs das notas que têm produto no banco."""
    found = await connection.execute(
        text("""
            SELECT DISTINCT i.codigo_produto FROM nfe_itens i
            WHERE EXISTS (SELECT FROM produtos p WHERE p.codigo = i.codigo_produto AND p.detalhe IS NOT NULL)
            ORDER BY 1""")
    )
    return list(found.scalars())


async def mark_known_skus(connection: AsyncConnection, codigos: Collection[str]) -> None:
    """O Bling conhece estes SKUs."""
    await connection.execute(
        text("DELETE FROM produtos_desconhecidos WHERE codigo = ANY(:codigos)"), {"codigos": list(codigos)}
    )


async def mark_unknown_skus(connection: AsyncConnection, codigos: Iterable[str], now: datetime) -> None:
    """O Bling não conhece estes SKUs."""
    c = produtos_desconhecidos.c
    new = pg_insert(produtos_desconhecidos).from_select(["codigo", "verificado_em"], _each(c.codigo, codigos, now))
    await connection.execute(new.on_conflict_do_update(index_elements=["codigo"], set_={"verificado_em": now}))


def _each(column: Column[Any], values: Iterable[object], *more: object) -> Select[Any]:
    """Uma linha por valor, com o resto igual em todas; numa instrução só, por muitos que sejam."""
    listed = func.unnest(cast(list({*values}), ARRAY(column.type)))
    return select(listed, *(literal(each) for each in more))


async def skus_repeated(connection: AsyncConnection) -> list[str]:
    """Os SKUs com mais de um produto."""
    found = await connection.execute(
        text("SELECT codigo FROM produtos WHERE codigo IS NOT NULL GROUP BY codigo HAVING count(*) > 1 ORDER BY 1")
    )
    return list(found.scalars())


async def fill_categoria_descricao(connection: AsyncConnection) -> None:
    """Põe em cada produto de que se perguntou a categoria a descrição dela."""
    description = "(SELECT c.descricao FROM categorias_produto c WHERE c.id = p.categoria_id)"
    await connection.execute(
        text(f"""
            UPDATE produtos p SET categoria_descricao = {description}
            WHERE p.categoria_vista_em IS NOT NULL AND p.categoria_descricao IS DISTINCT FROM {description}""")
    )


async def all_skus(connection: AsyncConnection) -> list[str]:
    """Os SKUs de todos os produtos."""
    c = produtos.c
    return list((await connection.execute(select(c.codigo).where(c.codigo.is_not(None)).distinct())).scalars())


async def skus_in_doubt(connection: AsyncConnection) -> list[str]:
    """Os SKUs com mais de um produto de que não se sabe quais foram excluídos."""
    found = await connection.execute(
        text("""
            SELECT codigo FROM produtos WHERE codigo IS NOT NULL
            GROUP BY codigo HAVING count(*) > 1 AND bool_or(exclusao_vista_em IS NULL)
            ORDER BY 1""")
    )
    return list(found.scalars())


async def mark_exclusao_seen(connection: AsyncConnection, codigos: Collection[str], now: datetime) -> None:
    """Destes SKUs já se perguntou ao Bling quais produtos foram excluídos."""
    await connection.execute(
        text("UPDATE produtos SET exclusao_vista_em = :now WHERE codigo = ANY(:codigos)"),
        {"codigos": list(codigos), "now": now},
    )


async def after_produtos(connection: AsyncConnection, written: Collection[int]) -> None:
    """Depois de gravar produtos: a categoria deles pode ter mudado, e quem é o preferido do SKU também."""
    if not written:
        return
    await connection.execute(
        text("UPDATE produtos SET categoria_vista_em = NULL, exclusao_vista_em = NULL WHERE id = ANY(:ids)"),
        {"ids": list(written)},
    )
    # O SKU que um deles deixou também fica sem preferido, e já não está em linha nenhuma das gravadas.
    found = await connection.execute(
        text("""
            SELECT codigo FROM produtos WHERE codigo IS NOT NULL
            GROUP BY codigo HAVING NOT bool_or(preferido) OR bool_or(id = ANY(:ids))"""),
        {"ids": list(written)},
    )
    await prefer_produtos(connection, list(found.scalars()))


async def prefer_produtos(connection: AsyncConnection, codigos: Collection[str]) -> None:
    """De cada SKU é preferido o produto vivo e, entre iguais, o ativo mais novo.

    Antes se desmarca, que o preferido é único.
    """
    ranked = """
        (SELECT id, row_number() OVER (
                    PARTITION BY codigo
                    ORDER BY excluida_em IS NOT NULL, coalesce(situacao = 'A', false) DESC, id DESC) = 1 AS primeiro
         FROM produtos WHERE codigo = ANY(:codigos)) AS r"""
    for value in ("false", "true"):
        await connection.execute(
            text(f"""
                UPDATE produtos p SET preferido = {value} FROM {ranked}
                WHERE r.id = p.id AND r.primeiro = {value} AND p.preferido <> {value}"""),
            {"codigos": list(codigos)},
        )


async def produtos_without_categoria(connection: AsyncConnection) -> set[int]:
    """Os produtos de que ainda não se perguntou a categoria."""
    c = produtos.c
    unknown = select(c.id).where(c.categoria_vista_em.is_(None), c.nao_encontrado_em.is_(None))
    return set((await connection.execute(unknown)).scalars())


async def forget_the_unlisted(connection: AsyncConnection, ids: Collection[int]) -> None:
    """A categoria e a composição destes produtos voltam a ser perguntadas."""
    given = {"ids": list(ids)}
    await connection.execute(text("UPDATE produtos SET categoria_vista_em = NULL WHERE id = ANY(:ids)"), given)
    await connection.execute(text("UPDATE produtos_estruturas SET extraido_em = NULL WHERE id = ANY(:ids)"), given)


async def set_categorias(
    connection: AsyncConnection, found: dict[int, int | None], now: datetime, run_id: int | None
) -> set[int]:
    """Grava a categoria de cada produto de `found` (None: não tem), com a descrição que o banco conhece.

    Devolve, e anota no histórico, aqueles em que ela mudou; saber a primeira não é mudar.
    """
    changed = await connection.execute(
        text("""
            WITH antes AS (SELECT id, categoria_id, categoria_vista_em FROM produtos WHERE id = ANY(:ids)),
            gravadas AS (
                UPDATE produtos p SET categoria_vista_em = :now,
                    -- De um produto que só o primeiro coletor conheceu, fica o que ele sabia.
                    categoria_id = CASE WHEN p.detalhe IS NULL THEN coalesce(v.categoria_id, p.categoria_id)
                                        ELSE v.categoria_id END,
                    categoria_descricao = CASE WHEN p.detalhe IS NULL THEN coalesce(c.descricao, p.categoria_descricao)
                                               ELSE c.descricao END
                FROM unnest(CAST(:ids AS bigint[]), CAST(:categorias AS bigint[])) AS v (id, categoria_id)
                LEFT JOIN categorias_produto c ON c.id = v.categoria_id
                WHERE p.id = v.id
                RETURNING p.id, p.categoria_id)
            INSERT INTO historico (tabela, registro_id, quando, run_id, mudancas)
            SELECT 'produtos', id, :now, :run_id, jsonb_build_object(
                       'categoria_id', jsonb_build_array(antes.categoria_id, gravadas.categoria_id))
            FROM antes JOIN gravadas USING (id)
            WHERE antes.categoria_id IS DISTINCT FROM gravadas.categoria_id
              AND (antes.categoria_id IS NOT NULL OR antes.categoria_vista_em IS NOT NULL)
            RETURNING registro_id"""),
        {"ids": list(found), "categorias": list(found.values()), "now": now, "run_id": run_id},
    )
    return set(changed.scalars())


async def categorias(connection: AsyncConnection) -> dict[int, int | None]:
    """As categorias do banco, cada uma com a sua mãe."""
    c = categorias_produto.c
    return {row.id: row.categoria_pai_id for row in await connection.execute(select(c.id, c.categoria_pai_id))}


async def categorias_without_description(connection: AsyncConnection) -> set[int]:
    """As categorias que algum produto tem e o banco não conhece."""
    found = await connection.execute(
        text("""
            SELECT DISTINCT categoria_id FROM produtos p
            WHERE categoria_id IS NOT NULL AND categoria_vista_em IS NOT NULL
              AND NOT EXISTS (SELECT FROM categorias_produto c WHERE c.id = p.categoria_id)""")
    )
    return set(found.scalars())


PAGAMENTOS = (nfe_pagamentos, nfce_pagamentos, nfe_entrada_pagamentos)
"""As tabelas de parcelas que têm o código fiscal da forma."""


async def fill_tipo_pagamento(connection: AsyncConnection, table: Table, notas: Collection[int] | None = None) -> int:
    """Põe em cada parcela da tabela (de `notas`, ou de todas) o código fiscal da sua forma; devolve quantas mudaram."""
    only = "AND p.nfe_id = ANY(:notas)" if notas is not None else ""
    result = await connection.execute(
        text(f"""
            UPDATE {table.name} p SET tipo_pagamento = f.tipo_pagamento
            FROM formas_pagamento f
            WHERE f.id = p.forma_pagamento_id AND p.tipo_pagamento IS DISTINCT FROM f.tipo_pagamento {only}"""),
        {"notas": list(notas)} if notas is not None else {},
    )
    return result.rowcount


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
