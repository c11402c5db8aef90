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
from bling_collector.db.models.estoque import estoque_saldos
from bling_collector.db.models.financeiro import (
    borderos,
    borderos_pagamentos,
    contas_borderos,
    contas_pagar,
    contas_receber,
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
    "borderos",
    "borderos_pagamentos",
    "categorias_produto",
    "cfops",
    "cfops_da_empresa",
    "checkpoints",
    "conferencias",
    "contas_borderos",
    "contas_pagar",
    "contas_receber",
    "contatos",
    "dados_apagados",
    "empresa",
    "estoque_saldos",
    "etl_controle",
    "execucao_log",
    "formas_pagamento",
    "historico",
    "janelas_devidas",
    "limites_bling",
    "metadata",
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
    "vendedores",
    "vendedores_comissoes",
]
