"""Notas: achar qualquer uma, por uma caixa só que entende o que se digitou, e por filtros."""

from dataclasses import dataclass, field
from datetime import date
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from bling_collector.db.resources.nota_search import Place
from bling_collector.errors import UsageError
from bling_collector.insight.notas.search import EXCLUIDA, Search, load_notas, read_place
from bling_collector.insight.notas.terms import KINDS, Kind, Term, UnreadableTermError, as_kind, cleaned, recognise
from bling_collector.insight.sales.situacoes import SITUACOES
from bling_collector.payload import storable
from bling_collector.web.panel.notes import as_line
from bling_collector.web.panel.render import page
from bling_collector.web.service import OneService

router = APIRouter(include_in_schema=False)

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
_OLDEST: Final = 1990
_NEWEST: Final = 2100


@dataclass
class Asked:
    """O que o endereço pede: o que foi digitado, o que se entendeu e o que não serve, por campo."""

    typed: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    search: Search = field(default_factory=Search)


@router.get("/notas")
async def notas(request: Request, service: OneService) -> Response:
    asked = read(dict(request.query_params))
    found = None
    if not asked.errors:
        async with service.opened() as account:
            try:
                found = await load_notas(account.engine, asked.search)
            except UsageError as error:
                asked.errors["geral"] = str(error)
    return page(
        request,
        "notas.html",
        section="notas",
        status=422 if asked.errors else 200,
        typed={name: asked.typed.get(name, "") for name in _FILTERS},
        errors=asked.errors,
        filtered=any(asked.typed.get(name) for name in _FILTERS),
        term=asked.search.term,
        found_by=_FOUND_BY,
        alternatives=_alternatives(asked),
        situacoes=[*((str(code), SITUACOES[code]) for code in _ORDER), (_GONE, "Excluída no Bling")],
        found=found,
        rows=[as_line(nota) for nota in found.notas] if found else [],
        previous=_address(asked, antes=found.before) if found and found.before else None,
        next=_address(asked, apos=found.after) if found and found.after else None,
    )


def read(parameters: dict[str, str]) -> Asked:
    """O que o endereço pede."""
    asked = Asked({name: storable(value) for name, value in parameters.items() if name in (*_FILTERS, *_PLACES)})
    if strange := sorted(parameters.keys() - {*_FILTERS, *_PLACES}):
        asked.errors["geral"] = f"Este endereço traz um filtro que não existe: {strange[0][:40]!r}."
    text = {name: _text(asked, name) for name in ("q", "cliente", "produto")}
    inicio, fim = _day(asked, "de"), _day(asked, "ate")
    if inicio and fim and inicio > fim:
        asked.errors["ate"] = "O período termina antes de começar."
    if asked.typed.get("antes") and asked.typed.get("apos"):
        asked.errors["geral"] = "Este endereço pede duas páginas ao mesmo tempo."
    newer = bool(asked.typed.get("antes"))
    asked.search = Search(
        term=_term(asked, text["q"]),
        cliente=text["cliente"],
        produto=text["produto"],
        situacao=_situacao(asked),
        inicio=inicio,
        fim=fim,
        place=_place(asked, "antes" if newer else "apos"),
        newer=newer,
    )
    return asked


def _text(asked: Asked, name: str) -> str | None:
    try:
        return cleaned(asked.typed.get(name, "")) or None
    except UnreadableTermError as error:
        asked.errors[name] = str(error)
        asked.typed[name] = asked.typed[name][:400]
        return None


def _term(asked: Asked, typed: str | None) -> Term | None:
    kind = asked.typed.get("como")
    if kind and kind not in KINDS:
        asked.errors["geral"] = f"Não se procura por {kind[:40]!r}."
    elif typed is not None:
        try:
            return as_kind(typed, kind) if kind else recognise(typed)
        except UnreadableTermError as error:
            asked.errors["q"] = str(error)
    return None


def _situacao(asked: Asked) -> int | None:
    value = asked.typed.get("situacao")
    if not value:
        return None
    if value == _GONE:
        return EXCLUIDA
    if value.isascii() and value.isdigit() and len(value) < 3 and int(value) in SITUACOES:
        return int(value)
    asked.errors["situacao"] = "Escolha uma situação da lista."
    return None


def _day(asked: Asked, name: str) -> date | None:
    value = asked.typed.get(name)
    if not value:
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError:
        day = None
    if day is None or len(value) != len("AAAA-MM-DD") or not _OLDEST <= day.year <= _NEWEST:
        asked.errors[name] = f"«{value[:40]}» não é um dia que se possa procurar. Escreva, por exemplo, 2025-01-31."
        asked.typed[name] = ""
        return None
    return day


def _place(asked: Asked, name: str) -> Place | None:
    value = asked.typed.get(name)
    try:
        return read_place(value) if value else None
    except ValueError:
        asked.errors["geral"] = "Este endereço pede uma página que não existe. Busque de novo."
        return None


def _alternatives(asked: Asked) -> list[tuple[str, str]]:
    """(o que mais pode ser, endereço) do que foi digitado."""
    term = asked.search.term
    if term is None:
        return []
    return [(_KIND_WORDS[kind], _address(asked, como=kind)) for kind in term.also]


def _address(asked: Asked, **changes: str) -> str:
    kept = {name: asked.typed[name] for name in _FILTERS if asked.typed.get(name)}
    return f"/notas?{urlencode(kept | changes)}"
