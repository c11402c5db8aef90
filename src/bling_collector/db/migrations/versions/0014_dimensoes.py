"""Os cadastros pequenos: o que são os ids das notas, dos pedidos e das contas."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_COMMENTS = {
    "depositos.id": "o id no Bling",
    "depositos.situacao": "1 ativo, 0 inativo",
    "depositos.padrao": "é o padrão da conta",
    "depositos.desconsiderar_saldo": "o saldo dele não entra no virtual do produto",
    "depositos.detalhe": "a linha de GET /depositos",
    "depositos.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "depositos.extraido_em": "quando o que está aqui foi lido",
    "depositos.excluida_em": "quando o Bling deixou de o ter",
    "depositos.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "canais_venda.id": "o id no Bling",
    "canais_venda.tipo": "a integração: Shopee, MercadoLivre…",
    "canais_venda.situacao": "1 habilitado, 2 desabilitado",
    "canais_venda.detalhe": "o canal inteiro, como GET /canais-venda/{id} o deu",
    "canais_venda.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "canais_venda.extraido_em": "quando o que está aqui foi lido",
    "canais_venda.excluida_em": "quando o Bling deixou de o ter",
    "canais_venda.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "canais_venda_filiais.canal_id": "de que canal é",
    "canais_venda_filiais.ordem": "o lugar na lista do Bling, de 1 em diante",
    "canais_venda_filiais.cnpj": "o da filial, sem pontuação",
    "canais_venda_filiais.unidade_negocio": "o nome da unidade: o Bling só o diz aqui",
    "canais_venda_filiais.deposito_id": "o depósito de onde ela despacha",
    "canais_venda_filiais.padrao": "é a padrão do canal",
    "naturezas_operacao.id": "o id no Bling",
    "naturezas_operacao.situacao": "1 ativa, 0 inativa",
    "naturezas_operacao.padrao": "0 nenhum, 1 venda, 2 compra, 3/4 venda e 5/6 compra PF/PJ, 7 cupom, 8/9 devolução",
    "naturezas_operacao.detalhe": "a linha de GET /naturezas-operacoes",
    "naturezas_operacao.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "naturezas_operacao.extraido_em": "quando o que está aqui foi lido",
    "naturezas_operacao.excluida_em": "quando o Bling deixou de o ter",
    "naturezas_operacao.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "tipos_contato.id": "o id no Bling",
    "tipos_contato.detalhe": "a linha de GET /contatos/tipos",
    "tipos_contato.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "tipos_contato.extraido_em": "quando o que está aqui foi lido",
    "tipos_contato.excluida_em": "quando o Bling deixou de o ter",
    "tipos_contato.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "grupos_produto.id": "o id no Bling",
    "grupos_produto.grupo_pai_id": "o grupo em que está; vazio se em nenhum",
    "grupos_produto.detalhe": "a linha de GET /grupos-produtos",
    "grupos_produto.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "grupos_produto.extraido_em": "quando o que está aqui foi lido",
    "grupos_produto.excluida_em": "quando o Bling deixou de o ter",
    "grupos_produto.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "contas_financeiras.id": "o id no Bling",
    "contas_financeiras.tipo": "banco, caixa, conta-bancaria ou integracao-pagamento",
    "contas_financeiras.alias_integracao": "a integração de pagamento, se é de uma",
    "contas_financeiras.situacao": "1 ativa, 2 inativa, 3 pendente, 4 cancelada: a do filtro que a mostra",
    "contas_financeiras.detalhe": "a linha de GET /contas-contabeis, com a situação que o filtro diz",
    "contas_financeiras.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "contas_financeiras.extraido_em": "quando o que está aqui foi lido",
    "contas_financeiras.excluida_em": "quando o Bling deixou de o ter",
    "contas_financeiras.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "categorias_financeiras.id": "o id no Bling",
    "categorias_financeiras.categoria_pai_id": "a categoria em que está; vazia se em nenhuma",
    "categorias_financeiras.tipo": "1 despesa, 2 receita, 3 as duas",
    "categorias_financeiras.situacao": "1 ativa, 0 inativa: a do filtro que a mostra",
    "categorias_financeiras.detalhe": "a linha de GET /categorias/receitas-despesas, com a situação que o filtro diz",
    "categorias_financeiras.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "categorias_financeiras.extraido_em": "quando o que está aqui foi lido",
    "categorias_financeiras.excluida_em": "quando o Bling deixou de o ter",
    "categorias_financeiras.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "situacoes_modulos.id": "o id no Bling",
    "situacoes_modulos.detalhe": "a linha de GET /situacoes/modulos",
    "situacoes_modulos.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "situacoes_modulos.extraido_em": "quando o que está aqui foi lido",
    "situacoes_modulos.excluida_em": "quando o Bling deixou de o ter",
    "situacoes_modulos.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "situacoes.id": "o id no Bling",
    "situacoes.modulo_id": "de que módulo é; vazio se nenhuma listagem a mostrou",
    "situacoes.cor": "em hexadecimal: #E9DC40",
    "situacoes.id_herdado": "a de fábrica de que a empresa a tirou; vazio se é de fábrica",
    "situacoes.detalhe": "a linha de GET /situacoes/modulos/{id}, com o id do módulo",
    "situacoes.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "situacoes.extraido_em": "quando o que está aqui foi lido",
    "situacoes.excluida_em": "quando o Bling deixou de o ter",
    "situacoes.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "produtos_fornecedores.id": "o id no Bling",
    "produtos_fornecedores.fornecedor_id": "o contato de quem se compra",
    "produtos_fornecedores.descricao": "como o fornecedor chama o produto",
    "produtos_fornecedores.codigo": "o código do produto no fornecedor",
    "produtos_fornecedores.preco_custo": "com a parte dele no frete, nos impostos e nos descontos",
    "produtos_fornecedores.padrao": "é o fornecedor padrão do produto",
    "produtos_fornecedores.detalhe": "a linha de GET /produtos/fornecedores",
    "produtos_fornecedores.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "produtos_fornecedores.extraido_em": "quando o que está aqui foi lido",
    "produtos_fornecedores.excluida_em": "quando o Bling deixou de o ter",
    "produtos_fornecedores.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "produtos_fornecedores_custos.produto_fornecedor_id": "de que fornecedor de que produto é",
    "produtos_fornecedores_custos.valido_desde": "quando se leu pela primeira vez",
    "produtos_lojas.id": "o id no Bling",
    "produtos_lojas.loja_id": "o canal de venda",
    "produtos_lojas.codigo": "o código do produto no canal",
    "produtos_lojas.detalhe": "a linha de GET /produtos/lojas",
    "produtos_lojas.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "produtos_lojas.extraido_em": "quando o que está aqui foi lido",
    "produtos_lojas.excluida_em": "quando o Bling deixou de o ter",
    "produtos_lojas.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
}


def upgrade() -> None:
    op.execute("""
        CREATE TABLE depositos (
            id BIGINT NOT NULL,
            descricao TEXT,
            situacao INTEGER,
            padrao BOOLEAN,
            desconsiderar_saldo BOOLEAN,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT depositos_pkey PRIMARY KEY (id)
        )""")
    op.execute("""
        CREATE TABLE canais_venda (
            id BIGINT NOT NULL,
            descricao TEXT,
            tipo TEXT,
            situacao INTEGER,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT canais_venda_pkey PRIMARY KEY (id)
        )""")
    op.execute("""
        CREATE TABLE canais_venda_filiais (
            canal_id BIGINT NOT NULL,
            ordem INTEGER NOT NULL,
            cnpj TEXT,
            id_unidade_negocio BIGINT,
            unidade_negocio TEXT,
            deposito_id BIGINT,
            padrao BOOLEAN,
            CONSTRAINT canais_venda_filiais_pkey PRIMARY KEY (canal_id, ordem),
            CONSTRAINT canais_venda_filiais_canal_id_fkey FOREIGN KEY(canal_id) REFERENCES canais_venda (id)
        )""")
    op.execute("""
        CREATE TABLE naturezas_operacao (
            id BIGINT NOT NULL,
            descricao TEXT,
            situacao INTEGER,
            padrao INTEGER,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT naturezas_operacao_pkey PRIMARY KEY (id)
        )""")
    op.execute("""
        CREATE TABLE tipos_contato (
            id BIGINT NOT NULL,
            descricao TEXT,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT tipos_contato_pkey PRIMARY KEY (id)
        )""")
    op.execute("""
        CREATE TABLE grupos_produto (
            id BIGINT NOT NULL,
            nome TEXT,
            grupo_pai_id BIGINT,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT grupos_produto_pkey PRIMARY KEY (id)
        )""")
    op.execute("""
        CREATE TABLE contas_financeiras (
            id BIGINT NOT NULL,
            descricao TEXT,
            tipo TEXT,
            alias_integracao TEXT,
            situacao INTEGER,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT contas_financeiras_pkey PRIMARY KEY (id)
        )""")
    op.execute("""
        CREATE TABLE categorias_financeiras (
            id BIGINT NOT NULL,
            categoria_pai_id BIGINT,
            descricao TEXT,
            tipo INTEGER,
            situacao INTEGER,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT categorias_financeiras_pkey PRIMARY KEY (id)
        )""")
    op.execute("""
        CREATE TABLE situacoes_modulos (
            id BIGINT NOT NULL,
            nome TEXT,
            descricao TEXT,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT situacoes_modulos_pkey PRIMARY KEY (id)
        )""")
    op.execute("""
        CREATE TABLE situacoes (
            id BIGINT NOT NULL,
            modulo_id BIGINT,
            nome TEXT,
            cor TEXT,
            id_herdado BIGINT,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT situacoes_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_situacoes_modulo_id ON situacoes (modulo_id)")
    op.execute("""
        CREATE TABLE produtos_fornecedores (
            id BIGINT NOT NULL,
            produto_id BIGINT,
            fornecedor_id BIGINT,
            descricao TEXT,
            codigo TEXT,
            preco_custo NUMERIC,
            preco_compra NUMERIC,
            padrao BOOLEAN,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT produtos_fornecedores_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_produtos_fornecedores_fornecedor_id ON produtos_fornecedores (fornecedor_id)")
    op.execute("CREATE INDEX ix_produtos_fornecedores_produto_id ON produtos_fornecedores (produto_id)")
    op.execute("""
        CREATE TABLE produtos_fornecedores_custos (
            produto_fornecedor_id BIGINT NOT NULL,
            valido_desde TIMESTAMP WITH TIME ZONE NOT NULL,
            preco_custo NUMERIC,
            preco_compra NUMERIC,
            CONSTRAINT produtos_fornecedores_custos_pkey PRIMARY KEY (produto_fornecedor_id, valido_desde),
            CONSTRAINT produtos_fornecedores_custos_produto_fornecedor_id_fkey
                FOREIGN KEY(produto_fornecedor_id) REFERENCES produtos_fornecedores (id)
        )""")
    op.execute("""
        CREATE TABLE produtos_lojas (
            id BIGINT NOT NULL,
            produto_id BIGINT,
            loja_id BIGINT,
            codigo TEXT,
            preco NUMERIC,
            preco_promocional NUMERIC,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT produtos_lojas_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_produtos_lojas_loja_id ON produtos_lojas (loja_id)")
    op.execute("CREATE INDEX ix_produtos_lojas_produto_id ON produtos_lojas (produto_id)")
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")
