"""Defeitos encomendados: que requisições estragar, como, quando e quantas vezes."""

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from starlette.responses import Response

from bling_simulator.answers import bad_gateway_page, json_response, server_error

FaultKind = Literal[
    "server_error",  # 500 com o envelope do Bling
    "bad_gateway",  # 502 (ou o status da regra) com página HTML
    "error_with_200",  # 200 com um corpo de erro
    "empty",  # 200 sem corpo
    "null",  # 200 com `null`
    "cut",  # a resposta verdadeira, com o JSON cortado ao meio
    "body",  # o status e o corpo da regra
    "hang",  # demora `seconds` e derruba a conexão
    "hold",  # segura a resposta até que a regra seja desligada, e então atende
    "drop",  # derruba a conexão sem atender
    "lost_answer",  # atende (um refresh troca o token!) e derruba a conexão sem entregar a resposta
]


@dataclass(frozen=True)
class FaultRule:
    path: str
    """Expressão regular procurada no caminho sem `/Api/v3`: `^/nfe/\\d+$`, `^/oauth/token$`."""
    kind: FaultKind = "server_error"
    method: str | None = None
    query: str | None = None
    """Expressão regular procurada na consulta, já decodificada: `codigos\\[\\]=SKU-1(&|$)`; None: qualquer uma."""
    contains: str | None = None
    """Expressão regular procurada no corpo da resposta verdadeira: só se estraga a que traz o registro."""
    status: int | None = None
    body: str = ""
    content_type: str = "application/json"
    after: int = 0
    """Deixa passar as primeiras `after` requisições que casam."""
    times: int | None = None
    """Estraga no máximo `times`; None é sem fim."""
    probability: float = 1.0
    """Sorteio (com a semente do simulador) entre as que já passaram de `after`."""
    seconds: float = 30.0
    """A demora de `hang`."""

    def canned_response(self) -> Response | None:
        """A resposta pronta; None para os defeitos que mexem na conexão ou na resposta verdadeira."""
        make = _CANNED.get(self.kind)
        return make(self) if make else None


_CANNED: dict[FaultKind, Callable[[FaultRule], Response]] = {
    "server_error": lambda rule: server_error().response(),
    "bad_gateway": lambda rule: bad_gateway_page(rule.status or 502),
    "error_with_200": lambda rule: json_response({"error": server_error().error}, 200),
    "empty": lambda rule: Response(b"", rule.status or 200, media_type="application/json"),
    "null": lambda rule: Response(b"null", rule.status or 200, media_type="application/json"),
    "body": lambda rule: Response(rule.body, rule.status or 500, media_type=rule.content_type),
}


@dataclass
class _Armed:
    rule: FaultRule
    pattern: re.Pattern[str]
    matched: int = 0
    fired: int = 0
    removed: asyncio.Event = field(default_factory=asyncio.Event)

    def is_about(self, method: str, path: str, query: str) -> bool:
        rule = self.rule
        return (
            (rule.method is None or rule.method.upper() == method)
            and self.pattern.search(path) is not None
            and (rule.query is None or re.search(rule.query, query) is not None)
        )


class FaultBook:
    """As regras ativas, na ordem em que foram dadas. Vale a primeira que dispara."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)
        self._armed: dict[int, _Armed] = {}
        self._next_id = 1

    def add(self, rule: FaultRule) -> int:
        """Liga a regra e devolve o número para desligá-la. `re.error` se o que se procura não é uma expressão."""
        rule_id = self._next_id
        for inside in (rule.query, rule.contains):
            re.compile(inside or "")
        self._armed[rule_id] = _Armed(rule, re.compile(rule.path))
        self._next_id += 1
        return rule_id

    def remove(self, rule_id: int) -> None:
        self._armed.pop(rule_id).removed.set()

    def clear(self) -> None:
        for rule_id in list(self._armed):
            self.remove(rule_id)

    async def until_removed(self, rule: FaultRule) -> None:
        """Espera que a regra seja desligada."""
        for armed in list(self._armed.values()):
            if armed.rule is rule:
                await armed.removed.wait()

    def __iter__(self) -> Iterator[tuple[int, FaultRule, int]]:
        """(número, regra, vezes que disparou)."""
        return iter([(rule_id, armed.rule, armed.fired) for rule_id, armed in self._armed.items()])

    def looks_inside(self, method: str, path: str, query: str) -> bool:
        """Se alguma regra depende do que a resposta verdadeira traz."""
        return any(
            armed.rule.contains is not None and armed.is_about(method, path, query) for armed in self._armed.values()
        )

    def choose(self, method: str, path: str, query: str = "", body: str = "") -> FaultRule | None:
        """A regra que estraga esta requisição, ou None. Conta a requisição em toda regra que casa."""
        chosen = None
        for armed in self._armed.values():
            inside = armed.rule.contains
            if not armed.is_about(method, path, query) or (inside is not None and not re.search(inside, body)):
                continue
            armed.matched += 1
            if chosen is None and self._fires(armed):
                armed.fired += 1
                chosen = armed.rule
        return chosen

    def _fires(self, armed: _Armed) -> bool:
        rule = armed.rule
        if armed.matched <= rule.after or (rule.times is not None and armed.fired >= rule.times):
            return False
        return rule.probability >= 1.0 or self._rng.random() < rule.probability
