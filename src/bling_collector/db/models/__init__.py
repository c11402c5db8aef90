"""As tabelas: uma pasta, um módulo por assunto. O banco é delas, e as migrações o levam até elas."""

from bling_collector.db.models.account import TOKENS_ROW, empresa, oauth_states, oauth_tokens
from bling_collector.db.models.base import metadata
from bling_collector.db.models.cadastros import (
    categorias_produto,
    contatos,
    formas_pagamento,
    produtos,
    produtos_desconhecidos,
    vendedores,
    vendedores_comissoes,
)
from bling_collector.db.models.control import (
    alarmes,
    checkpoints,
    conferencias,
    dados_apagados,
    etl_controle,
    execucao_log,
    historico,
    janelas_devidas,
    limites_bling,
    pendencias,
)
from bling_collector.db.models.dimensoes import (
    canais_venda,
    canais_venda_filiais,
    depositos,
    grupos_produto,
    naturezas_operacao,
    tipos_contato,
)
from bling_collector.db.models.notas import (
    cfops,
    cfops_da_empresa,
    nfe_busca,
    nfe_cabecalho,
    nfe_entradas,
    nfe_itens,
    nfe_pagamentos,
)
from bling_collector.db.models.vendas import pedidos_venda, pedidos_venda_itens, pedidos_venda_parcelas

__all__ = [
    "TOKENS_ROW",
    "alarmes",
    "canais_venda",
    "canais_venda_filiais",
    "categorias_produto",
    "cfops",
    "cfops_da_empresa",
    "checkpoints",
    "conferencias",
    "contatos",
    "dados_apagados",
    "depositos",
    "empresa",
    "etl_controle",
    "execucao_log",
    "formas_pagamento",
    "grupos_produto",
    "historico",
    "janelas_devidas",
    "limites_bling",
    "metadata",
    "naturezas_operacao",
    "nfe_busca",
    "nfe_cabecalho",
    "nfe_entradas",
    "nfe_itens",
    "nfe_pagamentos",
    "oauth_states",
    "oauth_tokens",
    "pedidos_venda",
    "pedidos_venda_itens",
    "pedidos_venda_parcelas",
    "pendencias",
    "produtos",
    "produtos_desconhecidos",
    "tipos_contato",
    "vendedores",
    "vendedores_comissoes",
]
