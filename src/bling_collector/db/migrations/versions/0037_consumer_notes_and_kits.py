"""A nota de um pedido, ou de uma conta, também entre as de consumidor; e o custo de um kit, o das partes dele."""

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

# As partes de um kit podem ser kits: abrem-se até as que têm custo. O que muda o custo dele é o de qualquer uma mudar;
# de um em que falte o de alguma nada se diz.
_KITS = """
        WITH RECURSIVE kits AS MATERIALIZED (
            SELECT k.id, c.componente_id, c.quantidade
            FROM produtos k
            JOIN produtos_estruturas e ON e.id = k.id AND e.excluida_em IS NULL
            JOIN produtos_componentes c ON c.produto_id = k.id
            WHERE k.formato = 'E' AND k.excluida_em IS NULL),
        partes AS (
            SELECT id AS kit_id, componente_id, quantidade, 1 AS nivel FROM kits
            UNION ALL
            SELECT p.kit_id, k.componente_id, p.quantidade * k.quantidade, p.nivel + 1
            FROM partes p JOIN kits k ON k.id = p.componente_id
            WHERE p.nivel < 5),
        folhas AS MATERIALIZED (
            SELECT p.kit_id, p.componente_id, sum(p.quantidade) AS quantidade, bool_or(p.quantidade IS NULL) AS sem
            FROM partes p
            WHERE p.nivel = 5 OR NOT EXISTS (SELECT FROM kits k WHERE k.id = p.componente_id)
            GROUP BY 1, 2),
        custos AS MATERIALIZED (
            SELECT * FROM vw_produtos_custos WHERE produto_id IN (SELECT componente_id FROM folhas)),
        tempos AS (
            SELECT kit_id, desde, lead(desde) OVER (PARTITION BY kit_id ORDER BY desde NULLS FIRST) AS ate
            FROM (SELECT DISTINCT f.kit_id, c.desde
                  FROM folhas f JOIN custos c ON c.produto_id = f.componente_id) AS d)
        SELECT t.kit_id AS produto_id, sum(f.quantidade * c.preco_custo) AS preco_custo, max(c.lido_em) AS lido_em,
               t.desde, t.ate
        FROM tempos t
        JOIN folhas f ON f.kit_id = t.kit_id
        LEFT JOIN custos c ON c.produto_id = f.componente_id
            AND (c.desde IS NULL OR c.desde <= t.desde) AND (c.ate IS NULL OR t.desde IS NULL OR c.ate > t.desde)
        GROUP BY t.kit_id, t.desde, t.ate
        HAVING bool_and(c.preco_custo IS NOT NULL AND NOT f.sem)"""
_CAMINHO = """
        SELECT p.pedido_id, p.numero, p.data, p.situacao_id, p.situacao, p.valido, p.contato_id, p.cliente, p.total,
               p.nota_fiscal_id AS nota_id, coalesce(n.numero, k.numero) AS nota_numero,
               coalesce(n.situacao, k.situacao) AS nota_situacao,
               coalesce(n.data_emissao, k.data_emissao) AS nota_emissao,
               round(coalesce(n.total_nota, k.total_nota), 2) AS nota_total,
               CASE WHEN p.nota_fiscal_id IS NOT NULL THEN (
                   SELECT count(*) FROM pedidos_venda o
                   WHERE o.nota_fiscal_id = p.nota_fiscal_id AND o.excluida_em IS NULL) END AS pedidos_da_nota,
               c.contas, c.contas_valor, c.em_aberto, c.recebido, c.ultimo_pagamento
        FROM vw_pedidos p
        LEFT JOIN nfe_cabecalho n ON n.id = p.nota_fiscal_id AND n.excluida_em IS NULL
        LEFT JOIN nfce_cabecalho k ON k.id = p.nota_fiscal_id AND k.excluida_em IS NULL AND n.id IS NULL
        LEFT JOIN (
            SELECT pedido_id, count(*) AS contas, sum(valor) AS contas_valor, sum(em_aberto) AS em_aberto,
                   sum(recebido) AS recebido, max(ultimo_pagamento) AS ultimo_pagamento
            FROM vw_pedidos_contas GROUP BY 1) AS c ON c.pedido_id = p.pedido_id"""
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
            SELECT o.*, v.id IS NOT NULL, v.excluida_em IS NOT NULL, v.situacao_id = 12, p.valor
            FROM origens o LEFT JOIN pedidos_venda v ON v.id = o.origem_id
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
_MARGEM = """
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
            LEFT JOIN (SELECT produto_id, preco_custo, lido_em, desde, ate FROM vw_produtos_custos
                       UNION ALL
                       SELECT produto_id, preco_custo, lido_em, desde, ate FROM vw_kits_custos) c
                ON c.produto_id = p.produto_id AND (c.desde IS NULL OR c.desde < p.fim)
                AND (c.ate IS NULL OR c.ate >= p.fim))
        SELECT pedido_id, ordem, data, situacao_id, cancelado, loja_id, contato_id, nota_fiscal_id, produto_id,
               codigo_produto, descricao, quantidade, receita, comissao_do_item AS comissao, frete_do_item AS frete,
               custo, receita - comissao_do_item - frete_do_item - custo AS margem, custo_posterior
        FROM contas"""

_VIEWS = {
    "vw_pedidos_caminho": _CAMINHO,
    "vw_conferencia_financeira": _CONFERENCIA,
    "vw_kits_custos": _KITS,
    "vw_margem_itens": _MARGEM,
}
_SAID = (
    "o que cada kit custa, e desde quando: a soma dos custos das partes dele, como agora se compõe, de "
    "vw_produtos_custos. Um de que não se sabe o custo de todas não está aqui"
)


def upgrade() -> None:
    for name, query in _VIEWS.items():
        op.execute(f"CREATE OR REPLACE VIEW {name} AS {query}")
    op.execute(f"COMMENT ON VIEW vw_kits_custos IS '{_SAID}'")
