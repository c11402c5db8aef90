"""Os dados de uma pessoa no banco: onde estão, e o que se lembra de quem pediu que fossem apagados. Sem COMMIT."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from sqlalchemy import ColumnElement, RowMapping, and_, func, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as pg_insert

from bling_collector.db.core import AsyncConnection
from bling_collector.db.models import contatos, dados_apagados, historico, metadata, nfe_cabecalho, pendencias
from bling_collector.db.resources import nota_search
from bling_collector.documentos import is_cnpj, is_cpf, plain

_OTHERS = tuple(table.name for table in metadata.sorted_tables if "detalhe" in table.c)
"""As tabelas com JSON do Bling, em que o documento pode aparecer no que é de outros."""
_WRITTEN_BY_US = (
    ("pendencias", "erro"),
    ("janelas_devidas", "erro"),
    ("etl_controle", "erro_mensagem"),
    ("execucao_log", "mensagem"),
    ("alarmes", "mensagem"),
)
"""Os textos do coletor, que podem citar o que o Bling ou o banco disse."""

Erased = frozenset[tuple[str, int | None]]
"""Pares (tabela, id) de quem pediu."""


@dataclass(frozen=True)
class Person:
    """Uma pessoa: os contatos com o seu documento e as notas que os citam."""

    contatos: list[int]
    notas: list[int]
    documento: str | None
    apagado_em: datetime | None
    """Quando os dados foram apagados pela última vez."""


async def erased(connection: AsyncConnection, ids: Collection[int]) -> Erased:
    """Dos `ids`, os que se lembra ter apagado. Ler aqui segura a tabela até o fim da transação: ver `lock`."""
    found = await connection.execute(
        text("SELECT tabela, registro_id FROM dados_apagados WHERE registro_id = ANY(CAST(:ids AS numeric[]))"),
        {"ids": list(ids)},
    )
    return frozenset((row.tabela, row.registro_id) for row in found)


async def lock(connection: AsyncConnection) -> None:
    """Espera quem está gravando documentos e faz esperar quem vier: o que eles têm na mão ainda traz a pessoa."""
    await connection.execute(text("LOCK TABLE dados_apagados IN ACCESS EXCLUSIVE MODE"))


async def find_person(connection: AsyncConnection, contato_id: int) -> Person | None:
    """A pessoa de um contato; None se o banco nunca a teve."""
    documento = await _documento(connection, contato_id)
    ids, n, c = {contato_id}, nfe_cabecalho.c, contatos.c
    if documento is not None:
        ids |= set((await connection.execute(select(c.id).where(_is(c.documento, documento)))).scalars())
        citing = select(n.contato_id).where(_is(n.contato_documento, documento), n.contato_id.is_not(None))
        ids |= set((await connection.execute(citing)).scalars())
    cited: ColumnElement[bool] = n.contato_id.in_(ids)
    if documento is not None:
        cited = or_(cited, _is(n.contato_documento, documento))
    notas = sorted((await connection.execute(select(n.id).where(cited))).scalars())
    when = await connection.scalar(
        select(func.max(dados_apagados.c.apagado_em)).where(
            dados_apagados.c.tabela == contatos.name, dados_apagados.c.registro_id.in_(ids)
        )
    )
    person = Person(sorted(ids), notas, documento, when)
    known = notas or when or await connection.scalar(select(func.count()).where(c.id.in_(ids)))
    return person if known or await pending(connection, person) else None


async def _documento(connection: AsyncConnection, contato_id: int) -> str | None:
    """O documento do contato, pelo cadastro ou por uma nota; None se não há, ou se não é de ninguém (000…)."""
    n = nfe_cabecalho.c
    found = await connection.scalar(select(contatos.c.documento).where(contatos.c.id == contato_id))
    if not found:
        statement = select(n.contato_documento).where(n.contato_id == contato_id, n.contato_documento.is_not(None))
        found = await connection.scalar(statement.order_by(n.id.desc()).limit(1))
    if not found or len(set(plain(str(found)))) < 2:
        return None
    value = plain(str(found))
    return value if is_cpf(value) or is_cnpj(value) else str(found)


def _is(column: ColumnElement[str | None], documento: str) -> ColumnElement[bool]:
    """Se a coluna traz este documento; o primeiro coletor o guardava com a pontuação que viesse."""
    if not (is_cpf(documento) or is_cnpj(documento)):
        return column == documento
    return func.upper(func.regexp_replace(column, "[^0-9A-Za-z]", "", "g")) == documento


async def names(connection: AsyncConnection, person: Person, most: int = 3) -> list[str]:
    """Os nomes da pessoa: os dos cadastros ou, sem eles, os que as notas trazem, do mais novo ao mais antigo; senão os
    que a listagem mostrou do que ainda não se leu."""
    n, c, p = nfe_cabecalho.c, contatos.c, pendencias.c
    registered = select(c.nome).where(c.id.in_(person.contatos), c.nome.is_not(None)).order_by(c.id.desc())
    cited = select(n.contato_nome).where(n.id.in_(person.notas), n.contato_nome.is_not(None)).order_by(n.id.desc())
    listed = select(p.contato_nome).where(p.contato_id.in_(person.contatos), p.contato_nome.is_not(None))
    for statement in (registered, cited, listed):
        if found := list(dict.fromkeys((await connection.execute(statement)).scalars())):
            return found[:most]
    return []


async def remember(connection: AsyncConnection, person: Person, now: datetime) -> None:
    """Lembra os contatos, e as notas que não os citam pelo id: o que chegar deles depois chega sem a pessoa."""
    n = nfe_cabecalho.c
    alone = await connection.execute(
        select(n.id).where(n.id.in_(person.notas), or_(n.contato_id.is_(None), n.contato_id.not_in(person.contatos)))
    )
    rows = [(contatos.name, id_) for id_ in person.contatos] + [(nfe_cabecalho.name, id_) for id_ in alone.scalars()]
    await remember_rows(connection, [(table, id_, now) for table, id_ in rows])


async def remember_rows(connection: AsyncConnection, rows: Iterable[tuple[str, int, datetime]]) -> None:
    """Lembra cada (tabela, id, quando); o que já se lembrava fica com a primeira data."""
    for table, id_, when in rows:
        new = pg_insert(dados_apagados).values(tabela=table, registro_id=id_, apagado_em=when)
        await connection.execute(new.on_conflict_do_nothing())


async def remembered(connection: AsyncConnection) -> list[tuple[str, int, datetime]]:
    """Tudo o que se lembra; vazio se o banco ainda não tem a tabela."""
    if await connection.scalar(text("SELECT to_regclass('dados_apagados')")) is None:
        return []
    return [tuple(row) for row in await connection.execute(select(dados_apagados))]


async def came_back(connection: AsyncConnection, of_nota: Collection[str], of_contato: Collection[str]) -> bool:
    """Se alguém que se lembra ter apagado tem alguma destas colunas: o banco voltou de uma cópia de antes.

    Custa um olhar nas linhas dos apagados, e quase nada se não há nenhum.
    """
    rows = await remembered(connection)
    ids = [id_ for table, id_, _ in rows if table == contatos.name]
    loose = [id_ for table, id_, _ in rows if table == nfe_cabecalho.name]
    n, c = nfe_cabecalho.c, contatos.c
    of_the_nota = or_(*(n[name].is_not(None) for name in of_nota))
    of_the_contato = or_(*(c[name].is_not(None) for name in of_contato))
    places = [
        select(c.id).where(c.id.in_(ids), of_the_contato),
        select(n.id).where(n.contato_id.in_(ids), of_the_nota),
        select(n.id).where(n.id.in_(loose), of_the_nota),
        select(pendencias.c.recurso_id).where(pendencias.c.contato_id.in_(ids), pendencias.c.contato_nome.is_not(None)),
    ]
    for place in places if rows else ():
        if await connection.scalar(place.limit(1)) is not None:
            return True
    return False


async def clear_columns(
    connection: AsyncConnection, person: Person, of_nota: Collection[str], of_contato: Collection[str]
) -> None:
    """Esvazia as colunas; um contato de que ainda não se perguntou o detalhe não será mais perguntado."""
    await connection.execute(
        update(nfe_cabecalho).where(nfe_cabecalho.c.id.in_(person.notas)).values(dict.fromkeys(of_nota))
    )
    await nota_search.refresh(connection, person.notas)
    await connection.execute(
        update(contatos).where(contatos.c.id.in_(person.contatos)).values(dict.fromkeys(of_contato))
    )
    await connection.execute(
        update(contatos)
        .where(contatos.c.id.in_(person.contatos), contatos.c.detalhe.is_(None), contatos.c.nao_encontrado_em.is_(None))
        .values(detalhe=func.jsonb_build_object(literal("id"), contatos.c.id))
    )
    await connection.execute(
        update(pendencias)
        .where(_pending(person))
        .values(erro="Os dados deste registro foram apagados a pedido do titular.", contato_nome=None)
    )


async def documents(connection: AsyncConnection, table: str, ids: Collection[int]) -> list[RowMapping]:
    """As linhas de `ids` que têm o JSON guardado: `id`, `detalhe` e `extraido_em`."""
    c = (nfe_cabecalho if table == nfe_cabecalho.name else contatos).c
    found = await connection.execute(
        select(c.id, c.detalhe, c.extraido_em).where(c.id.in_(ids), c.detalhe.is_not(None)).order_by(c.id)
    )
    return list(found.mappings())


async def history(connection: AsyncConnection, table: str, ids: Collection[int]) -> list[RowMapping]:
    """O histórico destes registros, em ordem."""
    h = historico.c
    found = await connection.execute(select(historico).where(h.tabela == table, h.registro_id.in_(ids)).order_by(h.id))
    return list(found.mappings())


async def pending(connection: AsyncConnection, person: Person) -> list[RowMapping]:
    """As pendências da pessoa: as das notas que a listagem diz serem dela, e as dos registros dela."""
    c = pendencias.c
    # A nota que mudou de dono: o que a listagem agora mostra é de outro.
    hers = or_(c.contato_id.is_(None), c.contato_id.in_(person.contatos))
    found = await connection.execute(
        select(c.recurso, c.recurso_id, c.numero, c.contato_id, c.contato_nome, c.data_emissao, c.erro, c.desde)
        .where(_pending(person), hers)
        .order_by(c.recurso, c.recurso_id)
    )
    return list(found.mappings())


def _pending(person: Person) -> ColumnElement[bool]:
    c = pendencias.c
    theirs = [
        and_(c.recurso == recurso, c.recurso_id.in_([str(id_) for id_ in ids]))
        for recurso, ids in (("nfe", person.notas), ("contatos", person.contatos))
    ]
    return or_(c.contato_id.in_(person.contatos), *theirs)


async def rewrite_history(connection: AsyncConnection, row_id: int, changes: Mapping[str, object]) -> None:
    """Troca as mudanças de uma linha do histórico; sem nenhuma, a linha sai."""
    h = historico
    if changes:
        await connection.execute(update(h).where(h.c.id == row_id).values(mudancas=dict(changes)))
    else:
        await connection.execute(h.delete().where(h.c.id == row_id))


async def changed_hands(connection: AsyncConnection, person: Person) -> list[tuple[str, int]]:
    """Os registros (tabela, id) que hoje não são da pessoa e cujo histórico a cita: mudaram de dono, ou a citaram."""
    found = await connection.execute(
        text("""
            SELECT DISTINCT tabela, registro_id FROM historico
            WHERE mudancas::text ~* CAST(:pattern AS text)
               OR mudancas -> 'contato_id' ->> 0 = ANY(:ids) OR mudancas -> 'contato_id' ->> 1 = ANY(:ids)
            ORDER BY 1, 2"""),
        {
            "pattern": _written(person.documento) if person.documento else None,
            "ids": [str(id_) for id_ in person.contatos],
        },
    )
    own = {("nfe_cabecalho", id_) for id_ in person.notas} | {("contatos", id_) for id_ in person.contatos}
    return [(row.tabela, row.registro_id) for row in found if (row.tabela, row.registro_id) not in own]


async def owner(connection: AsyncConnection, table: str, id_: int) -> dict[str, object]:
    """De quem o registro é hoje: o documento e, se é uma nota, o contato; vazio se o registro já não existe."""
    columns = "contato_id, contato_documento" if table == nfe_cabecalho.name else "documento"
    row = (await connection.execute(text(f"SELECT {columns} FROM {table} WHERE id = :id"), {"id": id_})).mappings()
    return dict(row.one_or_none() or {})


async def names_of(connection: AsyncConnection, person: Person) -> set[str]:
    """Os nomes que a pessoa tem nos seus cadastros e nas suas notas."""
    n, c = nfe_cabecalho.c, contatos.c
    found = set((await connection.execute(select(n.contato_nome).where(n.id.in_(person.notas)))).scalars())
    for column in (c.nome, c.fantasia):
        found |= set((await connection.execute(select(column).where(c.id.in_(person.contatos)))).scalars())
    return {name for name in found if name}


async def documents_citing(connection: AsyncConnection, person: Person) -> list[tuple[str, RowMapping]]:
    """O JSON de outros em que o documento aparece: a tabela e a linha (`id`, `detalhe`, `extraido_em`)."""
    if person.documento is None:
        return []
    own = {"nfe_cabecalho": person.notas, "contatos": person.contatos}
    rows: list[tuple[str, RowMapping]] = []
    for table in _OTHERS:
        found = await connection.execute(
            text(f"""
                SELECT id, detalhe, extraido_em FROM {table}
                WHERE detalhe::text ~* :pattern AND id <> ALL(:own) ORDER BY id"""),
            {"pattern": _written(person.documento), "own": own.get(table, [])},
        )
        rows += [(table, row) for row in found.mappings()]
    return rows


async def rewrite_document(connection: AsyncConnection, table: str, id_: int, detalhe: object) -> None:
    """Troca o JSON de um registro que não tem linhas derivadas por refazer."""
    where = metadata.tables[table]
    await connection.execute(update(where).where(where.c.id == id_).values(detalhe=detalhe))


async def forget_in_texts(connection: AsyncConnection, documento: str) -> None:
    """Tira o documento dos textos que o coletor escreveu."""
    for table, column in _WRITTEN_BY_US:
        await connection.execute(
            text(f"""
                UPDATE {table} SET {column} = regexp_replace({column}, :pattern, '***', 'gi')
                WHERE {column} ~* :pattern"""),
            {"pattern": _written(documento)},
        )


def written(documento: str) -> re.Pattern[str]:
    """O que acha o documento com ou sem pontuação, e não dentro de um número maior."""
    return re.compile(_written(documento), re.IGNORECASE)


async def still_citing(connection: AsyncConnection, documento: str, besides: Collection[int] = ()) -> list[int]:
    """As notas, fora as de `besides`, em que o documento ainda aparece: no JSON, como transportador por exemplo, ou no
    histórico."""
    found = await connection.execute(
        text("""
            SELECT id FROM (
                SELECT id FROM nfe_cabecalho WHERE detalhe::text ~* :pattern
                UNION
                SELECT registro_id FROM historico WHERE tabela = 'nfe_cabecalho' AND mudancas::text ~* :pattern) AS n
            WHERE id <> ALL(:besides) ORDER BY id"""),
        {"pattern": _written(documento), "besides": list(besides)},
    )
    return list(found.scalars())


def _written(documento: str) -> str:
    """A expressão do PostgreSQL que acha o documento com ou sem pontuação, e não dentro de um número maior.

    Numa chave de acesso, de 44 dígitos, vai o CNPJ de quem emitiu a nota.
    """
    sizes = {11: (3, 3, 3, 2), 14: (2, 3, 3, 4, 2)}.get(len(documento) if documento.isalnum() else 0, (len(documento),))
    ends = list(accumulate(sizes))
    parts = [re.escape(documento[end - size : end]) for size, end in zip(sizes, ends, strict=True)]
    return rf"(?<![0-9]){'[./ -]?'.join(parts)}(?![0-9])"
