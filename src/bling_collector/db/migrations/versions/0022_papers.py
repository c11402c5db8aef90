"""Os pedidos de compra, as propostas, as ordens de produção e os contratos."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_COMMENTS = {
    "pedidos_compra.id": "o id no Bling",
    "pedidos_compra.data": "o dia do pedido",
    "pedidos_compra.data_prevista": "quando se espera que chegue",
    "pedidos_compra.situacao_id": "a situação, na numeração da conta",
    "pedidos_compra.situacao_valor": "0 em aberto, 1 atendido, 2 cancelado, 3 em andamento",
    "pedidos_compra.fornecedor_id": "o contato de quem se compra",
    "pedidos_compra.nota_fiscal_id": "a nota de entrada, se o Bling a diz do pedido inteiro",
    "pedidos_compra.desconto": "em reais ou em %, como desconto_unidade diz",
    "pedidos_compra.desconto_unidade": "REAL ou PERCENTUAL",
    "pedidos_compra.categoria_id": "a categoria de receitas e despesas",
    "pedidos_compra.detalhe": "o pedido inteiro, como GET /pedidos/compras/{id} o deu",
    "pedidos_compra.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "pedidos_compra.extraido_em": "quando o que está aqui foi lido",
    "pedidos_compra.excluida_em": "quando o Bling deixou de o ter",
    "pedidos_compra.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "pedidos_compra_itens.pedido_id": "de que pedido é",
    "pedidos_compra_itens.ordem": "o lugar no pedido, de 1 em diante",
    "pedidos_compra_itens.nota_fiscal_id": "a nota de entrada em que veio",
    "pedidos_compra_itens.quantidade_na_nota": "quanto do pedido já veio nela",
    "pedidos_compra_parcelas.pedido_id": "de que pedido é",
    "pedidos_compra_parcelas.ordem": "o lugar no pedido, de 1 em diante",
    "propostas.id": "o id no Bling",
    "propostas.data": "o dia da proposta",
    "propostas.situacao": "Rascunho, Pendente, Aguardando, Aprovado…; uma que a empresa criou, em número",
    "propostas.loja_id": "o canal de venda; vazio é venda própria",
    "propostas.vendedor_id": "de vendedores, e não de contatos",
    "propostas.desconto": "o número que o Bling dá, sem dizer a unidade",
    "propostas.detalhe": "a proposta inteira, como GET /propostas-comerciais/{id} a deu",
    "propostas.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "propostas.extraido_em": "quando o que está aqui foi lido",
    "propostas.excluida_em": "quando o Bling deixou de o ter",
    "propostas.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "propostas_itens.proposta_id": "de que proposta é",
    "propostas_itens.ordem": "o lugar na proposta, de 1 em diante",
    "propostas_itens.desconto": "o número que o Bling dá, sem dizer a unidade",
    "ordens_producao.id": "o id no Bling",
    "ordens_producao.situacao_id": "a situação, na numeração da conta",
    "ordens_producao.situacao_valor": "o que o Bling diz dela em número",
    "ordens_producao.deposito_origem_id": "de onde saem os componentes",
    "ordens_producao.deposito_destino_id": "para onde vai o que se fabrica",
    "ordens_producao.detalhe": "a ordem inteira, como GET /ordens-producao/{id} a deu",
    "ordens_producao.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "ordens_producao.extraido_em": "quando o que está aqui foi lido",
    "ordens_producao.excluida_em": "quando o Bling deixou de o ter",
    "ordens_producao.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "ordens_producao_itens.ordem_producao_id": "de que ordem é",
    "ordens_producao_itens.ordem": "o lugar na ordem, de 1 em diante",
    "ordens_producao_vendas.ordem_producao_id": "de que ordem é",
    "ordens_producao_vendas.ordem": "o lugar na ordem, de 1 em diante",
    "ordens_producao_vendas.numero": "o número do pedido de venda, e não o id",
    "contratos.id": "o id no Bling",
    "contratos.data": "o dia em que se fez",
    "contratos.data_fim": "o último mês, AAAA-MM",
    "contratos.situacao": "0 inativo, 1 ativo, 2 baixado, 3 isento, 4 em avaliação",
    "contratos.valor": "o de cada cobrança: a periodicidade diz de quantos meses",
    "contratos.vendedor_id": "de vendedores, e não de contatos",
    "contratos.categoria_id": "a categoria de receitas e despesas",
    "contratos.produto_id": "o que vai na nota",
    "contratos.tipo_manutencao": "1 por valor, 2 por indexação",
    "contratos.desconto_data_fim": "o último mês do desconto, AAAA-MM",
    "contratos.cobranca_contato_id": "a quem se cobra, se é outro",
    "contratos.vencimento_tipo": "1 no mês, 2 no seguinte, 3 em dois meses",
    "contratos.periodicidade": "1 mensal, 2 bimestral, 3 trimestral, 4 semestral, 5 anual, 6 de dois anos, 7 de três",
    "contratos.detalhe": "o contrato inteiro, como GET /contratos/{id} o deu",
    "contratos.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "contratos.extraido_em": "quando o que está aqui foi lido",
    "contratos.excluida_em": "quando o Bling deixou de o ter",
    "contratos.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
}


def upgrade() -> None:
    op.execute("""
        CREATE TABLE pedidos_compra (
            id BIGINT NOT NULL,
            numero BIGINT,
            data DATE,
            data_prevista DATE,
            situacao_id BIGINT,
            situacao_valor INTEGER,
            fornecedor_id BIGINT,
            nota_fiscal_id BIGINT,
            ordem_compra TEXT,
            total_produtos NUMERIC,
            total NUMERIC,
            desconto NUMERIC,
            desconto_unidade TEXT,
            total_icms NUMERIC,
            total_ipi NUMERIC,
            frete NUMERIC,
            categoria_id BIGINT,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pedidos_compra_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_pedidos_compra_data ON pedidos_compra (data)")
    op.execute("CREATE INDEX ix_pedidos_compra_fornecedor_id ON pedidos_compra (fornecedor_id)")
    op.execute("CREATE INDEX ix_pedidos_compra_nota_fiscal_id ON pedidos_compra (nota_fiscal_id)")
    op.execute("""
        CREATE TABLE pedidos_compra_itens (
            pedido_id BIGINT NOT NULL,
            ordem INTEGER NOT NULL,
            produto_id BIGINT,
            codigo_produto TEXT,
            codigo_fornecedor TEXT,
            descricao TEXT,
            unidade TEXT,
            quantidade NUMERIC,
            valor_unitario NUMERIC,
            aliquota_ipi NUMERIC,
            nota_fiscal_id BIGINT,
            quantidade_na_nota NUMERIC,
            CONSTRAINT pedidos_compra_itens_pkey PRIMARY KEY (pedido_id, ordem),
            CONSTRAINT pedidos_compra_itens_pedido_id_fkey FOREIGN KEY(pedido_id) REFERENCES pedidos_compra (id)
        )""")
    op.execute("CREATE INDEX ix_pedidos_compra_itens_codigo_produto ON pedidos_compra_itens (codigo_produto)")
    op.execute("CREATE INDEX ix_pedidos_compra_itens_nota_fiscal_id ON pedidos_compra_itens (nota_fiscal_id)")
    op.execute("CREATE INDEX ix_pedidos_compra_itens_produto_id ON pedidos_compra_itens (produto_id)")
    op.execute("""
        CREATE TABLE pedidos_compra_parcelas (
            pedido_id BIGINT NOT NULL,
            ordem INTEGER NOT NULL,
            data_vencimento DATE,
            valor NUMERIC,
            forma_pagamento_id BIGINT,
            CONSTRAINT pedidos_compra_parcelas_pkey PRIMARY KEY (pedido_id, ordem),
            CONSTRAINT pedidos_compra_parcelas_pedido_id_fkey FOREIGN KEY(pedido_id) REFERENCES pedidos_compra (id)
        )""")
    op.execute(
        "CREATE INDEX ix_pedidos_compra_parcelas_forma_pagamento_id ON pedidos_compra_parcelas (forma_pagamento_id)"
    )
    op.execute("""
        CREATE TABLE propostas (
            id BIGINT NOT NULL,
            numero BIGINT,
            data DATE,
            situacao TEXT,
            contato_id BIGINT,
            loja_id BIGINT,
            vendedor_id BIGINT,
            total_produtos NUMERIC,
            total_outros_itens NUMERIC,
            total NUMERIC,
            desconto NUMERIC,
            outras_despesas NUMERIC,
            frete NUMERIC,
            data_proximo_contato DATE,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT propostas_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_propostas_contato_id ON propostas (contato_id)")
    op.execute("CREATE INDEX ix_propostas_data ON propostas (data)")
    op.execute("""
        CREATE TABLE propostas_itens (
            proposta_id BIGINT NOT NULL,
            ordem INTEGER NOT NULL,
            produto_id BIGINT,
            codigo_produto TEXT,
            descricao TEXT,
            unidade TEXT,
            quantidade NUMERIC,
            valor_unitario NUMERIC,
            desconto NUMERIC,
            CONSTRAINT propostas_itens_pkey PRIMARY KEY (proposta_id, ordem),
            CONSTRAINT propostas_itens_proposta_id_fkey FOREIGN KEY(proposta_id) REFERENCES propostas (id)
        )""")
    op.execute("CREATE INDEX ix_propostas_itens_codigo_produto ON propostas_itens (codigo_produto)")
    op.execute("CREATE INDEX ix_propostas_itens_produto_id ON propostas_itens (produto_id)")
    op.execute("""
        CREATE TABLE ordens_producao (
            id BIGINT NOT NULL,
            numero BIGINT,
            situacao_id BIGINT,
            situacao_valor INTEGER,
            situacao_nome TEXT,
            data_previsao_inicio DATE,
            data_previsao_final DATE,
            data_inicio DATE,
            data_fim DATE,
            responsavel TEXT,
            deposito_origem_id BIGINT,
            deposito_destino_id BIGINT,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT ordens_producao_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_ordens_producao_data_fim ON ordens_producao (data_fim)")
    op.execute("CREATE INDEX ix_ordens_producao_situacao_id ON ordens_producao (situacao_id)")
    op.execute("""
        CREATE TABLE ordens_producao_itens (
            ordem_producao_id BIGINT NOT NULL,
            ordem INTEGER NOT NULL,
            produto_id BIGINT,
            codigo_produto TEXT,
            nome TEXT,
            quantidade NUMERIC,
            CONSTRAINT ordens_producao_itens_pkey PRIMARY KEY (ordem_producao_id, ordem),
            CONSTRAINT ordens_producao_itens_ordem_producao_id_fkey
                FOREIGN KEY(ordem_producao_id) REFERENCES ordens_producao (id)
        )""")
    op.execute("CREATE INDEX ix_ordens_producao_itens_codigo_produto ON ordens_producao_itens (codigo_produto)")
    op.execute("CREATE INDEX ix_ordens_producao_itens_produto_id ON ordens_producao_itens (produto_id)")
    op.execute("""
        CREATE TABLE ordens_producao_vendas (
            ordem_producao_id BIGINT NOT NULL,
            ordem INTEGER NOT NULL,
            numero BIGINT,
            contato_id BIGINT,
            CONSTRAINT ordens_producao_vendas_pkey PRIMARY KEY (ordem_producao_id, ordem),
            CONSTRAINT ordens_producao_vendas_ordem_producao_id_fkey
                FOREIGN KEY(ordem_producao_id) REFERENCES ordens_producao (id)
        )""")
    op.execute("CREATE INDEX ix_ordens_producao_vendas_contato_id ON ordens_producao_vendas (contato_id)")
    op.execute("CREATE INDEX ix_ordens_producao_vendas_numero ON ordens_producao_vendas (numero)")
    op.execute("""
        CREATE TABLE contratos (
            id BIGINT NOT NULL,
            numero TEXT,
            descricao TEXT,
            data DATE,
            data_fim TEXT,
            situacao INTEGER,
            valor NUMERIC,
            contato_id BIGINT,
            vendedor_id BIGINT,
            categoria_id BIGINT,
            conta_financeira_id BIGINT,
            forma_pagamento_id BIGINT,
            produto_id BIGINT,
            tipo_manutencao INTEGER,
            emitir_ordem_servico BOOLEAN,
            desconto NUMERIC,
            desconto_data_fim TEXT,
            cobranca_data_base DATE,
            cobranca_contato_id BIGINT,
            vencimento_tipo INTEGER,
            vencimento_dia INTEGER,
            periodicidade INTEGER,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT contratos_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_contratos_cobranca_contato_id ON contratos (cobranca_contato_id)")
    op.execute("CREATE INDEX ix_contratos_contato_id ON contratos (contato_id)")
    op.execute("CREATE INDEX ix_contratos_produto_id ON contratos (produto_id)")
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")
