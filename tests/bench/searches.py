"""As buscas que se medem, sobre as notas de `many_notes`, e as consultas que cada uma faz."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine
from tests.bench.plans import Plan, explain

from bling_collector.db.resources import nota_search
from bling_collector.db.resources.nota_search import Position
from bling_collector.insight.notas.search import MOST_COUNTED, PER_PAGE, Search, search_criteria
from bling_collector.insight.notas.terms import Term

_MARCH = Search(inicio=date(2021, 3, 1), fim=date(2021, 3, 31))
SEARCHES: Final[dict[str, Search]] = {
    "sem filtro": Search(),
    "número": Search(Term("numero", "4321")),
    "número que não existe": Search(Term("numero", "999999999")),
    "oito algarismos (número ou raiz de CNPJ)": Search(Term("numero", "10000001")),
    "chave de acesso": Search(Term("chave", "43" + "7777".rjust(42, "0"))),
    "documento de uma nota em doze": Search(Term("documento", "10000001000200")),
    "documento raro": Search(Term("documento", "00000000500")),
    "raiz de CNPJ": Search(Term("documento", "10000001")),
    "texto: «ltda», uma nota em três": Search(Term("texto", "ltda")),
    "texto: nome e sobrenome": Search(Term("texto", "cássia nobrega")),
    "texto: palavra que não há": Search(Term("texto", "xyzabc")),
    "texto: duas letras": Search(Term("texto", "ma")),
    "texto: oito palavras comuns": Search(Term("texto", "engrenagem aço bronze náilon helicoidal reta cônica furo")),
    "cliente: duas palavras comuns": Search(Term("cliente", "metalurgica ltda")),
    "cliente: duas comuns, nunca juntas": Search(Term("cliente", "maria jose")),
    "produto: «engrenagem»": Search(Term("produto", "engrenagem")),
    "produto: pelo código": Search(Term("produto", "ENG-00013")),
    "produto: deixou de ser vendido": Search(Term("produto", "00007")),
    "situação: cancelada": Search(situacao=2),
    "situação: excluída no Bling": Search(situacao=nota_search.GONE),
    "situação que nenhuma tem": Search(situacao=11),
    "período: um mês de 2021": _MARCH,
    "período e texto comum": replace(_MARCH, term=Term("texto", "ltda")),
    "período, situação, cliente e produto": replace(_MARCH, cliente="maria", produto="parafuso", situacao=2),
    "texto comum e excluída": Search(Term("texto", "engrenagem"), situacao=nota_search.GONE),
    "texto e cancelada": Search(Term("texto", "silva"), situacao=2),
    "documento de uma em doze e produto raro": Search(Term("documento", "10000001000200"), produto="rol00005"),
}
DEEP: Final = Position(datetime(2021, 9, 1), 5)  # noqa: DTZ001  hora local, como a das notas
"""Uma página do fundo: quase todas as notas vêm antes dela."""


def pages(search: Search) -> dict[str, Search]:
    """A primeira página da busca e as duas que partem do fundo."""
    deep = replace(search, place=DEEP)
    return {"primeira": search, "do fundo": deep, "para trás, do fundo": replace(deep, newer=True)}


async def plans(engine: AsyncEngine, search: Search) -> AsyncIterator[tuple[str, Plan]]:
    """O plano de cada consulta que a busca pode fazer, como ela a faz."""
    async with engine.begin() as connection:
        criteria = await search_criteria(connection, search)
        if criteria.gathers:
            await nota_search.plan_by(connection, nota_search.GATHERING)
            yield (
                "juntar",
                await explain(
                    connection,
                    nota_search.gather_statement(criteria, PER_PAGE + 1, search.place, newer=search.newer),
                ),
            )
            await nota_search.plan_by(connection, nota_search.WALKING)
        else:
            await nota_search.plan_by(connection, nota_search.ORDERED)
            yield "contar", await explain(connection, nota_search.walk_statement(criteria, MOST_COUNTED + 1))
        walk = nota_search.walk_statement(criteria, PER_PAGE + 1, search.place, newer=search.newer)
        yield "andar", await explain(connection, walk)
