"""O que se guarda a mais dos recursos, e o que um só comentário não dizia."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_COLUMNS = {
    "produtos.nao_encontrado_em": ("TIMESTAMP WITH TIME ZONE", "o Bling não o mostra: não se pergunta de novo"),
    "contas_receber.vencimento_lista": ("DATE", "como a listagem o diz: o do detalhe pode ser outro"),
    "contas_pagar.vencimento_lista": ("DATE", "como a listagem o diz: o do detalhe pode ser outro"),
    "caixas_lancamentos.descricao": ("TEXT", "só a listagem a diz"),
}

_TOTAIS = {
    "lido_em": "a hora da leitura, a mesma em toda ela",
    "saldo_fisico": "vazio se o Bling não tem registro de estoque do produto",
    "saldo_virtual": "menos o que está reservado, e o dos depósitos que não contam",
}

_VIEWS = {
    "vw_estoque_atual": (
        "o saldo de cada produto em cada depósito, na última leitura; sem depósito, o do produto, vazio se o Bling não "
        "tem registro dele",
        """
        SELECT t.lido_em, t.produto_id, p.codigo, p.nome, e.deposito_id,
               CASE WHEN e.deposito_id IS NULL THEN t.saldo_fisico ELSE e.saldo_fisico END AS saldo_fisico,
               CASE WHEN e.deposito_id IS NULL THEN t.saldo_virtual ELSE e.saldo_virtual END AS saldo_virtual,
               d.descricao AS deposito
        FROM estoque_totais t
        LEFT JOIN estoque_saldos e ON e.lido_em = t.lido_em AND e.produto_id = t.produto_id
        LEFT JOIN depositos d ON d.id = e.deposito_id
        LEFT JOIN produtos p ON p.id = t.produto_id
        WHERE t.lido_em = (SELECT max(lido_em) FROM estoque_totais)""",
    ),
    "vw_estoque_por_dia": (
        "o saldo de cada produto em cada depósito, na última leitura de cada dia de Brasília, e o que custava: o preço "
        "de custo do fornecedor padrão nesse dia ou, de um produto sem fornecedor, o do cadastro de agora",
        """
        SELECT (t.lido_em AT TIME ZONE 'America/Sao_Paulo')::date AS dia, t.lido_em, t.produto_id, e.deposito_id,
               s.saldo_fisico, s.saldo_virtual, c.preco_custo, s.saldo_fisico * c.preco_custo AS valor_custo
        FROM estoque_totais t
        LEFT JOIN estoque_saldos e ON e.lido_em = t.lido_em AND e.produto_id = t.produto_id
        CROSS JOIN LATERAL (
            SELECT CASE WHEN e.deposito_id IS NULL THEN t.saldo_fisico ELSE e.saldo_fisico END AS saldo_fisico,
                   CASE WHEN e.deposito_id IS NULL THEN t.saldo_virtual ELSE e.saldo_virtual END AS saldo_virtual) s
        CROSS JOIN LATERAL (
            SELECT coalesce(
                (SELECT v.preco_custo
                 FROM produtos_fornecedores f
                 JOIN produtos_fornecedores_custos v ON v.produto_fornecedor_id = f.id
                 WHERE f.produto_id = t.produto_id AND (f.excluida_em IS NULL OR f.excluida_em > t.lido_em)
                 ORDER BY coalesce(f.padrao, false) DESC, v.valido_desde <= t.lido_em DESC,
                          abs(extract(epoch FROM t.lido_em - v.valido_desde))
                 LIMIT 1),
                (SELECT p.preco_custo FROM produtos p WHERE p.id = t.produto_id)) AS preco_custo) c
        WHERE t.lido_em IN (
            SELECT max(lido_em) FROM estoque_totais GROUP BY (lido_em AT TIME ZONE 'America/Sao_Paulo')::date)""",
    ),
}


def upgrade() -> None:
    for place, (kind, comment) in _COLUMNS.items():
        table, column = place.split(".")
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
        op.execute(f"COMMENT ON COLUMN {place} IS '{comment}'")
    # O que só a listagem dizia perdeu-se: sem a impressão da linha, cada um é lido outra vez.
    op.execute("UPDATE caixas_lancamentos SET resumo_lista = NULL")
    op.execute("ALTER TABLE borderos DROP COLUMN resumo_lista")  # não se listam: esteve sempre vazia
    op.execute("ALTER TABLE vendedores_comissoes DROP COLUMN id")
    op.execute("ALTER TABLE vendedores_comissoes ADD PRIMARY KEY (vendedor_id, ordem)")
    op.execute("DROP INDEX ix_vendedores_comissoes_vendedor_id")
    _stock()


def _stock() -> None:
    op.execute("""
        CREATE TABLE estoque_totais (
            lido_em TIMESTAMP WITH TIME ZONE NOT NULL,
            produto_id BIGINT NOT NULL,
            saldo_fisico NUMERIC,
            saldo_virtual NUMERIC,
            CONSTRAINT estoque_totais_pkey PRIMARY KEY (lido_em, produto_id)
        )""")
    op.execute("CREATE INDEX ix_estoque_totais_produto_id ON estoque_totais (produto_id)")
    for column, comment in _TOTAIS.items():
        op.execute(f"COMMENT ON COLUMN estoque_totais.{column} IS '{comment}'")
    # O depósito 0 era o total de um produto sem depósitos; o dos outros não se guardava, e fica a soma dos que contam.
    op.execute("""
        INSERT INTO estoque_totais
        SELECT lido_em, produto_id, sum(saldo_fisico) FILTER (WHERE contado), sum(saldo_virtual) FILTER (WHERE contado)
        FROM (SELECT e.*, NOT coalesce(d.desconsiderar_saldo, false) AS contado
              FROM estoque_saldos e LEFT JOIN depositos d ON d.id = e.deposito_id) AS saldos
        GROUP BY lido_em, produto_id""")
    op.execute("DELETE FROM estoque_saldos WHERE deposito_id = 0")
    op.execute("COMMENT ON COLUMN estoque_saldos.deposito_id IS NULL")
    for name, (comment, query) in _VIEWS.items():
        op.execute(f"CREATE OR REPLACE VIEW {name} AS {query}")
        op.execute(f"COMMENT ON VIEW {name} IS '{comment}'")
