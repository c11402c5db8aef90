"""As situações de um pedido de venda: as que toda conta tem e uma só desta."""

from bling_simulator.payload import Json

OPEN, FULFILLED, CANCELLED, IN_PROGRESS, BROKERED, TYPING, VERIFIED = 6, 9, 12, 15, 18, 21, 24
"""Em aberto, Atendido, Cancelado, Em andamento, Venda agenciada, Em digitação e Verificado (medido em três contas)."""
CUSTOM = 463_218
"""«Aguardando retirada», criada na conta a partir de «Em andamento»."""

_VALUES = {OPEN: 0, FULFILLED: 1, CANCELLED: 2, IN_PROGRESS: 3, BROKERED: 4, TYPING: 10, VERIFIED: 11, CUSTOM: 3}


def status_of(status_id: int) -> Json:
    """`situacao` como o pedido a mostra. O `valor` é suposto: um relato só diz que vai de 0 a 12."""
    return {"id": status_id, "valor": _VALUES.get(status_id, 0)}
