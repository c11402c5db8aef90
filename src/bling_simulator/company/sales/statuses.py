"""As situações de um pedido de venda, as que toda conta tem e uma só desta, e as de uma ordem de produção."""

from bling_simulator.payload import Json

OPEN, FULFILLED, CANCELLED, IN_PROGRESS, BROKERED, TYPING, VERIFIED = 6, 9, 12, 15, 18, 21, 24
"""Em aberto, Atendido, Cancelado, Em andamento, Venda agenciada, Em digitação e Verificado (medido em três contas)."""
CUSTOM = 463_218
"""«Aguardando retirada», criada na conta a partir de «Em andamento»."""
GIVEN_UP = 463_219
"""«Desistência», criada na conta a partir de «Cancelado»."""
PRODUCTION = {
    18_158: "Não iniciado",
    18_159: "Em produção",
    18_160: "Pausado",
    18_161: "Finalizado",
    18_162: "Finalizado parcial",
    18_163: "Cancelado",
}
"""As situações de uma ordem de produção: id → nome (as três primeiras, medido em duas contas)."""

_VALUES = {
    OPEN: 0,
    FULFILLED: 1,
    CANCELLED: 2,
    IN_PROGRESS: 3,
    BROKERED: 4,
    TYPING: 10,
    VERIFIED: 11,
    CUSTOM: 3,
    GIVEN_UP: 2,
}


def status_of(status_id: int) -> Json:
    """`situacao` como o pedido a mostra. O `valor` é suposto: um relato só diz que vai de 0 a 12."""
    return {"id": status_id, "valor": _VALUES.get(status_id, 0)}
