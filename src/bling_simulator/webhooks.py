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

from bling_simulator.payload import Json, clone, dump

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


KINDS: Final = ("invoice", "consumer_invoice", "order", "product", "product_supplier", "stock", "virtual_stock")
"""Os recursos de que o Bling avisa."""


@dataclass(frozen=True)
class _Said:
    """O que o aviso de um registro diz, e o que dele, se muda, faz um aviso."""

    data: Json
    watched: object


class Webhooks:
    """Os avisos de uma empresa; `on` são os recursos ligados, que quem cuida do aplicativo liga um a um."""

    def __init__(self, bling: "Bling", seed: int = 7) -> None:
        self.on = {*KINDS}
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
        """Os avisos do que mudou desde a última chamada; o que muda num recurso desligado não se avisa nunca."""
        before, self._seen = self._seen, self._state()
        changes = _changes(before, self._seen)
        return [self.sign(self._event(f"{kind}.{action}", data)) for kind, action, data in changes if kind in self.on]

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

    def _state(self) -> dict[tuple[str, int], _Said]:
        """(recurso do aviso, id) → o que ele diria. Um produto excluído ainda há, e só mudou de situação."""
        bling, found = self._bling, dict[tuple[str, int], _Said]()
        for kind, notes in (("invoice", bling.notes), ("consumer_invoice", bling.coupons)):
            found |= {(kind, id_): _said(kind, note) for id_, note in notes.items()}
        registers = {
            "order": bling.orderbook.entries,
            "product_supplier": bling.kept("/produtos/fornecedores").entries,
        }
        for kind, entries in registers.items():
            found |= {(kind, id_): _said(kind, each.detail) for id_, each in entries.items() if not each.deleted}
        for id_, each in bling.company.products.entries.items():
            found["product", id_] = _said("product", each.detail | ({"situacao": "E"} if each.deleted else {}))
        for balance in bling.stockroom.balances():
            found |= {(kind, balance["id"]): _balance(kind, balance) for kind in _BALANCES}
        return found


def posting_to(http: httpx2.AsyncClient, url: str) -> Post:
    """Quem manda os avisos a este endereço; um que não atende é um que não aceita."""

    async def post(each: Delivery) -> int:
        try:
            return (await http.post(url, content=each.body, headers=each.headers)).status_code
        except httpx2.HTTPError:
            return 0

    return post


def _changes(
    before: Mapping[tuple[str, int], _Said], after: Mapping[tuple[str, int], _Said]
) -> Iterable[tuple[str, str, Json]]:
    """Recurso, ação e conteúdo de cada aviso. Do saldo virtual só se avisa que mudou."""
    for (kind, id_), said in after.items():
        if (kind, id_) not in before:
            if kind != "virtual_stock":
                yield kind, "created", said.data
        elif before[kind, id_].watched != said.watched:
            yield kind, "updated", said.data
    for kind, id_ in before.keys() - after.keys():
        if kind != "virtual_stock":
            yield kind, "deleted", {"produto": {"id": id_}} if kind in _BALANCES else {"id": id_}


_OF_NOTE: Final = ("id", "tipo", "situacao", "numero", "dataEmissao", "dataOperacao")
_KEYS: Final = {
    "invoice": _OF_NOTE,
    "consumer_invoice": _OF_NOTE,
    "order": ("id", "data", "numero", "numeroLoja", "total", "situacao"),
    "product": ("id", "nome", "codigo", "tipo", "situacao", "preco", "unidade", "formato"),
    "product_supplier": (
        "id",
        "descricao",
        "codigo",
        "precoCusto",
        "precoCompra",
        "padrao",
        "garantia",
        "produto",
        "fornecedor",
    ),
}
_BALANCES: Final = {
    "stock": ("saldoFisicoTotal", "saldoFisico"),
    "virtual_stock": ("saldoVirtualTotal", "saldoVirtual"),
}
"""Os avisos do saldo: o total, e o de cada depósito, de que cada um fala."""


def _said(kind: str, document: Json) -> _Said:
    data = {key: clone(document[key]) for key in _KEYS[kind] if key in document}
    return _Said(data, data)


def _balance(kind: str, balance: Json) -> _Said:
    total, part = _BALANCES[kind]
    data = {key: balance[key] for key in ("saldoFisicoTotal", "saldoVirtualTotal")}
    data |= {"produto": {"id": balance["id"]}, "depositos": clone(balance["depositos"])}
    if kind == "stock":
        data["deposito"] = data.pop("depositos")[0]
    return _Said(data, [balance[total], *(place[part] for place in balance["depositos"])])
