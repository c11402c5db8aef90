"""As contas em aberto têm um índice, e cada lado uma view que se ordena por ele; o DRE lê só o período que se pede."""

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

_CONTA = """
        SELECT CAST('{tipo}' AS text) AS conta_tipo, id AS conta_id, situacao, contato_id, numero_documento,
               data_emissao, vencimento, competencia, round(valor, 2) AS valor, round(saldo, 2) AS saldo,
               round(CASE WHEN situacao IN (1, 3) THEN coalesce(saldo, valor) ELSE 0 END, 2) AS em_aberto,
               forma_pagamento_id, portador_id, categoria_id, {origem}
        FROM contas_{tipo} WHERE excluida_em IS NULL"""
_ORIGEM = {
    "receber": "origem_tipo, origem_id",
    "pagar": "CAST(NULL AS text) AS origem_tipo, CAST(NULL AS bigint) AS origem_id",
}
# Com a situação dita, o índice serve: que só nelas há o que esteja em aberto, o PostgreSQL não deduz.
_ABERTAS = "situacao IN (1, 3) AND em_aberto <> 0"
_IDADE = f"""
        WITH vencidas AS (
            SELECT em_aberto, vencimento, (now() AT TIME ZONE 'America/Sao_Paulo')::date - vencimento AS dias
            FROM vw_contas_a_{{tipo}} WHERE {_ABERTAS}),
        faixas AS (
            SELECT em_aberto, vencimento, CASE WHEN dias IS NULL THEN 6 WHEN dias <= 0 THEN 1 WHEN dias <= 30 THEN 2
                                               WHEN dias <= 60 THEN 3 WHEN dias <= 90 THEN 4 ELSE 5 END AS ordem
            FROM vencidas)
        SELECT ordem, CASE ordem WHEN 1 THEN 'a vencer' WHEN 2 THEN 'vencidas há 1 a 30 dias'
                                 WHEN 3 THEN 'vencidas há 31 a 60 dias' WHEN 4 THEN 'vencidas há 61 a 90 dias'
                                 WHEN 5 THEN 'vencidas há mais de 90 dias' ELSE 'sem vencimento' END AS faixa,
               count(*) AS contas, round(sum(em_aberto), 2) AS em_aberto, min(vencimento) AS primeiro_vencimento,
               max(vencimento) AS ultimo_vencimento
        FROM faixas GROUP BY ordem"""
_CITADOS = """
            SELECT v.bordero_id, CASE WHEN min(v.conta_tipo) = max(v.conta_tipo) THEN min(v.conta_tipo) END AS lado
            FROM contas_borderos v
            JOIN borderos b ON b.id = v.bordero_id AND b.excluida_em IS NULL
            LEFT JOIN contas_receber r ON v.conta_tipo = 'receber' AND r.id = v.conta_id AND r.excluida_em IS NULL
            LEFT JOIN contas_pagar p ON v.conta_tipo = 'pagar' AND p.id = v.conta_id AND p.excluida_em IS NULL
            WHERE r.id IS NOT NULL OR p.id IS NOT NULL
            GROUP BY v.bordero_id"""
# Um filtro de datas não entra no que se junta: estimado pequeno demais, o que se cita seria contado linha a linha.
_FLUXO = f"""
        WITH movimentos AS MATERIALIZED (
            SELECT b.data AS dia, CASE WHEN c.lado = 'receber' THEN p.valor_pago END AS entrada,
                   CASE WHEN c.lado = 'pagar' THEN p.valor_pago END AS saida, p.tarifa,
                   CAST(NULL AS numeric) AS a_receber, CAST(NULL AS numeric) AS a_pagar
            FROM borderos_pagamentos p
            JOIN ({_CITADOS}) c ON c.bordero_id = p.bordero_id AND c.lado IS NOT NULL
            JOIN borderos b ON b.id = p.bordero_id
            UNION ALL
            SELECT data, CASE WHEN valor > 0 THEN valor END, CASE WHEN valor < 0 THEN -valor END, NULL, NULL, NULL
            FROM vw_lancamentos_avulsos
            UNION ALL
            SELECT vencimento, NULL, NULL, NULL, sum(em_aberto), NULL
            FROM vw_contas_a_receber WHERE {_ABERTAS} GROUP BY 1
            UNION ALL
            SELECT vencimento, NULL, NULL, NULL, NULL, sum(em_aberto)
            FROM vw_contas_a_pagar WHERE {_ABERTAS} GROUP BY 1)
        SELECT dia, round(coalesce(sum(entrada), 0), 2) AS entradas, round(coalesce(sum(saida), 0), 2) AS saidas,
               round(coalesce(sum(entrada), 0) - coalesce(sum(saida), 0), 2) AS saldo,
               round(coalesce(sum(tarifa), 0), 2) AS tarifas, round(coalesce(sum(a_receber), 0), 2) AS a_receber,
               round(coalesce(sum(a_pagar), 0), 2) AS a_pagar
        FROM movimentos WHERE dia IS NOT NULL GROUP BY dia"""
# Primeiro as somas do mês, em que o filtro de quem pergunta entra; depois os nomes, que são poucos.
_DRE = """
        WITH RECURSIVE arvore AS (
            SELECT c.id, c.id AS raiz_id, 1 AS nivel FROM categorias_financeiras c
            WHERE NOT EXISTS (SELECT FROM categorias_financeiras p WHERE p.id = c.categoria_pai_id AND p.id <> c.id)
            UNION ALL
            SELECT c.id, a.raiz_id, a.nivel + 1
            FROM categorias_financeiras c JOIN arvore a ON c.categoria_pai_id = a.id AND c.id <> a.id
            WHERE a.nivel < 20),
        parcelas AS (
            SELECT coalesce(competencia, data_emissao, vencimento) AS dia, categoria_id,
                   CASE conta_tipo WHEN 'receber' THEN valor ELSE -valor END AS valor
            FROM vw_contas WHERE coalesce(situacao, 0) NOT IN (4, 5)
            UNION ALL
            SELECT coalesce(competencia, data), categoria_id, valor FROM vw_lancamentos_avulsos
            WHERE NOT de_conta OR CASE WHEN valor > 0 THEN NOT EXISTS (SELECT FROM contas_receber)
                                       ELSE NOT EXISTS (SELECT FROM contas_pagar) END),
        somas AS (
            SELECT date_trunc('month', dia)::date AS mes, categoria_id, valor < 0 AS negativa, count(*) AS lancamentos,
                   sum(valor) AS valor
            FROM parcelas WHERE dia IS NOT NULL AND valor IS NOT NULL GROUP BY 1, 2, 3),
        lados AS (
            SELECT s.mes, s.categoria_id, s.lancamentos, s.valor, c.descricao, coalesce(a.raiz_id, c.id) AS raiz_id,
                   CASE c.tipo WHEN 1 THEN 'despesa' WHEN 2 THEN 'receita'
                               ELSE CASE WHEN s.negativa THEN 'despesa' ELSE 'receita' END END AS natureza
            FROM somas s
            LEFT JOIN categorias_financeiras c ON c.id = s.categoria_id
            LEFT JOIN arvore a ON a.id = c.id)
        SELECT l.mes, l.natureza, r.descricao AS grupo, l.categoria_id, l.descricao AS categoria,
               sum(l.lancamentos)::bigint AS lancamentos,
               round(sum(CASE l.natureza WHEN 'receita' THEN l.valor ELSE -l.valor END), 2) AS valor
        FROM lados l LEFT JOIN categorias_financeiras r ON r.id = l.raiz_id
        GROUP BY 1, 2, 3, 4, 5"""
_VIEWS = {
    "vw_contas": "SELECT * FROM vw_contas_a_receber UNION ALL SELECT * FROM vw_contas_a_pagar",
    "vw_contas_receber_idade": _IDADE.format(tipo="receber"),
    "vw_contas_pagar_idade": _IDADE.format(tipo="pagar"),
    "vw_fluxo_caixa_dia": _FLUXO,
    "vw_dre_mes": _DRE,
}


def upgrade() -> None:
    for tipo in _ORIGEM:
        op.execute(f"""
            CREATE INDEX ix_contas_{tipo}_em_aberto ON contas_{tipo} (vencimento)
            INCLUDE (contato_id, situacao, valor, saldo) WHERE situacao IN (1, 3) AND excluida_em IS NULL""")
    for tipo, origem in _ORIGEM.items():
        op.execute(f"CREATE VIEW vw_contas_a_{tipo} AS {_CONTA.format(tipo=tipo, origem=origem)}")
    for name, query in _VIEWS.items():
        op.execute(f"CREATE OR REPLACE VIEW {name} AS {query}")
