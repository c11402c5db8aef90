"""A busca de notas: por páginas que começam onde a anterior acabou, da mais nova à mais antiga."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.resources import nota_search
from bling_collector.db.resources.nota_search import Criteria, Position
from bling_collector.db.resources.nota_words import query_of
from bling_collector.errors import UsageError
from bling_collector.insight.notas.terms import Term, root_of

PER_PAGE: Final = 50
MOST_COUNTED: Final = 1000
"""Acima disto não se conta: diz-se que são mais."""
EXCLUIDA: Final = nota_search.GONE
"""A situação por que se procuram as notas excluídas no Bling."""
SECONDS: Final = 8
"""O que uma busca pode levar; a mais demorada que se mediu, com um milhão de notas, leva menos de um."""
_CANCELLED: Final = "57014"


class SlowSearchError(UsageError):
    """A busca passou do tempo que pode levar."""

    title = "Busca demorada"


class WordlessSearchError(UsageError):
    """O que se digitou não tem palavra nenhuma."""

    title = "Busca sem palavras"


@dataclass(frozen=True)
class Search:
    """O que se procura; o que falta não restringe."""

    term: Term | None = None
    cliente: str | None = None
    produto: str | None = None
    situacao: int | None = None
    """A da nota, ou `nota_search.GONE` para as excluídas no Bling."""
    inicio: date | None = None
    fim: date | None = None
    place: Position | None = None
    """De onde a página parte."""
    newer: bool = False
    """A página que vem antes de `place`, e não a que vem depois."""


@dataclass(frozen=True)
class ListedNota:
    """Uma nota como a lista a mostra."""

    id: int
    numero: str | None
    serie: int | None
    data_emissao: datetime | None
    situacao: int | None
    excluida_em: datetime | None
    contato_id: int | None
    contato_nome: str | None
    contato_documento: str | None
    contato_municipio: str | None
    contato_uf: str | None
    total_nota: Decimal | None


@dataclass(frozen=True)
class Matches:
    """Uma página de notas."""

    notas: list[ListedNota]
    total: int
    """Quantas são ao todo; com `more`, são mais que isto."""
    more: bool = False
    before: str | None = None
    """O lugar de que parte a página anterior; None na primeira."""
    after: str | None = None
    places: list[Position] = field(default_factory=list)


async def load_notas(engine: AsyncEngine, search: Search, per_page: int = PER_PAGE) -> Matches:
    """Uma página do que se procura. WordlessSearchError e SlowSearchError dizem o que mudar."""
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"SET LOCAL statement_timeout = '{SECONDS}s'"))
            return await _load(connection, search, per_page)
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _CANCELLED:
            raise
        raise SlowSearchError(
            f"A busca passou de {SECONDS} s e foi interrompida. Diga também um período, ou mais palavras."
        ) from error


async def _load(connection: AsyncConnection, search: Search, per_page: int) -> Matches:
    criteria = await search_criteria(connection, search)
    places, counted = await nota_search.find(
        connection, criteria, per_page + 1, MOST_COUNTED + 1, search.place, newer=search.newer
    )
    beyond = len(places) > per_page
    places = places[-per_page:] if search.newer else places[:per_page]
    has_before = beyond if search.newer else search.place is not None
    has_after = search.place is not None if search.newer else beyond
    rows = await nota_search.headers(connection, [place.id for place in places])
    return Matches(
        [ListedNota(**row) for row in rows],
        min(counted, MOST_COUNTED),
        counted > MOST_COUNTED,
        written(places[0]) if has_before and places else None,
        written(places[-1]) if has_after and places else None,
        places,
    )


async def search_criteria(connection: AsyncConnection, search: Search) -> Criteria:
    """O que se procura, como o banco o procura."""
    term = search.term
    kind, value = (term.kind, term.value) if term is not None else (None, "")
    root = kind == "numero" and len(value) == 8
    return Criteria(
        numero=value.lstrip("0") or "0" if kind == "numero" and not root else None,
        numero_ou_raiz=value if root else None,
        documento=value if kind == "documento" else None,
        chave=value if kind == "chave" else None,
        raiz=root_of(value) if kind == "texto" else None,
        texto=await _words(connection, value if kind == "texto" else None),
        cliente=await _all_words(connection, search.cliente, value if kind == "cliente" else None),
        produto=await _all_words(connection, search.produto, value if kind == "produto" else None),
        situacao=search.situacao,
        inicio=search.inicio,
        fim=search.fim,
    )


async def _all_words(connection: AsyncConnection, *typed: str | None) -> str | None:
    queries = [await _words(connection, one) for one in typed]
    return " & ".join(query for query in queries if query is not None) or None


async def _words(connection: AsyncConnection, typed: str | None) -> str | None:
    if typed is None:
        return None
    query = await query_of(connection, typed)
    if query is None:
        raise WordlessSearchError(f"«{typed}» não tem nenhuma letra nem algarismo por que procurar.")
    return query


def written(place: Position) -> str:
    """O lugar como vai no endereço."""
    return f"{place.data.isoformat()}_{place.id}"


def read_place(value: str) -> Position:
    """O contrário de `written`. ValueError para o que não é um lugar."""
    moment, _, number = value.rpartition("_")
    if not (number.isascii() and number.isdigit() and 0 < len(number) < 19):
        raise ValueError(value)
    found = datetime.fromisoformat(moment)
    if found.tzinfo is not None:
        raise ValueError(value)
    return Position(found, int(number))
