"""O que o estoque e os pedidos dizem: a cobertura, o custo de cada tempo e a margem."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_DIA = "(lido_em AT TIME ZONE 'America/Sao_Paulo')::date"
_SOMAS = """
    count(DISTINCT pedido_id) AS pedidos, round(coalesce(sum(receita), 0), 2) AS receita,
    round(coalesce(sum(comissao), 0), 2) AS comissao, round(coalesce(sum(frete), 0), 2) AS frete,
    round(sum(custo), 2) AS custo, round(sum(margem), 2) AS margem,
    round(sum(margem) / nullif(sum(receita) FILTER (WHERE custo IS NOT NULL), 0), 4) AS margem_percentual,
    round(coalesce(sum(receita) FILTER (WHERE custo IS NULL), 0), 2) AS receita_sem_custo,
    round(coalesce(sum(receita) FILTER (WHERE custo_posterior), 0), 2) AS receita_custo_posterior"""

_VIEWS = {
    "vw_produtos_custos": (
        "o que cada produto custa, e desde quando: o preço de custo do fornecedor padrão ou, sem fornecedor, o do "
        "cadastro. Zero não é um custo; o de um kit e o de um produto com variações são os das partes deles, e não "
        "estão aqui",
        """
        WITH versoes AS (
            SELECT f.id, f.produto_id, f.fornecedor_id, v.preco_custo, v.valido_desde, f.excluida_em,
                   coalesce(f.padrao, false) AS padrao,
                   bool_or(coalesce(f.padrao, false) AND f.excluida_em IS NULL) OVER (PARTITION BY f.produto_id)
                       AS tem_padrao
            FROM produtos_fornecedores f JOIN produtos_fornecedores_custos v ON v.produto_fornecedor_id = f.id
            WHERE v.preco_custo > 0),
        lugares AS (
            SELECT *, rank() OVER (PARTITION BY produto_id ORDER BY
                       CASE WHEN tem_padrao THEN NOT padrao ELSE excluida_em IS NOT NULL END,
                       CASE WHEN NOT tem_padrao THEN -id END) AS lugar
            FROM versoes),
        custos AS (
            SELECT produto_id, fornecedor_id, preco_custo, valido_desde AS lido_em,
                   CASE WHEN lag(id) OVER w IS NOT NULL THEN valido_desde END AS desde,
                   lead(valido_desde) OVER w AS ate
            FROM lugares WHERE lugar = 1 WINDOW w AS (PARTITION BY produto_id ORDER BY valido_desde, id)),
        todos AS (
            SELECT * FROM custos
            UNION ALL
            SELECT p.id, NULL, p.preco_custo, p.extraido_em, NULL, NULL
            FROM produtos p
            WHERE p.preco_custo > 0 AND NOT EXISTS (
                SELECT FROM produtos_fornecedores f
                JOIN produtos_fornecedores_custos v ON v.produto_fornecedor_id = f.id
                WHERE f.produto_id = p.id AND v.preco_custo > 0))
        SELECT t.produto_id, t.fornecedor_id, t.preco_custo, t.lido_em, t.desde, t.ate
        FROM todos t LEFT JOIN produtos p ON p.id = t.produto_id
        WHERE p.formato IS DISTINCT FROM 'E'
          AND NOT EXISTS (SELECT FROM produtos v WHERE v.produto_pai_id = t.produto_id AND v.excluida_em IS NULL)""",
    ),
    "vw_estoque_por_dia": (
        "o saldo de cada produto em cada depósito, na última leitura de cada dia de Brasília, e o que custava nele "
        "(vw_produtos_custos)",
        f"""
        SELECT (t.lido_em AT TIME ZONE 'America/Sao_Paulo')::date AS dia, t.lido_em, t.produto_id, e.deposito_id,
               s.saldo_fisico, s.saldo_virtual, c.preco_custo, s.saldo_fisico * c.preco_custo AS valor_custo
        FROM estoque_totais t
        LEFT JOIN estoque_saldos e ON e.lido_em = t.lido_em AND e.produto_id = t.produto_id
        CROSS JOIN LATERAL (
            SELECT CASE WHEN e.deposito_id IS NULL THEN t.saldo_fisico ELSE e.saldo_fisico END AS saldo_fisico,
                   CASE WHEN e.deposito_id IS NULL THEN t.saldo_virtual ELSE e.saldo_virtual END AS saldo_virtual) s
        LEFT JOIN vw_produtos_custos c ON c.produto_id = t.produto_id
            AND (c.desde IS NULL OR c.desde <= t.lido_em) AND (c.ate IS NULL OR c.ate > t.lido_em)
        WHERE t.lido_em IN (SELECT max(lido_em) FROM estoque_totais GROUP BY {_DIA})""",
    ),
    "vw_estoque_cobertura": (
        "cada produto na última leitura do estoque: o saldo, o que custa, o que vendeu nos 90 dias até ela e para "
        "quantos dias dá nesse passo. Vende o que é venda em vw_itens_operacoes; a de um SKU é do produto preferido",
        f"""
        WITH leitura AS (SELECT lido_em, {_DIA} AS dia FROM estoque_totais ORDER BY lido_em DESC LIMIT 1),
        vendas AS (
            SELECT codigo_produto, max(data_emissao)::date AS ultima_venda, coalesce(sum(quantidade), 0) AS vendido
            FROM vw_itens_operacoes
            WHERE valida AND operacao = 'venda' AND codigo_produto IS NOT NULL
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
                SELECT max(i.data_emissao)::date AS ultima_venda FROM vw_itens_operacoes i
                WHERE i.codigo_produto = p.codigo AND p.preferido AND v.vendido IS NULL
                  AND i.valida AND i.operacao = 'venda' AND i.data_emissao < l.dia - 89) a ON true
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
                       AS dias_cobertura) d""",
    ),
    "vw_margem_itens": (
        "os itens dos pedidos de venda, com a parte de cada um no desconto, na comissão e no frete que o canal cobra, "
        "e o custo que valia no dia da venda, vazio se não se sabe; sem os excluídos, e com os cancelados marcados",
        """
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
                   p.custo_frete, coalesce(p.situacao_id = 12 OR s.id_herdado = 12, false) AS cancelado,
                   (p.data + 1)::timestamp AT TIME ZONE 'America/Sao_Paulo' AS fim
            FROM pedidos_venda_itens i
            JOIN pedidos_venda p ON p.id = i.pedido_id AND p.excluida_em IS NULL
            CROSS JOIN leitura l
            LEFT JOIN situacoes s ON s.id = p.situacao_id
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
            LEFT JOIN vw_produtos_custos c ON c.produto_id = p.produto_id
                AND (c.desde IS NULL OR c.desde < p.fim) AND (c.ate IS NULL OR c.ate >= p.fim))
        SELECT pedido_id, ordem, data, situacao_id, cancelado, loja_id, contato_id, nota_fiscal_id, produto_id,
               codigo_produto, descricao, quantidade, receita, comissao_do_item AS comissao, frete_do_item AS frete,
               custo, receita - comissao_do_item - frete_do_item - custo AS margem, custo_posterior
        FROM contas""",
    ),
    "vw_margem_produto": (
        "a margem de cada produto: o que os pedidos pagaram, menos a comissão e o frete do canal e o custo que valia "
        "no dia; sem os cancelados. A margem é só da parte que tem custo conhecido; o resto está em receita_sem_custo",
        f"""
        SELECT s.produto_id, coalesce(p.codigo, s.codigo) AS codigo, coalesce(p.nome, s.descricao) AS nome,
               s.quantidade, s.pedidos, s.receita, s.comissao, s.frete, s.custo, s.margem, s.margem_percentual,
               s.receita_sem_custo, s.receita_custo_posterior
        FROM (SELECT produto_id, CASE WHEN produto_id IS NULL THEN codigo_produto END AS codigo_solto,
                     max(codigo_produto) AS codigo, max(descricao) AS descricao,
                     coalesce(sum(quantidade), 0) AS quantidade, {_SOMAS}
              FROM vw_margem_itens WHERE NOT cancelado GROUP BY 1, 2) AS s
        LEFT JOIN produtos p ON p.id = s.produto_id""",
    ),
    "vw_margem_canal": (
        "a margem de cada canal de venda, por mês do pedido, somada como em vw_margem_produto; sem canal é a venda "
        "própria",
        f"""
        SELECT s.mes, s.loja_id, c.descricao AS canal, s.pedidos, s.receita, s.comissao, s.frete, s.custo, s.margem,
               s.margem_percentual, s.receita_sem_custo, s.receita_custo_posterior
        FROM (SELECT date_trunc('month', data)::date AS mes, loja_id, {_SOMAS}
              FROM vw_margem_itens WHERE NOT cancelado GROUP BY 1, 2) AS s
        LEFT JOIN canais_venda c ON c.id = s.loja_id""",
    ),
    "vw_abc_margem": (
        "Curva ABC dos produtos pela margem: A até 80 %, B até 95 %, C o resto; só os que a têm maior que zero",
        """
        SELECT posicao, produto_id, codigo, nome, quantidade, receita, margem, round(participacao, 4) AS participacao,
               round(acumulado, 4) AS acumulado,
               CASE WHEN acumulado - participacao < 0.80 THEN 'A' WHEN acumulado - participacao < 0.95 THEN 'B'
                    ELSE 'C' END AS classe
        FROM (SELECT row_number() OVER w AS posicao, produto_id, codigo, nome, quantidade, receita, margem,
                     margem / sum(margem) OVER () AS participacao, sum(margem) OVER w / sum(margem) OVER () AS acumulado
              FROM vw_margem_produto WHERE margem > 0
              WINDOW w AS (ORDER BY margem DESC, produto_id ROWS UNBOUNDED PRECEDING)) AS curva""",
    ),
}


def upgrade() -> None:
    for name, (comment, query) in _VIEWS.items():
        op.execute(f"CREATE OR REPLACE VIEW {name} AS {query}")
        op.execute(f"COMMENT ON VIEW {name} IS '{comment}'")
