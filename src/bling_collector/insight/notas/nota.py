"""Uma nota como o banco a tem: com as linhas, os pagamentos, o contato e o que nela mudou."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row as SqlRow
from sqlalchemy import Table, select, text

from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.models import (
    conferencias,
    contatos,
    formas_pagamento,
    historico,
    nfe_cabecalho,
    nfe_itens,
    nfe_pagamentos,
    pendencias,
)
from bling_collector.errors import CollectorError
from bling_collector.payload import Json, Row


class UnknownNotaError(CollectorError):
    """O banco não tem esta nota."""

    http_status = 404
    exit_code = 2
    title = "Nota desconhecida"


@dataclass(frozen=True)
class Change:
    """O que mudou numa nota de uma leitura para outra."""

    quando: datetime
    run_id: int | None
    """None se foi numa busca avulsa."""
    mudancas: Mapping[str, Sequence[Json]]
    """Coluna → o que era e o que passou a ser."""


@dataclass(frozen=True)
class Nota:
    """Uma nota inteira; as linhas trazem todas as colunas da tabela, ou da view, de que vieram."""

    cabecalho: Row
    itens: list[Row]
    linhas: list[Row]
    pagamentos: list[Row]
    contato: Row | None
    historico: list[Change]

    @property
    def whole(self) -> Row:
        """Numa linha só: as colunas do cabeçalho e, ao lado delas, o resto."""
        return self.cabecalho | {name: value for name, value in vars(self).items() if name != "cabecalho"}


@dataclass(frozen=True)
class FailedReading:
    """A última leitura da nota falhou."""

    erro: str
    tentativas: int
    desde: datetime


@dataclass(frozen=True)
class NotaProof:
    """O que se sabe de uma nota estar igual à do Bling.

    `estado`: `excluida`, `pendente` (a última leitura falhou), `difere`, `sobra`, `igual` ou `por_conferir`.
    """

    estado: str
    conferida_em: datetime | None
    """A hora da conferência do mês, se ela cobre o dia da nota."""
    pendencia: FailedReading | None
    formas: dict[int, str | None]
    """Os nomes das formas de pagamento que a nota cita."""


async def load_nota(engine: AsyncEngine, nfe_id: int) -> Nota:
    """A nota. UnknownNotaError se não há."""
    async with engine.connect() as connection:
        found = await _rows(connection, nfe_cabecalho, "id", nfe_id)
        if not found:
            raise UnknownNotaError(f"Este banco não tem a nota {nfe_id}. `bling-collector sync nfe/{nfe_id}` a busca.")
        lines = await connection.execute(
            text("SELECT * FROM vw_nfe_linhas WHERE nfe_id = :id ORDER BY linha"), {"id": nfe_id}
        )
        contato = await _rows(connection, contatos, "id", found[0]["contato_id"])
        changes = await connection.execute(
            select(historico.c.quando, historico.c.run_id, historico.c.mudancas)
            .where(historico.c.tabela == nfe_cabecalho.name, historico.c.registro_id == nfe_id)
            .order_by(historico.c.id)
        )
        return Nota(
            found[0],
            itens=await _rows(connection, nfe_itens, "nfe_id", nfe_id),
            linhas=[dict(row) for row in lines.mappings()],
            pagamentos=await _rows(connection, nfe_pagamentos, "nfe_id", nfe_id),
            contato=contato[0] if contato else None,
            historico=[Change(*row) for row in changes],
        )


async def load_nota_proof(engine: AsyncEngine, nota: Nota) -> NotaProof:
    """O que se sabe de uma nota, de `load_nota`."""
    p, f = pendencias.c, formas_pagamento.c
    id_, emitted = nota.cabecalho["id"], nota.cabecalho["data_emissao"]
    cited = [parcela["forma_pagamento_id"] for parcela in nota.pagamentos]
    async with engine.connect() as connection:
        check = await _check_of(connection, emitted.date()) if emitted else None
        failed = select(p.erro, p.tentativas, p.desde).where(p.recurso == "nfe", p.recurso_id == str(id_))
        row = (await connection.execute(failed)).one_or_none()
        names = (await connection.execute(select(f.id, f.descricao).where(f.id.in_(cited)))).all()
    owed = FailedReading(*row) if row is not None else None
    return NotaProof(
        _state(nota.cabecalho, check, owed),
        check.conferida_em if check is not None else None,
        owed,
        {row.id: row.descricao for row in names},
    )


async def _check_of(connection: AsyncConnection, day: date) -> SqlRow[Any, Any, Any] | None:
    """A conferência que cobre o dia."""
    c = conferencias.c
    covers = (c.recurso == "nfe", c.mes == day.replace(day=1), c.data_inicio <= day, c.data_fim >= day)
    found = await connection.execute(select(c.conferida_em, c.sobram, c.diferem).where(*covers))
    return found.one_or_none()


def _state(header: Row, check: SqlRow[Any, Any, Any] | None, owed: FailedReading | None) -> str:
    if header["excluida_em"] is not None:
        return "excluida"
    if owed is not None:
        return "pendente"
    if check is None:
        return "por_conferir"
    read = header["extraido_em"]
    if header["id"] in check.diferem and not (read is not None and read > check.conferida_em):
        return "difere"
    return "sobra" if header["id"] in check.sobram else "igual"


async def _rows(connection: AsyncConnection, table: Table, column: str, value: object) -> list[Row]:
    kept = [c for c in table.c if c.name not in ("detalhe", "resumo_lista")]
    found = await connection.execute(select(*kept).where(table.c[column] == value).order_by(table.c.id))
    return [dict(row) for row in found.mappings()]
