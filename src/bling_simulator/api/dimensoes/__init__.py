"""Os cadastros pequenos: os recursos deles, para o despacho."""

from bling_simulator.api.dimensoes.anuncios import ANUNCIOS
from bling_simulator.api.dimensoes.cadastros import (
    CANAIS_VENDA,
    DEPOSITOS,
    GRUPOS_PRODUTOS,
    NATUREZAS_OPERACOES,
    TIPOS_CONTATO,
)
from bling_simulator.api.dimensoes.campos import CAMPOS as CAMPOS_CUSTOMIZADOS
from bling_simulator.api.dimensoes.campos import MODULOS as CAMPOS_CUSTOMIZADOS_MODULOS
from bling_simulator.api.dimensoes.financeiro import CATEGORIAS_RECEITAS_DESPESAS, CONTAS_CONTABEIS
from bling_simulator.api.dimensoes.logisticas import LOGISTICAS, LOGISTICAS_SERVICOS
from bling_simulator.api.dimensoes.lotes import CONTROLA_LOTE, LANCAMENTOS_DOS_LOTES, LOTES, SALDOS_DOS_LOTES
from bling_simulator.api.dimensoes.notificacoes import NOTIFICACOES
from bling_simulator.api.dimensoes.ordens import ORDENS_SERVICO
from bling_simulator.api.dimensoes.produtos import CATEGORIAS_LOJAS, PRODUTOS_FORNECEDORES, PRODUTOS_LOJAS
from bling_simulator.api.dimensoes.situacoes import MODULOS, SITUACOES

DIMENSOES = (
    DEPOSITOS,
    CANAIS_VENDA,
    NATUREZAS_OPERACOES,
    GRUPOS_PRODUTOS,
    TIPOS_CONTATO,
    CONTAS_CONTABEIS,
    CATEGORIAS_RECEITAS_DESPESAS,
    MODULOS,
    SITUACOES,
    PRODUTOS_FORNECEDORES,
    PRODUTOS_LOJAS,
    CATEGORIAS_LOJAS,
    CONTROLA_LOTE,
    LOTES,
    SALDOS_DOS_LOTES,
    LANCAMENTOS_DOS_LOTES,
    ORDENS_SERVICO,
    NOTIFICACOES,
    ANUNCIOS,
    CAMPOS_CUSTOMIZADOS_MODULOS,
    CAMPOS_CUSTOMIZADOS,
    LOGISTICAS,
    LOGISTICAS_SERVICOS,
)
