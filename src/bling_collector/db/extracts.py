"""O que se exporta: que tabelas e views, de que mês é cada linha, e as linhas, com um SHA-256 das de cada mês.

Tudo se lê na transação de quem chama, e nada aqui diz o schema: é o da conexão.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import text

from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.connection.database import quoted
from bling_collector.db.meanings import meanings
from bling_collector.errors import ExportInProgressError

BATCH: Final = 2000
"""Linhas que se leem de cada vez."""
_LOCK: Final = "pg_try_advisory_xact_lock(hashtextextended(current_schema() || 'bling_collector.export', 0))"
_SESSION: Final = {
    "statement_timeout": "1h",  # o SHA-256 das linhas lê a tabela toda
    "idle_in_transaction_session_timeout": "1h",  # entre dois lotes pode haver um arquivo que sobe a uma nuvem
    "cursor_tuple_fraction": "1",  # lê-se tudo: um plano que dá depressa as primeiras linhas é pior
}
_DIGITS: Final = 38
"""Os de um decimal128."""
_STEP: Final = 9
"""As casas vão de 9 em 9: o tipo de uma coluna não muda a cada valor novo, e com 9 é o NUMERIC do BigQuery."""


@dataclass(frozen=True)
class RowDay:
    """De que dia é uma linha: uma expressão sobre ela, `t`, e sobre a linha `p` de que ela é parte."""

    day: str
    join: str = ""


def own(column: str) -> RowDay:
    """O da própria linha."""
    return RowDay(f"t.{column}")


def _instant(column: str) -> RowDay:
    """O dia de Brasília de uma hora nossa."""
    return RowDay(f"(t.{column} AT TIME ZONE 'America/Sao_Paulo')")


def of_parent(table: str, key: str, column: str = "data_emissao") -> RowDay:
    """O dia da linha de `table` que `key` cita."""
    return RowDay(f"p.{column}", f"LEFT JOIN {table} AS p ON p.id = t.{key}")


_OF_THE_ACCESS_KEY: Final = RowDay(
    "(CASE WHEN t.documento_id ~ '^[0-9]{4}(0[1-9]|1[0-2])' "
    "THEN make_date(2000 + substr(t.documento_id, 3, 2)::int, substr(t.documento_id, 5, 2)::int, 1) END)"
)
"""A chave de acesso diz o ano e o mês da emissão."""

_DATED: Final = {
    "nfe_impostos": _OF_THE_ACCESS_KEY,
    "nfe_entradas": own("data_emissao"),
    "nfe_entrada_detalhes": of_parent("nfe_entrada_cabecalho", "id"),
    "nfe_entrada_itens": of_parent("nfe_entrada_cabecalho", "nfe_id"),
    "nfe_entrada_pagamentos": of_parent("nfe_entrada_cabecalho", "nfe_id"),
    "produtos_lotes_lancamentos": own("data"),
    "estoque_saldos": _instant("lido_em"),
    "estoque_totais": _instant("lido_em"),
    "contas_pagar": own("data_emissao"),
    "borderos": own("data"),
    "borderos_pagamentos": of_parent("borderos", "bordero_id", "data"),
    "historico": _instant("quando"),
    "vw_borderos_contas": own("data"),
    "vw_contas": own("data_emissao"),
    "vw_contas_a_pagar": own("data_emissao"),
    "vw_contas_a_receber": own("data_emissao"),
    "vw_estoque_por_dia": own("dia"),
    "vw_itens_operacoes": own("data_emissao"),
    "vw_lancamentos_avulsos": own("data"),
    "vw_margem_itens": own("data"),
    "vw_nfe_impostos": own("data_emissao"),
    "vw_nfe_linhas": own("data_emissao"),
    "vw_nfe_operacoes": own("data_emissao"),
    "vw_nfe_validas": own("data_emissao"),
    "vw_pedidos": own("data"),
    "vw_pedidos_caminho": own("data"),
    "vw_pedidos_itens": own("data"),
}
"""De que dia é cada linha, das que se repartem por mês e de que nenhuma declaração o diz."""

NOT_EXPORTED: Final[Mapping[str, str]] = {
    "alembic_version": "controle: a revisão das tabelas",
    "oauth_tokens": "segredo: a autorização do Bling",
    "oauth_states": "segredo: o que valia uma vez só na autorização e no painel",
    "acesso": "segredo: o token que só abre esta empresa",
    "alarmes": "controle: o que soa e a quem já se disse",
    "checkpoints": "controle: até onde se leu",
    "conferencias": "controle: o que cada mês provou",
    "conferencias_inteiras": "controle: o que a leitura inteira de cada cadastro provou",
    "respostas_da_conta": "controle: como o Bling responde a esta conta",
    "dias_por_somar": "as somas do painel, feitas das outras",
    "notas_por_dia": "as somas do painel, feitas das outras",
    "vendas_por_dia": "as somas do painel, feitas das outras",
    "pedidos_por_dia": "as somas do painel, feitas das outras",
    "dados_apagados": "controle: os ids de quem pediu que se apagasse o que era seu",
    "etl_controle": "controle: as execuções",
    "execucao_log": "controle: o diário das execuções",
    "janelas_devidas": "controle: o que se deve",
    "limites_bling": "controle: o ritmo e a cota",
    "nfe_busca": "índice da busca do painel, feito das outras",
    "nfe_documentos": "o XML inteiro, comprimido; o que ele diz está em nfe_impostos",
    "notificacoes": "controle: os recados do Bling ao dono da conta",
    "pendencias": "controle: o que falhou",
    "produtos_desconhecidos": "controle: os SKUs por que já se perguntou",
    "recursos_ligados": "controle: o que se coleta",
    "webhook_eventos": "controle: os avisos do Bling",
    "webhook_faltas": "controle: o que o Bling devia ter avisado",
    "webhook_recusas": "controle: os avisos que se recusaram",
}
"""As que não se exportam, e por quê."""

EXPORTABLE: Final[dict[str, RowDay | None]] = {
    name: _DATED.get(name) for name, meaning in meanings().items() if meaning.readable and name not in NOT_EXPORTED
}
"""Cada tabela e cada view que se exporta, das que um leitor pode ler, com o que aqui se sabe do dia de cada linha."""


@dataclass(frozen=True)
class Column:
    """Uma coluna, e o tipo que ela tem num arquivo: o do PostgreSQL, mas `decimal(p,s)`, `json`, e `text` no que não
    tem igual."""

    name: str
    type: str


@dataclass(frozen=True)
class Part:
    """As linhas de um mês; sem mês, as que não têm data, ou todas as de uma tabela sem data."""

    month: date | None
    rows: int
    digest: str
    """SHA-256 das linhas, em qualquer ordem: se uma muda, sai ou entra, é outra."""


@dataclass(frozen=True)
class Extract:
    """Uma tabela ou uma view, como se vai exportar."""

    name: str
    dated: RowDay | None
    columns: Sequence[Column]
    parts: Sequence[Part]
    key: Sequence[str]


@dataclass(frozen=True)
class Snapshot:
    """Um instante do banco, que não muda enquanto se lê."""

    connection: AsyncConnection
    taken_at: datetime
    revision: str

    async def extract(self, name: str, dated: RowDay | None) -> Extract:
        """O que se exporta de uma tabela de `EXPORTABLE`; `dated` diz de que dia é cada linha."""
        found = (await self.connection.execute(text(_COLUMNS), {"name": name})).all()
        parts, decimals = await self._measure(name, dated, [(row.name, row.type) for row in found])
        columns = [Column(row.name, decimals.get(row.name) or _TYPES.get(row.type, "text")) for row in found]
        return Extract(name, dated, columns, parts, [row.name for row in found if row.is_key])

    async def rows(
        self, extract: Extract, months: Collection[date | None]
    ) -> AsyncGenerator[tuple[date | None, Any], None]:
        """As linhas destes meses, mês a mês, em lotes: o mês e as linhas."""
        source, month = _source(extract.name, extract.dated)
        order = ", ".join(("m", *map(quoted, extract.key)))
        # O OFFSET faz com que se ponha em ordem o que está guardado, e só depois se faça o texto de cada JSON.
        query = f"""
            SELECT m, {", ".join(_read(column) for column in extract.columns)}
            FROM (SELECT {month} AS m, t.* FROM {source}
                  WHERE {month} = ANY(:months) OR {month} IS NULL AND :undated
                  ORDER BY {order} OFFSET 0) AS q
            ORDER BY {order}"""
        wanted = {"months": [month for month in months if month], "undated": None in months}
        result = await self.connection.stream(text(query), wanted)
        try:  # o `async with` dele não o fecha se quem lê para no meio
            async for batch in result.partitions(BATCH):  # dito aqui: `yield_per` não vale para um `text`
                first = 0
                for place in range(1, len(batch) + 1):
                    if place == len(batch) or batch[place][0] != batch[first][0]:
                        yield batch[first][0], [row[1:] for row in batch[first:place]]
                        first = place
        finally:
            await result.close()

    async def still_there(self) -> None:
        """Confere que a transação, e a tranca com ela, vivem; o erro do banco se não."""
        await self.connection.execute(text("SELECT 1"))

    async def _measure(
        self, name: str, dated: RowDay | None, found: Sequence[tuple[str, str]]
    ) -> tuple[list[Part], dict[str, str]]:
        """Cada mês, e o tipo de cada coluna de `numeric`, que é o mesmo em todos."""
        source, month = _source(name, dated)
        numeric = [column for column, kind in found if kind == "numeric"]
        sizes = "".join(
            f", max(min_scale(t.{column})), max(t.{column}), min(t.{column})" for column in map(quoted, numeric)
        )
        row = ", ".join(f"t.{quoted(column)}" for column, _ in found)
        query = f"""
            SELECT {month}, count(*), encode(sha256(string_agg(h, ''::bytea ORDER BY h)), 'hex'){sizes}
            FROM {source}, LATERAL (SELECT sha256(convert_to(ROW({row})::text, 'UTF8')) AS h) AS hashed
            GROUP BY 1 ORDER BY 1"""
        measured = (await self.connection.execute(text(query))).all()
        parts = [Part(month, rows, digest) for month, rows, digest, *_ in measured]
        decimals = {
            column: _decimal([tuple(row[3 + 3 * place : 6 + 3 * place]) for row in measured])
            for place, column in enumerate(numeric)
        }
        return parts, decimals


@asynccontextmanager
async def snapshot(engine: AsyncEngine) -> AsyncIterator[Snapshot]:
    """O banco como está agora. ExportInProgressError se outra exportação o lê."""
    still = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    async with still.connect() as connection, connection.begin():
        for name, value in _SESSION.items():
            await connection.execute(text(f"SET LOCAL {name} = '{value}'"))
        if not await connection.scalar(text(f"SELECT {_LOCK}")):
            raise ExportInProgressError("Já há uma exportação destes dados em curso. Espere que termine.")
        row = (await connection.execute(text("SELECT now(), version_num FROM alembic_version"))).one()
        yield Snapshot(connection, *row)


_COLUMNS: Final = """
    SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type,
           coalesce(a.attnum = ANY(i.indkey), false) AS is_key
    FROM pg_attribute AS a
    LEFT JOIN pg_index AS i ON i.indrelid = a.attrelid AND i.indisprimary
    WHERE a.attrelid = to_regclass(:name) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum"""
_TYPES: Final = {
    "smallint": "integer",
    "integer": "integer",
    "bigint": "bigint",
    "boolean": "boolean",
    "double precision": "double precision",
    "date": "date",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamp with time zone",
    "json": "json",
    "jsonb": "json",
}
_DECIMAL: Final = re.compile(r"decimal\((\d+),(\d+)\)")


def decimal_size(kind: str) -> tuple[int, int] | None:
    """Os dígitos e as casas de `decimal(p,s)`; None se o tipo é outro."""
    found = _DECIMAL.fullmatch(kind)
    return (int(found[1]), int(found[2])) if found else None


def _decimal(measured: Sequence[tuple[Any, ...]]) -> str:
    """O tipo em que cabem, exatos, todos os valores; texto, se nenhum os guarda. De cada mês: as casas, o maior e o
    menor."""
    extremes = [value for _, *both in measured for value in both if value is not None]
    if not all(value.is_finite() for value in extremes):
        return "text"
    places = max((each for each, *_ in measured if each is not None), default=0)
    whole = max((_whole_digits(value) for value in extremes), default=0)
    rounded = max(_STEP, -(-places // _STEP) * _STEP)
    scale = rounded if whole + rounded <= _DIGITS else places
    return f"decimal({_DIGITS},{scale})" if whole + scale <= _DIGITS else "text"


def _whole_digits(value: Decimal) -> int:
    return max(value.adjusted() + 1, 0) if value else 0


def _source(name: str, dated: RowDay | None) -> tuple[str, str]:
    """De onde se lê, e o mês de cada linha."""
    if dated is None:
        return f"{name} AS t", "NULL::date"
    return f"{name} AS t {dated.join}", f"date_trunc('month', {dated.day})::date"


def _read(column: Column) -> str:
    name = f"q.{quoted(column.name)}"
    return f"{name}::text" if column.type in ("json", "text") else name
