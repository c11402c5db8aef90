"""As consultas do faturamento de um período; o que é venda o dizem as views (vw_nfe_operacoes, vw_itens_operacoes)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, TextClause, text

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.sums import VENDAS

Rows = Sequence[Row[Any]]

# Uma comparação com data_emissao, e não com o dia dela, para que o índice sirva.
_PERIOD = "data_emissao >= :inicio AND data_emissao < CAST(:fim AS date) + 1"
_SOLD = "FILTER (WHERE valida AND operacao = 'venda')"
_CANCELLED = "FILTER (WHERE NOT valida AND operacao = 'venda')"
_APART = "FILTER (WHERE valida AND operacao <> 'venda')"
_VALUES = f"""
    round(coalesce(sum(valor) {_SOLD}, 0), 2) AS valor,
    round(coalesce(sum(valor) {_CANCELLED}, 0), 2) AS valor_cancelado,
    round(coalesce(sum(valor) {_APART}, 0), 2) AS valor_a_parte"""
_AMOUNTS = f"count(*) {_SOLD} AS vendas, count(*) {_CANCELLED} AS canceladas, {_VALUES}"
_WHOLE = f"count(*) OVER () AS de, sum(round(coalesce(sum(valor) {_SOLD}, 0), 2)) OVER () AS todo"

_DAYS = f"""
    SELECT data_emissao::date AS dia, count(*) {_SOLD} AS vendas, round(coalesce(sum(valor) {_SOLD}, 0), 2) AS valor,
           count(*) {_CANCELLED} AS canceladas, round(coalesce(sum(valor) {_CANCELLED}, 0), 2) AS valor_cancelado,
           round(coalesce(sum(valor) {_APART}, 0), 2) AS valor_a_parte
    FROM {{view}} WHERE {_PERIOD} AND {{only}} GROUP BY 1 ORDER BY 1"""

# As mesmas contas, do que já está somado.
_SALES = f"coalesce(sum(registros) {_SOLD}, 0)::bigint AS vendas"
_CANCELLATIONS = f"coalesce(sum(registros) {_CANCELLED}, 0)::bigint AS canceladas"

_SUMMED_DAYS = f"""
    SELECT dia, {_SALES}, round(coalesce(sum(valor) {_SOLD}, 0), 2) AS valor,
           {_CANCELLATIONS}, round(coalesce(sum(valor) {_CANCELLED}, 0), 2) AS valor_cancelado,
           round(coalesce(sum(valor) {_APART}, 0), 2) AS valor_a_parte
    FROM {VENDAS.by_day} AS s GROUP BY 1 ORDER BY 1"""

_OPERATIONS = text(f"""
    SELECT operacao, sum(registros)::bigint AS vendas, round(coalesce(sum(valor), 0), 2) AS valor,
           count(*) OVER () AS de, sum(round(coalesce(sum(valor), 0), 2)) OVER () AS todo
    FROM {VENDAS.by_day} AS s WHERE valida GROUP BY 1 ORDER BY valor DESC, operacao LIMIT :most""")

_UFS = text(f"""
    SELECT contato_uf AS uf, {_SALES}, {_CANCELLATIONS}, {_VALUES}, {_WHOLE}
    FROM {VENDAS.by_day} AS s GROUP BY 1 ORDER BY valor DESC, uf LIMIT :most""")

# Primeiro as somas, depois os nomes de quem fica: são poucos.
_CUSTOMERS = text(f"""
    WITH somas AS (
        SELECT contato_id, {_AMOUNTS}, {_WHOLE}
        FROM vw_nfe_operacoes WHERE {_PERIOD} GROUP BY 1 ORDER BY valor DESC, contato_id LIMIT :most)
    SELECT s.*, coalesce(c.nome, u.contato_nome) AS nome, coalesce(c.documento, u.contato_documento) AS documento
    FROM somas s
    LEFT JOIN contatos c ON c.id = s.contato_id
    LEFT JOIN LATERAL (
        SELECT contato_nome, contato_documento FROM nfe_cabecalho
        WHERE contato_id = s.contato_id AND excluida_em IS NULL AND situacao IN (2, 5, 6, 7)
          AND (c.nome IS NULL OR c.documento IS NULL)
        ORDER BY data_emissao DESC LIMIT 1) u ON true
    ORDER BY s.valor DESC, s.contato_id""")

_PRODUCT_AMOUNTS = f"coalesce(sum(quantidade) {_SOLD}, 0) AS quantidade, {_VALUES}"

# Um SKU só aparece uma vez numa nota (uq_nfe_item): contar linhas é contar notas, menos para as linhas sem SKU.
_PRODUCTS = text(f"""
    WITH todos AS (
        SELECT codigo_produto, count(*) {_SOLD} AS vendas, {_PRODUCT_AMOUNTS}
        FROM vw_itens_operacoes WHERE {_PERIOD} AND codigo_produto IS NOT NULL GROUP BY 1
        UNION ALL
        SELECT NULL, count(DISTINCT nfe_id) {_SOLD}, {_PRODUCT_AMOUNTS}
        FROM vw_itens_operacoes WHERE {_PERIOD} AND codigo_produto IS NULL HAVING count(*) > 0),
    somas AS (
        SELECT *, count(*) OVER () AS de, sum(valor) OVER () AS todo
        FROM todos ORDER BY valor DESC, codigo_produto LIMIT :most)
    SELECT s.*, coalesce(p.nome, u.descricao_produto) AS nome, p.categoria_descricao AS categoria, p.id AS produto_id
    FROM somas s
    LEFT JOIN produtos p ON p.codigo = s.codigo_produto AND p.preferido
    LEFT JOIN LATERAL (
        SELECT i.descricao_produto FROM nfe_itens i JOIN nfe_cabecalho n ON n.id = i.nfe_id
        WHERE i.codigo_produto = s.codigo_produto AND p.nome IS NULL
          AND n.excluida_em IS NULL AND n.situacao IN (2, 5, 6, 7)
        ORDER BY n.data_emissao DESC LIMIT 1) u ON true
    ORDER BY s.valor DESC, s.codigo_produto""")

# As formas que ainda não têm nome, como na primeira carga, são uma linha só: a do tipo fiscal, ou a do que não se sabe.
_PAYMENTS = text(f"""
    WITH somas AS (
        SELECT g.tipo_pagamento, g.forma_pagamento_id, count(*) AS parcelas, coalesce(sum(g.valor), 0) AS valor
        FROM nfe_pagamentos g JOIN vw_nfe_operacoes n ON n.nfe_id = g.nfe_id
        WHERE n.valida AND n.operacao = 'venda' AND {_PERIOD}
        GROUP BY 1, 2),
    formas AS (
        SELECT s.tipo_pagamento, f.descricao, f.id AS forma_pagamento_id, sum(s.parcelas)::bigint AS parcelas,
               round(sum(s.valor), 2) AS valor
        FROM somas s LEFT JOIN formas_pagamento f ON f.id = s.forma_pagamento_id AND f.descricao IS NOT NULL
        GROUP BY 1, 2, 3)
    SELECT *, count(*) OVER () AS de, sum(valor) OVER () AS todo
    FROM formas ORDER BY valor DESC, forma_pagamento_id LIMIT :most""")

_ENDS = text("""
    SELECT (SELECT min(data_emissao)::date FROM nfe_cabecalho
            WHERE excluida_em IS NULL AND situacao IN (2, 5, 6, 7) AND data_emissao >= :earliest) AS first,
           (SELECT max(data_emissao)::date FROM nfe_cabecalho
            WHERE excluida_em IS NULL AND situacao IN (2, 5, 6, 7) AND data_emissao < :latest) AS last""")
_UNDATED = text("""
    SELECT count(*) AS undated, round(coalesce(sum(valor), 0), 2) AS undated_value
    FROM vw_nfe_operacoes
    WHERE valida AND operacao = 'venda'
      AND (data_emissao IS NULL OR data_emissao < :earliest OR data_emissao >= :latest)""")
_BESIDES = text("""
    SELECT 'nfce' AS recurso, count(*) AS notas, round(coalesce(sum(total_nota), 0), 2) AS valor
    FROM nfce_cabecalho
    WHERE excluida_em IS NULL AND situacao IN (5, 6, 7)
      AND data_emissao >= :inicio AND data_emissao < CAST(:fim AS date) + 1
    UNION ALL
    SELECT 'nfse', count(*), round(coalesce(sum(valor), 0), 2)
    FROM nfse WHERE excluida_em IS NULL AND situacao IN (1, 2) AND data_emissao BETWEEN :inicio AND :fim""")


@dataclass(frozen=True)
class Sales:
    """O que se soma: as consultas dos dias, do primeiro e do último que há, do que não tem dia e das repartições."""

    days: TextClause
    ends: TextClause
    undated: TextClause
    breakdowns: Mapping[str, TextClause]
    """Como se reparte um período; cada linha traz em `de` quantas há ao todo, e em `todo` o que elas somam."""
    besides: TextClause | None = None
    """As outras notas do período, que o banco tem e que aqui não contam."""


NOTAS: Final = Sales(
    text(_SUMMED_DAYS),
    _ENDS,
    _UNDATED,
    {
        "ufs": _UFS,
        "clientes": _CUSTOMERS,
        "produtos": _PRODUCTS,
        "pagamentos": _PAYMENTS,
        "operacoes": _OPERATIONS,
    },
    _BESIDES,
)


def sold_to(contato_id: int) -> Sales:
    """As notas, e em cada dia só as deste cliente."""
    days = text(_DAYS.format(view="vw_nfe_operacoes", only="contato_id = :contato_id"))
    return replace(NOTAS, days=days.bindparams(contato_id=contato_id), besides=None)


def sold_as(codigo: str) -> Sales:
    """As notas, e em cada dia só as linhas deste SKU."""
    days = text(_DAYS.format(view="vw_itens_operacoes", only="codigo_produto = :codigo"))
    return replace(NOTAS, days=days.bindparams(codigo=codigo), besides=None)


@dataclass(frozen=True)
class Bounds:
    """O que o banco tem: o primeiro e o último dia com venda que conta, e as que nenhum período alcança."""

    first: date | None
    last: date | None
    undated: int
    undated_value: Any


async def read_bounds(connection: AsyncConnection, sales: Sales, earliest: date, latest: date) -> Bounds:
    """`earliest` e `latest` são os dias que fazem sentido: uma venda sem data, ou fora deles, é contada à parte."""
    first, last = await read_ends(connection, sales, earliest, latest)
    row = (await connection.execute(sales.undated, {"earliest": earliest, "latest": latest})).one()
    return Bounds(first, last, row.undated, row.undated_value)


async def read_ends(
    connection: AsyncConnection, sales: Sales, earliest: date, latest: date
) -> tuple[date | None, date | None]:
    """O primeiro e o último dia que há, dos que fazem sentido."""
    row = (await connection.execute(sales.ends, {"earliest": earliest, "latest": latest})).one()
    return row.first, row.last


async def read_days(connection: AsyncConnection, sales: Sales, inicio: date, fim: date) -> Rows:
    """Os dias do período em que se vendeu: as vendas, as canceladas e o que não é venda."""
    found = await connection.execute(sales.days, {"inicio": inicio, "fim": fim})
    return found.all()


async def read_besides(connection: AsyncConnection, sales: Sales, inicio: date, fim: date) -> Rows:
    """As outras notas válidas do período, uma linha por recurso de que as há."""
    if sales.besides is None:
        return []
    found = await connection.execute(sales.besides, {"inicio": inicio, "fim": fim})
    return [row for row in found if row.notas]


async def read_breakdown(
    connection: AsyncConnection, sales: Sales, name: str, inicio: date, fim: date, most: int | None
) -> Rows:
    """O período repartido por `name` (uma das repartições), do maior valor ao menor; `most` são as linhas, ou todas."""
    found = await connection.execute(sales.breakdowns[name], {"inicio": inicio, "fim": fim, "most": most})
    return found.all()
