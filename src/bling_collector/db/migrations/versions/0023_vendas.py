"""O que os pedidos dizem: as vendas por dia, canal, vendedor, produto e situação, e o caminho do pedido ao recebido."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# As de fábrica, que toda conta tem, com o nome de quem não deixa ler as situações.
_FACTORY = """
    CASE {id} WHEN 6 THEN 'Em aberto' WHEN 9 THEN 'Atendido' WHEN 12 THEN 'Cancelado' WHEN 15 THEN 'Em andamento'
              WHEN 18 THEN 'Venda agenciada' WHEN 21 THEN 'Em digitação' WHEN 24 THEN 'Verificado'
              WHEN 126724 THEN 'Checkout parcial' END"""
_BASE = "coalesce(s.base_id, p.situacao_id)"
_AMOUNTS = """
    count(*) FILTER (WHERE valido) AS pedidos, round(coalesce(sum(total) FILTER (WHERE valido), 0), 2) AS valor,
    count(*) FILTER (WHERE NOT valido) AS cancelados,
    round(coalesce(sum(total) FILTER (WHERE NOT valido), 0), 2) AS valor_cancelado"""

# Em aberto está o saldo de uma em aberto (1) ou paga em parte (3), e o que se devolveu (4) não se tem. O saldo de uma
# paga (2) é zero, mesmo que o Bling não o diga.
_OPEN = "CASE WHEN r.situacao IN (1, 3) THEN coalesce(r.saldo, r.valor) ELSE 0 END"
_RECEIVED = "CASE r.situacao WHEN 2 THEN r.valor WHEN 4 THEN 0 ELSE r.valor - coalesce(r.saldo, r.valor) END"

_VIEWS = {
    "vw_situacoes": (
        "As situações da conta, cada uma com a de fábrica de que foi tirada (base): a própria, se é de fábrica",
        """
        WITH RECURSIVE cadeia (id, base_id, passos) AS (
            SELECT id, id, 0 FROM situacoes
            UNION ALL
            SELECT c.id, s.id_herdado, c.passos + 1
            FROM cadeia c JOIN situacoes s ON s.id = c.base_id
            WHERE s.id_herdado IS NOT NULL AND c.passos < 10)
        SELECT DISTINCT ON (c.id) c.id, s.modulo_id, s.nome, c.base_id, b.nome AS base
        FROM cadeia c JOIN situacoes s ON s.id = c.id LEFT JOIN situacoes b ON b.id = c.base_id
        ORDER BY c.id, c.passos DESC""",
    ),
    "vw_pedidos": (
        "Os pedidos de venda, sem os excluídos no Bling, com o nome do que citam. valido: não está cancelado, nem numa "
        "situação tirada de Cancelado; é o que conta como venda",
        f"""
        SELECT p.id AS pedido_id, p.numero, p.numero_loja, p.data,
               p.situacao_id, coalesce(s.nome, {_FACTORY.format(id="p.situacao_id")}) AS situacao,
               {_BASE} AS situacao_base_id, coalesce(s.base, {_FACTORY.format(id=_BASE)}) AS situacao_base,
               coalesce({_BASE}, 0) <> 12 AS valido,
               p.contato_id, coalesce(c.nome, p.detalhe #>> '{{contato,nome}}') AS cliente,
               p.loja_id, l.descricao AS canal, l.tipo AS canal_tipo,
               p.vendedor_id, coalesce(v.nome, vc.nome) AS vendedor,
               p.nota_fiscal_id, round(p.total, 2) AS total
        FROM pedidos_venda p
        LEFT JOIN vw_situacoes s ON s.id = p.situacao_id
        LEFT JOIN contatos c ON c.id = p.contato_id
        LEFT JOIN canais_venda l ON l.id = p.loja_id
        LEFT JOIN vendedores v ON v.id = p.vendedor_id
        LEFT JOIN contatos vc ON vc.id = v.contato_id
        WHERE p.excluida_em IS NULL""",
    ),
    "vw_pedidos_itens": (
        "Os itens dos mesmos pedidos de vw_pedidos; o valor é o do item, já com o desconto dele, sem o do pedido, o "
        "frete e os impostos",
        f"""
        SELECT i.pedido_id, i.ordem, p.data, p.situacao_id, coalesce({_BASE}, 0) <> 12 AS valido,
               i.produto_id, i.codigo_produto, i.descricao, i.quantidade,
               i.quantidade * i.valor_unitario AS valor
        FROM pedidos_venda_itens i
        JOIN pedidos_venda p ON p.id = i.pedido_id AND p.excluida_em IS NULL
        LEFT JOIN vw_situacoes s ON s.id = p.situacao_id""",
    ),
    "vw_pedidos_dia": (
        "Pedidos e valor por dia do pedido; os cancelados à parte",
        f"SELECT data AS dia, {_AMOUNTS} FROM vw_pedidos GROUP BY 1",
    ),
    "vw_pedidos_canal": (
        "Pedidos e valor por mês e canal de venda (vazio é venda própria); os cancelados à parte",
        f"""
        SELECT date_trunc('month', data)::date AS mes, loja_id, canal, canal_tipo, {_AMOUNTS}
        FROM vw_pedidos GROUP BY 1, 2, 3, 4""",
    ),
    "vw_pedidos_vendedor": (
        "Pedidos e valor por mês e vendedor (vazio é sem vendedor); os cancelados à parte",
        f"""
        SELECT date_trunc('month', data)::date AS mes, vendedor_id, vendedor, {_AMOUNTS}
        FROM vw_pedidos GROUP BY 1, 2, 3""",
    ),
    "vw_pedidos_situacao": (
        "Pedidos e valor por mês e situação, com a de fábrica de que ela foi tirada; o valor dos cancelados à parte",
        f"""
        SELECT date_trunc('month', data)::date AS mes, situacao_id, situacao, situacao_base_id, situacao_base,
               {_AMOUNTS}
        FROM vw_pedidos GROUP BY 1, 2, 3, 4, 5""",
    ),
    "vw_pedidos_produto": (
        "Quantidade e valor dos itens pedidos, por mês e SKU (ou produto, se o item não tem SKU), com o nome do "
        "produto preferido; o valor do que se cancelou à parte",
        """
        SELECT s.mes, s.codigo_produto, coalesce(p.id, s.sem_codigo) AS produto_id,
               coalesce(p.nome, q.nome, s.descricao) AS nome,
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
        LEFT JOIN produtos q ON q.id = s.sem_codigo""",
    ),
    "vw_pedidos_contas": (
        "As contas a receber de cada pedido: as que têm por origem o pedido, ou a nota que dele se fez; sem as "
        "canceladas e as excluídas",
        # Um id de pedido pode ser também o de uma nota: a palavra da origem, se a há, diz de qual se fala.
        " UNION ALL ".join(
            f"""
            SELECT p.id AS pedido_id, r.id AS conta_id, r.situacao, r.vencimento, round(r.valor, 2) AS valor,
                   round({_OPEN}, 2) AS em_aberto, round({_RECEIVED}, 2) AS recebido,
                   (SELECT max(b.data)
                    FROM contas_borderos v JOIN borderos b ON b.id = v.bordero_id AND b.excluida_em IS NULL
                    WHERE v.conta_tipo = 'receber' AND v.conta_id = r.id) AS ultimo_pagamento
            FROM pedidos_venda p JOIN contas_receber r ON r.origem_id = p.{origin}
            WHERE coalesce(r.origem_tipo, '') !~* '{other}' AND r.excluida_em IS NULL
              AND r.situacao IS DISTINCT FROM 5{once}"""
            for origin, other, once in (
                ("id", "nota", ""),
                ("nota_fiscal_id", "venda|pedido", " AND p.nota_fiscal_id <> p.id"),
            )
        ),
    ),
    "vw_pedidos_caminho": (
        "De cada pedido à nota que dele se fez, às contas a receber que ele ou a nota geraram e ao que delas se "
        "recebeu; o que falta é vazio. Sem as contas canceladas e as excluídas. Uma nota de vários pedidos "
        "(pedidos_da_nota) repete em cada um as suas contas",
        """
        SELECT p.pedido_id, p.numero, p.data, p.situacao_id, p.situacao, p.valido, p.contato_id, p.cliente, p.total,
               p.nota_fiscal_id AS nota_id, n.numero AS nota_numero, n.situacao AS nota_situacao,
               n.data_emissao AS nota_emissao, round(n.total_nota, 2) AS nota_total,
               CASE WHEN p.nota_fiscal_id IS NOT NULL THEN (
                   SELECT count(*) FROM pedidos_venda o
                   WHERE o.nota_fiscal_id = p.nota_fiscal_id AND o.excluida_em IS NULL) END AS pedidos_da_nota,
               c.contas, c.contas_valor, c.em_aberto, c.recebido, c.ultimo_pagamento
        FROM vw_pedidos p
        LEFT JOIN nfe_cabecalho n ON n.id = p.nota_fiscal_id AND n.excluida_em IS NULL
        LEFT JOIN (
            SELECT pedido_id, count(*) AS contas, sum(valor) AS contas_valor, sum(em_aberto) AS em_aberto,
                   sum(recebido) AS recebido, max(ultimo_pagamento) AS ultimo_pagamento
            FROM vw_pedidos_contas GROUP BY 1) AS c ON c.pedido_id = p.pedido_id""",
    ),
}


def upgrade() -> None:
    op.execute("""
        CREATE INDEX ix_pedidos_venda_vendas ON pedidos_venda (data)
            INCLUDE (id, total, situacao_id, loja_id, vendedor_id) WHERE excluida_em IS NULL""")
    op.execute("CREATE INDEX ix_pedidos_venda_numero ON pedidos_venda (numero)")
    op.execute("CREATE INDEX ix_pedidos_venda_numero_loja ON pedidos_venda (numero_loja)")
    for name, (comment, query) in _VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")
        op.execute(f"COMMENT ON VIEW {name} IS '{comment}'")
