"""Os pedidos de venda, com os itens e as parcelas."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_COMMENTS = {
    "pedidos_venda.id": "o id no Bling",
    "pedidos_venda.numero": "corre sem lacuna, a não ser pelos excluídos e pelos importados",
    "pedidos_venda.numero_loja": "o número no canal de venda; um pedido importado de novo o repete",
    "pedidos_venda.data": "o dia do pedido",
    "pedidos_venda.situacao_id": "a situação da conta: 6 em aberto, 9 atendido, 12 cancelado…",
    "pedidos_venda.situacao_valor": "o que o Bling diz dela em número; em certas contas é sempre 0",
    "pedidos_venda.loja_id": "o canal de venda; vazio é venda própria",
    "pedidos_venda.vendedor_id": "de vendedores, e não de contatos",
    "pedidos_venda.nota_fiscal_id": "a nota que dele se fez",
    "pedidos_venda.desconto": "em reais ou em %, como desconto_unidade diz",
    "pedidos_venda.desconto_unidade": "REAL ou PERCENTUAL",
    "pedidos_venda.taxa_comissao": "a do canal de venda, como o Bling a dá",
    "pedidos_venda.custo_frete": "o frete que o canal de venda cobra",
    "pedidos_venda.detalhe": "o pedido inteiro, como GET /pedidos/vendas/{id} o deu",
    "pedidos_venda.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "pedidos_venda.extraido_em": "quando o que está aqui foi lido",
    "pedidos_venda.excluida_em": "quando o Bling deixou de o ter",
    "pedidos_venda.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "pedidos_venda_itens.pedido_id": "de que pedido é",
    "pedidos_venda_itens.ordem": "o lugar no pedido, de 1 em diante",
    "pedidos_venda_itens.id": "o id no Bling",
    "pedidos_venda_itens.valor_unitario": "já sem o desconto do item",
    "pedidos_venda_parcelas.pedido_id": "de que pedido é",
    "pedidos_venda_parcelas.ordem": "o lugar no pedido, de 1 em diante",
    "pedidos_venda_parcelas.id": "o id no Bling",
}


def upgrade() -> None:
    op.execute("""
        CREATE TABLE pedidos_venda (
            id BIGINT NOT NULL,
            numero BIGINT,
            numero_loja TEXT,
            data DATE,
            data_saida DATE,
            data_prevista DATE,
            situacao_id BIGINT,
            situacao_valor INTEGER,
            contato_id BIGINT,
            loja_id BIGINT,
            vendedor_id BIGINT,
            nota_fiscal_id BIGINT,
            total_produtos NUMERIC,
            total NUMERIC,
            desconto NUMERIC,
            desconto_unidade TEXT,
            outras_despesas NUMERIC,
            frete NUMERIC,
            taxa_comissao NUMERIC,
            custo_frete NUMERIC,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pedidos_venda_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_pedidos_venda_contato_id ON pedidos_venda (contato_id)")
    op.execute("CREATE INDEX ix_pedidos_venda_data ON pedidos_venda (data)")
    op.execute("CREATE INDEX ix_pedidos_venda_nota_fiscal_id ON pedidos_venda (nota_fiscal_id)")
    op.execute("""
        CREATE TABLE pedidos_venda_itens (
            pedido_id BIGINT NOT NULL,
            ordem INTEGER NOT NULL,
            id BIGINT,
            produto_id BIGINT,
            codigo_produto TEXT,
            descricao TEXT,
            quantidade NUMERIC,
            valor_unitario NUMERIC,
            desconto_percentual NUMERIC,
            CONSTRAINT pedidos_venda_itens_pkey PRIMARY KEY (pedido_id, ordem),
            CONSTRAINT pedidos_venda_itens_pedido_id_fkey FOREIGN KEY(pedido_id) REFERENCES pedidos_venda (id)
        )""")
    op.execute("CREATE INDEX ix_pedidos_venda_itens_codigo_produto ON pedidos_venda_itens (codigo_produto)")
    op.execute("CREATE INDEX ix_pedidos_venda_itens_id ON pedidos_venda_itens (id)")
    op.execute("CREATE INDEX ix_pedidos_venda_itens_produto_id ON pedidos_venda_itens (produto_id)")
    op.execute("""
        CREATE TABLE pedidos_venda_parcelas (
            pedido_id BIGINT NOT NULL,
            ordem INTEGER NOT NULL,
            id BIGINT,
            data_vencimento DATE,
            valor NUMERIC,
            forma_pagamento_id BIGINT,
            CONSTRAINT pedidos_venda_parcelas_pkey PRIMARY KEY (pedido_id, ordem),
            CONSTRAINT pedidos_venda_parcelas_pedido_id_fkey FOREIGN KEY(pedido_id) REFERENCES pedidos_venda (id)
        )""")
    op.execute(
        "CREATE INDEX ix_pedidos_venda_parcelas_forma_pagamento_id ON pedidos_venda_parcelas (forma_pagamento_id)"
    )
    op.execute("CREATE INDEX ix_pedidos_venda_parcelas_id ON pedidos_venda_parcelas (id)")
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")
