"""O canal que uma integração refeita continua: o que a empresa diz em `canais_da_empresa` vale nas views."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

# As de fábrica, que toda conta tem, com o nome de quem não deixa ler as situações.
_FACTORY = """
    CASE {id} WHEN 6 THEN 'Em aberto' WHEN 9 THEN 'Atendido' WHEN 12 THEN 'Cancelado' WHEN 15 THEN 'Em andamento'
              WHEN 18 THEN 'Venda agenciada' WHEN 21 THEN 'Em digitação' WHEN 24 THEN 'Verificado'
              WHEN 126724 THEN 'Checkout parcial' END"""
_BASE = "coalesce(s.base_id, p.situacao_id)"
_SOMAS = """
    count(DISTINCT pedido_id) AS pedidos, round(coalesce(sum(receita), 0), 2) AS receita,
    round(coalesce(sum(comissao), 0), 2) AS comissao, round(coalesce(sum(frete), 0), 2) AS frete,
    round(sum(custo), 2) AS custo, round(sum(margem), 2) AS margem,
    round(sum(margem) / nullif(sum(receita) FILTER (WHERE custo IS NOT NULL), 0), 4) AS margem_percentual,
    round(coalesce(sum(receita) FILTER (WHERE custo IS NULL), 0), 2) AS receita_sem_custo,
    round(coalesce(sum(receita) FILTER (WHERE custo_posterior), 0), 2) AS receita_custo_posterior"""

_VIEWS = {
    "vw_pedidos": f"""
        SELECT p.id AS pedido_id, p.numero, p.numero_loja, p.data,
               p.situacao_id, coalesce(s.nome, {_FACTORY.format(id="p.situacao_id")}) AS situacao,
               {_BASE} AS situacao_base_id, coalesce(s.base, {_FACTORY.format(id=_BASE)}) AS situacao_base,
               coalesce({_BASE}, 0) <> 12 AS valido,
               p.contato_id, coalesce(c.nome, p.detalhe #>> '{{contato,nome}}') AS cliente,
               coalesce(m.vale_por, p.loja_id) AS loja_id, l.descricao AS canal, l.tipo AS canal_tipo,
               p.vendedor_id, coalesce(v.nome, vc.nome) AS vendedor,
               p.nota_fiscal_id, round(p.total, 2) AS total
        FROM pedidos_venda p
        LEFT JOIN vw_situacoes s ON s.id = p.situacao_id
        LEFT JOIN contatos c ON c.id = p.contato_id
        LEFT JOIN canais_da_empresa m ON m.canal_id = p.loja_id
        LEFT JOIN canais_venda l ON l.id = coalesce(m.vale_por, p.loja_id)
        LEFT JOIN vendedores v ON v.id = p.vendedor_id
        LEFT JOIN contatos vc ON vc.id = v.contato_id
        WHERE p.excluida_em IS NULL""",
    "vw_margem_canal": f"""
        SELECT s.mes, s.loja_id, c.descricao AS canal, s.pedidos, s.receita, s.comissao, s.frete, s.custo, s.margem,
               s.margem_percentual, s.receita_sem_custo, s.receita_custo_posterior
        FROM (SELECT date_trunc('month', data)::date AS mes, coalesce(m.vale_por, loja_id) AS loja_id, {_SOMAS}
              FROM vw_margem_itens LEFT JOIN canais_da_empresa m ON m.canal_id = loja_id
              WHERE NOT cancelado GROUP BY 1, 2) AS s
        LEFT JOIN canais_venda c ON c.id = s.loja_id""",
}
_COMMENTS = {
    "canal_id": "o canal que se refez, ou que se deixou: o id que os pedidos dele ainda trazem",
    "vale_por": "o canal em que eles contam",
}


def upgrade() -> None:
    op.execute("""
        CREATE TABLE canais_da_empresa (
            canal_id bigint PRIMARY KEY, vale_por bigint NOT NULL, motivo text,
            CONSTRAINT canais_da_empresa_outro_canal CHECK (canal_id <> vale_por))""")
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN canais_da_empresa.{column} IS '{comment}'")
    for name, query in _VIEWS.items():
        op.execute(f"CREATE OR REPLACE VIEW {name} AS {query}")
