"""Os itens de um pedido ou de uma proposta, que dizem quanto eles somam."""

from typing import Final

from bling_collector.payload import Fields, UnreadableError

ITENS: Final = ("itens", "totalProdutos")
"""Uma destas o documento traz sempre: sem itens, é preciso que diga que nada somam."""


def itens_of(document: Fields) -> list[Fields]:
    """Os itens. UnreadableError se não vieram e o documento diz que somam algo: o que veio é só um pedaço, e guardá-lo
    apagaria os que se têm."""
    itens, total = document.objects("itens"), document.money("totalProdutos")
    if not itens and total:
        raise UnreadableError(f"itens não veio, ou veio sem linhas, e totalProdutos é {total}")
    return itens
