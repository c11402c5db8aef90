"""As NFC-e, as NFS-e, as notas de entrada e os documentos das notas."""

from alembic import op

revision = "0027"
down_revision = "0024"
branch_labels = None
depends_on = None

_COMMENTS = {
    "nfce_cabecalho.data_emissao": "hora local de Brasília, como o Bling a dá",
    "nfce_cabecalho.total_descontos": "vazio: o Bling não informa o desconto da nota",
    "nfce_cabecalho.tipo": "0 entrada, 1 saída",
    "nfce_cabecalho.data_operacao": "hora local de Brasília, como o Bling a dá",
    "nfce_cabecalho.detalhe": "a nota inteira, como GET /nfce/{id} a deu",
    "nfce_cabecalho.resumo_lista": "impressão da linha de GET /nfce: se ela muda, a nota mudou",
    "nfce_cabecalho.excluida_em": "quando uma varredura completa deixou de encontrar a nota no Bling",
    "nfce_cabecalho.cfop": "o CFOP das linhas; “vários” se são mais de um; vazio se nenhuma o tem",
    "nfce_cabecalho.cfops": "quanto do valor da nota é de cada CFOP, se são vários",
    "nfce_itens.valor_desconto": "vazio: o Bling não informa o desconto do item",
    "nfce_itens.ordem": "a primeira linha da nota em que o SKU aparece",
    "nfce_itens.cfop": "o CFOP das linhas do SKU; “vários” se são mais de um; vazio se nenhuma o tem",
    "nfce_itens.cfops": "a quantidade e o valor de cada CFOP, se são vários",
    "nfce_pagamentos.tipo_pagamento": "código fiscal: 1 dinheiro, 3 crédito, 15 boleto, 17 PIX…",
    "nfce_pagamentos.forma_pagamento_id": "a forma de pagamento da conta no Bling",
    "nfe_entrada_cabecalho.data_emissao": "hora local de Brasília, como o Bling a dá",
    "nfe_entrada_cabecalho.total_descontos": "vazio: o Bling não informa o desconto da nota",
    "nfe_entrada_cabecalho.tipo": "0 entrada, 1 saída",
    "nfe_entrada_cabecalho.data_operacao": "hora local de Brasília, como o Bling a dá",
    "nfe_entrada_cabecalho.detalhe": "a linha de GET /nfe; a nota inteira, se se pediu, em nfe_entrada_detalhes",
    "nfe_entrada_cabecalho.resumo_lista": "impressão da linha de GET /nfe: se ela muda, a nota mudou",
    "nfe_entrada_cabecalho.excluida_em": "quando uma varredura completa deixou de encontrar a nota no Bling",
    "nfe_entrada_cabecalho.cfop": "o CFOP das linhas; “vários” se são mais de um; vazio se nenhuma o tem",
    "nfe_entrada_cabecalho.cfops": "quanto do valor da nota é de cada CFOP, se são vários",
    "nfe_entrada_itens.valor_desconto": "vazio: o Bling não informa o desconto do item",
    "nfe_entrada_itens.ordem": "a primeira linha da nota em que o SKU aparece",
    "nfe_entrada_itens.cfop": "o CFOP das linhas do SKU; “vários” se são mais de um; vazio se nenhuma o tem",
    "nfe_entrada_itens.cfops": "a quantidade e o valor de cada CFOP, se são vários",
    "nfe_entrada_pagamentos.tipo_pagamento": "código fiscal: 1 dinheiro, 3 crédito, 15 boleto, 17 PIX…",
    "nfe_entrada_pagamentos.forma_pagamento_id": "a forma de pagamento da conta no Bling",
    "nfe_entrada_detalhes.id": "o id no Bling",
    "nfe_entrada_detalhes.detalhe": "a nota inteira, como GET /nfe/{id} a deu",
    "nfe_entrada_detalhes.resumo_lista": "a de nfe_entrada_cabecalho quando se leu: se ela muda, lê-se outra vez",
    "nfe_entrada_detalhes.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "nfe_documentos.id": "a chave de acesso",
    "nfe_documentos.chave_acesso": "o mesmo que id",
    "nfe_documentos.conteudo": "o documento, em gzip; vazio se o Bling não o tem",
    "nfe_documentos.sha256": "do documento, sem o gzip",
    "nfe_documentos.situacao": "a da nota quando se pediu: uma que se cancela pede-se outra vez",
    "nfe_documentos.lido_em": "quando se leu",
    "nfe_impostos.documento_id": "a chave de acesso",
    "nfe_impostos.item": "o nItem do XML",
    "nfe_impostos.valor_produto": "vProd: sem o desconto, o frete e os impostos por fora",
    "nfe_impostos.origem": "a da mercadoria, de 0 a 8",
    "nfe_impostos.cst_icms": "o CST ou, no Simples Nacional, o CSOSN",
    "nfe_impostos.valor_fcp": "o Fundo de Combate à Pobreza",
    "nfe_impostos.valor_icms_destino": "o DIFAL, da UF de destino",
    "nfe_impostos.classificacao_ibs_cbs": "o cClassTrib",
    "nfe_impostos.valor_ibs": "o da UF e o do município",
    "nfe_impostos.valor_is": "o imposto seletivo",
    "nfse.id": "o id no Bling",
    "nfse.numero": "o que a prefeitura deu; vazio enquanto está pendente",
    "nfse.numero_rps": "o do recibo provisório, que a empresa numera",
    "nfse.situacao": "0 pendente, 1 emitida, 2 disponível para consulta, 3 cancelada",
    "nfse.link": "a página da prefeitura que mostra a nota",
    "nfse.detalhe": "a nota inteira, como GET /nfse/{id} a deu",
    "nfse.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "nfse.extraido_em": "quando o que está aqui foi lido",
    "nfse.excluida_em": "quando o Bling deixou de o ter",
    "nfse.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
}
_VIEW = """
        SELECT n.nfe_id, n.entrada, n.numero, n.serie, n.data_emissao, n.situacao, n.contato_id, d.chave_acesso,
               i.item, i.codigo_produto, i.descricao, i.ncm, i.cest, i.cfop, i.unidade, i.quantidade, i.valor_unitario,
               i.valor_produto, i.valor_frete, i.valor_seguro, i.valor_desconto, i.valor_outras,
               i.origem, i.cst_icms, i.base_icms, i.aliquota_icms, i.valor_icms, i.base_icms_st,
               i.aliquota_icms_st, i.valor_icms_st, i.valor_fcp, i.valor_fcp_st,
               i.valor_icms_destino, i.cst_ipi, i.base_ipi, i.aliquota_ipi, i.valor_ipi, i.cst_pis,
               i.base_pis, i.aliquota_pis, i.valor_pis, i.cst_cofins, i.base_cofins,
               i.aliquota_cofins, i.valor_cofins, i.cst_ibs_cbs, i.classificacao_ibs_cbs,
               i.base_ibs_cbs, i.aliquota_ibs_uf, i.valor_ibs_uf, i.aliquota_ibs_municipio,
               i.valor_ibs_municipio, i.valor_ibs, i.aliquota_cbs, i.valor_cbs, i.valor_is
        FROM nfe_documentos d
        JOIN nfe_impostos i ON i.documento_id = d.id
        LEFT JOIN (
            SELECT id AS nfe_id, false AS entrada, chave_acesso, numero, serie, data_emissao, situacao, contato_id
            FROM nfe_cabecalho WHERE excluida_em IS NULL
            UNION ALL
            SELECT id, true, chave_acesso, numero, serie, data_emissao, situacao, contato_id
            FROM nfe_entrada_cabecalho WHERE excluida_em IS NULL) n ON n.chave_acesso = d.chave_acesso"""
_SAID = "os impostos de cada item das notas de que se pediu o XML, como ele os diz"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE nfce_cabecalho (
            id BIGINT NOT NULL,
            numero TEXT,
            data_emissao TIMESTAMP WITHOUT TIME ZONE,
            situacao INTEGER,
            contato_id BIGINT,
            contato_nome TEXT,
            contato_documento TEXT,
            contato_municipio TEXT,
            contato_uf TEXT,
            total_produtos NUMERIC,
            total_nota NUMERIC,
            total_descontos NUMERIC,
            extraido_em TIMESTAMP WITH TIME ZONE,
            tipo INTEGER,
            serie INTEGER,
            chave_acesso TEXT,
            data_operacao TIMESTAMP WITHOUT TIME ZONE,
            natureza_operacao_id BIGINT,
            loja_id BIGINT,
            loja_numero TEXT,
            numero_pedido_loja TEXT,
            vendedor_id BIGINT,
            finalidade INTEGER,
            valor_frete NUMERIC,
            link_xml TEXT,
            link_danfe TEXT,
            link_pdf TEXT,
            detalhe JSONB,
            resumo_lista TEXT,
            excluida_em TIMESTAMP WITH TIME ZONE,
            cfop TEXT,
            cfops JSONB,
            CONSTRAINT nfce_cabecalho_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_nfce_cabecalho_chave_acesso ON nfce_cabecalho (chave_acesso)")
    op.execute("CREATE INDEX ix_nfce_cabecalho_contato_documento ON nfce_cabecalho (contato_documento)")
    op.execute("CREATE INDEX ix_nfce_cabecalho_contato_id ON nfce_cabecalho (contato_id)")
    op.execute("CREATE INDEX ix_nfce_cabecalho_data_emissao ON nfce_cabecalho (data_emissao)")
    op.execute("CREATE INDEX ix_nfce_cabecalho_numero ON nfce_cabecalho (numero)")
    op.execute("""
        CREATE TABLE nfce_itens (
            nfe_id BIGINT NOT NULL,
            codigo_produto TEXT,
            descricao_produto TEXT,
            quantidade NUMERIC,
            valor_unitario NUMERIC,
            valor_total NUMERIC,
            valor_desconto NUMERIC,
            unidade_medida TEXT,
            ordem INTEGER NOT NULL,
            cfop TEXT,
            cfops JSONB,
            CONSTRAINT nfce_itens_pkey PRIMARY KEY (nfe_id, ordem),
            CONSTRAINT uq_nfce_item UNIQUE (nfe_id, codigo_produto),
            CONSTRAINT nfce_itens_nfe_id_fkey FOREIGN KEY(nfe_id) REFERENCES nfce_cabecalho (id)
        )""")
    op.execute("CREATE INDEX ix_nfce_itens_codigo_produto ON nfce_itens (codigo_produto)")
    op.execute("""
        CREATE TABLE nfce_pagamentos (
            nfe_id BIGINT NOT NULL,
            tipo_pagamento INTEGER,
            valor NUMERIC,
            forma_pagamento_id BIGINT,
            data_vencimento DATE,
            numero_parcela INTEGER NOT NULL,
            CONSTRAINT nfce_pagamentos_pkey PRIMARY KEY (nfe_id, numero_parcela),
            CONSTRAINT nfce_pagamentos_nfe_id_fkey FOREIGN KEY(nfe_id) REFERENCES nfce_cabecalho (id)
        )""")
    op.execute("CREATE INDEX ix_nfce_pagamentos_forma_pagamento_id ON nfce_pagamentos (forma_pagamento_id)")
    op.execute("""
        CREATE TABLE nfe_entrada_cabecalho (
            id BIGINT NOT NULL,
            numero TEXT,
            data_emissao TIMESTAMP WITHOUT TIME ZONE,
            situacao INTEGER,
            contato_id BIGINT,
            contato_nome TEXT,
            contato_documento TEXT,
            contato_municipio TEXT,
            contato_uf TEXT,
            total_produtos NUMERIC,
            total_nota NUMERIC,
            total_descontos NUMERIC,
            extraido_em TIMESTAMP WITH TIME ZONE,
            tipo INTEGER,
            serie INTEGER,
            chave_acesso TEXT,
            data_operacao TIMESTAMP WITHOUT TIME ZONE,
            natureza_operacao_id BIGINT,
            loja_id BIGINT,
            loja_numero TEXT,
            numero_pedido_loja TEXT,
            vendedor_id BIGINT,
            finalidade INTEGER,
            valor_frete NUMERIC,
            link_xml TEXT,
            link_danfe TEXT,
            link_pdf TEXT,
            detalhe JSONB,
            resumo_lista TEXT,
            excluida_em TIMESTAMP WITH TIME ZONE,
            cfop TEXT,
            cfops JSONB,
            CONSTRAINT nfe_entrada_cabecalho_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_nfe_entrada_cabecalho_chave_acesso ON nfe_entrada_cabecalho (chave_acesso)")
    op.execute("CREATE INDEX ix_nfe_entrada_cabecalho_contato_documento ON nfe_entrada_cabecalho (contato_documento)")
    op.execute("CREATE INDEX ix_nfe_entrada_cabecalho_contato_id ON nfe_entrada_cabecalho (contato_id)")
    op.execute("CREATE INDEX ix_nfe_entrada_cabecalho_data_emissao ON nfe_entrada_cabecalho (data_emissao)")
    op.execute("CREATE INDEX ix_nfe_entrada_cabecalho_numero ON nfe_entrada_cabecalho (numero)")
    op.execute("""
        CREATE TABLE nfe_entrada_itens (
            nfe_id BIGINT NOT NULL,
            codigo_produto TEXT,
            descricao_produto TEXT,
            quantidade NUMERIC,
            valor_unitario NUMERIC,
            valor_total NUMERIC,
            valor_desconto NUMERIC,
            unidade_medida TEXT,
            ordem INTEGER NOT NULL,
            cfop TEXT,
            cfops JSONB,
            CONSTRAINT nfe_entrada_itens_pkey PRIMARY KEY (nfe_id, ordem),
            CONSTRAINT uq_nfe_entrada_item UNIQUE (nfe_id, codigo_produto),
            CONSTRAINT nfe_entrada_itens_nfe_id_fkey FOREIGN KEY(nfe_id) REFERENCES nfe_entrada_cabecalho (id)
        )""")
    op.execute("CREATE INDEX ix_nfe_entrada_itens_codigo_produto ON nfe_entrada_itens (codigo_produto)")
    op.execute("""
        CREATE TABLE nfe_entrada_pagamentos (
            nfe_id BIGINT NOT NULL,
            tipo_pagamento INTEGER,
            valor NUMERIC,
            forma_pagamento_id BIGINT,
            data_vencimento DATE,
            numero_parcela INTEGER NOT NULL,
            CONSTRAINT nfe_entrada_pagamentos_pkey PRIMARY KEY (nfe_id, numero_parcela),
            CONSTRAINT nfe_entrada_pagamentos_nfe_id_fkey FOREIGN KEY(nfe_id) REFERENCES nfe_entrada_cabecalho (id)
        )""")
    op.execute(
        "CREATE INDEX ix_nfe_entrada_pagamentos_forma_pagamento_id ON nfe_entrada_pagamentos (forma_pagamento_id)"
    )
    op.execute("""
        CREATE TABLE nfe_entrada_detalhes (
            id BIGINT NOT NULL,
            numero TEXT,
            contato_id BIGINT,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT nfe_entrada_detalhes_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_nfe_entrada_detalhes_contato_id ON nfe_entrada_detalhes (contato_id)")
    op.execute("""
        CREATE TABLE nfe_documentos (
            id TEXT NOT NULL,
            chave_acesso TEXT GENERATED ALWAYS AS (id) STORED,
            formato TEXT DEFAULT 'xml' NOT NULL,
            conteudo BYTEA,
            sha256 TEXT,
            situacao INTEGER,
            extraido_em TIMESTAMP WITH TIME ZONE,
            lido_em TIMESTAMP WITH TIME ZONE GENERATED ALWAYS AS (extraido_em) STORED,
            CONSTRAINT nfe_documentos_pkey PRIMARY KEY (id)
        )""")
    op.execute("""
        CREATE TABLE nfe_impostos (
            documento_id TEXT NOT NULL,
            item INTEGER NOT NULL,
            codigo_produto TEXT,
            descricao TEXT,
            ncm TEXT,
            cest TEXT,
            cfop TEXT,
            unidade TEXT,
            quantidade NUMERIC,
            valor_unitario NUMERIC,
            valor_produto NUMERIC,
            valor_frete NUMERIC,
            valor_seguro NUMERIC,
            valor_desconto NUMERIC,
            valor_outras NUMERIC,
            origem TEXT,
            cst_icms TEXT,
            base_icms NUMERIC,
            aliquota_icms NUMERIC,
            valor_icms NUMERIC,
            base_icms_st NUMERIC,
            aliquota_icms_st NUMERIC,
            valor_icms_st NUMERIC,
            valor_fcp NUMERIC,
            valor_fcp_st NUMERIC,
            valor_icms_destino NUMERIC,
            cst_ipi TEXT,
            base_ipi NUMERIC,
            aliquota_ipi NUMERIC,
            valor_ipi NUMERIC,
            cst_pis TEXT,
            base_pis NUMERIC,
            aliquota_pis NUMERIC,
            valor_pis NUMERIC,
            cst_cofins TEXT,
            base_cofins NUMERIC,
            aliquota_cofins NUMERIC,
            valor_cofins NUMERIC,
            cst_ibs_cbs TEXT,
            classificacao_ibs_cbs TEXT,
            base_ibs_cbs NUMERIC,
            aliquota_ibs_uf NUMERIC,
            valor_ibs_uf NUMERIC,
            aliquota_ibs_municipio NUMERIC,
            valor_ibs_municipio NUMERIC,
            valor_ibs NUMERIC,
            aliquota_cbs NUMERIC,
            valor_cbs NUMERIC,
            valor_is NUMERIC,
            CONSTRAINT nfe_impostos_pkey PRIMARY KEY (documento_id, item),
            CONSTRAINT nfe_impostos_documento_id_fkey FOREIGN KEY(documento_id) REFERENCES nfe_documentos (id)
        )""")
    op.execute("CREATE INDEX ix_nfe_impostos_codigo_produto ON nfe_impostos (codigo_produto)")
    op.execute("""
        CREATE TABLE nfse (
            id BIGINT NOT NULL,
            numero TEXT,
            numero_rps TEXT,
            serie TEXT,
            situacao INTEGER,
            data_emissao DATE,
            valor NUMERIC,
            contato_id BIGINT,
            contato_nome TEXT,
            contato_documento TEXT,
            contato_email TEXT,
            link TEXT,
            codigo_verificacao TEXT,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT nfse_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_nfse_contato_documento ON nfse (contato_documento)")
    op.execute("CREATE INDEX ix_nfse_contato_id ON nfse (contato_id)")
    op.execute("CREATE INDEX ix_nfse_data_emissao ON nfse (data_emissao)")
    op.execute("CREATE INDEX ix_nfse_numero ON nfse (numero)")
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")
    op.execute(f"CREATE VIEW vw_nfe_impostos AS {_VIEW}")
    op.execute(f"COMMENT ON VIEW vw_nfe_impostos IS '{_SAID}'")
