"""O que estava errado, certo: números exatos, horas com fuso, SKU repetido, a nota inteira, o estado das execuções."""

from alembic import op
from sqlalchemy import text

from bling_collector.db.migrations.dependent_views import set_aside
from bling_collector.errors import DatabaseError

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TO_NUMERIC = {
    "nfe_cabecalho": ("total_produtos", "total_nota", "total_descontos"),
    "nfe_itens": ("quantidade", "valor_unitario", "valor_total", "valor_desconto"),
    "nfe_pagamentos": ("valor",),
    "produtos": ("preco_venda", "preco_custo"),
}
_TO_TIMESTAMPTZ = {
    "oauth_tokens": ("expires_at", "updated_at"),
    "nfe_cabecalho": ("extraido_em",),
    "contatos": ("extraido_em",),
    "produtos": ("extraido_em",),
    "etl_controle": ("inicio", "fim", "created_at"),
}
_TO_TEXT = {
    "nfe_cabecalho": ("numero", "contato_nome", "contato_documento", "contato_municipio", "contato_uf"),
    "nfe_itens": ("codigo_produto", "descricao_produto", "unidade_medida"),
    "contatos": ("nome", "documento", "email", "tipo_pessoa", "municipio", "uf"),
    "produtos": ("codigo", "nome", "categoria_descricao"),
}
_INDEXES = {
    "nfe_cabecalho": ("numero", "data_emissao", "contato_id", "contato_documento", "chave_acesso"),
    "nfe_itens": ("nfe_id", "codigo_produto"),
    "nfe_pagamentos": ("nfe_id", "forma_pagamento_id"),
    "contatos": ("documento",),
    "produtos": ("codigo",),
}

_COMMENTS = {
    "nfe_cabecalho.data_emissao": "hora local de Brasília, como o Bling a dá",
    "nfe_cabecalho.data_operacao": "hora local de Brasília, como o Bling a dá",
    "nfe_cabecalho.total_descontos": "vazio: o Bling não informa o desconto da nota",
    "nfe_cabecalho.tipo": "0 entrada, 1 saída",
    "nfe_cabecalho.detalhe": "a nota inteira, como GET /nfe/{id} a deu",
    "nfe_cabecalho.resumo_lista": "impressão da linha de GET /nfe: se ela muda, a nota mudou",
    "nfe_itens.valor_desconto": "vazio: o Bling não informa o desconto do item",
    "nfe_itens.ordem": "a primeira linha da nota em que o SKU aparece",
    "nfe_pagamentos.tipo_pagamento": "código fiscal: 1 dinheiro, 3 crédito, 15 boleto, 17 PIX…",
    "nfe_pagamentos.forma_pagamento_id": "a forma de pagamento da conta no Bling",
    "contatos.tipo_pessoa": "J jurídica, F física, E estrangeira",
    "contatos.situacao": "A ativo, E excluído, I inativo, S sem movimento",
    "contatos.detalhe": "o contato inteiro, como GET /contatos/{id} o deu; vazio se só a nota o trouxe",
    "contatos.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "produtos.situacao": "A ativo, I inativo",
    "produtos.preferido": "o produto vivo, ou o mais novo, do SKU",
    "produtos.excluido": "vazio: não se perguntou, porque o SKU só tem este produto",
    "produtos.detalhe": "a linha de GET /produtos",
    "produtos_desconhecidos.codigo": "SKU que está em notas e que o Bling não conhece",
    "formas_pagamento.tipo_pagamento": "código fiscal; vazio se o Bling não conhece mais a forma",
    "etl_controle.status": "running, success, partial ou error",
    "etl_controle.data_referencia": "o último dia coberto sem lacuna",
    "etl_controle.tipo": "run ou run-full",
    "etl_controle.data_inicio": "o período coberto, com a releitura",
    "etl_controle.feitos": "itens já feitos da fase",
    "etl_controle.total": "itens da fase",
    "etl_controle.limitadas": "respostas 429",
    "pendencias.data_emissao": "a data de referência não passa dela",
}


def upgrade() -> None:
    tables = sorted({*_TO_NUMERIC, *_TO_TIMESTAMPTZ, *_TO_TEXT})
    with set_aside(op.get_bind(), tables):
        _drop_unique_sku()
        for table in tables:
            changes = [f"ALTER {c} TYPE numeric USING {c}::numeric" for c in _TO_NUMERIC.get(table, ())]
            # O Cloud Run, onde o primeiro coletor gravava, roda em UTC.
            changes += [
                f"ALTER {c} TYPE timestamptz USING {c} AT TIME ZONE 'UTC'" for c in _TO_TIMESTAMPTZ.get(table, ())
            ]
            changes += [f"ALTER {c} TYPE text" for c in _TO_TEXT.get(table, ())]
            op.execute(f"ALTER TABLE {table} {', '.join(changes)}")
        _add_columns()
    _add_tables()
    for table, columns in _INDEXES.items():
        for column in columns:
            _index(table, column)
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")
    _add_view()


def _drop_unique_sku() -> None:
    """O Bling tem produto apagado e produto vivo com o mesmo SKU: `codigo` não pode ser único."""
    bind = op.get_bind()
    unique = text("""
        SELECT i.indexrelid::regclass::text AS indice, k.conname AS restricao
        FROM pg_index i LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid
        WHERE i.indrelid = 'produtos'::regclass AND i.indisunique AND NOT i.indisprimary AND i.indnatts = 1
          AND i.indkey[0] = (SELECT attnum FROM pg_attribute WHERE attrelid = i.indrelid AND attname = 'codigo')""")
    for row in bind.execute(unique).all():
        op.execute(
            f'ALTER TABLE produtos DROP CONSTRAINT "{row.restricao}"' if row.restricao else f"DROP INDEX {row.indice}"
        )


def _add_columns() -> None:
    # Quem restaura uma cópia sem esta coluna já a fez, para não esquecer que o par se perdeu.
    op.execute("""
        ALTER TABLE oauth_tokens
            ALTER id DROP DEFAULT,
            ADD IF NOT EXISTS refresh_in_doubt boolean NOT NULL DEFAULT false""")
    op.execute("""
        ALTER TABLE nfe_cabecalho
            ADD tipo integer, ADD serie integer, ADD chave_acesso text, ADD data_operacao timestamp,
            ADD natureza_operacao_id bigint, ADD loja_id bigint, ADD loja_numero text, ADD numero_pedido_loja text,
            ADD vendedor_id bigint, ADD finalidade integer, ADD valor_frete numeric,
            ADD link_xml text, ADD link_danfe text, ADD link_pdf text, ADD detalhe jsonb, ADD resumo_lista text""")
    op.execute("ALTER TABLE nfe_itens ADD ordem integer")
    op.execute("""
        ALTER TABLE nfe_pagamentos
            ADD forma_pagamento_id bigint, ADD data_vencimento date, ADD numero_parcela integer""")
    # O primeiro coletor gravou em tipo_pagamento o id da forma de pagamento da conta.
    op.execute("UPDATE nfe_pagamentos SET forma_pagamento_id = nullif(tipo_pagamento, 0), tipo_pagamento = NULL")
    op.execute("""
        ALTER TABLE contatos
            ADD codigo text, ADD fantasia text, ADD situacao text, ADD telefone text, ADD celular text,
            ADD detalhe jsonb, ADD nao_encontrado_em timestamptz""")
    op.execute("""
        ALTER TABLE produtos
            ADD tipo text, ADD situacao text, ADD formato text, ADD produto_pai_id bigint,
            ADD preferido boolean NOT NULL DEFAULT false, ADD excluido boolean, ADD detalhe jsonb,
            ADD categoria_vista_em timestamptz""")
    op.execute("UPDATE produtos SET preferido = true WHERE codigo IS NOT NULL")
    op.execute("""
        ALTER TABLE etl_controle
            ADD tipo text, ADD data_inicio date, ADD data_fim date, ADD fase text,
            ADD feitos integer NOT NULL DEFAULT 0, ADD total integer NOT NULL DEFAULT 0,
            ADD requisicoes integer NOT NULL DEFAULT 0, ADD limitadas integer NOT NULL DEFAULT 0""")


def _add_tables() -> None:
    _refuse_strangers(
        "oauth_states",
        "produtos_desconhecidos",
        "categorias_produto",
        "formas_pagamento",
        "janelas_devidas",
        "pendencias",
        "checkpoints",
        "vw_nfe_linhas",
    )
    op.execute("CREATE TABLE oauth_states (state_hash text PRIMARY KEY, expires_at timestamptz NOT NULL)")
    op.execute("CREATE TABLE produtos_desconhecidos (codigo text PRIMARY KEY, verificado_em timestamptz NOT NULL)")
    op.execute("""
        CREATE TABLE categorias_produto (
            id bigint PRIMARY KEY, descricao text, categoria_pai_id bigint, extraido_em timestamptz)""")
    op.execute("""
        CREATE TABLE formas_pagamento (
            id bigint PRIMARY KEY, descricao text, tipo_pagamento integer, situacao integer, detalhe jsonb,
            extraido_em timestamptz)""")
    op.execute("""
        CREATE TABLE janelas_devidas (
            recurso text, data_inicio date, data_fim date NOT NULL, desde timestamptz NOT NULL DEFAULT now(), erro text,
            PRIMARY KEY (recurso, data_inicio),
            CONSTRAINT janelas_devidas_em_ordem CHECK (data_inicio <= data_fim))""")
    op.execute("""
        CREATE TABLE pendencias (
            recurso text, recurso_id text, data_emissao date, erro text NOT NULL,
            tentativas integer NOT NULL DEFAULT 1, desde timestamptz NOT NULL DEFAULT now(),
            tentada_em timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (recurso, recurso_id))""")
    op.execute("CREATE TABLE checkpoints (recurso text PRIMARY KEY, posicao timestamptz NOT NULL)")
    op.execute("CREATE UNIQUE INDEX uq_produtos_preferido ON produtos (codigo) WHERE preferido")


def _refuse_strangers(*names: str) -> None:
    """Uma tabela com um destes nomes é de outro programa: nada é tocado."""
    for name in names:
        found = "SELECT to_regclass(quote_ident(current_schema()) || '.' || CAST(:name AS text))"
        if op.get_bind().scalar(text(found), {"name": name}) is not None:
            raise DatabaseError(
                f"Já existe neste banco uma tabela ou view {name} que não é do coletor. Aponte DATABASE_URL para "
                "outro banco, ou para outro schema (?options=-csearch_path%3Dnome). Nada foi mudado."
            )


def _index(table: str, column: str) -> None:
    """Um índice simples na coluna, a não ser que a tabela já tenha um com outro nome."""
    present = op.get_bind().scalar(
        text("""
            SELECT count(*) FROM pg_index i
            WHERE i.indrelid = CAST(:table AS regclass) AND i.indnatts = 1 AND i.indpred IS NULL
              AND i.indkey[0] = (SELECT attnum FROM pg_attribute WHERE attrelid = i.indrelid AND attname = :column)"""),
        {"table": table, "column": column},
    )
    if not present:
        op.execute(f"CREATE INDEX ix_{table}_{column} ON {table} ({column})")


def _add_view() -> None:
    op.execute(
        """
        CREATE VIEW vw_nfe_linhas AS
        SELECT n.id AS nfe_id, n.numero, n.serie, n.data_emissao, n.situacao, n.contato_id, n.contato_nome,
               l.linha::integer AS linha,
               nullif(l.item->>'codigo', '') AS codigo_produto,
               nullif(l.item->>'descricao', '') AS descricao_produto,
               nullif(l.item->>'unidade', '') AS unidade_medida,
               l.item->>'tipo' AS tipo,
               """
        + ",\n               ".join(
            f"CASE WHEN l.item #>> '{{{path}}}' ~ '^[+-]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]{{1,3}})?$'"
            f" THEN (l.item #>> '{{{path}}}')::numeric END AS {name}"
            for path, name in (
                ("quantidade", "quantidade"),
                ("valor", "valor_unitario"),
                ("valorTotal", "valor_total"),
                ("pesoBruto", "peso_bruto"),
                ("pesoLiquido", "peso_liquido"),
                ("impostos,valorAproximadoTotalTributos", "valor_aproximado_tributos"),
                ("impostos,icms,st", "icms_st"),
                ("impostos,icms,origem", "icms_origem"),
                ("impostos,icms,modalidade", "icms_modalidade"),
                ("impostos,icms,aliquota", "icms_aliquota"),
                ("impostos,icms,valor", "icms_valor"),
            )
        )
        + """,
               nullif(l.item->>'cfop', '') AS cfop,
               nullif(l.item->>'classificacaoFiscal', '') AS ncm,
               nullif(l.item->>'cest', '') AS cest,
               nullif(l.item->>'gtin', '') AS gtin,
               l.item->>'origem' AS origem,
               nullif(l.item->>'numeroPedidoCompra', '') AS numero_pedido_compra,
               nullif(l.item->>'informacoesAdicionais', '') AS informacoes_adicionais
        FROM nfe_cabecalho n
        CROSS JOIN LATERAL jsonb_array_elements(
            CASE WHEN jsonb_typeof(n.detalhe->'itens') = 'array' THEN n.detalhe->'itens' ELSE '[]'::jsonb END
        ) WITH ORDINALITY AS l (item, linha)"""
    )
    op.execute(
        "COMMENT ON VIEW vw_nfe_linhas IS"
        " 'Cada linha original de cada nota, na ordem da nota, com CFOP, NCM e impostos; nfe_itens soma por SKU'"
    )
