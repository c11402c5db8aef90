"""O que o simulador contou desde o começo ou desde o último `reset`."""

import re
from collections import Counter
from dataclasses import dataclass, field

from bling_simulator.payload import Json

_ID = re.compile(r"/\d[0-9A-Z]*(?=/|$)")


@dataclass
class Counters:
    requests: Counter[str] = field(default_factory=Counter)
    """Requisições recebidas por caminho, com `{id}` no lugar dos números: `/nfe/{id}`."""
    details: Counter[str] = field(default_factory=Counter)
    """Detalhes entregues (200) por caminho exato: `/nfe/123`."""
    statuses: Counter[int] = field(default_factory=Counter)
    """Respostas por status; uma conexão derrubada não responde nada."""
    token_calls: int = 0
    too_many_requests: int = 0
    blocked: int = 0
    faults: int = 0

    @property
    def total(self) -> int:
        return sum(self.requests.values())

    def received(self, path: str) -> None:
        self.requests[_ID.sub("/{id}", path)] += 1

    def answered(self, path: str, status: int, *, intact: bool = True) -> None:
        """Conta a resposta; `intact` diz que nenhum defeito encomendado a estragou."""
        self.statuses[status] += 1
        if status == 429:
            self.too_many_requests += 1
        elif status == 200 and intact and _ID.search(path):
            self.details[path] += 1

    def reset(self) -> None:
        for counter in (self.requests, self.details, self.statuses):
            counter.clear()
        self.token_calls = self.too_many_requests = self.blocked = self.faults = 0

    def as_json(self) -> Json:
        return {
            "total": self.total,
            "requests": dict(self.requests),
            "details": dict(self.details),
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "token_calls": self.token_calls,
            "too_many_requests": self.too_many_requests,
            "blocked": self.blocked,
            "faults": self.faults,
        }
