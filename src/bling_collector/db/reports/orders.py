"""As consultas das vendas de um período, dos pedidos; o que conta o dizem as views (vw_pedidos, vw_pedidos_itens)."""

from typing import Final

from sqlalchemy import text

from bling_collector.db import sums
from bling_collector.db.reports.revenue import Sales

_PERIOD = "data BETWEEN :inicio AND :fim"
_AMOUNTS = """
    count(*) FILTER (WHERE valido) AS vendas, round(coalesce(sum(total) FILTER (WHERE valido), 0), 2) AS valor,
    count(*) FILTER (WHERE NOT valido) AS canceladas,
    round(coalesce(sum(total) FILTER (WHERE NOT valido), 0), 2) AS valor_cancelado"""
_WHOLE = "count(*) OVER () AS de, sum(round(coalesce(sum(total) FILTER (WHERE valido), 0), 2)) OVER () AS todo"


def _by(key: str, *names: str) -> str:
    """O período repartido pela coluna `key`, com os nomes dela: os mesmos em todas as linhas que a têm."""
    named = "".join(f", max({column}) AS {name}" for column, name in (each.split(" AS ") for each in names))
    return (
        f"SELECT {key}{named}, {_AMOUNTS}, {_WHOLE} FROM vw_pedidos WHERE {_PERIOD} "
        f"GROUP BY 1 ORDER BY valor DESC, {key} LIMIT :most"
    )


SUMMED: Final = f"""(
    SELECT p.*, coalesce(s.base_id, p.situacao_id, 0) <> 12 AS valido
    FROM {sums.PEDIDOS.by_day} AS p LEFT JOIN vw_situacoes s ON s.id = p.situacao_id) AS v"""
"""O que se somou de `:inicio` a `:fim`, para um FROM. Vale o que vale em vw_pedidos: a base de uma situação pode mudar
sem que o pedido mude."""
_DAYS = f"""
    SELECT dia, coalesce(sum(registros) FILTER (WHERE valido), 0)::bigint AS vendas,
           round(coalesce(sum(valor) FILTER (WHERE valido), 0), 2) AS valor,
           coalesce(sum(registros) FILTER (WHERE NOT valido), 0)::bigint AS canceladas,
           round(coalesce(sum(valor) FILTER (WHERE NOT valido), 0), 2) AS valor_cancelado, 0.00 AS valor_a_parte
    FROM {SUMMED} GROUP BY 1 ORDER BY 1"""

_ENDS = """
    SELECT (SELECT min(data) FROM pedidos_venda WHERE excluida_em IS NULL AND data >= :earliest) AS first,
           (SELECT max(data) FROM pedidos_venda WHERE excluida_em IS NULL AND data < :latest) AS last"""
_UNDATED = """
    SELECT count(*) AS undated, round(coalesce(sum(total), 0), 2) AS undated_value
    FROM vw_pedidos WHERE valido AND (data IS NULL OR data < :earliest OR data >= :latest)"""

# Primeiro as somas, depois os nomes de quem fica: são poucos.
_CUSTOMERS = f"""
    WITH somas AS ({_by("contato_id")})
    SELECT s.*, coalesce(c.nome, u.nome) AS nome, coalesce(c.documento, u.documento) AS documento
    FROM somas s
    LEFT JOIN contatos c ON c.id = s.contato_id
    LEFT JOIN LATERAL (
        SELECT detalhe #>> '{{contato,nome}}' AS nome, detalhe #>> '{{contato,numeroDocumento}}' AS documento
        FROM pedidos_venda WHERE contato_id = s.contato_id AND excluida_em IS NULL AND c.nome IS NULL
        ORDER BY data DESC LIMIT 1) u ON true
    ORDER BY s.valor DESC, s.contato_id"""

_PRODUCTS = f"""
    WITH todos AS (
        SELECT codigo_produto, CASE WHEN codigo_produto IS NULL THEN produto_id END AS sem_codigo,
               max(descricao) AS descricao, count(DISTINCT pedido_id) FILTER (WHERE valido) AS vendas,
               coalesce(sum(quantidade) FILTER (WHERE valido), 0) AS quantidade,
               round(coalesce(sum(valor) FILTER (WHERE valido), 0), 2) AS valor,
               round(coalesce(sum(valor) FILTER (WHERE NOT valido), 0), 2) AS valor_cancelado
        FROM vw_pedidos_itens WHERE {_PERIOD} GROUP BY 1, 2),
    somas AS (
        SELECT *, count(*) OVER () AS de, sum(valor) OVER () AS todo
        FROM todos ORDER BY valor DESC, codigo_produto, sem_codigo LIMIT :most)
    SELECT s.*, coalesce(p.nome, q.nome, s.descricao) AS nome,
           coalesce(p.categoria_descricao, q.categoria_descricao) AS categoria
    FROM somas s
    LEFT JOIN produtos p ON p.codigo = s.codigo_produto AND p.preferido
    LEFT JOIN produtos q ON q.id = s.sem_codigo
    ORDER BY s.valor DESC, s.codigo_produto, s.sem_codigo"""

PEDIDOS: Final = Sales(
    text(_DAYS),
    text(_ENDS),
    text(_UNDATED),
    {
        "canais": text(_by("loja_id", "canal AS nome", "canal_tipo AS categoria")),
        "vendedores": text(_by("vendedor_id", "vendedor AS nome")),
        "clientes": text(_CUSTOMERS),
        "produtos": text(_PRODUCTS),
        "situacoes": text(_by("situacao_base_id", "situacao_base AS nome")),
    },
)
