"""As consultas do que pede atenção; cada regra está na consulta dela."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, text

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.reports.accounts import OPEN
from bling_collector.db.sums import VENDAS

Rows = Sequence[Row[Any]]

_SOLD: Final = "valida AND operacao = 'venda'"
_IN_THIRTEEN_MONTHS: Final = f"{VENDAS.between('CAST(:day AS date) - 394', 'CAST(:day AS date)')} AS d"
_NAMED: Final = """
    LEFT JOIN contatos c ON c.id = s.contato_id
    LEFT JOIN LATERAL (
        SELECT contato_nome, contato_documento FROM nfe_cabecalho
        WHERE contato_id = s.contato_id AND excluida_em IS NULL AND c.nome IS NULL
        ORDER BY data_emissao DESC LIMIT 1) u ON true"""
_NAME: Final = "coalesce(c.nome, u.contato_nome) AS nome, coalesce(c.documento, u.contato_documento) AS documento"
_OVERDUE: Final = f"""
    SELECT s.*, {_NAME}
    FROM (SELECT contato_id, count(*) AS contas, sum(em_aberto) AS valor, min(vencimento) AS desde
          FROM {{view}} WHERE {OPEN} AND em_aberto > 0 AND vencimento < :today GROUP BY 1) AS s {_NAMED}
    ORDER BY s.valor DESC, s.contato_id"""

QUERIES: Final[Mapping[str, str]] = {
    # Dos clientes que somam 80 % do que se vendeu em dois anos.
    "clientes-parados": f"""
        WITH somas AS (
            SELECT contato_id, count(DISTINCT data_emissao::date) AS dias, count(*) AS notas, sum(valor) AS valor,
                   min(data_emissao)::date AS primeira, max(data_emissao)::date AS ultima
            FROM vw_nfe_operacoes
            WHERE {_SOLD} AND contato_id IS NOT NULL
              AND data_emissao >= CAST(:day AS date) - 730 AND data_emissao < CAST(:day AS date) + 1
            GROUP BY 1),
        curva AS (
            SELECT *, sum(valor) OVER (ORDER BY valor DESC, contato_id) - valor AS antes, sum(valor) OVER () AS tudo
            FROM somas)
        SELECT s.contato_id, s.notas, round(s.valor, 2) AS valor, s.ultima, CAST(:day AS date) - s.ultima AS parado,
               round((s.ultima - s.primeira)::numeric / (s.dias - 1)) AS intervalo, {_NAME}
        FROM curva s {_NAMED}
        WHERE s.dias >= 3 AND s.antes < 0.8 * s.tudo
          AND CAST(:day AS date) - s.ultima > greatest(60, 2.0 * (s.ultima - s.primeira) / (s.dias - 1))
        ORDER BY s.valor DESC, s.contato_id""",
    "produtos-em-queda": f"""
        WITH somas AS (
            SELECT codigo_produto,
                   coalesce(sum(valor) FILTER (WHERE data_emissao >= CAST(:day AS date) - 89), 0) AS agora,
                   coalesce(sum(valor) FILTER (WHERE data_emissao < CAST(:day AS date) - 89), 0) AS antes
            FROM vw_itens_operacoes
            WHERE {_SOLD} AND codigo_produto IS NOT NULL
              AND data_emissao >= CAST(:day AS date) - 179 AND data_emissao < CAST(:day AS date) + 1
            GROUP BY 1)
        SELECT s.codigo_produto AS codigo, p.id AS produto_id, p.nome, round(s.antes, 2) AS antes,
               round(s.agora, 2) AS agora, round(s.antes - s.agora, 2) AS valor
        FROM (SELECT *, sum(antes) OVER () AS tudo FROM somas) AS s
        LEFT JOIN produtos p ON p.codigo = s.codigo_produto AND p.preferido
        WHERE s.antes >= 0.005 * s.tudo AND s.antes > 0 AND s.agora < s.antes / 2
        ORDER BY s.antes - s.agora DESC, s.codigo_produto""",
    "concentracao": f"""
        WITH somas AS (
            SELECT contato_id, sum(valor) AS valor
            FROM vw_nfe_operacoes
            WHERE {_SOLD} AND data_emissao >= CAST(:day AS date) - 364 AND data_emissao < CAST(:day AS date) + 1
            GROUP BY 1),
        maiores AS (
            SELECT contato_id, valor, valor / nullif(sum(valor) OVER (), 0) AS parte
            FROM somas ORDER BY valor DESC, contato_id LIMIT 5)
        SELECT s.contato_id, round(s.valor, 2) AS valor, round(s.parte, 4) AS parte, {_NAME}
        FROM maiores s {_NAMED}
        WHERE (SELECT max(parte) > 0.2 OR sum(parte) > 0.5 FROM maiores WHERE contato_id IS NOT NULL)
        ORDER BY s.valor DESC, s.contato_id""",
    # Cada nota conta uma vez, que das suas operações só uma é venda.
    "cancelamentos": f"""
        WITH contadas AS (
            SELECT dia >= CAST(:day AS date) - 29 AS agora, NOT valida AS cancelada, sum(registros) AS notas
            FROM {_IN_THIRTEEN_MONTHS} WHERE operacao = 'venda' GROUP BY 1, 2),
        partes AS (
            SELECT sum(notas) FILTER (WHERE agora AND cancelada) AS canceladas,
                   sum(notas) FILTER (WHERE agora AND cancelada) / sum(notas) FILTER (WHERE agora) AS parte,
                   coalesce(sum(notas) FILTER (WHERE NOT agora AND cancelada), 0)
                       / sum(notas) FILTER (WHERE NOT agora) AS costume
            FROM contadas)
        SELECT s.nfe_id, n.numero, s.data_emissao::date AS dia, s.contato_id, round(s.valor, 2) AS valor, p.parte,
               p.costume, coalesce(c.nome, n.contato_nome) AS nome
        FROM partes p
        JOIN vw_nfe_operacoes s ON s.operacao = 'venda' AND NOT s.valida
            AND s.data_emissao >= CAST(:day AS date) - 29 AND s.data_emissao < CAST(:day AS date) + 1
        JOIN nfe_cabecalho n ON n.id = s.nfe_id
        LEFT JOIN contatos c ON c.id = s.contato_id
        WHERE p.canceladas >= 3 AND p.parte >= 2 * p.costume ORDER BY s.valor DESC, s.nfe_id""",
    "receber-vencidas": _OVERDUE.format(view="vw_contas_a_receber"),
    "pagar-vencidas": _OVERDUE.format(view="vw_contas_a_pagar"),
    "estoque-acaba": """
        SELECT produto_id, codigo, nome, saldo_virtual AS saldo, vendido_90_dias AS vendido, dias_cobertura AS dias,
               acaba_em, situacao
        FROM vw_estoque_cobertura
        WHERE situacao = 'esgotado' OR situacao = 'vende' AND dias_cobertura <= 30
        ORDER BY vendido_90_dias DESC, produto_id""",
}
"""O que pede atenção, por nome: nenhuma linha quer dizer que nada pede."""


async def read_signal(connection: AsyncConnection, name: str, day: date, today: date, most: int | None) -> Rows:
    """As linhas de uma de QUERIES, até `most`; cada uma diz em `de` quantas são, e em `todo` quanto todas somam.

    `day` é o último dia de que há notas, de que partem as regras das vendas; `today`, a das contas.
    """
    total = "NULL" if name == "estoque-acaba" else "sum(valor) OVER ()"
    query = f"SELECT *, count(*) OVER () AS de, {total} AS todo FROM ({QUERIES[name]}) AS linhas LIMIT :most"
    given = {"day": day, "today": today}
    values = {key: value for key, value in given.items() if f":{key}" in query}
    return (await connection.execute(text(query), values | {"most": most})).all()
