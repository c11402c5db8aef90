"""As consultas do estoque: o que há, o que vale, para quanto tempo dá; a conta de cada uma está nas views."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, text

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.resources.nota_words import FOLDING, alphabetical

Rows = Sequence[Row[Any]]
RUNS_OUT: Final = 30
"""Em quantos dias acaba o que «acaba em breve»."""

# O saldo de um depósito toma o lugar do saldo do produto; os dias que ele dura continuam a ser os do produto.
_WHOLE = "SELECT c.* FROM vw_estoque_cobertura c"
_PLACE = """
    SELECT c.lido_em, c.produto_id, c.codigo, c.nome, c.categoria, e.saldo_fisico, e.saldo_virtual, c.preco_custo,
           round(e.saldo_fisico * c.preco_custo, 2) AS valor_custo, c.vendido_90_dias, c.venda_por_dia, c.ultima_venda,
           c.dias_cobertura, c.acaba_em, c.situacao
    FROM vw_estoque_cobertura c
    JOIN estoque_saldos e ON e.lido_em = c.lido_em AND e.produto_id = c.produto_id AND e.deposito_id = :deposito"""
FILTERS: Final[Mapping[str, str]] = {
    "": "true",
    "acaba": f"situacao = 'vende' AND dias_cobertura <= {RUNS_OUT}",
    "esgotado": "situacao = 'esgotado'",
    "parado": "situacao = 'parado'",
    "sem-custo": "saldo_fisico <> 0 AND valor_custo IS NULL",
    "negativo": "saldo_fisico < 0",
    "sem-registro": "situacao = 'sem registro'",
}
"""Os nomes do filtro, e o que cada um deixa passar."""
ORDERS: Final[Mapping[str, str]] = {
    "acaba": "dias_cobertura, vendido_90_dias DESC",
    "valor": "valor_custo DESC NULLS LAST",
    "saldo": "saldo_fisico DESC NULLS LAST",
    "venda": "vendido_90_dias DESC",
    "parado": "ultima_venda NULLS FIRST, valor_custo DESC NULLS LAST",
    "nome": f"{alphabetical('nome')}, codigo",
}
"""Os nomes da ordem; entre iguais, pela do cadastro."""

_SUMMARY = f"""
    SELECT max(lido_em) AS lida_em, count(*) FILTER (WHERE saldo_fisico > 0) AS com_saldo,
           coalesce(sum(valor_custo), 0) AS valor, count(*) FILTER (WHERE {FILTERS["sem-custo"]}) AS sem_custo,
           count(*) FILTER (WHERE {FILTERS["acaba"]}) AS acabam,
           count(*) FILTER (WHERE {FILTERS["esgotado"]}) AS esgotados,
           count(*) FILTER (WHERE {FILTERS["parado"]}) AS parados,
           coalesce(sum(valor_custo) FILTER (WHERE {FILTERS["parado"]}), 0) AS valor_parado
    FROM base"""
_DAYS = """
    WITH RECURSIVE leituras AS (
        (SELECT lido_em FROM estoque_totais ORDER BY lido_em DESC LIMIT 1)
        UNION ALL
        SELECT (SELECT t.lido_em FROM estoque_totais t
                WHERE t.lido_em < date_trunc('day', l.lido_em AT TIME ZONE 'America/Sao_Paulo')
                                  AT TIME ZONE 'America/Sao_Paulo'
                ORDER BY t.lido_em DESC LIMIT 1)
        FROM leituras l WHERE l.lido_em IS NOT NULL),
    dias AS MATERIALIZED (SELECT lido_em FROM leituras WHERE lido_em IS NOT NULL LIMIT :most),
    custos AS MATERIALIZED (SELECT * FROM vw_produtos_custos)
    SELECT (s.lido_em AT TIME ZONE 'America/Sao_Paulo')::date AS dia, coalesce(sum(s.saldo_fisico), 0) AS saldo,
           count(*) FILTER (WHERE s.saldo_fisico > 0) AS com_saldo,
           round(coalesce(sum(s.saldo_fisico * c.preco_custo), 0), 2) AS valor
    FROM dias d
    JOIN {source} s ON s.lido_em = d.lido_em {condition}
    LEFT JOIN custos c ON c.produto_id = s.produto_id
        AND (c.desde IS NULL OR c.desde <= s.lido_em) AND (c.ate IS NULL OR c.ate > s.lido_em)
    GROUP BY 1 ORDER BY 1"""


def _given(deposito: int | None, **values: Any) -> dict[str, Any]:
    return values if deposito is None else values | {"deposito": deposito}


async def read_products(
    connection: AsyncConnection, *, deposito: int | None, name: str, words: str | None, order: str, most: int | None,
    skip: int = 0,
) -> Rows:  # fmt: skip
    """Os produtos de um filtro (de FILTERS), numa ordem (de ORDERS); `words` está no nome ou no código.

    Cada linha traz o que a leitura inteira soma e, em `de`, `saldo_todo` e `valor_todo`, o que somam os do filtro. Se
    nenhum passa por ele, vem uma linha só, sem produto.
    """
    searched = "" if words is None else "AND strpos(lower(concat_ws(' ', nome, codigo)), lower(:words)) > 0"
    query = f"""
        WITH base AS MATERIALIZED ({_WHOLE if deposito is None else _PLACE}),
        resumo AS ({_SUMMARY}),
        lista AS (SELECT * FROM base WHERE {FILTERS[name]} {searched}),
        soma AS (SELECT count(*) AS de, coalesce(sum(saldo_fisico), 0) AS saldo_todo,
                        sum(valor_custo) AS valor_todo FROM lista),
        parte AS (SELECT *, row_number() OVER (ORDER BY {ORDERS[order]}, produto_id) AS lugar
                  FROM lista ORDER BY lugar LIMIT :most OFFSET :skip)
        SELECT p.*, s.*, r.* FROM resumo r CROSS JOIN soma s LEFT JOIN parte p ON true ORDER BY p.lugar"""
    values = _given(deposito, most=most, skip=skip) | FOLDING | ({} if words is None else {"words": words})
    return (await connection.execute(text(query), values)).all()


async def read_days(connection: AsyncConnection, deposito: int | None, most: int | None) -> Rows:
    """Os últimos `most` dias que têm leitura, ou todos, do mais velho ao mais novo: o saldo e o valor de cada um."""
    source, condition = ("estoque_totais", "") if deposito is None else (
        "estoque_saldos", "AND s.deposito_id = :deposito"
    )  # fmt: skip
    query = _DAYS.format(source=source, condition=condition)
    return (await connection.execute(text(query), _given(deposito, most=most))).all()


async def read_value_at(connection: AsyncConnection, day: date) -> Any:
    """O valor do estoque, ao custo, na última leitura dos sete dias até `day`; None se não houve nenhuma."""
    query = text("""
        SELECT round(sum(t.saldo_fisico * c.preco_custo), 2)
        FROM estoque_totais t
        LEFT JOIN vw_produtos_custos c ON c.produto_id = t.produto_id
            AND (c.desde IS NULL OR c.desde <= t.lido_em) AND (c.ate IS NULL OR c.ate > t.lido_em)
        WHERE t.lido_em = (
            SELECT max(lido_em) FROM estoque_totais
            WHERE lido_em < (CAST(:day AS date) + 1)::timestamp AT TIME ZONE 'America/Sao_Paulo'
              AND lido_em >= (CAST(:day AS date) - 6)::timestamp AT TIME ZONE 'America/Sao_Paulo')""")
    return await connection.scalar(query, {"day": day})


async def read_places(connection: AsyncConnection) -> Rows:
    """Os depósitos da última leitura: o id, o nome, se se sabe, e se o Bling o põe no total do produto."""
    query = text(f"""
        SELECT * FROM (
            SELECT DISTINCT e.deposito_id AS id, d.descricao AS nome,
                   NOT coalesce(d.desconsiderar_saldo, false) AS no_total
            FROM estoque_saldos e LEFT JOIN depositos d ON d.id = e.deposito_id
            WHERE e.lido_em = (SELECT max(lido_em) FROM estoque_totais)) AS depositos
        ORDER BY {alphabetical("nome")}, id""")
    return (await connection.execute(query, FOLDING)).all()
