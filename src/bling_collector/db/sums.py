"""As somas de cada dia: o que uma página soma de um milhão de notas já está somado.

Os gatilhos das tabelas anotam em `dias_por_somar` cada dia que muda, na transação que o muda; `fold` soma-os. Um dia
anotado lê-se das próprias linhas (`by_day`): some-se ou não, o que se lê é o que há.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bling_collector.db.connection.core import AsyncConnection, AsyncEngine

log = logging.getLogger(__name__)

_LOCK: Final = "pg_advisory_xact_lock(hashtextextended(current_schema() || 'bling_collector.sums', 0))"
_AT_ONCE: Final = 200
"""Dias por transação."""


@dataclass(frozen=True)
class Sums:
    """O que se soma de cada dia de uma tabela."""

    table: str
    source: str
    columns: str
    query: str
    """A consulta que dá `dia` e estas colunas dos dias de `{days}`, um FROM com a coluna `dia`."""

    @property
    def by_day(self) -> str:
        """As somas de `:inicio` a `:fim`, para um FROM: `dia` e as colunas."""
        return self.between("CAST(:inicio AS date)", "CAST(:fim AS date)")

    def between(self, inicio: str, fim: str) -> str:
        """As de um dia a outro, ditos em SQL."""
        these = f"dia BETWEEN {inicio} AND {fim}"
        marked = f"(SELECT DISTINCT dia FROM dias_por_somar WHERE tabela = '{self.source}' AND {these}) AS d"
        return f"""(
            SELECT dia, {self.columns} FROM {self.table} WHERE {these} AND dia NOT IN (SELECT dia FROM {marked})
            UNION ALL {self.of(marked)})"""

    def of(self, days: str) -> str:
        """A consulta dos dias deste FROM."""
        return self.query.format(days=days)


# Uma leitura só, da primeira à última data: uma por dia, quando são todos, levaria dez vezes mais; e sem o IS TRUE o
# PostgreSQL, que não sabe quantos são, pode fazer deste IN uma junção que relê tudo a cada dia.
_OF_THE_DAYS: Final = """
    {column} >= (SELECT min(dia) FROM {{days}}) AND {column} < (SELECT max(dia) + 1 FROM {{days}})
    AND ({column}::date IN (SELECT dia FROM {{days}})) IS TRUE"""
_ISSUED: Final = _OF_THE_DAYS.format(column="data_emissao")
_ORDERED: Final = _OF_THE_DAYS.format(column="data")
# Do `resumo_lista` só se guarda o que as condições de uma conferência perguntam: se alguma listagem mostra o registro.
_LISTED: Final = "CASE WHEN resumo_lista = '' THEN '' END AS resumo_lista"

NOTAS: Final = Sums(
    "notas_por_dia",
    "nfe_cabecalho",
    "situacao, tipo, resumo_lista, registros",
    f"""SELECT data_emissao::date AS dia, situacao, tipo, {_LISTED}, count(*) AS registros
        FROM nfe_cabecalho WHERE excluida_em IS NULL AND {_ISSUED} GROUP BY 1, 2, 3, 4""",
)
VENDAS: Final = Sums(
    "vendas_por_dia",
    "nfe_cabecalho",
    "valida, operacao, contato_uf, registros, valor",
    f"""SELECT data_emissao::date AS dia, valida, operacao, contato_uf, count(*) AS registros, sum(valor) AS valor
        FROM vw_nfe_operacoes WHERE {_ISSUED} GROUP BY 1, 2, 3, 4""",
)
PEDIDOS: Final = Sums(
    "pedidos_por_dia",
    "pedidos_venda",
    "situacao_id, resumo_lista, registros, valor",
    f"""SELECT data AS dia, situacao_id, {_LISTED}, count(*) AS registros, sum(round(total, 2)) AS valor
        FROM pedidos_venda WHERE excluida_em IS NULL AND {_ORDERED} GROUP BY 1, 2, 3""",
)
_THESE: Final = "unnest(CAST(:days AS date[])) AS d (dia)"
_TAKEN: Final = text("""
    WITH vez AS (SELECT DISTINCT tabela, dia FROM dias_por_somar ORDER BY dia DESC LIMIT :most),
    tirados AS (
        DELETE FROM dias_por_somar a USING vez v WHERE a.tabela = v.tabela AND a.dia = v.dia
        RETURNING a.tabela, a.dia)
    SELECT DISTINCT tabela, dia FROM tirados""")
_ALL: Final = (NOTAS, VENDAS, PEDIDOS)
_COUNTED: Final = {sums.source: sums for sums in (NOTAS, PEDIDOS)}


def alive_by_day(table: str, day: str) -> str:
    """Os registros de uma tabela de `:inicio` a `:fim`, menos os excluídos, para um FROM: as colunas por que se
    conferem, `dia` e `registros`, quantos cada linha é. Onde nada se soma são as linhas; `day` é a coluna do dia."""
    if table in _COUNTED:
        return _COUNTED[table].by_day
    return f"""(
        SELECT *, {day}::date AS dia, 1 AS registros FROM {table}
        WHERE {day} >= :inicio AND {day} < CAST(:fim AS date) + 1 AND excluida_em IS NULL)"""


async def fold(engine: AsyncEngine) -> None:
    """Soma os dias anotados, os mais novos primeiro, alguns em cada transação."""
    async with engine.connect() as connection:
        if not await connection.scalar(text("SELECT EXISTS (SELECT FROM dias_por_somar)")):
            return
    more = True
    while more:
        async with engine.begin() as connection:
            more = await _fold_some(connection)


async def try_fold(engine: AsyncEngine) -> None:
    """Como `fold`, de quem já fez o seu trabalho: se o banco não deixa, di-lo no log, e os dias ficam anotados."""
    try:
        await fold(engine)
    except (SQLAlchemyError, OSError) as error:
        log.warning("Os dias que mudaram ficam por somar (%s): soma-os a execução seguinte.", type(error).__name__)


async def _fold_some(connection: AsyncConnection) -> bool:
    """Se pode haver mais."""
    # Um de cada vez; e o que outro mudar entre tirar a anotação e somar deixa outra, que fica.
    await connection.execute(text(f"SELECT {_LOCK}"))
    marked: Sequence[Any] = (await connection.execute(_TAKEN, {"most": _AT_ONCE})).all()
    for sums in _ALL:
        days: list[date] = [row.dia for row in marked if row.tabela == sums.source]
        if days:
            await connection.execute(
                text(f"""
                    WITH antes AS (DELETE FROM {sums.table} WHERE dia = ANY(:days))
                    INSERT INTO {sums.table} (dia, {sums.columns}) {sums.of(_THESE)}"""),
                {"days": days},
            )
    return len(marked) == _AT_ONCE
