"""Os avisos que o Bling manda: do que mudou na empresa desde a última vez, assinados, e com as manias dele."""

import hmac
import random
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import httpx2

from bling_simulator.payload import Json, dump

if TYPE_CHECKING:
    from bling_simulator.bling import Bling

HEADER: Final = "X-Bling-Signature-256"


@dataclass(frozen=True)
class Delivery:
    """Um aviso pronto: o corpo e a assinatura que vai no cabeçalho."""

    body: bytes
    signature: str

    @property
    def headers(self) -> dict[str, str]:
        return {HEADER: self.signature, "Content-Type": "application/json"}


Post = Callable[[Delivery], Awaitable[int]]
"""Manda um aviso, e devolve o código da resposta."""


class Webhooks:
    """Os avisos de uma empresa; `on` os liga e desliga, como faz quem cuida do aplicativo."""

    def __init__(self, bling: "Bling", seed: int = 7) -> None:
        self.on = True
        self._bling = bling
        self._random = random.Random(seed)
        self._seen = self._state()
        self._late: list[Delivery] = []

    async def deliver(self, post: Post, deliveries: Sequence[Delivery] = ()) -> Json:
        """Manda os avisos dados ou, sem eles, os do que mudou, e os que da última vez não foram aceitos (2xx), que
        ficam para a seguinte. `post` devolve o código da resposta. Devolve quantos tiveram cada um."""
        waiting, self._late = [*self._late, *(deliveries or self.pending())], []
        codes: dict[str, int] = {}
        for each in waiting:
            code = await post(each)
            codes[str(code)] = codes.get(str(code), 0) + 1
            if not 200 <= code < 300:
                self._late.append(each)
        return codes

    def pending(self) -> list[Delivery]:
        """Os avisos do que mudou desde a última chamada; desligados, nenhum, e o que mudou não se avisa nunca."""
        before, self._seen = self._seen, self._state()
        if not self.on:
            return []
        return [self.sign(self._event(*change)) for change in _changes(before, self._seen)]

    def sign(self, event: Mapping[str, Json] | bytes, secret: str | None = None) -> Delivery:
        """O aviso, com a assinatura do aplicativo, ou com a de outro segredo."""
        body = event if isinstance(event, bytes) else dump(event)
        key = (secret or self._bling.settings.client_secret).encode()
        return Delivery(body, f"sha256={hmac.new(key, body, sha256).hexdigest()}")

    def as_the_network_does(
        self, deliveries: Sequence[Delivery], *, repeated: float = 0.3, lost: float = 0.0, forged: float = 0.0
    ) -> list[Delivery]:
        """Os mesmos fora de ordem, alguns repetidos, alguns perdidos, e outros que ninguém do Bling assinou."""
        sent = [each for each in deliveries if self._random.random() >= lost]
        sent += [each for each in sent if self._random.random() < repeated]
        sent += [replace(each, signature=f"sha256={'0' * 64}") for each in sent if self._random.random() < forged]
        self._random.shuffle(sent)
        return sent

    def _event(self, name: str, data: Json) -> Json:
        return {
            "eventId": str(uuid.UUID(int=self._random.getrandbits(128), version=4)),
            "date": self._bling.clock.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "version": "v1",
            "event": name,
            "companyId": self._bling.profile["id"],
            "data": data,
        }

    def _state(self) -> dict[tuple[str, int], Json]:
        """(recurso do aviso, id) → o que ele diria, do que não está excluído."""
        found: dict[tuple[str, int], Json] = {}
        for kind, documents in self._documents():
            for id_, document in documents:
                found[kind, id_] = _data(kind, document)
        return found

    def _documents(self) -> Iterable[tuple[str, Iterable[tuple[int, Json]]]]:
        bling = self._bling
        yield "invoice", bling.notes.items()
        for kind, register in (("order", bling.orderbook), ("product", bling.company.products)):
            yield kind, ((id_, each.detail) for id_, each in register.entries.items() if not each.deleted)


def posting_to(http: httpx2.AsyncClient, url: str) -> Post:
    """Quem manda os avisos a este endereço; um que não atende é um que não aceita."""

    async def post(each: Delivery) -> int:
        try:
            return (await http.post(url, content=each.body, headers=each.headers)).status_code
        except httpx2.HTTPError:
            return 0

    return post


def _changes(
    before: Mapping[tuple[str, int], Json], after: Mapping[tuple[str, int], Json]
) -> Iterable[tuple[str, Json]]:
    for (kind, id_), data in after.items():
        if (kind, id_) not in before:
            yield f"{kind}.created", data
        elif before[kind, id_] != data:
            yield f"{kind}.updated", data
    for kind, id_ in before.keys() - after.keys():
        yield f"{kind}.deleted", {"id": id_}


_KEYS: Final = {
    "invoice": ("id", "tipo", "situacao", "numero", "dataEmissao", "dataOperacao"),
    "order": ("id", "data", "numero", "numeroLoja", "total", "situacao"),
    "product": ("id", "nome", "codigo", "tipo", "situacao", "preco", "unidade", "formato"),
}


def _data(kind: str, document: Json) -> Json:
    return {key: document[key] for key in _KEYS[kind] if key in document}
