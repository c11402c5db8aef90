"""O que a coleta se lembra de si, em etl_controle, janelas_devidas, pendencias e checkpoints: as execuções, o que se
deve e até onde se leu. Nada aqui faz COMMIT."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, ScalarSelect, Table, and_, delete, func, insert, or_, select, text, update
from sqlalchemy import Row as SqlRow
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.dialects.postgresql import insert as pg_insert

from bling_collector.clock import is_due
from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.models import (
    checkpoints,
    etl_controle,
    janelas_devidas,
    pendencias,
    recursos_ligados,
)
from bling_collector.errors import RunInProgressError
from bling_collector.payload import Row, integer, storable

DIED = "O processo desta execução terminou sem concluí-la; o que faltou ficou devido e a execução seguinte o paga."


PARKED_AFTER = 10
"""Tentativas depois das quais uma pendência é estacionada: continua devida, e só é tentada se alguém pedir."""


@dataclass(frozen=True)
class Owed:
    """Um período pedido e ainda não completado."""

    inicio: date
    fim: date
    erro: str | None = field(default=None, compare=False)
    """Por que não se completou, se já se tentou."""


@dataclass(frozen=True)
class Pendencia:
    """O que não pôde ser salvo, e por quê."""

    recurso: str
    recurso_id: str
    erro: str
    data_emissao: date | None = None
    resumo: str | None = None
    """A impressão da linha de listagem que a mostrou, se uma a mostrou."""
    names: Row = field(default_factory=dict)
    """Por que as pessoas a conhecem: `numero`, `contato_id` e `contato_nome`, os que se sabem."""


async def close_dead_runs(connection: AsyncConnection, now: datetime) -> int:
    """Marca `error` as execuções que ficaram `running`; só quem tem a tranca de execução pode chamar."""
    result = await connection.execute(
        update(etl_controle)
        .where(etl_controle.c.status == "running")
        .values(status="error", fim=now, erro_mensagem=DIED, fase=None, restam=None, espera=None)
    )
    return result.rowcount


async def open_run(
    connection: AsyncConnection, *, tipo: str, inicio: date | None, fim: date | None, now: datetime
) -> int:
    """Cria a execução `running` e devolve o seu id."""
    values = {"tipo": tipo, "data_inicio": inicio, "data_fim": fim, "inicio": now, "status": "running"}
    return int(
        (await connection.execute(insert(etl_controle).values(values).returning(etl_controle.c.id))).scalar_one()
    )


async def update_run(connection: AsyncConnection, run_id: int, **values: object) -> None:
    """Anota o andamento na execução. RunInProgressError se outra já a deu por morta: esta deve parar."""
    result = await connection.execute(
        update(etl_controle).where(etl_controle.c.id == run_id, etl_controle.c.status == "running").values(values)
    )
    if result.rowcount == 0:
        raise _lost(run_id)


async def usual_requests(connection: AsyncConnection, most: int) -> list[int]:
    """Quantas requisições pediram as últimas coletas do dia que deram certo, da mais nova à mais velha."""
    c = etl_controle.c
    recent = select(c.requisicoes).where(c.tipo == "run", c.status == "success").order_by(c.id.desc()).limit(most)
    return list((await connection.execute(recent)).scalars())


async def note_progress(connection: AsyncConnection, run_id: int, **values: object) -> bool:
    """O mesmo que `update_run`, e se alguém pediu que a execução pare."""
    c = etl_controle.c
    statement = update(etl_controle).where(c.id == run_id, c.status == "running").values(values).returning(c.parar)
    asked: bool | None = await connection.scalar(statement)
    if asked is None:
        raise _lost(run_id)
    return asked


async def ask_to_stop(connection: AsyncConnection, run_id: int) -> bool:
    """Pede à execução, onde quer que ela corra, que pare; False se ela não está em curso."""
    c = etl_controle.c
    statement = update(etl_controle).where(c.id == run_id, c.status == "running").values(parar=True)
    return (await connection.execute(statement)).rowcount > 0


async def finish_run(connection: AsyncConnection, run_id: int, **values: object) -> None:
    """Anota o fim da execução. Feito outra vez com os mesmos valores, vale; senão, como `update_run`."""
    c = etl_controle.c
    again = and_(c.status == values["status"], c.fim == values["fim"])
    result = await connection.execute(
        update(etl_controle).where(c.id == run_id, or_(c.status == "running", again)).values(values)
    )
    if result.rowcount == 0:
        raise _lost(run_id)


def _lost(run_id: int) -> RunInProgressError:
    return RunInProgressError(
        f"A execução {run_id} perdeu a tranca do banco e outra tomou o seu lugar; esta parou sem gravar mais nada."
    )


@dataclass(frozen=True)
class Bookmark:
    """O marco. `day` é o último dia coberto sem lacuna, entre todas as execuções; None antes da primeira."""

    day: date | None = None
    lost: bool = False
    """Nenhum marco conta e havia algum, posto por um relógio adiantado: nada do que se coletou está provado."""


async def bookmark(connection: AsyncConnection, now: datetime) -> Bookmark:
    """O marco, sem os que vieram do futuro: depois de `now`, ou depois do dia em que a execução os pôs, ou postos por
    uma que diz ter começado depois de outra que a seguiu.

    O primeiro coletor, cujas execuções não têm `tipo`, anotava o dia também nas que falhavam, que não contam, e o de
    UTC, que pode ser o seguinte.
    """
    found = (
        await connection.execute(
            text("""
            WITH execucoes AS (
                SELECT data_referencia AS dia, inicio, status, tipo, CASE WHEN tipo IS NULL THEN 1 ELSE 0 END AS folga,
                       CAST(CAST(:now AS timestamptz) AT TIME ZONE 'America/Sao_Paulo' AS date) AS hoje,
                       CAST(inicio AT TIME ZONE 'America/Sao_Paulo' AS date) AS dia_dela,
                       min(inicio) OVER (ORDER BY id ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS seguinte
                FROM etl_controle),
            marcos AS (
                SELECT dia, dia - folga > hoje OR coalesce(dia - folga > dia_dela, false)
                       OR coalesce(inicio > CAST(:now AS timestamptz) + interval '1 hour', false)
                       OR coalesce(inicio > seguinte + interval '1 hour', false)
                       AS do_futuro
                FROM execucoes
                WHERE dia IS NOT NULL
                  AND (status = 'success' OR (tipo IS NOT NULL AND status <> 'running')))
            SELECT max(dia) FILTER (WHERE NOT do_futuro) AS dia,
                   coalesce(bool_or(do_futuro), false) AS do_futuro
            FROM marcos"""),
            {"now": now},
        )
    ).one()
    return Bookmark(found.dia, lost=found.dia is None and found.do_futuro)


async def owed(connection: AsyncConnection, recurso: str) -> list[Owed]:
    """As janelas devidas do recurso, da mais nova à mais antiga."""
    c = janelas_devidas.c
    found = await connection.execute(
        select(c.data_inicio, c.data_fim, c.erro).where(c.recurso == recurso).order_by(c.data_inicio.desc())
    )
    return [Owed(row.data_inicio, row.data_fim, row.erro) for row in found]


async def set_owed(connection: AsyncConnection, recurso: str, windows: list[Owed]) -> None:
    """Troca as janelas devidas do recurso por `windows`, que não se sobrepõem; a mais antiga data de dívida fica."""
    since = await connection.scalar(
        select(func.min(janelas_devidas.c.desde)).where(janelas_devidas.c.recurso == recurso)
    )
    await connection.execute(delete(janelas_devidas).where(janelas_devidas.c.recurso == recurso))
    values = [
        {
            "recurso": recurso,
            "data_inicio": window.inicio,
            "data_fim": window.fim,
            "erro": storable(window.erro) if window.erro else None,
            **({"desde": since} if since else {}),
        }
        for window in windows
    ]
    if values:
        await connection.execute(insert(janelas_devidas).values(values))


async def pay(connection: AsyncConnection, recurso: str, window: Owed, left: Collection[Owed] = ()) -> None:
    """A janela foi completada, menos `left`, que fica devido no lugar dela. Uma mais comprida, que comece no mesmo dia,
    continua."""
    c = janelas_devidas.c
    paid = await connection.execute(
        delete(janelas_devidas)
        .where(c.recurso == recurso, c.data_inicio == window.inicio, c.data_fim <= window.fim)
        .returning(c.desde)
    )
    since = min(paid.scalars(), default=None)
    values = [
        {
            "recurso": recurso,
            "data_inicio": each.inicio,
            "data_fim": each.fim,
            "erro": storable(each.erro or ""),
            **({"desde": since} if since else {}),
        }
        for each in left
    ]
    if values:
        new = pg_insert(janelas_devidas).values(values)
        longest = {"data_fim": func.greatest(new.excluded.data_fim, c.data_fim), "erro": new.excluded.erro}
        await connection.execute(new.on_conflict_do_update(index_elements=["recurso", "data_inicio"], set_=longest))


async def note_window_error(connection: AsyncConnection, recurso: str, window: Owed, erro: str) -> None:
    """Anota por que a janela continua devida."""
    c = janelas_devidas.c
    await connection.execute(
        update(janelas_devidas).where(c.recurso == recurso, c.data_inicio == window.inicio).values(erro=storable(erro))
    )


_AT_ONCE = 1000
"""Linhas por instrução: o PostgreSQL aceita 65.535 valores numa."""
_KEPT = ("data_emissao", "resumo_lista", "numero", "contato_id", "contato_nome")
"""Do que já se sabia de uma pendência, o que fica se quem a tenta de novo não o diz."""


async def add_pendencias(connection: AsyncConnection, items: list[Pendencia], now: datetime) -> None:
    """Guarda o que falhou; o que já estava guardado conta mais uma tentativa."""
    if not items:
        return
    named = [item for item in items if item.names.get("contato_nome")]
    from bling_collector.db.resources import erasure  # só quem tem o que anotar o carrega

    whose = {id_ for item in named if (id_ := item.names.get("contato_id"))}
    records = {id_ for item in named if (id_ := integer(item.recurso_id))}
    erased = await erasure.erased(connection, whose, records)
    # O id do registro vale em qualquer tabela: um igual noutra só faria calar um nome.
    silent = {id_ for _, id_ in erased.others}
    rows: dict[tuple[str, str], Row] = {}
    for item in items:
        is_erased = item.names.get("contato_id") in erased.contatos or integer(item.recurso_id) in silent
        names = item.names | {"contato_nome": None} if is_erased else item.names
        rows[item.recurso, item.recurso_id] = {
            **dict.fromkeys(_KEPT),
            **names,
            "recurso": item.recurso,
            "recurso_id": item.recurso_id,
            "data_emissao": item.data_emissao,
            "resumo_lista": item.resumo,
            "erro": storable(item.erro),
            "desde": now,
            "tentada_em": now,
        }
    values = list(rows.values())
    for start in range(0, len(values), _AT_ONCE):
        new = pg_insert(pendencias).values(values[start : start + _AT_ONCE])
        kept = {name: func.coalesce(new.excluded[name], pendencias.c[name]) for name in _KEPT}
        tried = {"erro": new.excluded.erro, "tentada_em": now, "tentativas": pendencias.c.tentativas + 1}
        await connection.execute(new.on_conflict_do_update(index_elements=["recurso", "recurso_id"], set_=tried | kept))


async def settle(connection: AsyncConnection, recurso: str, ids: list[str]) -> None:
    """O que foi salvo deixa de ser pendente."""
    if ids:
        await connection.execute(
            text("DELETE FROM pendencias WHERE recurso = :recurso AND recurso_id = ANY(:ids)"),
            {"recurso": recurso, "ids": ids},
        )


async def pending(connection: AsyncConnection, recurso: str, *, before: datetime, now: datetime) -> list[Pendencia]:
    """As pendências do recurso que ninguém tentou entre `before` e `now`, menos as estacionadas."""
    c = pendencias.c
    found = await connection.execute(
        select(pendencias)
        .where(c.recurso == recurso, ~c.tentada_em.between(before, now), c.tentativas < PARKED_AFTER)
        .order_by(c.desde)
    )
    return [Pendencia(recurso, row.recurso_id, row.erro, row.data_emissao, row.resumo_lista) for row in found]


async def pending_ids(connection: AsyncConnection, recurso: str) -> set[str]:
    """O que está pendente do recurso, também o que se estacionou."""
    c = pendencias.c
    return set((await connection.execute(select(c.recurso_id).where(c.recurso == recurso))).scalars())


async def parked(connection: AsyncConnection, recurso: str) -> dict[str, str | None]:
    """Id → impressão da linha de listagem das pendências estacionadas do recurso."""
    c = pendencias.c
    found = await connection.execute(
        select(c.recurso_id, c.resumo_lista).where(c.recurso == recurso, c.tentativas >= PARKED_AFTER)
    )
    return {row.recurso_id: row.resumo_lista for row in found}


async def unpark(connection: AsyncConnection, one: tuple[str, str] | None = None) -> int:
    """Faz com que as pendências (a de um recurso e id, ou todas) voltem a ser tentadas; devolve quantas são."""
    c = pendencias.c
    statement = update(pendencias).values(tentativas=0)
    if one is not None:
        statement = statement.where(c.recurso == one[0], c.recurso_id == one[1])
    return (await connection.execute(statement)).rowcount


def _counted(table: Table, *which: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(table).where(~table.c.suspensa, *which).scalar_subquery()


_PARKED: Final = pendencias.c.tentativas >= PARKED_AFTER
PARKED_NAMES: Final = (
    select(
        func.array_agg(
            aggregate_order_by(
                pendencias.c.recurso + "/" + pendencias.c.recurso_id,
                pendencias.c.desde,
                pendencias.c.recurso,
                pendencias.c.recurso_id,
            )
        )
    )
    .where(_PARKED, ~pendencias.c.suspensa)
    .scalar_subquery()
)
"""Os nomes, `recurso/id`, das pendências estacionadas, da mais antiga à mais nova; nulo se não há nenhuma."""
DEBTS: Final = (
    _counted(pendencias).label("pendencias"),
    _counted(pendencias, _PARKED).label("estacionadas"),
    _counted(janelas_devidas).label("janelas"),
)
"""Quanto se deve: `pendencias` (das quais `estacionadas`) e `janelas`, menos o que está suspenso."""


async def debts(connection: AsyncConnection) -> "SqlRow[int, int, int]":
    """O mesmo, de uma conexão."""
    return (await connection.execute(select(*DEBTS))).one()


async def debts_of(connection: AsyncConnection, recurso: str) -> "SqlRow[tuple[int, int, date | None]]":
    """Quanto se deve de um recurso: `pendencias` e `janelas` (as das alterações também), menos o que está suspenso, e
    `primeiro_dia`, o mais antigo em que ainda falta algum registro."""
    return (
        await connection.execute(
            text("""
            SELECT (SELECT count(*) FROM pendencias WHERE recurso = :recurso AND NOT suspensa) AS pendencias,
                   (SELECT count(*) FROM janelas_devidas
                    WHERE split_part(recurso, '.', 1) = :recurso AND NOT suspensa) AS janelas,
                   (SELECT min(dia) FROM (
                        SELECT min(data_inicio) FROM janelas_devidas WHERE recurso = :recurso
                        UNION ALL
                        SELECT min(data_emissao) FROM pendencias WHERE recurso = :recurso) d (dia)) AS primeiro_dia"""),
            {"recurso": recurso},
        )
    ).one()


async def all_checkpoints(connection: AsyncConnection) -> dict[str, datetime]:
    """Todos os pontos de leitura."""
    c = checkpoints.c
    return {
        row.recurso: row.posicao for row in await connection.execute(select(c.recurso, c.posicao).order_by(c.recurso))
    }


async def checkpoint(connection: AsyncConnection, recurso: str) -> datetime | None:
    """Até quando (UTC) as alterações do recurso já foram lidas. Um que esteja no futuro é assunto de quem o lê."""
    return await connection.scalar(select(checkpoints.c.posicao).where(checkpoints.c.recurso == recurso))


SHORT_PAGES = "paginas.curtas"
"""O ponto de leitura que lembra que neste Bling uma página curta não é a última."""


FIRST_LOOK = "perguntas"
"""O ponto de leitura que lembra que as perguntas da conta já se fizeram."""
LOOKED = "olhada"
"""O ponto de leitura da última olhada."""


REFUSED = "sem_permissao"


def refused_name(recurso: str) -> str:
    """O ponto de leitura que lembra quando o Bling disse que o aplicativo não pode ler o recurso."""
    return f"{recurso}.{REFUSED}"


async def refused(
    connection: AsyncConnection, recursos: Iterable[str], now: datetime, ask_again_after: timedelta
) -> set[str]:
    """Destes recursos, os que o Bling disse há menos de `ask_again_after` que o aplicativo não pode ler; o que disse
    antes disso fica esquecido, e pergunta-se de novo."""
    read, found = await all_checkpoints(connection), set()
    for recurso in recursos:
        said = read.get(refused_name(recurso))
        if not is_due(said, now, ask_again_after):
            found.add(recurso)
        elif said is not None:
            await forget_checkpoint(connection, refused_name(recurso))
    return found


async def ask_the_refused_again(connection: AsyncConnection) -> None:
    """Esquece o que o Bling recusou por falta de permissão: quem autoriza outra vez pode tê-la dado."""
    await connection.execute(delete(checkpoints).where(func.split_part(checkpoints.c.recurso, ".", 2) == REFUSED))


async def forget_checkpoint(connection: AsyncConnection, recurso: str) -> None:
    """Esquece quando se leu: a próxima vez é como a primeira."""
    await connection.execute(delete(checkpoints).where(checkpoints.c.recurso == recurso))


async def suspend_debts(connection: AsyncConnection, collected: Collection[str]) -> None:
    """O que se deve dos recursos que não são estes fica suspenso, que não se coletam; o destes volta a dever-se."""
    for table in (janelas_devidas, pendencias):
        whose = func.split_part(table.c.recurso, ".", 1)
        now = whose.not_in(collected)
        await connection.execute(update(table).where(table.c.suspensa != now).values(suspensa=now))


async def switches(connection: AsyncConnection) -> dict[str, bool]:
    """Recurso → se alguém o ligou, ou desligou."""
    c = recursos_ligados.c
    return {row.recurso: row.ligado for row in await connection.execute(select(c.recurso, c.ligado))}


async def switch(connection: AsyncConnection, recurso: str, now: datetime, *, on: bool) -> None:
    """Liga ou desliga o recurso."""
    values = {"ligado": on, "desde": now}
    new = pg_insert(recursos_ligados).values(recurso=recurso, **values)
    await connection.execute(new.on_conflict_do_update(index_elements=["recurso"], set_=values))


def mark_name(recurso: str) -> str:
    """O ponto de leitura que guarda o marco do recurso, se não é o da execução."""
    return f"{recurso}.marco"


def photograph_name(recurso: str) -> str:
    """O ponto de leitura que guarda a hora da última fotografia do recurso."""
    return f"{recurso}.fotografia"


async def first_run(connection: AsyncConnection, now: datetime) -> datetime | None:
    """Quando começou a primeira execução; None se não se sabe: ela diz ter começado depois de `now` ou de outra."""
    c = etl_controle.c
    first: datetime | None = await connection.scalar(select(c.inicio).order_by(c.id).limit(1))
    earliest: datetime | None = await connection.scalar(select(func.min(c.inicio)))
    return first if first is not None and first == earliest and first <= now else None


async def move_checkpoint(connection: AsyncConnection, recurso: str, posicao: datetime) -> None:
    new = pg_insert(checkpoints).values(recurso=recurso, posicao=posicao)
    await connection.execute(
        new.on_conflict_do_update(index_elements=["recurso"], set_={"posicao": new.excluded.posicao})
    )
