"""As consultas da página do dinheiro; o que conta o dizem as views (vw_contas, vw_fluxo_caixa_dia, vw_dre_mes)."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, text

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.reports.accounts import OPEN

Rows = Sequence[Row[Any]]

_BOUNDS = text("""
    SELECT least((SELECT min(data) FROM borderos WHERE excluida_em IS NULL),
                 (SELECT min(data) FROM caixas_lancamentos WHERE excluida_em IS NULL),
                 (SELECT min(data_emissao) FROM contas_receber WHERE excluida_em IS NULL),
                 (SELECT min(data_emissao) FROM contas_pagar WHERE excluida_em IS NULL)) AS first""")

_OPEN = text(f"""
    SELECT conta_tipo, vencimento, count(*) AS contas, sum(em_aberto) AS em_aberto
    FROM vw_contas WHERE {OPEN} GROUP BY 1, 2""")

_UNSURE = text("""
    SELECT conta_tipo, count(*) AS contas, sum(saldo) AS saldo
    FROM vw_contas WHERE situacao IN (6, 7) AND saldo <> 0 GROUP BY 1 ORDER BY 1 DESC""")

_FLOW = text("""
    SELECT dia, entradas, saidas, tarifas FROM vw_fluxo_caixa_dia
    WHERE dia BETWEEN :inicio AND :fim AND (entradas <> 0 OR saidas <> 0 OR tarifas <> 0) ORDER BY dia""")

_DRE = text("""
    SELECT mes, natureza, grupo, categoria_id, categoria, lancamentos, valor FROM vw_dre_mes
    WHERE mes BETWEEN date_trunc('month', CAST(:inicio AS date)) AND :fim
    ORDER BY mes, natureza DESC, valor DESC, categoria_id""")

_DEBTORS = text(f"""
    WITH somas AS (
        SELECT contato_id, count(*) AS contas, sum(em_aberto) AS em_aberto,
               coalesce(sum(em_aberto) FILTER (WHERE vencimento < :hoje), 0) AS vencido,
               min(vencimento) FILTER (WHERE vencimento < :hoje) AS desde, count(*) OVER () AS de
        FROM vw_contas_a_receber WHERE {OPEN} GROUP BY contato_id
        ORDER BY vencido DESC, em_aberto DESC, contato_id LIMIT :most)
    SELECT s.*, c.nome, c.documento FROM somas s LEFT JOIN contatos c ON c.id = s.contato_id
    ORDER BY s.vencido DESC, s.em_aberto DESC, s.contato_id""")

_CHECKS = text("""
    SELECT conferencia, resultado, motivo, count(*) AS registros, coalesce(sum(abs(diferenca)), 0) AS diferenca
    FROM vw_conferencia_financeira GROUP BY 1, 2, 3 ORDER BY 1, 2, 4 DESC, 3""")

_DIFFERENT = text("""
    SELECT registro_tipo, registro_id, esperado, encontrado, diferenca, count(*) OVER () AS de
    FROM vw_conferencia_financeira WHERE resultado = 'difere'
    ORDER BY abs(diferenca) DESC, registro_tipo, registro_id LIMIT :most""")


async def read_first_day(connection: AsyncConnection) -> date | None:
    """O primeiro dia de que o banco tem alguma conta, pagamento ou lançamento."""
    found: date | None = (await connection.execute(_BOUNDS)).scalar_one()
    return found


async def read_open(connection: AsyncConnection) -> Rows:
    """O que está em aberto, dos dois lados, por dia de vencimento."""
    return (await connection.execute(_OPEN)).all()


async def read_unsure(connection: AsyncConnection) -> Rows:
    """As contas com saldo em situações de que não se sabe se ainda se espera pagamento."""
    return (await connection.execute(_UNSURE)).all()


async def read_flow(connection: AsyncConnection, inicio: date, fim: date) -> Rows:
    """Os dias do período em que algo entrou ou saiu."""
    return (await connection.execute(_FLOW, {"inicio": inicio, "fim": fim})).all()


async def read_dre(connection: AsyncConnection, inicio: date, fim: date) -> Rows:
    """As receitas e as despesas dos meses que o período toca, por categoria."""
    return (await connection.execute(_DRE, {"inicio": inicio, "fim": fim})).all()


async def read_debtors(connection: AsyncConnection, hoje: date, most: int | None) -> Rows:
    """Quem mais deve, primeiro o que está vencido; `most` são as linhas, ou todas."""
    return (await connection.execute(_DEBTORS, {"hoje": hoje, "most": most})).all()


async def read_checks(connection: AsyncConnection) -> Rows:
    """Quantos registros a conferência dá por iguais, diferentes e não comparáveis, e por quê."""
    return (await connection.execute(_CHECKS)).all()


async def read_different(connection: AsyncConnection, most: int | None) -> Rows:
    """Os que diferem, da maior diferença à menor; `most` são as linhas, ou todas."""
    return (await connection.execute(_DIFFERENT, {"most": most})).all()
