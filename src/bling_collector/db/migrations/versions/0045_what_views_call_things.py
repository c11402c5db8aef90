"""O que não tem código nem cadastro não leva o nome de outro; cancelado é o mesmo em todas as views; as vendas de
consumidor contam no giro do estoque; e mudar o que é venda faz somar os dias outra vez."""

from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

_COUNTED = "n.excluida_em IS NULL AND n.situacao IN (2, 5, 6, 7) AND n.tipo IS DISTINCT FROM 0"
_AMOUNTS = """
    count(*) FILTER (WHERE valida AND operacao = 'venda') AS notas,
    round(coalesce(sum(valor) FILTER (WHERE valida AND operacao = 'venda'), 0), 2) AS valor,
    count(*) FILTER (WHERE NOT valida AND operacao = 'venda') AS canceladas,
    round(coalesce(sum(valor) FILTER (WHERE NOT valida AND operacao = 'venda'), 0), 2) AS valor_cancelado"""
_APART = "round(coalesce(sum(valor) FILTER (WHERE valida AND operacao <> 'venda'), 0), 2) AS valor_a_parte"
_CLIENTES = f"""
        SELECT s.contato_id,
               CASE WHEN s.contato_id IS NULL THEN 'Sem cadastro no Bling' ELSE coalesce(c.nome, u.contato_nome) END
                   AS nome,
               coalesce(c.documento, u.contato_documento) AS documento,
               s.notas, s.valor, s.canceladas, s.valor_cancelado, s.primeira_compra, s.ultima_compra, s.valor_a_parte
        FROM (SELECT contato_id, {_AMOUNTS}, {_APART},
                     min(data_emissao) FILTER (WHERE valida AND operacao = 'venda') AS primeira_compra,
                     max(data_emissao) FILTER (WHERE valida AND operacao = 'venda') AS ultima_compra
              FROM vw_nfe_operacoes GROUP BY 1) AS s
        LEFT JOIN contatos c ON c.id = s.contato_id
        LEFT JOIN LATERAL (
            SELECT contato_nome, contato_documento FROM nfe_cabecalho n
            WHERE n.contato_id = s.contato_id AND {_COUNTED} AND (c.nome IS NULL OR c.documento IS NULL)
            ORDER BY n.data_emissao DESC LIMIT 1) u ON true"""
_PRODUTOS = """
        SELECT s.codigo_produto,
               CASE WHEN s.codigo_produto IS NULL THEN 'Sem código' ELSE coalesce(p.nome, u.descricao_produto) END
                   AS nome,
               p.categoria_descricao AS categoria, s.notas, s.quantidade, s.valor, s.valor_cancelado, s.valor_a_parte
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
            WHERE i.codigo_produto = s.codigo_produto AND p.nome IS NULL
              AND n.excluida_em IS NULL AND n.situacao IN (2, 5, 6, 7)
            ORDER BY n.data_emissao DESC LIMIT 1) u ON true"""
_PEDIDOS_PRODUTO = """
        SELECT s.mes, s.codigo_produto, coalesce(p.id, s.sem_codigo) AS produto_id,
               CASE WHEN s.codigo_produto IS NULL AND s.sem_codigo IS NULL THEN 'Sem código'
                    ELSE coalesce(p.nome, q.nome, s.descricao) END AS nome,
               coalesce(p.categoria_descricao, q.categoria_descricao) AS categoria,
               s.pedidos, s.quantidade, s.valor, s.valor_cancelado
        FROM (SELECT date_trunc('month', data)::date AS mes, codigo_produto,
                     CASE WHEN codigo_produto IS NULL THEN produto_id END AS sem_codigo, max(descricao) AS descricao,
                     count(DISTINCT pedido_id) FILTER (WHERE valido) AS pedidos,
                     coalesce(sum(quantidade) FILTER (WHERE valido), 0) AS quantidade,
                     round(coalesce(sum(valor) FILTER (WHERE valido), 0), 2) AS valor,
                     round(coalesce(sum(valor) FILTER (WHERE NOT valido), 0), 2) AS valor_cancelado
              FROM vw_pedidos_itens GROUP BY 1, 2, 3) AS s
        LEFT JOIN produtos p ON p.codigo = s.codigo_produto AND p.preferido
        LEFT JOIN produtos q ON q.id = s.sem_codigo"""
_SOMAS = """
    count(DISTINCT pedido_id) AS pedidos, round(coalesce(sum(receita), 0), 2) AS receita,
    round(coalesce(sum(comissao), 0), 2) AS comissao, round(coalesce(sum(frete), 0), 2) AS frete,
    round(sum(custo), 2) AS custo, round(sum(margem), 2) AS margem,
    round(sum(margem) / nullif(sum(receita) FILTER (WHERE custo IS NOT NULL), 0), 4) AS margem_percentual,
    round(coalesce(sum(receita) FILTER (WHERE custo IS NULL), 0), 2) AS receita_sem_custo,
    round(coalesce(sum(receita) FILTER (WHERE custo_posterior), 0), 2) AS receita_custo_posterior"""
_MARGEM_PRODUTO = f"""
        SELECT s.produto_id, coalesce(p.codigo, s.codigo) AS codigo,
               CASE WHEN s.produto_id IS NULL AND s.codigo IS NULL THEN 'Sem código'
                    ELSE coalesce(p.nome, s.descricao) END AS nome,
               s.quantidade, s.pedidos, s.receita, s.comissao, s.frete, s.custo, s.margem, s.margem_percentual,
               s.receita_sem_custo, s.receita_custo_posterior
        FROM (SELECT produto_id, CASE WHEN produto_id IS NULL THEN codigo_produto END AS codigo_solto,
                     max(codigo_produto) AS codigo, max(descricao) AS descricao,
                     coalesce(sum(quantidade), 0) AS quantidade, {_SOMAS}
              FROM vw_margem_itens WHERE NOT cancelado GROUP BY 1, 2) AS s
        LEFT JOIN produtos p ON p.id = s.produto_id"""
_MARGEM_ITENS = """
        WITH leitura AS MATERIALIZED (
            SELECT count(*) >= 3 AND min(total) < max(total) AND max(taxa_comissao) <= 100
                   AND coalesce(corr(taxa_comissao, total), 0) < 0.5 AS em_percentual
            FROM pedidos_venda
            WHERE taxa_comissao > 0 AND taxa_comissao < 1e12 AND total > 0 AND total < 1e12 AND excluida_em IS NULL),
        linhas AS (
            SELECT i.pedido_id, i.ordem, p.data, p.situacao_id, p.loja_id, p.contato_id, p.nota_fiscal_id,
                   coalesce(i.produto_id, u.id) AS produto_id, i.codigo_produto, i.descricao, i.quantidade,
                   i.quantidade * i.valor_unitario AS valor,
                   sum(i.quantidade * i.valor_unitario) OVER w AS soma, count(*) OVER w AS itens,
                   CASE WHEN upper(p.desconto_unidade) = 'PERCENTUAL' THEN p.total_produtos * p.desconto / 100
                        ELSE p.desconto END AS desconto,
                   CASE WHEN l.em_percentual THEN p.total * p.taxa_comissao / 100 ELSE p.taxa_comissao END AS comissao,
                   p.custo_frete, coalesce(coalesce(s.base_id, p.situacao_id) = 12, false) AS cancelado,
                   (p.data + 1)::timestamp AT TIME ZONE 'America/Sao_Paulo' AS fim
            FROM pedidos_venda_itens i
            JOIN pedidos_venda p ON p.id = i.pedido_id AND p.excluida_em IS NULL
            CROSS JOIN leitura l
            LEFT JOIN vw_situacoes s ON s.id = p.situacao_id
            LEFT JOIN produtos u ON i.produto_id IS NULL AND u.codigo = i.codigo_produto AND u.preferido
            WINDOW w AS (PARTITION BY i.pedido_id)),
        partes AS (
            SELECT *, CASE WHEN soma <> 0 THEN coalesce(valor, 0) / soma ELSE 1.0 / itens END AS parte FROM linhas),
        contas AS (
            SELECT p.*, coalesce(p.valor, 0) - p.parte * coalesce(p.desconto, 0) AS receita,
                   p.parte * coalesce(p.comissao, 0) AS comissao_do_item,
                   p.parte * coalesce(p.custo_frete, 0) AS frete_do_item,
                   p.quantidade * c.preco_custo AS custo, c.lido_em >= p.fim AS custo_posterior
            FROM partes p
            LEFT JOIN (SELECT produto_id, preco_custo, lido_em, desde, ate FROM vw_produtos_custos
                       UNION ALL
                       SELECT produto_id, preco_custo, lido_em, desde, ate FROM vw_kits_custos) c
                ON c.produto_id = p.produto_id AND (c.desde IS NULL OR c.desde < p.fim)
                AND (c.ate IS NULL OR c.ate >= p.fim))
        SELECT pedido_id, ordem, data, situacao_id, cancelado, loja_id, contato_id, nota_fiscal_id, produto_id,
               codigo_produto, descricao, quantidade, receita, comissao_do_item AS comissao, frete_do_item AS frete,
               custo, receita - comissao_do_item - frete_do_item - custo AS margem, custo_posterior
        FROM contas"""
_CONFERENCIA = """
        WITH origens AS (
            SELECT CASE WHEN lower(origem_tipo) ~ 'nota|^nf' THEN 'nota'
                        WHEN lower(origem_tipo) ~ 'venda|pedido' THEN 'pedido' END AS tipo, origem_id,
                   round(coalesce(sum(valor) FILTER (WHERE excluida_em IS NULL), 0), 2) AS contas,
                   bool_or(excluida_em IS NOT NULL) AS com_excluida, bool_or(situacao IN (4, 5, 6)) AS com_devolvida
            FROM contas_receber WHERE origem_id IS NOT NULL
            GROUP BY 1, 2 HAVING bool_or(excluida_em IS NULL)),
        parcelas AS (
            SELECT o.*, coalesce(n.id, k.id) IS NOT NULL AS aqui,
                   CASE WHEN n.id IS NULL THEN k.excluida_em ELSE n.excluida_em END IS NOT NULL AS excluida,
                   coalesce(n.situacao, k.situacao) = 2 AS cancelada, coalesce(p.valor, q.valor) AS parcelas
            FROM origens o LEFT JOIN nfe_cabecalho n ON n.id = o.origem_id
            LEFT JOIN nfce_cabecalho k ON k.id = o.origem_id AND n.id IS NULL
            LEFT JOIN (SELECT nfe_id, round(sum(valor), 2) AS valor FROM nfe_pagamentos GROUP BY nfe_id) p
                   ON p.nfe_id = n.id
            LEFT JOIN (SELECT nfe_id, round(sum(valor), 2) AS valor FROM nfce_pagamentos GROUP BY nfe_id) q
                   ON q.nfe_id = k.id
            WHERE o.tipo = 'nota'
            UNION ALL
            SELECT o.*, v.id IS NOT NULL, v.excluida_em IS NOT NULL, coalesce(s.base_id, v.situacao_id) = 12, p.valor
            FROM origens o LEFT JOIN pedidos_venda v ON v.id = o.origem_id
            LEFT JOIN vw_situacoes s ON s.id = v.situacao_id
            LEFT JOIN (SELECT pedido_id, round(sum(valor), 2) AS valor FROM pedidos_venda_parcelas GROUP BY pedido_id) p
                   ON p.pedido_id = o.origem_id
            WHERE o.tipo = 'pedido'),
        conferidas AS (
            SELECT CAST('parcelas' AS text) AS conferencia, tipo AS registro_tipo, origem_id AS registro_id,
                   parcelas AS esperado, contas AS encontrado,
                   CASE WHEN NOT aqui THEN 'o coletor não tem o documento'
                        WHEN excluida THEN 'o documento foi excluído no Bling'
                        WHEN cancelada THEN 'o documento foi cancelado'
                        WHEN parcelas IS NULL THEN 'o documento não tem parcelas'
                        WHEN com_excluida THEN 'uma conta dele foi excluída no Bling'
                        WHEN com_devolvida AND parcelas <> contas THEN 'uma conta dele foi devolvida ou cancelada'
                   END AS motivo
            FROM parcelas
            UNION ALL
            SELECT 'saldo', 'conta_' || c.conta_tipo, c.conta_id, c.valor - c.saldo, coalesce(q.liquidado, 0),
                   CASE WHEN c.situacao IN (4, 5, 6) THEN 'a conta foi devolvida ou cancelada'
                        WHEN c.valor IS NULL OR c.saldo IS NULL THEN 'o Bling não disse o saldo'
                        WHEN q.borderos IS NULL AND c.valor <> c.saldo THEN 'a conta foi quitada sem borderô'
                        WHEN q.borderos_lidos < q.borderos THEN 'um borderô dela não foi lido'
                        WHEN q.borderos_com_outras > 0 THEN 'um borderô dela quita outras contas também'
                   END
            FROM vw_contas c
            LEFT JOIN vw_contas_liquidacao q ON q.conta_tipo = c.conta_tipo AND q.conta_id = c.conta_id)
        SELECT conferencia, registro_tipo, registro_id, esperado, encontrado, encontrado - esperado AS diferenca,
               CASE WHEN motivo IS NOT NULL THEN 'nao_comparavel' WHEN esperado = encontrado THEN 'igual'
                    ELSE 'difere' END AS resultado, motivo
        FROM conferidas"""
_DIA = "(lido_em AT TIME ZONE 'America/Sao_Paulo')::date"
_ESTOQUE_ATUAL = """
        SELECT t.lido_em, t.produto_id, p.codigo, p.nome, e.deposito_id,
               CASE WHEN e.deposito_id IS NULL THEN t.saldo_fisico ELSE e.saldo_fisico END AS saldo_fisico,
               CASE WHEN e.deposito_id IS NULL THEN t.saldo_virtual ELSE e.saldo_virtual END AS saldo_virtual,
               d.descricao AS deposito, NOT coalesce(d.desconsiderar_saldo, false) AS no_total
        FROM estoque_totais t
        LEFT JOIN estoque_saldos e ON e.lido_em = t.lido_em AND e.produto_id = t.produto_id
        LEFT JOIN depositos d ON d.id = e.deposito_id
        LEFT JOIN produtos p ON p.id = t.produto_id
        WHERE t.lido_em = (SELECT max(lido_em) FROM estoque_totais)"""
_ESTOQUE_POR_DIA = f"""
        SELECT (t.lido_em AT TIME ZONE 'America/Sao_Paulo')::date AS dia, t.lido_em, t.produto_id, e.deposito_id,
               s.saldo_fisico, s.saldo_virtual, c.preco_custo, s.saldo_fisico * c.preco_custo AS valor_custo,
               NOT coalesce(d.desconsiderar_saldo, false) AS no_total
        FROM estoque_totais t
        LEFT JOIN estoque_saldos e ON e.lido_em = t.lido_em AND e.produto_id = t.produto_id
        LEFT JOIN depositos d ON d.id = e.deposito_id
        CROSS JOIN LATERAL (
            SELECT CASE WHEN e.deposito_id IS NULL THEN t.saldo_fisico ELSE e.saldo_fisico END AS saldo_fisico,
                   CASE WHEN e.deposito_id IS NULL THEN t.saldo_virtual ELSE e.saldo_virtual END AS saldo_virtual) s
        LEFT JOIN vw_produtos_custos c ON c.produto_id = t.produto_id
            AND (c.desde IS NULL OR c.desde <= t.lido_em) AND (c.ate IS NULL OR c.ate > t.lido_em)
        WHERE t.lido_em IN (SELECT max(lido_em) FROM estoque_totais GROUP BY {_DIA})"""
_VENDIDO = """
    SELECT codigo_produto, data_emissao, quantidade FROM vw_itens_operacoes WHERE valida AND operacao = 'venda'
    UNION ALL
    SELECT i.codigo_produto, n.data_emissao, i.quantidade
    FROM nfce_itens i JOIN nfce_cabecalho n ON n.id = i.nfe_id
    WHERE n.excluida_em IS NULL AND n.situacao IN (5, 6, 7)"""
_COBERTURA = f"""
        WITH leitura AS (SELECT lido_em, {_DIA} AS dia FROM estoque_totais ORDER BY lido_em DESC LIMIT 1),
        vendas AS (
            SELECT codigo_produto, max(data_emissao)::date AS ultima_venda, coalesce(sum(quantidade), 0) AS vendido
            FROM ({_VENDIDO}) AS i
            WHERE codigo_produto IS NOT NULL
              AND data_emissao >= (SELECT dia - 89 FROM leitura) AND data_emissao < (SELECT dia + 1 FROM leitura)
            GROUP BY 1),
        saldos AS (
            SELECT l.lido_em, l.dia, t.produto_id, p.codigo, p.nome, p.categoria_descricao AS categoria,
                   t.saldo_fisico, t.saldo_virtual, coalesce(t.saldo_virtual, t.saldo_fisico) AS saldo, c.preco_custo,
                   coalesce(v.vendido, 0) AS vendido, coalesce(v.ultima_venda, a.ultima_venda) AS ultima_venda
            FROM leitura l
            JOIN estoque_totais t ON t.lido_em = l.lido_em
            LEFT JOIN produtos p ON p.id = t.produto_id
            LEFT JOIN vw_produtos_custos c ON c.produto_id = t.produto_id AND c.ate IS NULL
            LEFT JOIN vendas v ON v.codigo_produto = p.codigo AND p.preferido
            -- Quem não vendeu no período é que se procura, pelo SKU, nas notas de antes.
            LEFT JOIN LATERAL (
                SELECT max(i.data_emissao)::date AS ultima_venda FROM ({_VENDIDO}) AS i
                WHERE i.codigo_produto = p.codigo AND p.preferido AND v.vendido IS NULL
                  AND i.data_emissao < l.dia - 89) a ON true
            WHERE p.excluida_em IS NULL)
        SELECT lido_em, produto_id, codigo, nome, categoria, saldo_fisico, saldo_virtual, preco_custo,
               round(saldo_fisico * preco_custo, 2) AS valor_custo, vendido AS vendido_90_dias,
               round(vendido / 90, 4) AS venda_por_dia, ultima_venda, d.dias_cobertura,
               CASE WHEN d.dias_cobertura < 36500 THEN dia + floor(d.dias_cobertura)::integer END AS acaba_em,
               CASE WHEN saldo IS NULL THEN 'sem registro' WHEN saldo <= 0 AND vendido > 0 THEN 'esgotado'
                    WHEN saldo <= 0 THEN 'sem saldo' WHEN vendido > 0 THEN 'vende' ELSE 'parado' END AS situacao
        FROM saldos
        CROSS JOIN LATERAL (
            SELECT CASE WHEN vendido > 0 AND saldo IS NOT NULL THEN round(greatest(saldo, 0) * 90 / vendido, 1) END
                       AS dias_cobertura) d"""
_VIEWS = {
    "vw_faturamento_cliente": _CLIENTES,
    "vw_faturamento_produto": _PRODUTOS,
    "vw_pedidos_produto": _PEDIDOS_PRODUTO,
    "vw_margem_itens": _MARGEM_ITENS,
    "vw_margem_produto": _MARGEM_PRODUTO,
    "vw_conferencia_financeira": _CONFERENCIA,
    "vw_estoque_atual": _ESTOQUE_ATUAL,
    "vw_estoque_por_dia": _ESTOQUE_POR_DIA,
    "vw_estoque_cobertura": _COBERTURA,
}
# O que é venda muda-se raras vezes, e muda-o em qualquer dia: anotam-se todos.
_NOTE = """
    CREATE OR REPLACE FUNCTION anotar_todos_os_dias() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        EXECUTE format('INSERT INTO %1$I.dias_por_somar (tabela, dia)
                        SELECT ''nfe_cabecalho'', dia FROM %1$I.vendas_por_dia
                        UNION SELECT tabela, dia FROM %1$I.dias_por_somar WHERE tabela = ''nfe_cabecalho''',
                       TG_TABLE_SCHEMA);
        RETURN NULL;
    END $$"""


def upgrade() -> None:
    for name, query in _VIEWS.items():
        op.execute(f"CREATE OR REPLACE VIEW {name} AS {query}")
    op.execute(_NOTE)
    for table in ("cfops", "cfops_da_empresa"):
        op.execute(f"""
            CREATE TRIGGER anotar_todos_os_dias AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION anotar_todos_os_dias()""")
    # As exceções que já há podem ter vindo depois das somas.
    op.execute("""
        INSERT INTO dias_por_somar (tabela, dia)
        SELECT DISTINCT 'nfe_cabecalho', dia FROM vendas_por_dia WHERE EXISTS (SELECT FROM cfops_da_empresa)""")
