"""Os boletos: de que vendas se devem pedir. Sem COMMIT."""

from datetime import date
from typing import Final

from sqlalchemy import text

from bling_collector.db.connection.core import AsyncConnection

_CHARGED: Final = """
    (r.excluida_em IS NULL AND (r.detalhe ->> 'linkBoleto' <> ''
                                OR r.detalhe #>> '{formaPagamento,codigoFiscal}' = '15'))"""
"""A conta `r` cobra-se por boleto. O link pode só aparecer depois que ela se leu, e a listagem não diz que ela mudou:
vale também a forma de pagamento."""
AWAITED: Final = f"""
    (EXISTS (SELECT FROM boletos b WHERE b.origem_id = n.id AND b.situacao IN (1, 3))
     OR EXISTS (SELECT FROM contas_receber r WHERE r.origem_id = n.id AND r.situacao IN (1, 3) AND {_CHARGED}))"""
"""Há um boleto por receber, ou uma conta de que ainda se pode gerar outro."""
_CHANGED: Final = """
    EXISTS (SELECT FROM historico h
            WHERE h.tabela = 'contas_receber' AND h.registro_id = r.id AND h.quando > {then})"""
"""A conta `r` mudou desde então: relê-la igual não é mudar, e as em aberto releem-se todas as semanas."""
_CHANGED_SINCE_READ: Final = _CHANGED.format(then="n.extraido_em")
_CHANGED_SINCE_ASKED: Final = _CHANGED.format(then="o.nao_encontrado_em")
WITH_ITS_CONTA: Final = f"""
    EXISTS (SELECT FROM contas_receber r
            WHERE r.origem_id = n.id AND {_CHARGED} AND r.extraido_em > n.extraido_em
              AND ({_CHANGED_SINCE_READ}
                   OR NOT EXISTS (SELECT FROM boletos b WHERE b.origem_id = n.id AND b.conta_id = r.id)))"""
"""Uma conta mudou, ou apareceu, depois que os boletos dela se leram."""
_OWED: Final = f"""
    FROM contas_receber r LEFT JOIN boletos_origens o ON o.id = r.origem_id
    WHERE r.origem_id IS NOT NULL AND {_CHARGED}
      AND CASE WHEN o.id IS NULL THEN true
               WHEN o.detalhe IS NOT NULL THEN o.contato_id IS NULL AND r.contato_id IS NOT NULL
               ELSE {_CHANGED_SINCE_ASKED}
                    OR (o.nao_encontrado_em < r.extraido_em AND r.detalhe ->> 'linkBoleto' <> '')
                    OR (r.situacao IN (1, 3) AND o.nao_encontrado_em < CAST(:hoje AS date) - 7) END
      AND NOT EXISTS (SELECT FROM pendencias p WHERE p.recurso = 'boletos' AND p.recurso_id = r.origem_id::text)"""


async def owed(connection: AsyncConnection, today: date) -> dict[int, int | None]:
    """As notas e os pedidos, cada um com o contato das suas contas: os de que ainda não se pediu, os que não se sabe de
    quem são, e os que não tinham boleto e podem já ter: uma conta mudou ou, ainda em aberto, passou uma semana."""
    found = await connection.execute(
        text(f"SELECT r.origem_id, max(r.contato_id) AS contato_id {_OWED} GROUP BY 1 ORDER BY 1 DESC"),
        {"hoje": today},
    )
    return {row.origem_id: row.contato_id for row in found}


async def count_owed(connection: AsyncConnection, today: date) -> int:
    """Quantos são."""
    return int(await connection.scalar(text(f"SELECT count(DISTINCT r.origem_id) {_OWED}"), {"hoje": today}) or 0)
