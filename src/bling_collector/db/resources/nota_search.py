"""A busca de notas: uma tabela estreita, uma linha por nota, com um índice para cada coisa que se procura.

O cabeçalho é largo (traz a nota inteira em JSON); aqui o pior caso, percorrer tudo, é percorrer pouco. Sem COMMIT.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, RowMapping, Select, cast, func, literal, or_, select, text, true, tuple_
from sqlalchemy.dialects.postgresql import TSQUERY

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.models import nfe_busca, nfe_cabecalho
from bling_collector.db.resources.nota_words import FOLD, WORDS

UNDATED: Final = datetime(1, 1, 1)  # noqa: DTZ001  hora local de Brasília, como as das notas
"""Onde fica, na ordem por data, a nota sem data: depois da mais antiga."""
GONE: Final = 0
"""A situação, aqui, da nota excluída no Bling."""
GATHERED: Final = 5000
"""Quantas notas se juntam para ordenar; se são mais, anda-se pela ordem até encher a página."""
_WHOLE: Final = (11, 14)
_WAYS: Final = ("seqscan", "indexscan", "indexonlyscan", "bitmapscan")
GATHERING: Final = ("bitmapscan",)
WALKING: Final = ("indexscan",)
ORDERED: Final = ("indexscan", "indexonlyscan", "bitmapscan")
_CLIENTE: Final = WORDS.format(texto="left(n.contato_nome, 1000)")
_PRODUTOS: Final = WORDS.format(texto="i.textos")
_REFRESH = text(f"""
    INSERT INTO nfe_busca AS b (nfe_id, data_emissao, situacao, numero, documento, chave, cliente, produtos)
    SELECT n.id, coalesce(n.data_emissao, '0001-01-01'),
           CASE WHEN n.excluida_em IS NOT NULL THEN 0 ELSE coalesce(n.situacao, -1) END,
           coalesce(nullif(left(ltrim(n.numero, '0'), 50), ''), left(n.numero, 1)),
           upper(left(regexp_replace(n.contato_documento, '[^0-9A-Za-z]', '', 'g'), 50)),
           upper(left(regexp_replace(n.chave_acesso, '[^0-9A-Za-z]', '', 'g'), 50)),
           array_to_tsvector({_CLIENTE}), array_to_tsvector({_PRODUTOS})
    FROM nfe_cabecalho n
    -- O SKU também sem a pontuação: acha-se ENG-0012 por eng0012.
    CROSS JOIN LATERAL (
        SELECT string_agg(concat_ws(' ', left(codigo_produto, 100), translate(left(codigo_produto, 100), '-./_ ', ''),
                                    left(descricao_produto, 1000)), ' ') AS textos
        FROM nfe_itens WHERE nfe_id = n.id) AS i
    WHERE n.id = ANY(:ids)
    ON CONFLICT (nfe_id) DO UPDATE SET
        data_emissao = EXCLUDED.data_emissao, situacao = EXCLUDED.situacao, numero = EXCLUDED.numero,
        documento = EXCLUDED.documento, chave = EXCLUDED.chave, cliente = EXCLUDED.cliente,
        produtos = EXCLUDED.produtos
    WHERE (b.data_emissao, b.situacao, b.numero, b.documento, b.chave, b.cliente, b.produtos)
          IS DISTINCT FROM (EXCLUDED.data_emissao, EXCLUDED.situacao, EXCLUDED.numero, EXCLUDED.documento,
                            EXCLUDED.chave, EXCLUDED.cliente, EXCLUDED.produtos)""")


@dataclass(frozen=True)
class Criteria:
    """O que se procura; o que é None não restringe. `texto`, `cliente` e `produto` são consultas (tsquery)."""

    numero: str | None = None
    documento: str | None = None
    """Inteiro, ou só o começo: a raiz do CNPJ acha todas as filiais."""
    numero_ou_raiz: str | None = None
    """Oito algarismos: o número da nota ou a raiz do CNPJ."""
    chave: str | None = None
    texto: str | None = None
    """No cliente ou nos produtos."""
    raiz: str | None = None
    """Com `texto`, que também pode ser o começo de um CNPJ com letras."""
    cliente: str | None = None
    produto: str | None = None
    situacao: int | None = None
    inicio: date | None = None
    fim: date | None = None

    @property
    def gathers(self) -> bool:
        """Se nenhum índice traz as notas na ordem: as palavras, e o começo de um documento."""
        partial = self.documento is not None and len(self.documento) not in _WHOLE
        return partial or any((self.texto, self.cliente, self.produto, self.numero_ou_raiz))


@dataclass(frozen=True)
class Position:
    """O lugar de uma nota na ordem: pela data de emissão e, entre iguais, pelo id."""

    data: datetime
    id: int


async def refresh(connection: AsyncConnection, ids: Collection[int]) -> None:
    """Põe em dia o que se busca destas notas; a que nada mudou não é tocada."""
    if ids:
        await connection.execute(_REFRESH, FOLD | {"ids": list(ids)})


async def find(
    connection: AsyncConnection,
    criteria: Criteria,
    limit: int,
    most: int,
    place: Position | None = None,
    *,
    newer: bool = False,
) -> tuple[list[Position], int]:
    """Até `limit` notas, da mais nova à mais antiga, e quantas são ao todo, contando no máximo até `most`.

    São as mais novas de todas; ou as que vêm logo depois de `place`; ou, com `newer`, as que vêm logo antes dele.
    """
    if criteria.gathers:
        await plan_by(connection, GATHERING)
        rows = (await connection.execute(gather_statement(criteria, limit, place, newer=newer))).all()
        if (count := int(rows[0].quantas)) <= GATHERED:
            return _places([row for row in rows if row.nfe_id is not None], newer=newer), min(count, most)
        await plan_by(connection, WALKING)
        walked = (await connection.execute(walk_statement(criteria, limit, place, newer=newer))).all()
        return _places(walked, newer=newer), min(GATHERED, most)
    await plan_by(connection, ORDERED)
    walked = (await connection.execute(walk_statement(criteria, limit, place, newer=newer))).all()
    counted = select(func.count()).select_from(walk_statement(criteria, most).subquery())
    return _places(walked, newer=newer), int(await connection.scalar(counted) or 0)


def walk_statement(
    criteria: Criteria, limit: int, place: Position | None = None, *, newer: bool = False
) -> Select[datetime, int]:
    """Anda pela ordem até juntar `limit` notas: bom quando as que servem são muitas, ou estão juntas num índice."""
    b = nfe_busca.c
    return _page(select(b.data_emissao, b.nfe_id).where(*_conditions(criteria)), b, limit, place, newer=newer)


def gather_statement(
    criteria: Criteria, limit: int, place: Position | None = None, *, newer: bool = False
) -> Select[int, datetime, int]:
    """Junta as que servem, no máximo GATHERED e mais uma, e delas tira a página: bom quando são poucas.

    A primeira coluna, igual em todas as linhas, é quantas juntou; sem nenhuma na página, há uma linha só com ela.
    """
    b = nfe_busca.c
    gathered = (
        select(b.data_emissao, b.nfe_id)
        .where(*_conditions(criteria))
        .limit(GATHERED + 1)
        .cte("juntadas")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    shown = _page(select(gathered), gathered.c, limit, place, newer=newer).subquery("pagina")
    counted = select(func.count().label("quantas")).select_from(gathered).subquery("contadas")
    order = (shown.c.data_emissao, shown.c.nfe_id)
    return (
        select(counted.c.quantas, *order)
        .select_from(counted.outerjoin(shown, true()))
        .order_by(*(order if newer else (column.desc() for column in order)))
    )


def _page(
    statement: Select[Any, Any], columns: Any, limit: int, place: Position | None, *, newer: bool
) -> Select[datetime, int]:
    data, id_ = columns.data_emissao, columns.nfe_id
    if place is not None:
        key, given = tuple_(data, id_), tuple_(literal(place.data, data.type), literal(place.id, id_.type))
        statement = statement.where(key > given if newer else key < given)
    return statement.order_by(*((data, id_) if newer else (data.desc(), id_.desc()))).limit(limit)


def _places(rows: Sequence[Row[Any, Any] | Row[Any, Any, Any]], *, newer: bool) -> list[Position]:
    found = [Position(row.data_emissao, row.nfe_id) for row in rows]
    return found[::-1] if newer else found


async def plan_by(connection: AsyncConnection, allowed: Collection[str]) -> None:
    """Até o fim da transação, o PostgreSQL só lê a tabela por estes caminhos.

    Quantas notas têm uma palavra ele só estima, e o engano custa caro: anda por todas atrás das poucas que não há.
    """
    settings = (func.set_config(f"enable_{way}", "on" if way in allowed else "off", True) for way in _WAYS)
    await connection.execute(select(*settings))


async def headers(connection: AsyncConnection, ids: Sequence[int]) -> list[RowMapping]:
    """O que a lista mostra de cada nota, na ordem de `ids`."""
    n = nfe_cabecalho.c
    columns = (n.id, n.numero, n.serie, n.data_emissao, n.situacao, n.excluida_em, n.contato_id, n.contato_nome)
    more = (n.contato_documento, n.contato_municipio, n.contato_uf, n.total_nota)
    found = await connection.execute(select(*columns, *more).where(n.id.in_(ids)))
    by_id = {row["id"]: row for row in found.mappings()}
    return [by_id[id_] for id_ in ids if id_ in by_id]


def _conditions(asked: Criteria) -> list[ColumnElement[bool]]:
    b = nfe_busca.c
    found: list[ColumnElement[bool]] = []
    if asked.numero is not None:
        found.append(b.numero == asked.numero)
    if asked.documento is not None:
        whole = len(asked.documento) in _WHOLE
        found.append(b.documento == asked.documento if whole else _starts(b.documento, asked.documento))
    if asked.numero_ou_raiz is not None:
        numero = asked.numero_ou_raiz.lstrip("0") or "0"
        found.append(or_(b.numero == numero, _starts(b.documento, asked.numero_ou_raiz)))
    if asked.chave is not None:
        found.append(b.chave == asked.chave)
    if asked.texto is not None:
        ways = [_has(b.cliente, asked.texto), _has(b.produtos, asked.texto)]
        found.append(or_(*ways, *([_starts(b.documento, asked.raiz)] if asked.raiz is not None else [])))
    if asked.cliente is not None:
        found.append(_has(b.cliente, asked.cliente))
    if asked.produto is not None:
        found.append(_has(b.produtos, asked.produto))
    if asked.situacao is not None:
        found.append(b.situacao == asked.situacao)
    if asked.inicio is not None:
        found.append(b.data_emissao >= _midnight(asked.inicio))
    if asked.fim is not None:
        # Uma nota sem data não é de período nenhum.
        found.append(b.data_emissao > UNDATED)
        found.append(b.data_emissao < _midnight(asked.fim) + timedelta(days=1))
    return found


def _has(words: ColumnElement[Any], query: str) -> ColumnElement[bool]:
    return words.bool_op("@@")(cast(literal(query), TSQUERY))


def _starts(column: ColumnElement[Any], beginning: str) -> ColumnElement[bool]:
    return column.startswith(beginning, autoescape=True)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001  hora local, como a das notas
