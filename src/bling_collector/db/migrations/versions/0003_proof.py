"""A prova: conferências por mês, o que foi excluído no Bling, o histórico do que mudou e as views dos relatórios."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_COMMENTS = {
    "nfe_cabecalho.excluida_em": "quando uma varredura completa deixou de encontrar a nota no Bling",
    "contatos.excluida_em": "quando o Bling passou a dar o contato por excluído",
    "produtos.excluida_em": "quando o Bling passou a dar o produto por excluído",
    "produtos.exclusao_vista_em": "quando se perguntou ao Bling se o produto foi excluído",
    "pendencias.resumo_lista": "impressão da linha de listagem que a mostrou",
    "etl_controle.cursor": "até que id um reprocessamento chegou",
    "conferencias.mes": "o primeiro dia do mês",
    "conferencias.data_inicio": "o primeiro dia conferido: o do mês, ou o do começo da coleta",
    "conferencias.no_bling": "quantas notas o Bling lista, por situação",
    "conferencias.no_banco": "quantas notas o banco tem, por situação, sem as excluídas",
    "conferencias.faltam": "ids que o Bling lista e o banco não tem",
    "conferencias.sobram": "ids que o banco tem e o Bling não lista",
    "conferencias.diferem": "ids cuja linha no Bling mudou desde que o banco a leu",
    "conferencias.reparadas": "quantas divergências esta conferência encontrou e reparou",
    "historico.mudancas": "coluna → [valor de antes, valor de agora]",
}

_VIEWS = {
    "vw_nfe_validas": (
        "As notas que contam como venda: autorizadas (5), emitidas (6) e registradas (7); sem canceladas, denegadas, "
        "rejeitadas, pendentes e excluídas. Mesmas colunas de nfe_cabecalho",
        "SELECT * FROM nfe_cabecalho WHERE situacao IN (5, 6, 7) AND excluida_em IS NULL",
    ),
    "vw_notas_por_situacao": (
        "Quantas notas e quanto somam, por ano, mês e situação; sem as excluídas",
        """
        SELECT date_trunc('month', data_emissao)::date AS mes, situacao,
               CASE situacao WHEN 1 THEN 'Pendente' WHEN 2 THEN 'Cancelada' WHEN 3 THEN 'Aguardando recibo'
                    WHEN 4 THEN 'Rejeitada' WHEN 5 THEN 'Autorizada' WHEN 6 THEN 'Emitida DANFE'
                    WHEN 7 THEN 'Registrada' WHEN 8 THEN 'Aguardando protocolo' WHEN 9 THEN 'Denegada'
                    WHEN 10 THEN 'Consulta situação' WHEN 11 THEN 'Bloqueada' ELSE 'Desconhecida' END AS descricao,
               count(*) AS notas, coalesce(sum(total_nota), 0) AS valor
        FROM nfe_cabecalho WHERE excluida_em IS NULL GROUP BY 1, 2""",
    ),
    "vw_faturamento_dia": (
        "Notas válidas e valor por dia de emissão; as canceladas à parte",
        """
        SELECT data_emissao::date AS dia,
               count(*) FILTER (WHERE situacao IN (5, 6, 7)) AS notas,
               coalesce(sum(total_nota) FILTER (WHERE situacao IN (5, 6, 7)), 0) AS valor,
               count(*) FILTER (WHERE situacao = 2) AS canceladas,
               coalesce(sum(total_nota) FILTER (WHERE situacao = 2), 0) AS valor_cancelado
        FROM nfe_cabecalho
        WHERE excluida_em IS NULL AND situacao IN (2, 5, 6, 7) GROUP BY 1""",
    ),
    "vw_faturamento_mes": (
        "Notas válidas e valor por mês de emissão; as canceladas à parte",
        """
        SELECT date_trunc('month', dia)::date AS mes, sum(notas)::bigint AS notas, sum(valor) AS valor,
               sum(canceladas)::bigint AS canceladas, sum(valor_cancelado) AS valor_cancelado
        FROM vw_faturamento_dia GROUP BY 1""",
    ),
    "vw_faturamento_uf": (
        "Notas válidas e valor por mês e UF do destinatário; as canceladas à parte",
        """
        SELECT date_trunc('month', data_emissao)::date AS mes, contato_uf AS uf,
               count(*) FILTER (WHERE situacao IN (5, 6, 7)) AS notas,
               coalesce(sum(total_nota) FILTER (WHERE situacao IN (5, 6, 7)), 0) AS valor,
               count(*) FILTER (WHERE situacao = 2) AS canceladas,
               coalesce(sum(total_nota) FILTER (WHERE situacao = 2), 0) AS valor_cancelado
        FROM nfe_cabecalho
        WHERE excluida_em IS NULL AND situacao IN (2, 5, 6, 7) GROUP BY 1, 2""",
    ),
    "vw_faturamento_cliente": (
        "Notas válidas e valor por cliente, com a primeira e a última compra; as canceladas à parte",
        """
        SELECT n.contato_id,
               coalesce(max(c.nome), (array_agg(n.contato_nome ORDER BY n.data_emissao DESC))[1]) AS nome,
               coalesce(max(c.documento), (array_agg(n.contato_documento ORDER BY n.data_emissao DESC))[1])
                   AS documento,
               count(*) FILTER (WHERE n.situacao IN (5, 6, 7)) AS notas,
               coalesce(sum(n.total_nota) FILTER (WHERE n.situacao IN (5, 6, 7)), 0) AS valor,
               count(*) FILTER (WHERE n.situacao = 2) AS canceladas,
               coalesce(sum(n.total_nota) FILTER (WHERE n.situacao = 2), 0) AS valor_cancelado,
               min(n.data_emissao) FILTER (WHERE n.situacao IN (5, 6, 7)) AS primeira_compra,
               max(n.data_emissao) FILTER (WHERE n.situacao IN (5, 6, 7)) AS ultima_compra
        FROM nfe_cabecalho n LEFT JOIN contatos c ON c.id = n.contato_id
        WHERE n.excluida_em IS NULL AND n.situacao IN (2, 5, 6, 7) GROUP BY n.contato_id""",
    ),
    "vw_faturamento_produto": (
        "Quantidade e valor dos itens de notas válidas por SKU, com o nome do produto preferido; canceladas à parte",
        """
        SELECT i.codigo_produto,
               coalesce(max(p.nome), (array_agg(i.descricao_produto ORDER BY n.data_emissao DESC))[1]) AS nome,
               max(p.categoria_descricao) AS categoria,
               count(DISTINCT n.id) FILTER (WHERE n.situacao IN (5, 6, 7)) AS notas,
               coalesce(sum(i.quantidade) FILTER (WHERE n.situacao IN (5, 6, 7)), 0) AS quantidade,
               coalesce(sum(i.valor_total) FILTER (WHERE n.situacao IN (5, 6, 7)), 0) AS valor,
               coalesce(sum(i.valor_total) FILTER (WHERE n.situacao = 2), 0) AS valor_cancelado
        FROM nfe_itens i
        JOIN nfe_cabecalho n ON n.id = i.nfe_id
        LEFT JOIN produtos p ON p.codigo = i.codigo_produto AND p.preferido
        WHERE n.excluida_em IS NULL AND n.situacao IN (2, 5, 6, 7) GROUP BY i.codigo_produto""",
    ),
    "vw_abc_clientes": (
        "Curva ABC dos clientes pelo valor das notas válidas: A até 80 %, B até 95 %, C o resto",
        """
        SELECT posicao, contato_id, nome, documento, valor, participacao, acumulado,
               CASE WHEN acumulado - participacao < 0.80 THEN 'A' WHEN acumulado - participacao < 0.95 THEN 'B'
                    ELSE 'C' END AS classe
        FROM (SELECT row_number() OVER w AS posicao, contato_id, nome, documento, valor,
                     valor / sum(valor) OVER () AS participacao, sum(valor) OVER w / sum(valor) OVER () AS acumulado
              FROM vw_faturamento_cliente WHERE valor > 0
              WINDOW w AS (ORDER BY valor DESC, contato_id ROWS UNBOUNDED PRECEDING)) AS curva""",
    ),
    "vw_abc_produtos": (
        "Curva ABC dos produtos pelo valor dos itens de notas válidas: A até 80 %, B até 95 %, C o resto",
        """
        SELECT posicao, codigo_produto, nome, quantidade, valor, participacao, acumulado,
               CASE WHEN acumulado - participacao < 0.80 THEN 'A' WHEN acumulado - participacao < 0.95 THEN 'B'
                    ELSE 'C' END AS classe
        FROM (SELECT row_number() OVER w AS posicao, codigo_produto, nome, quantidade, valor,
                     valor / sum(valor) OVER () AS participacao, sum(valor) OVER w / sum(valor) OVER () AS acumulado
              FROM vw_faturamento_produto WHERE valor > 0
              WINDOW w AS (ORDER BY valor DESC, codigo_produto ROWS UNBOUNDED PRECEDING)) AS curva""",
    ),
    "vw_pagamentos_mes": (
        "Parcelas de notas válidas por mês de emissão e forma de pagamento",
        """
        SELECT date_trunc('month', n.data_emissao)::date AS mes, g.tipo_pagamento, g.forma_pagamento_id,
               max(f.descricao) AS forma_pagamento, count(*) AS parcelas, count(DISTINCT n.id) AS notas,
               coalesce(sum(g.valor), 0) AS valor
        FROM nfe_pagamentos g
        JOIN vw_nfe_validas n ON n.id = g.nfe_id
        LEFT JOIN formas_pagamento f ON f.id = g.forma_pagamento_id
        GROUP BY 1, 2, 3""",
    ),
    "vw_ultima_compra_cliente": (
        "A última nota válida de cada cliente",
        """
        SELECT DISTINCT ON (n.contato_id) n.contato_id, coalesce(c.nome, n.contato_nome) AS nome,
               coalesce(c.documento, n.contato_documento) AS documento, n.id AS nfe_id, n.numero, n.data_emissao,
               n.total_nota
        FROM vw_nfe_validas n LEFT JOIN contatos c ON c.id = n.contato_id
        WHERE n.contato_id IS NOT NULL
        ORDER BY n.contato_id, n.data_emissao DESC NULLS LAST, n.id DESC""",
    ),
}


def upgrade() -> None:
    op.execute("ALTER TABLE nfe_cabecalho ADD excluida_em timestamptz")
    op.execute("ALTER TABLE contatos ADD excluida_em timestamptz")
    op.execute("ALTER TABLE produtos ADD excluida_em timestamptz, ADD exclusao_vista_em timestamptz, DROP excluido")
    op.execute("ALTER TABLE etl_controle ADD cursor bigint")
    op.execute("ALTER TABLE pendencias ADD resumo_lista text")
    op.execute("""
        CREATE TABLE conferencias (
            mes date PRIMARY KEY, data_inicio date NOT NULL, data_fim date NOT NULL,
            conferida_em timestamptz NOT NULL, run_id integer,
            no_bling jsonb NOT NULL, no_banco jsonb NOT NULL,
            faltam bigint[] NOT NULL, sobram bigint[] NOT NULL, diferem bigint[] NOT NULL,
            reparadas integer NOT NULL DEFAULT 0)""")
    op.execute("""
        CREATE TABLE historico (
            id bigserial PRIMARY KEY, tabela text NOT NULL, registro_id bigint NOT NULL,
            quando timestamptz NOT NULL DEFAULT now(), run_id integer, mudancas jsonb NOT NULL)""")
    op.execute("CREATE INDEX ix_historico_registro_id ON historico (registro_id)")
    op.execute("CREATE INDEX ix_nfe_cabecalho_serie ON nfe_cabecalho (serie)")
    for name, (comment, query) in _VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")
        op.execute(f"COMMENT ON VIEW {name} IS '{comment}'")
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")
