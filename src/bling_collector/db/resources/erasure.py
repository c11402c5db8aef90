"""Os dados de uma pessoa no banco: onde estão, e o que se lembra de quem pediu que fossem apagados. Sem COMMIT."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from sqlalchemy import Column, ColumnElement, RowMapping, Table, and_, false, func, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as pg_insert

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.models import contatos, dados_apagados, historico, nfe_cabecalho, pendencias
from bling_collector.documentos import is_cnpj, is_cpf, plain
from bling_collector.traces import CONTATO

_SHORTEST = 6
"""Letras e algarismos de um documento que não é CPF nem CNPJ e já diz de quem é."""
_WRITTEN_BY_US = (
    ("pendencias", "erro"),
    ("janelas_devidas", "erro"),
    ("etl_controle", "erro_mensagem"),
    ("execucao_log", "mensagem"),
    ("alarmes", "mensagem"),
)
"""Os textos do coletor, que podem citar o que o Bling ou o banco disse."""


@dataclass(frozen=True)
class Erased:
    """Quem pediu, do que se perguntou."""

    contatos: frozenset[int]
    others: frozenset[tuple[str, int | None]]
    """Pares (tabela, id) dos registros que não citam um contato."""


@dataclass(frozen=True)
class Personal:
    """Um recurso que fala de pessoas, no que é preciso saber dele para as achar e apagar."""

    recurso: str
    table: Table
    contato_id: Column[Any] | None
    """None nos contatos, de que ele é o id."""
    parent: Column[Any] | None
    """Se `contato_id` é de uma tabela filha, a coluna dela que aponta para a principal: o registro é de vários."""
    names: tuple[ColumnElement[Any], ...]
    """O primeiro é o nome por que a pessoa é conhecida."""
    documento: ColumnElement[Any] | None
    columns: tuple[Column[Any], ...]
    """As que se esvaziam."""
    through: str | None = None
    """Em SQL, os ids dos registros de `:contatos` que só outra tabela diz de quem são."""

    @property
    def contato(self) -> Column[Any]:
        """A coluna que diz de que contato é o registro."""
        return self.table.c.id if self.contato_id is None else self.contato_id

    @property
    def owner(self) -> dict[str, ColumnElement[Any]]:
        """O que diz de quem um registro é."""
        found = {"contato_id": self.contato_id if self.parent is None else None, "documento": self.documento}
        return {name: column for name, column in found.items() if column is not None}

    @property
    def owner_columns(self) -> dict[str, str]:
        """O mesmo, no que o histórico anota: os nomes das colunas."""
        return {name: column.name for name, column in self.owner.items() if isinstance(column, Column)}

    @property
    def name_columns(self) -> list[str]:
        return [column.name for column in self.names if isinstance(column, Column)]

    def of(self, ids: Collection[int]) -> ColumnElement[bool]:
        """Se o registro é de um destes contatos."""
        theirs = self.contato.in_(ids)
        if self.parent is not None:
            return self.table.c.id.in_(select(self.parent).where(theirs))
        return and_(self.contato.is_not(None), theirs)

    def is_through(self, ids: Collection[int]) -> ColumnElement[bool]:
        """Se o registro, que não diz de quem é, é de um destes contatos pelo que outra tabela diz."""
        if self.through is None:
            return false()
        found = text(self.through).bindparams(contatos=list(ids)).columns(self.table.c.id)
        return self.table.c.id.in_(found)

    def cites(self, documento: str | None) -> ColumnElement[bool]:
        """Se o registro traz este documento."""
        return false() if documento is None or self.documento is None else _is(self.documento, documento)

    def tells(self) -> ColumnElement[bool]:
        """Se o registro ainda diz quem é a pessoa."""
        said = (*self.columns, *self.names, *([] if self.documento is None else [self.documento]))
        return or_(false(), *(each.is_not(None) for each in said))


@dataclass(frozen=True)
class Titular:
    """Uma pessoa: os contatos com o seu documento e os registros que os citam."""

    records: Mapping[Personal, list[int]]
    """Os ids dos registros de cada recurso."""
    documento: str | None
    apagado_em: datetime | None
    """Quando os dados foram apagados pela última vez."""

    @property
    def others(self) -> dict[str, list[int]]:
        """Recurso → ids, fora as notas e os contatos; só os de que há algum."""
        told = (contatos, nfe_cabecalho)
        return {place.recurso: ids for place, ids in self.records.items() if ids and place.table not in told}

    def of(self, table: Table) -> list[int]:
        """Os ids dos registros dela nesta tabela."""
        return next((ids for place, ids in self.records.items() if place.table is table), [])

    @property
    def contatos(self) -> list[int]:
        return self.of(contatos)

    @property
    def notas(self) -> list[int]:
        return self.of(nfe_cabecalho)


async def erased(connection: AsyncConnection, cited: Collection[int], records: Collection[int]) -> Erased:
    """Dos contatos que se citam, e dos ids de registros, os que se lembra ter apagado. Ler aqui segura a tabela até o
    fim da transação: ver `lock`."""
    if not cited and not records:
        return Erased(frozenset(), frozenset())
    found = await connection.execute(
        text("SELECT tabela, registro_id FROM dados_apagados WHERE registro_id = ANY(CAST(:ids AS numeric[]))"),
        {"ids": [*cited, *records]},
    )
    pairs = {(row.tabela, row.registro_id) for row in found}
    return Erased(
        frozenset(id_ for table, id_ in pairs if table == contatos.name and id_ in cited),
        frozenset((table, id_) for table, id_ in pairs if table != contatos.name and id_ in records),
    )


async def lock(connection: AsyncConnection) -> None:
    """Espera quem está gravando documentos e faz esperar quem vier: o que eles têm na mão ainda traz a pessoa."""
    await connection.execute(text("LOCK TABLE dados_apagados IN ACCESS EXCLUSIVE MODE"))


async def find_person(
    connection: AsyncConnection, places: Sequence[Personal], tables: Sequence[Table], contato_id: int
) -> Titular | None:
    """A pessoa de um contato; None se o banco nunca a teve, nem no JSON que `tables` guardam de outros."""
    places = sorted(places, key=lambda place: place.contato_id is not None)  # o cadastro é quem melhor a conhece
    documento = await _documento(connection, places, contato_id)
    ids = {contato_id}
    for place in places:
        if place.documento is None:
            continue
        cited = select(place.contato).where(place.cites(documento), place.contato.is_not(None))
        ids |= set((await connection.execute(cited)).scalars())
    records: dict[Personal, list[int]] = {}
    for place in places:
        hers = select(place.table.c.id).where(or_(place.of(ids), place.cites(documento), place.is_through(ids)))
        records[place] = sorted((await connection.execute(hers)).scalars())
    when = await connection.scalar(
        select(func.max(dados_apagados.c.apagado_em)).where(
            dados_apagados.c.tabela == contatos.name, dados_apagados.c.registro_id.in_(ids)
        )
    )
    known = when or any(records.values())
    person = Titular(records | {place: sorted(ids) for place in places if place.contato_id is None}, documento, when)
    known = known or await pending(connection, person) or await changed_hands(connection, person)
    return person if known or await citing(connection, person, tables) else None


async def _documento(connection: AsyncConnection, places: Sequence[Personal], contato_id: int) -> str | None:
    """O documento do contato, pelo cadastro ou pelo que o cita; None se não há, ou se não diz de quem é."""
    found = None
    for place in places:
        if place.documento is None or found:
            continue
        newest = select(place.documento).where(place.contato == contato_id, place.documento.is_not(None))
        found = await connection.scalar(newest.order_by(place.table.c.id.desc()).limit(1))
    return identifying(found)


def identifying(documento: str | None) -> str | None:
    """O documento, se diz de quem é: 000…, uma palavra ou dois algarismos no lugar dele seriam de muitos."""
    value = plain(documento or "")
    letters = [character for character in value if character.isalnum()]
    if len(set(value)) < 2 or len(letters) < _SHORTEST or not any(map(str.isdigit, letters)):
        return None
    return value if is_cpf(value) or is_cnpj(value) else documento


def _is(column: ColumnElement[str | None], documento: str) -> ColumnElement[bool]:
    """Se a coluna traz este documento; o primeiro coletor o guardava com a pontuação que viesse."""
    if not (is_cpf(documento) or is_cnpj(documento)):
        return column == documento
    return func.upper(func.regexp_replace(column, "[^0-9A-Za-z]", "", "g")) == documento


async def names(connection: AsyncConnection, person: Titular, most: int = 3) -> list[str]:
    """Os nomes da pessoa: os dos cadastros ou, sem eles, os que as notas trazem (ou outro recurso), do mais novo ao
    mais antigo; senão os que a listagem mostrou do que ainda não se leu."""
    p = pendencias.c
    statements = [
        select(place.names[0])
        .where(place.table.c.id.in_(ids), place.names[0].is_not(None))
        .order_by(place.table.c.id.desc())
        for place, ids in person.records.items()
        if place.names
    ]
    listed = select(p.contato_nome).where(p.contato_id.in_(person.contatos), p.contato_nome.is_not(None))
    for statement in (*statements, listed):
        if found := list(dict.fromkeys((await connection.execute(statement)).scalars())):
            return found[:most]
    return []


async def remember(connection: AsyncConnection, person: Titular, now: datetime) -> None:
    """Lembra os contatos, e os registros que não os citam pelo id: o que chegar deles depois chega sem a pessoa."""
    rows = [(contatos.name, id_) for id_ in person.contatos]
    for place, ids in person.records.items():
        if place.contato_id is not None:
            alone = await connection.execute(
                select(place.table.c.id).where(place.table.c.id.in_(ids), ~place.of(person.contatos))
            )
            rows += [(place.table.name, id_) for id_ in alone.scalars()]
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


async def came_back(connection: AsyncConnection, places: Sequence[Personal]) -> bool:
    """Se o banco ainda diz quem é alguém que se lembra ter apagado: voltou de uma cópia de antes.

    Custa um olhar nas linhas dos apagados, e quase nada se não há nenhum.
    """
    rows = await remembered(connection)
    if not rows:
        return False
    ids = [id_ for table, id_, _ in rows if table == contatos.name]
    p = pendencias.c
    looks = [select(p.recurso_id).where(p.contato_id.in_(ids), p.contato_nome.is_not(None))]
    for place in places:
        loose = [id_ for table, id_, _ in rows if table == place.table.name]
        looks += [select(place.table.c.id).where(place.of(ids), place.tells())]
        looks += [select(place.table.c.id).where(place.table.c.id.in_(loose), place.tells())]
    for look in looks:
        if await connection.scalar(look.limit(1)) is not None:
            return True
    return False


async def clear_columns(connection: AsyncConnection, person: Titular) -> None:
    """Esvazia as colunas; um contato de que ainda não se perguntou o detalhe não será mais perguntado."""
    for place, ids in person.records.items():
        if place.columns:
            empty: dict[str, None] = dict.fromkeys(column.name for column in place.columns)
            await connection.execute(update(place.table).where(place.table.c.id.in_(ids)).values(empty))
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


async def documents(connection: AsyncConnection, table: Table, ids: Collection[int]) -> list[RowMapping]:
    """As linhas de `ids` que têm o JSON guardado: `id`, `detalhe` e `extraido_em`."""
    c = table.c
    found = await connection.execute(
        select(c.id, c.detalhe, c.extraido_em).where(c.id.in_(ids), c.detalhe.is_not(None)).order_by(c.id)
    )
    return list(found.mappings())


async def history(connection: AsyncConnection, table: str, ids: Collection[int]) -> list[RowMapping]:
    """O histórico destes registros, em ordem."""
    h = historico.c
    found = await connection.execute(select(historico).where(h.tabela == table, h.registro_id.in_(ids)).order_by(h.id))
    return list(found.mappings())


async def pending(connection: AsyncConnection, person: Titular) -> list[RowMapping]:
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


def _pending(person: Titular) -> ColumnElement[bool]:
    c = pendencias.c
    theirs = [
        and_(c.recurso == place.recurso, c.recurso_id.in_([str(id_) for id_ in ids]))
        for place, ids in person.records.items()
    ]
    return or_(c.contato_id.in_(person.contatos), *theirs)


async def rewrite_history(connection: AsyncConnection, row_id: int, changes: Mapping[str, object]) -> None:
    """Troca as mudanças de uma linha do histórico; sem nenhuma, a linha sai."""
    h = historico
    if changes:
        await connection.execute(update(h).where(h.c.id == row_id).values(mudancas=dict(changes)))
    else:
        await connection.execute(h.delete().where(h.c.id == row_id))


async def changed_hands(connection: AsyncConnection, person: Titular) -> list[tuple[str, int]]:
    """Os registros (tabela, id) que hoje não são da pessoa e cujo histórico a cita: mudaram de dono, ou a citaram."""
    found = await connection.execute(
        text("""
            SELECT DISTINCT tabela, registro_id FROM historico
            WHERE registro_id IS NOT NULL AND (mudancas::text ~* CAST(:pattern AS text)
               OR jsonb_path_exists(mudancas, CAST(:path AS jsonpath))
               OR EXISTS (SELECT FROM unnest(CAST(:columns AS text[])) AS coluna
                          WHERE mudancas -> coluna ->> 0 = ANY(:ids) OR mudancas -> coluna ->> 1 = ANY(:ids)))
            ORDER BY 1, 2"""),
        {
            "pattern": _written(person.documento) if person.documento else None,
            "path": _path(person.contatos),
            "ids": [str(id_) for id_ in person.contatos],
            "columns": list({place.contato_id.name for place in person.records if place.contato_id is not None}),
        },
    )
    own = {(place.table.name, id_) for place, ids in person.records.items() for id_ in ids}
    return [(row.tabela, row.registro_id) for row in found if (row.tabela, row.registro_id) not in own]


async def owner(connection: AsyncConnection, place: Personal, id_: int) -> dict[str, Any]:
    """De quem o registro é hoje, nas chaves de `Personal.owner`; vazio se o registro já não existe."""
    columns = [column.label(name) for name, column in place.owner.items()]
    if not columns:
        return {}
    found = await connection.execute(select(*columns).where(place.table.c.id == id_))
    return dict(found.mappings().one_or_none() or {})


async def names_of(connection: AsyncConnection, person: Titular) -> set[str]:
    """Os nomes que a pessoa tem nos seus cadastros e no mais que é dela."""
    found: set[str | None] = set()
    for place, ids in person.records.items():
        for column in place.names:
            found |= set((await connection.execute(select(column).where(place.table.c.id.in_(ids)))).scalars())
    return {name for name in found if name}


async def citing(connection: AsyncConnection, person: Titular, tables: Sequence[Table]) -> dict[Table, list[int]]:
    """Tabela → os ids dos registros de outros em cujo JSON aparece o documento, ou o id de um contato dela."""
    pattern = _written(person.documento) if person.documento else None
    digits = "|".join([*([pattern] if pattern else []), *map(str, person.contatos)]) or None
    ids: dict[Table, list[int]] = {}
    for table in tables:
        # O caminho custa o dobro do texto: só o percorre quem tem os algarismos do id nalgum lugar.
        found = await connection.execute(
            text(f"""
                SELECT id FROM {table.name}
                WHERE id <> ALL(:own) AND CASE WHEN detalhe::text ~* CAST(:digits AS text) THEN
                    detalhe::text ~* CAST(:pattern AS text) OR jsonb_path_exists(detalhe, CAST(:path AS jsonpath)) END
                ORDER BY id"""),
            {"digits": digits, "pattern": pattern, "path": _path(person.contatos), "own": person.of(table)},
        )
        if citing_her := list(found.scalars()):
            ids[table] = citing_her
    return ids


def _path(ids: Collection[int]) -> str | None:
    """O caminho do PostgreSQL que acha, em qualquer profundidade, o objeto de um destes contatos; None sem nenhum."""
    said = (f'@.{key}.id == {id_} || @.{key}.id == "{id_}"' for key in CONTATO for id_ in ids)
    return f"$.** ? ({' || '.join(said)})" if ids else None


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
