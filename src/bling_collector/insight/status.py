"""Os loaders da situação: a linha de comando, a API e o painel mostram estes números, e por isso não discordam."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import FromClause, RowMapping, Select, func, literal, or_, select, true

from bling_collector.auth.token_cipher import TokenCipher
from bling_collector.clock import DOUBT
from bling_collector.db import control, proof
from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.models import empresa, etl_controle, limites_bling, oauth_tokens
from bling_collector.db.models.account import TOKENS_ROW
from bling_collector.db.run_lock import HELD, is_held
from bling_collector.empresa import Empresa
from bling_collector.errors import CollectorError
from bling_collector.insight.account.empresa import ShownEmpresa, shown
from bling_collector.insight.account.quota import Quota, quota
from bling_collector.insight.account.token_status import TokenStatus, token_status
from bling_collector.insight.freshness import COLLECTS, MARKS, Freshness, freshness
from bling_collector.payload import Row
from bling_collector.streams.notas.nfe import NFE
from bling_collector.windows import shown_mark


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
class Standing:
    """Da situação, o que o juízo precisa de saber: a empresa, a última execução, o que se deve e a autorização.

    `started` é se algo já foi pedido ao Bling.
    """

    empresa: ShownEmpresa | None
    last_run: Run | None
    running: bool
    started: bool
    freshness: Freshness
    owed: Debts
    oauth: TokenStatus
    quota: Quota


@dataclass(frozen=True)
class Status(Standing):
    """A situação inteira: também a última coleta que deu certo, e o último dia coberto sem lacuna."""

    last_successful_run: LastSuccess | None
    data_referencia: date | None


_LATEST: Final = select(etl_controle).order_by(etl_controle.c.id.desc()).limit(1)
_LAST: Final = _LATEST.subquery("ultima")
_OURS: Final = select(empresa.c.id, empresa.c.bling_id, empresa.c.nome, empresa.c.cnpj).subquery("nossa")
_STANDING: Final = select(
    HELD.label("running"),
    proof.SCOPE_START.label("scope"),
    *control.DEBTS,
    control.PARKED_NAMES.label("nomes"),
    *MARKS,
    *(column for table in (_LAST, oauth_tokens, _OURS, limites_bling) for column in table.c),
).select_from(
    select(literal(1))
    .subquery("sempre")
    .outerjoin(_LAST, true())
    .outerjoin(oauth_tokens, oauth_tokens.c.id == TOKENS_ROW)
    .outerjoin(_OURS, true())
    .outerjoin(limites_bling, true())
)
"""O que o juízo precisa de saber, numa linha: também a de cada tabela que só tem uma, ou nulos."""


async def load_status(engine: AsyncEngine, cipher: TokenCipher, now: datetime | None = None) -> Status:
    """A situação.

    `cipher` são as chaves com que se tenta abrir a autorização; `now` é o instante a que se refere o que falta para
    ela acabar, e depois do qual uma execução ou um marco não contam; sem ele, o presente.
    """
    async with engine.connect() as connection:
        return await read_status(connection, cipher, now or datetime.now(UTC))


async def read_status(connection: AsyncConnection, cipher: TokenCipher, now: datetime) -> Status:
    """O mesmo, numa conexão que já se tem."""
    standing, c = await read_standing(connection, cipher, now), etl_controle.c
    happened = or_(c.fim.is_(None), c.fim <= now + DOUBT)
    good = (await connection.execute(_LATEST.where(c.status == "success", COLLECTS, happened))).one_or_none()
    first = (await control.debts_of(connection, NFE.name)).primeiro_dia
    scope, marked = await proof.scope_start(connection), await control.bookmark(connection, now + DOUBT)
    mark = shown_mark(marked.day, first, scope)
    return Status(
        **vars(standing),
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
        data_referencia=mark,
    )


async def read_standing(connection: AsyncConnection, cipher: TokenCipher, now: datetime) -> Standing:
    """Só o que o juízo precisa de saber, num comando: quem tem centenas de empresas o pede de todas."""
    row = (await connection.execute(_STANDING, {"now": now})).mappings().one()
    if _seems_dead(row):  # pode ter acabado entre o comando começar e olhar a tranca
        row = (await connection.execute(_STANDING, {"now": now})).mappings().one()
    last = _part(row, _LAST)
    if last is not None and _seems_dead(row):
        last = _died(last)
    ours = _part(row, _OURS)
    return Standing(
        empresa=shown(Empresa(ours["bling_id"], ours["nome"], ours["cnpj"]) if ours else None),
        last_run=_run(last) if last else None,
        running=row["running"],
        started=row["scope"] is not None,
        freshness=await freshness(connection, row, now),
        owed=Debts(row["pendencias"], row["estacionadas"], row["nomes"] or [], row["janelas"]),
        oauth=token_status(_part(row, oauth_tokens), cipher, now),
        quota=quota(_part(row, limites_bling), now),
    )


def _seems_dead(row: RowMapping) -> bool:
    """Se a última execução diz que corre, e ninguém segura a tranca."""
    return row[_LAST.c.status] == "running" and not row["running"]


def _part(row: RowMapping, table: FromClause) -> Row | None:
    """A linha desta tabela; None se não há."""
    found = {column.name: row[column] for column in table.c}
    return None if found["id"] is None else found


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
    return [_died(row) if row["status"] == "running" else row for row in rows]


def _died(row: Row) -> Row:
    return {**row, "status": "error", "erro_mensagem": control.DIED, "fase": None, "restam": None, "espera": None}


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
