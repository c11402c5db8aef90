"""Os loaders da situação: a linha de comando, a API e o painel mostram estes números, e por isso não discordam."""

from collections.abc import Mapping
from dataclasses import dataclass
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
from bling_collector.insight.account.empresa import ShownEmpresa, read_empresa
from bling_collector.insight.account.quota import Quota, read_quota
from bling_collector.insight.account.token_status import TokenStatus, token_status
from bling_collector.insight.freshness import Freshness, load_freshness
from bling_collector.payload import Row
from bling_collector.streams.notas.nfe import NFE
from bling_collector.windows import shown_mark

_COLLECTS: Final = or_(etl_controle.c.tipo.is_(None), etl_controle.c.tipo.in_(["run", "run-full"]))
"""As execuções que coletam: as outras só refazem, conferem ou tentam de novo."""


class UnknownRunError(CollectorError):
    """Não há execução com este número."""

    http_status = 404
    exit_code = 2
    title = "Execução desconhecida"


_Day = date
"""Dentro de `LastSuccess` o campo `date` esconde o tipo."""


@dataclass(frozen=True)
class RunPeriod:
    """O período que uma execução percorreu; sem dias, nenhum."""

    data_inicio: date | None
    data_fim: date | None


@dataclass(frozen=True)
class Step:
    """Em que ponto está uma execução em curso."""

    fase: str | None
    feitos: int
    total: int
    restam: int | None
    """Requisições que se calcula que ainda faça; None se não se sabe."""
    espera: str | None
    """Por que está parada, se o Bling não responde."""


@dataclass(frozen=True)
class Run:
    """Uma execução."""

    run_id: int
    tipo: str | None
    status: str | None
    inicio: datetime | None
    fim: datetime | None
    periodo: RunPeriod
    data_referencia: date | None
    stats: Mapping[str, int]
    """Quantos registros gravou: `nfes`, `contatos`, `produtos`, e os dos recursos que se pediram a mais."""
    andamento: Step
    requisicoes: int
    limitadas: int
    mensagem: str | None

    @property
    def others(self) -> int:
        """Quantos registros gravou, fora as notas."""
        return sum(self.stats.values()) - self.stats["nfes"]

    @property
    def seconds(self) -> float | None:
        """Quanto durou; None se não acabou."""
        return (self.fim - self.inicio).total_seconds() if self.inicio and self.fim else None


@dataclass(frozen=True)
class LastSuccess:
    """A última coleta que deu certo. `date` é o último dia coberto sem lacuna, que não passa da dívida mais antiga."""

    date: _Day | None
    nfes: int | None
    contatos: int | None
    produtos: int | None
    run_id: int
    fim: datetime | None


@dataclass(frozen=True)
class Debts:
    """Quanto se deve."""

    pendencias: int
    estacionadas: int
    nomes_estacionadas: list[str]
    janelas: int


@dataclass(frozen=True)
class Status:
    """A situação: a empresa, a última coleta que deu certo, a última execução de todas, o que se deve e a autorização.

    `data_referencia` é o último dia coberto sem lacuna; `started`, se algo já foi pedido ao Bling.
    """

    empresa: ShownEmpresa | None
    last_successful_run: LastSuccess | None
    last_run: Run | None
    running: bool
    data_referencia: date | None
    started: bool
    freshness: Freshness
    owed: Debts
    oauth: TokenStatus
    quota: Quota


async def load_status(engine: AsyncEngine, cipher: TokenCipher, now: datetime | None = None) -> Status:
    """A situação.

    `cipher` são as chaves com que se tenta abrir a autorização; `now` é o instante a que se refere o que falta para
    ela acabar, e depois do qual uma execução ou um marco não contam; sem ele, o presente.
    """
    async with engine.connect() as connection:
        return await read_status(connection, cipher, now or datetime.now(UTC))


async def read_status(connection: AsyncConnection, cipher: TokenCipher, now: datetime) -> Status:
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
    first = (await control.debts_of(connection, NFE.name)).primeiro_dia
    mark = shown_mark((await control.bookmark(connection, now + DOUBT)).day, first, scope)
    freshness = await load_freshness(connection, now)
    parked = await control.parked_names(connection)
    return Status(
        empresa=await read_empresa(connection),
        last_successful_run=None
        if good is None
        else LastSuccess(
            min(good.data_referencia, mark) if good.data_referencia and mark else mark,
            good.nfes_processadas,
            good.contatos_novos,
            good.produtos_novos,
            good.id,
            good.fim,
        ),
        last_run=_run(last[0]) if last else None,
        running=running,
        data_referencia=mark,
        started=scope is not None,
        freshness=freshness,
        owed=Debts(debts.pendencias, debts.estacionadas, parked, debts.janelas),
        oauth=token_status(token, cipher, now),
        quota=await read_quota(connection, now),
    )


async def load_runs(engine: AsyncEngine, *, limit: int = 50, before: int | None = None) -> list[Run]:
    """As execuções, da mais nova à mais antiga; `before` é o id a partir do qual (exclusive) continuar."""
    statement = select(etl_controle).order_by(etl_controle.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(etl_controle.c.id < before)
    async with engine.connect() as connection:
        return [_run(row) for row in await _read(connection, statement)]


async def load_run(engine: AsyncEngine, run_id: int) -> Run:
    """Uma execução. UnknownRunError se não existe."""
    async with engine.connect() as connection:
        found = await _read(connection, select(etl_controle).where(etl_controle.c.id == run_id))
        total = 0 if found else await connection.scalar(select(func.count()).select_from(etl_controle))
    if not found:
        raise UnknownRunError(f"Não há execução {run_id}; este banco tem {total}. Veja-as com GET /runs.")
    return _run(found[0])


async def _read(connection: AsyncConnection, statement: Select[Any]) -> list[Row]:
    """As linhas. A de uma execução cujo processo morreu diz `error`, mesmo que nenhuma outra a tenha ainda marcado.

    Lê-as outra vez se a tranca está solta: a execução pode ter acabado entre uma leitura e a outra.
    """
    rows: list[Row] = []
    for _ in range(2):
        rows = [dict(row) for row in (await connection.execute(statement)).mappings()]
        if not any(row["status"] == "running" for row in rows) or await is_held(connection):
            return rows
    died = {"status": "error", "erro_mensagem": control.DIED, "fase": None, "restam": None, "espera": None}
    return [{**row, **died} if row["status"] == "running" else row for row in rows]


def _run(row: Row) -> Run:
    """Uma linha de etl_controle."""
    return Run(
        run_id=row["id"],
        tipo=row["tipo"],
        status=row["status"],
        inicio=row["inicio"],
        fim=row["fim"],
        periodo=RunPeriod(row["data_inicio"], row["data_fim"]),
        data_referencia=row["data_referencia"],
        stats=_stats(row),
        andamento=Step(row["fase"], row["feitos"], row["total"], row["restam"], row["espera"]),
        requisicoes=row["requisicoes"],
        limitadas=row["limitadas"],
        mensagem=row["erro_mensagem"],
    )


def _stats(row: Mapping[str, Any]) -> Mapping[str, int]:
    counted = {"nfes": "nfes_processadas", "contatos": "contatos_novos", "produtos": "produtos_novos"}
    return {**{name: row[column] or 0 for name, column in counted.items()}, **row["salvos"]}
