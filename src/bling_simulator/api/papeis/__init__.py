"""O que a empresa combina antes de haver nota, e o que despacha: os recursos, para o despacho."""

from bling_simulator.api.papeis.contratos import CONTRATOS
from bling_simulator.api.papeis.ordens_producao import ORDENS_PRODUCAO
from bling_simulator.api.papeis.pedidos_compras import PEDIDOS_COMPRAS
from bling_simulator.api.papeis.propostas import PROPOSTAS_COMERCIAIS
from bling_simulator.api.papeis.remessas import REMESSAS

PAPEIS = (PEDIDOS_COMPRAS, PROPOSTAS_COMERCIAIS, ORDENS_PRODUCAO, CONTRATOS, REMESSAS)
