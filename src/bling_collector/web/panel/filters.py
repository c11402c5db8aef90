"""O que o endereço de uma lista pede: cada filtro como foi escrito, o que se entendeu dele e o que não serve."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request

from bling_collector.errors import UsageError
from bling_collector.insight.notas.terms import UnreadableTermError, cleaned
from bling_collector.payload import storable

_OLDEST: Final = 1990
_NEWEST: Final = 2100
_ORDER: Final = "ordem"
_PAGE: Final = "pagina"
_MOST_PAGES: Final = 9_999_999
_LONGEST_SHOWN: Final = 400


@dataclass
class Filters:
    """O que se escreveu em cada um de `names` (os filtros da lista em `path`) e o que deles não serve, por campo."""

    path: str
    names: Sequence[str]
    typed: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        request: Request,
        path: str,
        names: Sequence[str],
        others: Sequence[str] = (_ORDER, _PAGE),
        exact: Collection[str] = (),
    ) -> "Filters":
        """`others` é o que o endereço pode trazer e não filtra: a ordem, a página; `exact`, os filtros que valem tal
        como vieram."""
        given, known = request.query_params, (*names, *others)
        found = cls(path, names, {name: storable(given.get(name, "")).strip() for name in known})
        # Um código pode começar por um espaço, ou ter dois seguidos: sem eles seria outro.
        found.typed |= {name: whole for name in exact if (whole := storable(given.get(name, ""))).strip()}
        if strange := sorted(set(given) - set(known)):
            found.errors["geral"] = f"Este endereço traz um filtro que não existe: {strange[0][:40]!r}."
        return found

    @property
    def filtered(self) -> bool:
        return any(self.typed[name] for name in self.names)

    @property
    def status(self) -> int:
        return 422 if self.errors else 200

    def address(self, path: str | None = None, **changes: object) -> str:
        """O mesmo pedido, com estas mudanças (None tira um filtro); sem a página, que muda com elas."""
        kept = {name: value for name in (*self.names, _ORDER) if (value := self.typed.get(name))}
        query = urlencode({name: value for name, value in (kept | changes).items() if value})
        return f"{path or self.path}?{query}" if query else path or self.path

    def sound(self) -> None:
        """UsageError no primeiro engano: de um arquivo não se mostra onde está cada um."""
        if self.errors:
            raise UsageError(next(iter(self.errors.values())))

    def text(self, name: str) -> str | None:
        """O que se procura, pronto para procurar."""
        try:
            return cleaned(self.typed[name]) or None
        except UnreadableTermError as error:
            self.errors[name] = str(error)
            self.typed[name] = self.typed[name][:_LONGEST_SHOWN]
            return None

    def days(self) -> tuple[date | None, date | None]:
        """De que dia a que dia."""
        inicio, fim = self._day("de"), self._day("ate")
        if inicio and fim and inicio > fim:
            self.errors["ate"] = "O período termina antes de começar."
        return inicio, fim

    def _day(self, name: str) -> date | None:
        value = self.typed[name]
        if not value:
            return None
        try:
            day = date.fromisoformat(value)
        except ValueError:
            day = None
        if day is None or len(value) != len("AAAA-MM-DD") or not _OLDEST <= day.year <= _NEWEST:
            self.errors[name] = f"«{value[:40]}» não é um dia que se possa procurar. Escreva, por exemplo, 2025-01-31."
            self.typed[name] = ""
            return None
        return day

    def one_of(self, name: str, offered: Collection[str]) -> str:
        """Um destes, ou vazio."""
        value = self.typed[name]
        if value and value not in offered:
            self.errors[name] = "Escolha uma situação da lista."
            return ""
        return value

    def id(self, name: str, words: Mapping[str, int] | None = None) -> int | None:
        """O id que o Bling dá, ou o que uma palavra destas quer dizer."""
        value = self.typed[name]
        if not value:
            return None
        if words and value in words:
            return words[value]
        if (found := whole(value, 10**18)) is not None:
            return found
        self.errors["geral"] = (
            f"O filtro «{name}» traz o id que o Bling dá, que é só de algarismos, e não {value[:40]!r}."
        )
        self.typed[name] = ""
        return None

    def order(self, default: str, offered: Collection[str]) -> tuple[str, bool]:
        """(a coluna, se é da maior à menor); no endereço é `-coluna`."""
        value = self.typed[_ORDER] or default
        name = value.removeprefix("-")
        if name not in offered:
            self.errors["geral"] = f"Não se ordena por {name[:40]!r}. Escolha uma das colunas."
        return name, value.startswith("-")

    def page(self) -> int:
        value = self.typed[_PAGE]
        number = whole(value or "1", _MOST_PAGES)
        if number is None:
            self.errors["geral"] = "Este endereço pede uma página que não existe."
        return number or 1

    def head(self, name: str, title: str, order: tuple[str, bool], *, falls: bool = True) -> dict[str, Any]:
        """O título de uma coluna, que ordena por ela, e do avesso se já se ordena; `falls`, se primeiro da maior à
        menor."""
        current, falling = order[0] == name, order[1]
        way = "-" if (not falling if current else falls) else ""
        sort = ("descending" if falling else "ascending") if current else None
        return {"name": name, "title": title, "address": self.address(ordem=f"{way}{name}"), "sort": sort}


def whole(value: str, most: int) -> int | None:
    """O número, se é um inteiro de 1 a `most`."""
    found = int(value) if value.isascii() and value.isdigit() and len(value) < 20 else 0
    return found if 0 < found <= most else None
