"""Os vendedores da empresa: cada um é um contato dela, e a situação é a do contato."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from random import Random

from bling_simulator.company.register import Entry, Register
from bling_simulator.payload import Json

_FIRST_ID = 15_596_001
REGULARS = (_FIRST_ID, _FIRST_ID + 1, _FIRST_ID + 2)
"""Os vendedores dos contatos e das notas."""
_SITUATIONS = "AAAISEA"
"""A situação que se procura para cada um: os três primeiros são os das notas."""


def make_sellers(rng: Random, contacts: Register, shop: int) -> Register:
    """O cadastro dos vendedores, tirados dos contatos, que não mudam; um deles atende a loja `shop`.

    Onde não há contato na situação que se procura serve outro; sem contato nenhum não há vendedor.
    """
    register = Register()
    free = [entry for entry in contacts.entries.values() if entry.detail["numeroDocumento"]]
    for position, situacao in enumerate(_SITUATIONS[: len(free)]):
        chosen = rng.choice(_suited(free, situacao))
        free.remove(chosen)
        seller = make_seller(
            chosen.detail,
            loja=shop if position == 1 else 0,
            desconto_limite=rng.choice((0, 5, Decimal("7.5"), 10)),
            comissoes=_commissions(rng),
        )
        register.add(seller, chosen.included, record_id=_FIRST_ID + position)
    return register


def make_seller(
    contact: Json, *, loja: int = 0, desconto_limite: Decimal | int = 0, comissoes: Sequence[Json] = ()
) -> Json:
    """O detalhe de um vendedor, com `id` 0: quem o cadastra lhe dá o número."""
    return {
        "id": 0,
        "descontoLimite": desconto_limite,
        "loja": {"id": loja},
        "contato": as_seller_contact(contact),
        "comissoes": list(comissoes),
    }


def as_seller_contact(contact: Json) -> Json:
    """O que o vendedor mostra do contato."""
    return {field: contact[field] for field in ("id", "nome", "situacao")}


def follow_contact(sellers: Register, contact: Json, at: datetime) -> None:
    """O contato mudou: se é de um vendedor, o vendedor muda com ele."""
    seen = as_seller_contact(contact)
    for seller_id, entry in sellers.entries.items():
        if entry.detail["contato"]["id"] == contact["id"] and entry.detail["contato"] != seen:
            sellers.change(seller_id, {"contato": seen}, at)


def _suited(free: Sequence[Entry], situacao: str) -> Sequence[Entry]:
    """Os da situação, de preferência pessoas; se não há nenhum, todos."""
    alike = [entry for entry in free if entry.detail["situacao"] == situacao]
    return [entry for entry in alike if entry.detail["tipo"] == "F"] or alike or free


def _commissions(rng: Random) -> list[Json]:
    """Até três faixas: quanto maior o desconto dado, menor a comissão."""
    steps = ((0, Decimal(5)), (5, Decimal(3)), (10, Decimal("1.5")))
    return [{"descontoMaximo": most, "aliquota": rate} for most, rate in steps[: rng.randrange(4)]]
