"""Os módulos do Bling que têm situações, e as situações de cada um."""

from bling_simulator.company.dimensions.registers import as_register
from bling_simulator.company.register import Register
from bling_simulator.company.sales.statuses import (
    BROKERED,
    CANCELLED,
    CUSTOM,
    FULFILLED,
    GIVEN_UP,
    IN_PROGRESS,
    OPEN,
    PRODUCTION,
    TYPING,
    VERIFIED,
)
from bling_simulator.payload import Json

SALES_MODULE = 98_310
"""O mesmo em seis contas (medido); os outros são supostos."""
_MODULES = (
    # (id, nome, descrição, deixa criar)
    (SALES_MODULE, "Vendas", "Pedidos de Venda", True),
    (98_311, "OrdensProducao", "Ordens de Produção", True),
    (98_312, "PropostasComerciais", "Propostas Comerciais", False),
)
_STATUSES = (
    # (id, módulo, nome, herdado, cor)
    (OPEN, SALES_MODULE, "Em aberto", 0, "#E9DC40"),
    (FULFILLED, SALES_MODULE, "Atendido", 0, "#3FB57A"),
    (CANCELLED, SALES_MODULE, "Cancelado", 0, "#CE0A0A"),
    (IN_PROGRESS, SALES_MODULE, "Em andamento", 0, "#0065F9"),
    (BROKERED, SALES_MODULE, "Venda Agenciada", 0, "#F9A400"),
    (TYPING, SALES_MODULE, "Em digitação", 0, "#A0A0A0"),
    (VERIFIED, SALES_MODULE, "Verificado", 0, "#7A3FB5"),
    (CUSTOM, SALES_MODULE, "Aguardando retirada", IN_PROGRESS, "#40C4E9"),
    (GIVEN_UP, SALES_MODULE, "Desistência", CANCELLED, "#8C0707"),
    *((id_, 98_311, nome, 0, "#3FB57A") for id_, nome in PRODUCTION.items()),
)


def make_statuses() -> dict[str, Register]:
    """Os dois cadastros, iguais em toda empresa gerada. Um módulo não tem situação nenhuma."""
    modules: list[Json] = [
        {"id": id_, "nome": nome, "descricao": descricao, "criarSituacoes": creates}
        for id_, nome, descricao, creates in _MODULES
    ]
    statuses: list[Json] = [
        {"id": id_, "nome": nome, "idHerdado": inherited, "cor": cor, "modulo": module}
        for id_, module, nome, inherited, cor in _STATUSES
    ]
    return {"/situacoes/modulos": as_register(modules), "/situacoes/modulos/{modulo_id}": as_register(statuses)}
