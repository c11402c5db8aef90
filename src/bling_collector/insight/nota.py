"""Uma nota como o banco a tem: com as linhas, os pagamentos, o contato e o que nela mudou."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, Table, select, text

from bling_collector.db.core import AsyncConnection, AsyncEngine
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


class UnknownNotaError(CollectorError):
    """O banco não tem esta nota."""

    http_status = 404
    exit_code = 2
    title = "Nota desconhecida"


async def load_nota(engine: AsyncEngine, nfe_id: int) -> dict[str, Any]:
    """O cabeçalho, mais `itens`, `linhas`, `pagamentos`, `contato` e `historico`. UnknownNotaError se não há."""
    async with engine.connect() as connection:
        found = await _rows(connection, nfe_cabecalho, "id", nfe_id)
        if not found:
            raise UnknownNotaError(f"Este banco não tem a nota {nfe_id}. `bling-collector sync nfe/{nfe_id}` a busca.")
        nota = found[0]
        lines = await connection.execute(
            text("SELECT * FROM vw_nfe_linhas WHERE nfe_id = :id ORDER BY linha"), {"id": nfe_id}
        )
        contato = await _rows(connection, contatos, "id", nota["contato_id"])
        changes = await connection.execute(
            select(historico.c.quando, historico.c.run_id, historico.c.mudancas)
            .where(historico.c.tabela == nfe_cabecalho.name, historico.c.registro_id == nfe_id)
            .order_by(historico.c.id)
        )
        return nota | {
            "itens": await _rows(connection, nfe_itens, "nfe_id", nfe_id),
            "linhas": [plain(dict(row)) for row in lines.mappings()],
            "pagamentos": await _rows(connection, nfe_pagamentos, "nfe_id", nfe_id),
            "contato": contato[0] if contato else None,
            "historico": [plain(dict(row)) for row in changes.mappings()],
        }


async def load_nota_proof(engine: AsyncEngine, nota: dict[str, Any]) -> dict[str, Any]:
    """O que se sabe de uma nota (de `load_nota`) estar igual à do Bling, e as formas de pagamento que ela cita.

    `estado`: `excluida`, `pendente` (a última leitura falhou), `difere`, `sobra`, `igual` ou `por_conferir`;
    `conferida_em` é a hora da conferência do mês, se ela cobre o dia da nota.
    """
    p, f = pendencias.c, formas_pagamento.c
    day = date.fromisoformat(nota["data_emissao"][:10]) if nota["data_emissao"] else None
    cited = [parcela["forma_pagamento_id"] for parcela in nota["pagamentos"]]
    async with engine.connect() as connection:
        check = await _check_of(connection, day) if day is not None else None
        owed = (
            (
                await connection.execute(
                    select(p.erro, p.tentativas, p.desde).where(p.recurso == "nfe", p.recurso_id == str(nota["id"]))
                )
            )
            .mappings()
            .one_or_none()
        )
        names = (await connection.execute(select(f.id, f.descricao).where(f.id.in_(cited)))).all()
    return {
        "estado": _state(nota, check, owed),
        "conferida_em": check["conferida_em"] if check is not None else None,
        "pendencia": dict(owed) if owed is not None else None,
        "formas": {row.id: row.descricao for row in names},
    }


async def _check_of(connection: AsyncConnection, day: date) -> RowMapping | None:
    """A conferência que cobre o dia."""
    c = conferencias.c
    covers = (c.recurso == "nfe", c.mes == day.replace(day=1), c.data_inicio <= day, c.data_fim >= day)
    found = await connection.execute(select(c.conferida_em, c.sobram, c.diferem).where(*covers))
    return found.mappings().one_or_none()


def _state(nota: dict[str, Any], check: RowMapping | None, owed: RowMapping | None) -> str:
    if nota["excluida_em"] is not None:
        return "excluida"
    if owed is not None:
        return "pendente"
    if check is None:
        return "por_conferir"
    read = datetime.fromisoformat(nota["extraido_em"]) if nota["extraido_em"] else None
    if nota["id"] in check["diferem"] and not (read is not None and read > check["conferida_em"]):
        return "difere"
    return "sobra" if nota["id"] in check["sobram"] else "igual"


async def _rows(connection: AsyncConnection, table: Table, column: str, value: object) -> list[dict[str, Any]]:
    kept = [c for c in table.c if c.name not in ("detalhe", "resumo_lista")]
    found = await connection.execute(select(*kept).where(table.c[column] == value).order_by(table.c.id))
    return [plain(dict(row)) for row in found.mappings()]


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A linha com as datas em texto."""
    return {k: v.isoformat() if isinstance(v, date | datetime) else v for k, v in row.items()}
