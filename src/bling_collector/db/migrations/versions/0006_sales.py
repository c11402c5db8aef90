"""O que é uma venda: os CFOPs e as exceções da empresa, quanto de cada nota é de cada um, e as views que o usam."""

import csv
from importlib.resources import files

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_COMMENTS = {
    "nfe_cabecalho.cfop": "o CFOP das linhas; “vários” se são mais de um; vazio se nenhuma o tem",
    "nfe_cabecalho.cfops": "quanto do valor da nota é de cada CFOP, se são vários",
    "nfe_itens.cfop": "o CFOP das linhas do SKU; “vários” se são mais de um; vazio se nenhuma o tem",
    "nfe_itens.cfops": "a quantidade e o valor de cada CFOP, se são vários",
    "cfops.operacao": "venda, devolucao, transferencia, remessa ou outra",
    "cfops_da_empresa.operacao": "a que vale no lugar da de cfops: venda, devolucao, transferencia, remessa ou outra",
}

# A finalidade manda; sendo normal, o CFOP. Sem CFOP, como nas notas do primeiro coletor ainda não relidas, presume-se a
# venda.
_OPERACAO = """
    CASE coalesce(n.finalidade, 1)
         WHEN 1 THEN CASE WHEN coalesce({cfop}, '') = '' THEN 'venda'
                          ELSE coalesce(e.operacao, k.operacao, 'desconhecida') END
         WHEN 2 THEN 'complementar' WHEN 3 THEN 'ajuste' WHEN 4 THEN 'devolucao' WHEN 5 THEN 'credito'
         WHEN 6 THEN 'debito' ELSE 'desconhecida' END"""
_KINDS = "LEFT JOIN cfops k ON k.cfop = {cfop} LEFT JOIN cfops_da_empresa e ON e.cfop = {cfop}"
_COUNTED = "n.excluida_em IS NULL AND n.situacao IN (2, 5, 6, 7) AND n.tipo IS DISTINCT FROM 0"
_AMOUNTS = """
    count(*) FILTER (WHERE valida AND operacao = 'venda') AS notas,
    round(coalesce(sum(valor) FILTER (WHERE valida AND operacao = 'venda'), 0), 2) AS valor,
    count(*) FILTER (WHERE NOT valida AND operacao = 'venda') AS canceladas,
    round(coalesce(sum(valor) FILTER (WHERE NOT valida AND operacao = 'venda'), 0), 2) AS valor_cancelado"""
_APART = "round(coalesce(sum(valor) FILTER (WHERE valida AND operacao <> 'venda'), 0), 2) AS valor_a_parte"

_VIEWS = {
    "vw_cfops": (
        "A operação de cada CFOP de saída: a da tabela oficial ou, se a empresa a trocou em cfops_da_empresa, a dela",
        """
        SELECT cfop, c.descricao, coalesce(e.operacao, c.operacao) AS operacao, e.cfop IS NOT NULL AS da_empresa
        FROM cfops c FULL JOIN cfops_da_empresa e USING (cfop)""",
    ),
    "vw_nfe_operacoes": (
        "O que é venda, e o que não é: uma linha por nota e operação, das autorizadas (5), emitidas (6) e registradas "
        "(7), que são válidas, e das canceladas (2); sem as excluídas. A operação vem da finalidade da nota e do CFOP "
        "das linhas",
        f"""
        SELECT n.id AS nfe_id, n.data_emissao, n.situacao, n.situacao <> 2 AS valida, n.contato_id, n.contato_uf,
               {_OPERACAO.format(cfop="n.cfop")} AS operacao, n.total_nota AS valor
        FROM nfe_cabecalho n {_KINDS.format(cfop="n.cfop")}
        WHERE {_COUNTED} AND n.cfop IS DISTINCT FROM 'vários'
        UNION ALL
        SELECT n.id, n.data_emissao, n.situacao, n.situacao <> 2, n.contato_id, n.contato_uf,
               {_OPERACAO.format(cfop="p.cfop")} AS operacao, sum(p.valor)
        FROM nfe_cabecalho n
        CROSS JOIN LATERAL jsonb_to_recordset(n.cfops) AS p (cfop text, valor numeric) {_KINDS.format(cfop="p.cfop")}
        WHERE {_COUNTED} AND n.cfop = 'vários' GROUP BY 1, 2, 3, 4, 5, 6, 7""",
    ),
    "vw_itens_operacoes": (
        "Os itens das mesmas notas de vw_nfe_operacoes: uma linha por item e operação",
        f"""
        SELECT i.nfe_id, i.id AS item_id, n.data_emissao, n.situacao, n.situacao <> 2 AS valida, i.codigo_produto,
               {_OPERACAO.format(cfop="i.cfop")} AS operacao, i.quantidade, i.valor_total AS valor
        FROM nfe_itens i JOIN nfe_cabecalho n ON n.id = i.nfe_id {_KINDS.format(cfop="i.cfop")}
        WHERE {_COUNTED} AND i.cfop IS DISTINCT FROM 'vários'
        UNION ALL
        SELECT i.nfe_id, i.id, n.data_emissao, n.situacao, n.situacao <> 2, i.codigo_produto,
               {_OPERACAO.format(cfop="p.cfop")} AS operacao, sum(p.quantidade), sum(p.valor)
        FROM nfe_itens i
        JOIN nfe_cabecalho n ON n.id = i.nfe_id
        CROSS JOIN LATERAL jsonb_to_recordset(i.cfops) AS p (cfop text, quantidade numeric, valor numeric)
        {_KINDS.format(cfop="p.cfop")}
        WHERE {_COUNTED} AND i.cfop = 'vários' GROUP BY 1, 2, 3, 4, 5, 6, 7""",
    ),
    "vw_nfe_validas": (
        "As notas que contam como venda: autorizadas (5), emitidas (6) e registradas (7) com alguma linha de venda; "
        "sem canceladas, denegadas, rejeitadas, pendentes e excluídas. As colunas de nfe_cabecalho e valor_venda, a "
        "parte do total_nota que é venda",
        """
        SELECT n.*, v.valor AS valor_venda
        FROM nfe_cabecalho n JOIN vw_nfe_operacoes v ON v.nfe_id = n.id AND v.valida AND v.operacao = 'venda'""",
    ),
    "vw_notas_por_situacao": (
        "Quantas notas e quanto somam, por ano, mês e situação, vendas ou não; sem as excluídas",
        """
        SELECT date_trunc('month', data_emissao)::date AS mes, situacao,
               CASE situacao WHEN 1 THEN 'Pendente' WHEN 2 THEN 'Cancelada' WHEN 3 THEN 'Aguardando recibo'
                    WHEN 4 THEN 'Rejeitada' WHEN 5 THEN 'Autorizada' WHEN 6 THEN 'Emitida DANFE'
                    WHEN 7 THEN 'Registrada' WHEN 8 THEN 'Aguardando protocolo' WHEN 9 THEN 'Denegada'
                    WHEN 10 THEN 'Consulta situação' WHEN 11 THEN 'Bloqueada' ELSE 'Desconhecida' END AS descricao,
               count(*) AS notas, round(coalesce(sum(total_nota), 0), 2) AS valor
        FROM nfe_cabecalho WHERE excluida_em IS NULL GROUP BY 1, 2""",
    ),
    "vw_saidas_mes": (
        "Notas válidas e valor por mês de emissão e operação: as vendas e, ao lado, o que não é venda",
        """
        SELECT date_trunc('month', data_emissao)::date AS mes, operacao, count(*) FILTER (WHERE valida) AS notas,
               round(coalesce(sum(valor) FILTER (WHERE valida), 0), 2) AS valor,
               count(*) FILTER (WHERE NOT valida) AS canceladas,
               round(coalesce(sum(valor) FILTER (WHERE NOT valida), 0), 2) AS valor_cancelado
        FROM vw_nfe_operacoes GROUP BY 1, 2""",
    ),
    "vw_faturamento_dia": (
        "Vendas, notas e valor por dia de emissão; as canceladas e o que não é venda à parte",
        f"SELECT data_emissao::date AS dia, {_AMOUNTS}, {_APART} FROM vw_nfe_operacoes GROUP BY 1",
    ),
    "vw_faturamento_mes": (
        "Vendas, notas e valor por mês de emissão; as canceladas e o que não é venda à parte",
        """
        SELECT date_trunc('month', dia)::date AS mes, sum(notas)::bigint AS notas, sum(valor) AS valor,
               sum(canceladas)::bigint AS canceladas, sum(valor_cancelado) AS valor_cancelado,
               sum(valor_a_parte) AS valor_a_parte
        FROM vw_faturamento_dia GROUP BY 1""",
    ),
    "vw_faturamento_uf": (
        "Vendas, notas e valor por mês e UF do destinatário; as canceladas e o que não é venda à parte",
        f"""
        SELECT date_trunc('month', data_emissao)::date AS mes, contato_uf AS uf, {_AMOUNTS}, {_APART}
        FROM vw_nfe_operacoes GROUP BY 1, 2""",
    ),
    "vw_faturamento_cliente": (
        "Vendas, notas e valor por cliente, com a primeira e a última compra; à parte, as canceladas e o que não é "
        "venda",
        f"""
        SELECT s.contato_id, coalesce(c.nome, u.contato_nome) AS nome,
               coalesce(c.documento, u.contato_documento) AS documento,
               s.notas, s.valor, s.canceladas, s.valor_cancelado, s.primeira_compra, s.ultima_compra, s.valor_a_parte
        FROM (SELECT contato_id, {_AMOUNTS}, {_APART},
                     min(data_emissao) FILTER (WHERE valida AND operacao = 'venda') AS primeira_compra,
                     max(data_emissao) FILTER (WHERE valida AND operacao = 'venda') AS ultima_compra
              FROM vw_nfe_operacoes GROUP BY 1) AS s
        LEFT JOIN contatos c ON c.id = s.contato_id
        LEFT JOIN LATERAL (
            SELECT contato_nome, contato_documento FROM nfe_cabecalho n
            WHERE n.contato_id IS NOT DISTINCT FROM s.contato_id AND {_COUNTED}
              AND (c.nome IS NULL OR c.documento IS NULL)
            ORDER BY n.data_emissao DESC LIMIT 1) u ON true""",
    ),
    "vw_faturamento_produto": (
        "Quantidade e valor dos itens vendidos por SKU, com o nome do produto preferido; à parte, o que foi cancelado "
        "e o que não é venda",
        """
        SELECT s.codigo_produto, coalesce(p.nome, u.descricao_produto) AS nome, p.categoria_descricao AS categoria,
               s.notas, s.quantidade, s.valor, s.valor_cancelado, s.valor_a_parte
        FROM (SELECT codigo_produto, count(DISTINCT nfe_id) FILTER (WHERE valida AND operacao = 'venda') AS notas,
                     coalesce(sum(quantidade) FILTER (WHERE valida AND operacao = 'venda'), 0) AS quantidade,
                     round(coalesce(sum(valor) FILTER (WHERE valida AND operacao = 'venda'), 0), 2) AS valor,
                     round(coalesce(sum(valor) FILTER (WHERE NOT valida AND operacao = 'venda'), 0), 2)
                         AS valor_cancelado,
                     round(coalesce(sum(valor) FILTER (WHERE valida AND operacao <> 'venda'), 0), 2) AS valor_a_parte
              FROM vw_itens_operacoes GROUP BY 1) AS s
        LEFT JOIN produtos p ON p.codigo = s.codigo_produto AND p.preferido
        LEFT JOIN LATERAL (
            SELECT i.descricao_produto FROM nfe_itens i JOIN nfe_cabecalho n ON n.id = i.nfe_id
            WHERE i.codigo_produto IS NOT DISTINCT FROM s.codigo_produto AND p.nome IS NULL
              AND n.excluida_em IS NULL AND n.situacao IN (2, 5, 6, 7)
            ORDER BY n.data_emissao DESC LIMIT 1) u ON true""",
    ),
    "vw_abc_clientes": (
        "Curva ABC dos clientes pelo valor das vendas: A até 80 %, B até 95 %, C o resto",
        """
        SELECT posicao, contato_id, nome, documento, valor, round(participacao, 4) AS participacao,
               round(acumulado, 4) AS acumulado,
               CASE WHEN acumulado - participacao < 0.80 THEN 'A' WHEN acumulado - participacao < 0.95 THEN 'B'
                    ELSE 'C' END AS classe
        FROM (SELECT row_number() OVER w AS posicao, contato_id, nome, documento, valor,
                     valor / sum(valor) OVER () AS participacao, sum(valor) OVER w / sum(valor) OVER () AS acumulado
              FROM vw_faturamento_cliente WHERE valor > 0
              WINDOW w AS (ORDER BY valor DESC, contato_id ROWS UNBOUNDED PRECEDING)) AS curva""",
    ),
    "vw_abc_produtos": (
        "Curva ABC dos produtos pelo valor dos itens vendidos: A até 80 %, B até 95 %, C o resto",
        """
        SELECT posicao, codigo_produto, nome, quantidade, valor, round(participacao, 4) AS participacao,
               round(acumulado, 4) AS acumulado,
               CASE WHEN acumulado - participacao < 0.80 THEN 'A' WHEN acumulado - participacao < 0.95 THEN 'B'
                    ELSE 'C' END AS classe
        FROM (SELECT row_number() OVER w AS posicao, codigo_produto, nome, quantidade, valor,
                     valor / sum(valor) OVER () AS participacao, sum(valor) OVER w / sum(valor) OVER () AS acumulado
              FROM vw_faturamento_produto WHERE valor > 0
              WINDOW w AS (ORDER BY valor DESC, codigo_produto ROWS UNBOUNDED PRECEDING)) AS curva""",
    ),
    "vw_pagamentos_mes": (
        "Parcelas das notas que contam como venda, por mês de emissão e forma de pagamento",
        """
        SELECT date_trunc('month', n.data_emissao)::date AS mes, g.tipo_pagamento, g.forma_pagamento_id,
               max(f.descricao) AS forma_pagamento, count(*) AS parcelas, count(DISTINCT n.nfe_id) AS notas,
               round(coalesce(sum(g.valor), 0), 2) AS valor
        FROM nfe_pagamentos g
        JOIN vw_nfe_operacoes n ON n.nfe_id = g.nfe_id AND n.valida AND n.operacao = 'venda'
        LEFT JOIN formas_pagamento f ON f.id = g.forma_pagamento_id
        GROUP BY 1, 2, 3""",
    ),
    "vw_ultima_compra_cliente": (
        "A última nota que conta como venda, de cada cliente",
        """
        SELECT DISTINCT ON (n.contato_id) n.contato_id, coalesce(c.nome, n.contato_nome) AS nome,
               coalesce(c.documento, n.contato_documento) AS documento, n.id AS nfe_id, n.numero, n.data_emissao,
               round(n.total_nota, 2) AS total_nota
        FROM vw_nfe_validas n LEFT JOIN contatos c ON c.id = n.contato_id
        WHERE n.contato_id IS NOT NULL
        ORDER BY n.contato_id, n.data_emissao DESC NULLS LAST, n.id DESC""",
    ),
}

_NUMBER = """CASE WHEN l.item->>'{campo}' ~ '^[+-]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]{{1,3}})?$'
                    THEN (l.item->>'{campo}')::numeric END"""


def upgrade() -> None:
    _add_cfops()
    _add_amounts()
    for name, (comment, query) in _VIEWS.items():
        # As colunas novas vão no fim: as views de quem lê as nossas continuam de pé.
        op.execute(f"CREATE OR REPLACE VIEW {name} AS {query}")
        op.execute(f"COMMENT ON VIEW {name} IS '{comment}'")
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")


def _add_cfops() -> None:
    kinds = "CHECK (operacao IN ('venda', 'devolucao', 'transferencia', 'remessa', 'outra'))"
    for table, rest in (("cfops", "descricao text NOT NULL"), ("cfops_da_empresa", "motivo text")):
        op.execute(f"""
            CREATE TABLE {table} (
                cfop text PRIMARY KEY CONSTRAINT {table}_quatro_algarismos CHECK (cfop ~ '^[0-9]{{4}}$'),
                operacao text NOT NULL CONSTRAINT {table}_operacao_conhecida {kinds}, {rest})""")
    with files("bling_collector.db").joinpath("cfops.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter=";"):
            op.execute(f"INSERT INTO cfops VALUES ('{row['cfop']}', '{row['operacao']}', '{row['descricao']}')")
    op.execute("ANALYZE cfops")


def _add_amounts() -> None:
    """As colunas, do JSON já guardado, e o índice de quem soma, que passa a tê-las."""
    # Ler o JSON é o que demora, e não tranca nada: só depois se mexe nas tabelas.
    quantidade, valor, preco = (_NUMBER.format(campo=campo) for campo in ("quantidade", "valorTotal", "valor"))
    op.execute(f"""
        CREATE TABLE linhas_por_cfop AS
        SELECT n.id AS nfe_id, n.total_nota,
               coalesce(nullif(btrim(l.item->>'codigo'), ''), 'linha ' || l.ordem) AS item,
               left(regexp_replace(coalesce(l.item->>'cfop', ''), '[.[:space:]]', '', 'g'), 10) AS cfop,
               sum({quantidade}) AS quantidade,
               sum(coalesce({valor}, round({quantidade} * {preco}, 2))) AS valor,
               min(l.ordem) AS ordem
        FROM nfe_cabecalho n
        CROSS JOIN LATERAL jsonb_array_elements(
            CASE WHEN jsonb_typeof(n.detalhe->'itens') = 'array' THEN n.detalhe->'itens' ELSE '[]' END
        ) WITH ORDINALITY AS l (item, ordem)
        WHERE jsonb_typeof(l.item) = 'object'
        GROUP BY 1, 2, 3, 4""")
    op.execute("ANALYZE linhas_por_cfop")
    op.execute("DROP INDEX ix_nfe_cabecalho_faturamento")  # e não se o mantém linha a linha
    for table in ("nfe_cabecalho", "nfe_itens"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN cfop text, ADD COLUMN cfops jsonb")
    op.execute("""
        UPDATE nfe_itens i SET cfop = p.cfop, cfops = p.cfops
        FROM (SELECT nfe_id, min(ordem) AS ordem,
                     CASE WHEN count(*) = 1 THEN nullif(min(cfop), '') ELSE 'vários' END AS cfop,
                     CASE WHEN count(*) > 1 THEN jsonb_agg(jsonb_build_object(
                         'cfop', cfop, 'quantidade', quantidade, 'valor', valor) ORDER BY cfop COLLATE "C") END AS cfops
              FROM linhas_por_cfop GROUP BY nfe_id, item) AS p
        WHERE i.nfe_id = p.nfe_id AND i.ordem = p.ordem""")
    # O que a nota tem além das linhas (frete, IPI, desconto) fica com o CFOP de maior valor.
    op.execute("""
        UPDATE nfe_cabecalho n SET cfop = p.cfop, cfops = p.cfops
        FROM (SELECT nfe_id, CASE WHEN count(*) = 1 THEN nullif(min(cfop), '') ELSE 'vários' END AS cfop,
                     CASE WHEN count(*) > 1 THEN jsonb_agg(jsonb_build_object('cfop', cfop, 'valor', valor
                         + CASE WHEN lugar = 1 THEN coalesce(total_nota, soma) - soma ELSE 0 END)
                         ORDER BY cfop COLLATE "C") END AS cfops
              FROM (SELECT nfe_id, total_nota, cfop, coalesce(sum(valor), 0) AS valor,
                           row_number() OVER (PARTITION BY nfe_id ORDER BY coalesce(sum(valor), 0) DESC,
                                              cfop COLLATE "C") AS lugar,
                           sum(coalesce(sum(valor), 0)) OVER (PARTITION BY nfe_id) AS soma
                    FROM linhas_por_cfop GROUP BY nfe_id, total_nota, cfop) AS partes
              GROUP BY nfe_id) AS p
        WHERE n.id = p.nfe_id""")
    op.execute("DROP TABLE linhas_por_cfop")
    op.execute("""
        CREATE INDEX ix_nfe_cabecalho_faturamento ON nfe_cabecalho (data_emissao)
            INCLUDE (id, tipo, situacao, total_nota, contato_id, contato_uf, finalidade, cfop)
            WHERE excluida_em IS NULL""")
    op.execute("CREATE INDEX ix_nfe_cabecalho_varios_cfops ON nfe_cabecalho (data_emissao) WHERE cfop = 'vários'")
    op.execute("CREATE INDEX ix_nfe_itens_varios_cfops ON nfe_itens (nfe_id) WHERE cfop = 'vários'")
    op.execute("ANALYZE nfe_cabecalho (cfop), nfe_itens (cfop)")
