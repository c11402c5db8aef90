"""Os loaders da situação: a linha de comando, a API e o painel mostram estes números, e por isso não discordam."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import Select, func, or_, select

from bling_collector.auth.token_cipher import TokenCipher
from bling_collector.clock import DOUBT
from bling_collector.db import control, proof
from bling_collector.db.core import AsyncConnection, AsyncEngine
from bling_collector.db.models import etl_controle, oauth_tokens
from bling_collector.db.run_lock import is_held
from bling_collector.errors import CollectorError
from bling_collector.insight.empresa import read_empresa
from bling_collector.insight.freshness import load_freshness
from bling_collector.insight.quota import load_quota
from bling_collector.insight.token_status import as_json as token_as_json
from bling_collector.windows import shown_mark

_COLLECTS: Final = or_(etl_controle.c.tipo.is_(None), etl_controle.c.tipo.in_(["run", "run-full"]))
"""As execuções que coletam: as outras só refazem, conferem ou tentam de novo."""


class UnknownRunError(CollectorError):
    """Não há execução com este número."""

    http_status = 404
    exit_code = 2
    title = "Execução desconhecida"


async def load_status(engine: AsyncEngine, cipher: TokenCipher, now: datetime | None = None) -> dict[str, Any]:
    """A situação: a empresa, a última coleta que deu certo, a última execução de todas, o que se deve e a autorização.

    `cipher` são as chaves com que se tenta abrir a autorização; `now` é o instante a que se refere o que falta para
    ela acabar, e depois do qual uma execução ou um marco não contam; sem ele, o presente.
    """
    async with engine.connect() as connection:
        return await read_status(connection, cipher, now or datetime.now(UTC))


async def read_status(connection: AsyncConnection, cipher: TokenCipher, now: datetime) -> dict[str, Any]:
    """O mesmo, numa conexão que já se tem."""
    c = etl_controle.c
    running = await is_held(connection)
    latest = select(etl_controle).order_by(c.id.desc()).limit(1)
    last = await _read(connection, latest)
    happened = or_(c.fim.is_(None), c.fim <= now + DOUBT)
    good = (await connection.execute(latest.where(c.status == "success", _COLLECTS, happened))).one_or_none()
    debts = await control.debts(connection)
    token = (await connection.execute(select(oauth_tokens).where(oauth_tokens.c.id == 1))).one_or_none()
    scope = await proof.scope_start(connection)
    mark = shown_mark((await control.bookmark(connection, now + DOUBT)).day, debts.primeiro_dia, scope)
    freshness = await load_freshness(connection, now)
    parked = await control.parked_names(connection)
    quota = await load_quota(connection, now)
    empresa = await read_empresa(connection)
    return {
        "empresa": empresa,
        "last_successful_run": None
        if good is None
        else {
            "date": _iso(min(good.data_referencia, mark) if good.data_referencia and mark else mark),
            "nfes": good.nfes_processadas,
            "contatos": good.contatos_novos,
            "produtos": good.produtos_novos,
            "run_id": good.id,
            "fim": _iso(good.fim),
        },
        "last_run": run_as_json(last[0]) if last else None,
        "running": running,
        "data_referencia": _iso(mark),
        "started": scope is not None,
        "freshness": freshness.as_json(),
        "owed": {
            "pendencias": debts.pendencias,
            "estacionadas": debts.estacionadas,
            "nomes_estacionadas": parked,
            "janelas": debts.janelas,
        },
        "oauth": token_as_json(token, cipher, now),
        "quota": quota,
    }


async def load_runs(engine: AsyncEngine, *, limit: int = 50, before: int | None = None) -> list[dict[str, Any]]:
    """As execuções, da mais nova à mais antiga; `before` é o id a partir do qual (exclusive) continuar."""
    statement = select(etl_controle).order_by(etl_controle.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(etl_controle.c.id < before)
    async with engine.connect() as connection:
        return [run_as_json(row) for row in await _read(connection, statement)]


async def load_run(engine: AsyncEngine, run_id: int) -> dict[str, Any]:
    """Uma execução. UnknownRunError se não existe."""
    async with engine.connect() as connection:
        found = await _read(connection, select(etl_controle).where(etl_controle.c.id == run_id))
        total = 0 if found else await connection.scalar(select(func.count()).select_from(etl_controle))
    if not found:
        raise UnknownRunError(f"Não há execução {run_id}; este banco tem {total}. Veja-as com GET /runs.")
    return run_as_json(found[0])


async def _read(connection: AsyncConnection, statement: Select[Any]) -> list[Mapping[str, Any]]:
    """As linhas. A de uma execução cujo processo morreu diz `error`, mesmo que nenhuma outra a tenha ainda marcado.

    Lê-as outra vez se a tranca está solta: a execução pode ter acabado entre uma leitura e a outra.
    """
    rows: list[Mapping[str, Any]] = []
    for _ in range(2):
        rows = [dict(row) for row in (await connection.execute(statement)).mappings()]
        if not any(row["status"] == "running" for row in rows) or await is_held(connection):
            return rows
    died = {"status": "error", "erro_mensagem": control.DIED, "fase": None, "restam": None, "espera": None}
    return [{**row, **died} if row["status"] == "running" else row for row in rows]


def run_as_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """Uma linha de etl_controle como as respostas a mostram."""
    return {
        "run_id": row["id"],
        "tipo": row["tipo"],
        "status": row["status"],
        "inicio": _iso(row["inicio"]),
        "fim": _iso(row["fim"]),
        "periodo": {"data_inicio": _iso(row["data_inicio"]), "data_fim": _iso(row["data_fim"])},
        "data_referencia": _iso(row["data_referencia"]),
        "stats": {
            "nfes": row["nfes_processadas"] or 0,
            "contatos": row["contatos_novos"] or 0,
            "produtos": row["produtos_novos"] or 0,
        },
        "andamento": {
            "fase": row["fase"],
            "feitos": row["feitos"],
            "total": row["total"],
            "restam": row["restam"],
            "espera": row["espera"],
        },
        "requisicoes": row["requisicoes"],
        "limitadas": row["limitadas"],
        "mensagem": row["erro_mensagem"],
    }


def _iso(value: date | datetime | None) -> str | None:
    return value.isoformat() if value is not None else None
