"""Notas: achar qualquer uma, por uma caixa só que entende o que se digitou, e por filtros."""

from typing import Final

from fastapi import APIRouter, Request, Response

from bling_collector.db.resources.nota_search import Position
from bling_collector.errors import UsageError
from bling_collector.insight.notas.search import EXCLUIDA, Search, load_notas, read_place
from bling_collector.insight.notas.terms import KINDS, Kind, Term, UnreadableTermError, as_kind, recognise
from bling_collector.insight.sales.situacoes import SITUACOES
from bling_collector.web.panel.filters import Filters
from bling_collector.web.panel.notes import as_line
from bling_collector.web.panel.render import page
from bling_collector.web.service import OneService

router = APIRouter(include_in_schema=False)

_PATH: Final = "/notas"
_GONE: Final = "excluida"
_FILTERS: Final = ("q", "como", "cliente", "produto", "situacao", "de", "ate")
_PLACES: Final = ("antes", "apos")
_ORDER: Final = (6, 5, 2, 9, 4, 1, 7, 3, 8, 10, 11)
"""As situações no menu: primeiro as de que há mais."""
_KIND_WORDS: Final[dict[Kind, str]] = {
    "numero": "número da nota",
    "documento": "CPF ou CNPJ",
    "chave": "chave de acesso",
    "cliente": "nome do cliente",
    "produto": "produto",
    "texto": "cliente ou produto",
}
_FOUND_BY: Final[dict[Kind, str]] = {
    "numero": "com este número",
    "documento": "com este CPF ou CNPJ",
    "chave": "com esta chave de acesso",
    "cliente": "com estas palavras no nome do cliente",
    "produto": "com estas palavras num produto",
    "texto": "com estas palavras no cliente ou num produto",
}


@router.get(_PATH)
async def notas(request: Request, service: OneService) -> Response:
    asked = Filters.of(request, _PATH, _FILTERS, _PLACES)
    search = _read(asked)
    found = None
    if not asked.errors:
        async with service.opened() as account:
            try:
                found = await load_notas(account.engine, search)
            except UsageError as error:
                asked.errors["geral"] = str(error)
    return page(
        request,
        "notas.html",
        section="notas",
        status=asked.status,
        asked=asked,
        term=search.term,
        found_by=_FOUND_BY,
        alternatives=[(_KIND_WORDS[kind], asked.address(como=kind)) for kind in search.term.also]
        if search.term
        else [],
        situacoes=[*((str(code), SITUACOES[code]) for code in _ORDER), (_GONE, "Excluída no Bling")],
        found=found,
        rows=[as_line(nota) for nota in found.notas] if found else [],
        previous=asked.address(antes=found.before) if found and found.before else None,
        next=asked.address(apos=found.after) if found and found.after else None,
    )


def _read(asked: Filters) -> Search:
    """O que se procura."""
    q, cliente, produto = (asked.text(name) for name in ("q", "cliente", "produto"))
    inicio, fim = asked.days()
    if asked.typed["antes"] and asked.typed["apos"]:
        asked.errors["geral"] = "Este endereço pede duas páginas ao mesmo tempo."
    newer = bool(asked.typed["antes"])
    return Search(
        term=_term(asked, q),
        cliente=cliente,
        produto=produto,
        situacao=_situacao(asked),
        inicio=inicio,
        fim=fim,
        place=_place(asked, "antes" if newer else "apos"),
        newer=newer,
    )


def _term(asked: Filters, typed: str | None) -> Term | None:
    kind = asked.typed["como"]
    if kind and kind not in KINDS:
        asked.errors["geral"] = f"Não se procura por {kind[:40]!r}."
    elif typed is not None:
        try:
            return as_kind(typed, kind) if kind else recognise(typed)
        except UnreadableTermError as error:
            asked.errors["q"] = str(error)
    return None


def _situacao(asked: Filters) -> int | None:
    value = asked.one_of("situacao", {_GONE, *map(str, SITUACOES)})
    return EXCLUIDA if value == _GONE else int(value) if value else None


def _place(asked: Filters, name: str) -> Position | None:
    value = asked.typed[name]
    try:
        return read_place(value) if value else None
    except ValueError:
        asked.errors["geral"] = "Este endereço pede uma página que não existe. Busque de novo."
        return None
