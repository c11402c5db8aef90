"""As consultas da página de um cliente: o que comprou e o que deve."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, text

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.reports.accounts import OPEN

Rows = Sequence[Row[Any]]

_PERIOD: Final = "data_emissao >= :inicio AND data_emissao < CAST(:fim AS date) + 1"
_OPEN: Final = f"contato_id = :id AND {OPEN}"
_CUSTOMER: Final = text("""
    SELECT k.id, coalesce(c.nome, n.contato_nome) AS nome, coalesce(c.documento, n.contato_documento) AS documento,
           coalesce(c.municipio, n.contato_municipio) AS municipio, coalesce(c.uf, n.contato_uf) AS uf, c.situacao,
           c.excluida_em
    FROM (SELECT CAST(:id AS bigint) AS id) AS k
    LEFT JOIN contatos c ON c.id = k.id
    LEFT JOIN LATERAL (
        SELECT contato_nome, contato_documento, contato_municipio, contato_uf, id FROM nfe_cabecalho
        WHERE contato_id = k.id AND excluida_em IS NULL ORDER BY data_emissao DESC NULLS LAST LIMIT 1) n ON true
    WHERE c.id IS NOT NULL OR n.id IS NOT NULL""")
_PURCHASES: Final = text("""
    SELECT count(*) AS notas, min(data_emissao)::date AS primeira, max(data_emissao)::date AS ultima
    FROM vw_nfe_operacoes WHERE contato_id = :id AND valida AND operacao = 'venda'""")
_OWED: Final = text(f"""
    SELECT count(*) AS contas, coalesce(sum(r.em_aberto), 0) AS saldo,
           coalesce(sum(r.em_aberto) FILTER (WHERE r.vencimento < :today), 0) AS vencido,
           min(r.vencimento) FILTER (WHERE r.vencimento < :today) AS desde
    FROM vw_contas_a_receber r WHERE {_OPEN}""")

TABLES: Final[Mapping[str, str]] = {
    "produtos": f"""
        SELECT i.codigo_produto AS codigo, coalesce(p.nome, max(t.descricao_produto)) AS nome, p.id AS produto_id,
               count(DISTINCT i.nfe_id) AS notas, sum(i.quantidade) AS quantidade,
               round(coalesce(sum(i.valor), 0), 2) AS valor, max(i.data_emissao)::date AS ultima
        FROM vw_itens_operacoes i
        JOIN nfe_itens t ON t.id = i.item_id
        LEFT JOIN produtos p ON p.codigo = i.codigo_produto AND p.preferido
        WHERE i.valida AND i.operacao = 'venda' AND i.nfe_id = ANY(ARRAY(
            SELECT nfe_id FROM vw_nfe_operacoes
            WHERE contato_id = :id AND valida AND operacao = 'venda' AND {_PERIOD}))
        GROUP BY i.codigo_produto, p.id, p.nome ORDER BY valor DESC, codigo""",
    "notas": f"""
        SELECT n.id, n.numero, n.data_emissao::date AS dia, n.situacao, round(o.valor, 2) AS valor
        FROM vw_nfe_operacoes o JOIN nfe_cabecalho n ON n.id = o.nfe_id
        WHERE o.contato_id = :id AND o.valida AND o.operacao = 'venda'
          AND o.{_PERIOD.replace(" AND ", " AND o.")}
        ORDER BY n.data_emissao DESC, n.id DESC""",
    "contas": f"""
        SELECT r.numero_documento AS documento, r.data_emissao AS emissao, r.vencimento, r.valor,
               r.em_aberto AS saldo, greatest(CAST(:today AS date) - r.vencimento, 0) AS atraso
        FROM vw_contas_a_receber r WHERE {_OPEN} ORDER BY r.vencimento, r.conta_id""",
}
"""As tabelas da página: as duas primeiras são do período, e a última é de agora."""


async def read_customer(connection: AsyncConnection, contato_id: int) -> Row[Any] | None:
    """O contato, como o cadastro ou a última nota o diz; sem nome, se os dados dele foram apagados a pedido."""
    return (await connection.execute(_CUSTOMER, {"id": contato_id})).one_or_none()


async def read_purchases(connection: AsyncConnection, contato_id: int) -> Row[Any]:
    """As compras de todo o tempo: quantas, a primeira e a última."""
    return (await connection.execute(_PURCHASES, {"id": contato_id})).one()


async def read_owed(connection: AsyncConnection, contato_id: int, today: date) -> Row[Any]:
    """O que deve, e o que disso já venceu."""
    return (await connection.execute(_OWED, {"id": contato_id, "today": today})).one()


async def read_table(
    connection: AsyncConnection, name: str, contato_id: int, inicio: date, fim: date, today: date, most: int | None
) -> Rows:
    """As primeiras `most` linhas de uma de TABLES, ou todas; cada uma diz em `de` quantas são."""
    period = {"inicio": inicio, "fim": fim}
    values = {"id": contato_id, "most": most} | ({"today": today} if name == "contas" else period)
    query = text(f"SELECT *, count(*) OVER () AS de FROM ({TABLES[name]}) AS linhas LIMIT :most")
    return (await connection.execute(query, values)).all()
