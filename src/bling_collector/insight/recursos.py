"""De cada recurso: se se coleta, quanto o banco tem dele, até quando, o que falta e o que está provado."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from bling_collector.clock import BRASILIA, DOUBT
from bling_collector.db import control, proof
from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.etl.resource import Resource
from bling_collector.etl.strategies.cited import whole_mark
from bling_collector.insight.proof.reconciliation import WholeCheck, read_reconciliation, read_whole_check
from bling_collector.streams.registry import RESOURCES, chosen, collected
from bling_collector.windows import shown_mark
from bling_collector.words import lower_first, several


@dataclass(frozen=True)
class Proved:
    """O que as conferências de um recurso que tem data dizem: os dois lados, e quantos meses."""

    igual: bool
    no_bling: int
    no_banco: int
    meses: int
    diferentes: int
    """Os meses em que os dois lados diferem."""
    por_conferir: int
    completo_em: datetime | None


@dataclass(frozen=True)
class Followed:
    """Um recurso, como as pessoas o veem, sem contar o que o banco tem dele."""

    recurso: str
    titulo: str
    permissao: str
    coletado: bool
    lido: bool
    """Se alguma execução já o leu."""
    sem_permissao: bool
    """O Bling disse que o aplicativo não o pode ler: fica de fora, e é pedido de novo uma vez por dia."""
    data_referencia: date | None
    """O último dia coberto sem lacuna; None se o recurso não tem data, ou se ainda não há um."""
    pendencias: int
    janelas: int
    conferencia: Proved | None
    """None se o recurso não se confere mês a mês."""
    inteira: WholeCheck | None
    """None se o recurso se confere mês a mês, ou se ainda não se leu inteiro."""


@dataclass(frozen=True)
class ShownResource(Followed):
    """O mesmo, contado: o que percorre a tabela toda."""

    registros: int
    """Os que o banco tem e o Bling não deu por excluídos."""
    excluidos: int


async def load_recursos(engine: AsyncEngine, names: Collection[str] | None, now: datetime) -> list[ShownResource]:
    """Todos os recursos, na ordem em que se coletam; `names` são os que `RECURSOS` pede."""
    async with engine.connect() as connection:
        on = await collected(connection, names)
        read = await control.all_checkpoints(connection)
        return [await _count(connection, resource, now, read, on=resource in on) for resource in RESOURCES]


async def load_collected(engine: AsyncEngine, names: Collection[str] | None) -> set[str]:
    """Os nomes dos recursos que se coletam."""
    async with engine.connect() as connection:
        return {resource.name for resource in await collected(connection, names)}


async def load_followed(
    engine: AsyncEngine, names: Collection[str] | None, wanted: Collection[str], now: datetime
) -> list[Followed]:
    """Os recursos que se querem, na ordem em que se coletam; `names` são os que `RECURSOS` pede."""
    async with engine.connect() as connection:
        on = await collected(connection, names)
        read = await control.all_checkpoints(connection)
        return [
            await _read(connection, resource, now, read, on=resource in on)
            for resource in RESOURCES
            if resource.name in wanted
        ]


async def read_chosen(connection: AsyncConnection, names: Collection[str] | None, now: datetime) -> list[ShownResource]:
    """Os que se coletam, se não são os de sempre; senão, nenhum."""
    on = await collected(connection, names)
    if on == chosen(None):
        return []
    read = await control.all_checkpoints(connection)
    return [await _count(connection, resource, now, read, on=True) for resource in on]


async def load_others(engine: AsyncEngine, names: Collection[str] | None, now: datetime) -> list[Followed]:
    """Os que se coletam e se conferem, mês a mês ou inteiros, fora as notas."""
    async with engine.connect() as connection:
        read = await control.all_checkpoints(connection)
        return [
            await _read(connection, resource, now, read, on=True)
            for resource in await collected(connection, names)
            if not resource.principal and (resource.emitted is not None or resource.is_proved_whole)
        ]


def in_order(each: Followed, until: date | None) -> bool:
    """Se dele nada falta, nada difere e nada está por provar, lido ao menos até `until`."""
    if not each.lido or each.sem_permissao or each.pendencias or each.janelas:
        return False
    proved = each.conferencia
    if proved is None:
        return each.inteira is None or each.inteira.igual
    late = until is not None and (each.data_referencia is None or each.data_referencia < until)
    return proved.igual and not late


def first_mark(resource: Resource) -> str | None:
    """O ponto de leitura que só existe depois que uma execução leu o recurso; None se ele só se lê pelo que o citam."""
    if resource.emitted is not None:
        return control.mark_name(resource.name)
    if resource.whole is not None and not resource.whole.when_lacking:
        return whole_mark(resource)
    if resource.snapshot is not None:
        return control.photograph_name(resource.name)
    return resource.name if resource.changed is not None else None


def differs(each: Followed) -> bool:
    """Se a conferência mostra os dois lados diferentes."""
    if each.inteira is not None:
        return not each.inteira.igual
    return each.conferencia is not None and each.conferencia.diferentes > 0


def doubt(recursos: Iterable[Followed]) -> str | None:
    """Por que o que sai destes recursos ainda pode mudar; None se os que se coletam estão lidos, sem nada que falte nem
    difira."""
    on = [each for each in recursos if each.coletado]
    refused = [each for each in on if each.sem_permissao]
    unread = [each for each in on if each not in refused and not each.lido]
    partial = [
        each for each in on if each not in refused and each.lido and (each.pendencias or each.janelas or differs(each))
    ]
    said = [
        f"{why}: {several([lower_first(each.titulo) for each in those])}."
        for why, those in (
            ("O aplicativo não pode ler", refused),
            ("Ainda não se leram por inteiro", unread),
            ("Têm o que buscar, ou diferem do Bling", partial),
        )
        if those
    ]
    return " ".join(said) or None


async def _count(
    connection: AsyncConnection, resource: Resource, now: datetime, read: Mapping[str, datetime], *, on: bool
) -> ShownResource:
    held, gone = await proof.count_rows(connection, resource.kept)
    followed = await _read(connection, resource, now, read, on=on)
    return ShownResource(**vars(followed), registros=held, excluidos=gone)


async def _read(
    connection: AsyncConnection, resource: Resource, now: datetime, read: Mapping[str, datetime], *, on: bool
) -> Followed:
    """`read` são todos os pontos de leitura."""
    owed = await control.debts_of(connection, resource.name)
    mark, proved = None, None
    if resource.emitted is not None:
        scope = await proof.scope_start(connection)
        mark = shown_mark(await _bookmark(connection, resource, now, read), owed.primeiro_dia, scope)
        found = await read_reconciliation(connection, now, resource.name)
        proved = Proved(
            found.igual,
            found.no_bling,
            found.no_banco,
            len(found.meses),
            len(found.different),
            len(found.por_conferir),
            found.completo_em,
        )
    inteira = await read_whole_check(connection, resource.name, now) if resource.is_proved_whole else None
    return Followed(
        resource.name,
        resource.title,
        resource.permission,
        on,
        await _was_read(connection, resource, read),
        control.refused_name(resource.name) in read,
        mark,
        owed.pendencias,
        owed.janelas,
        proved,
        inteira,
    )


async def _was_read(connection: AsyncConnection, resource: Resource, read: Mapping[str, datetime]) -> bool:
    """O que só se lê pelo que o citam está lido se nada o espera."""
    mark = first_mark(resource)
    if resource.principal:
        return await proof.scope_start(connection) is not None
    return mark is None or mark in read


async def _bookmark(
    connection: AsyncConnection, resource: Resource, now: datetime, read: Mapping[str, datetime]
) -> date | None:
    if resource.principal:
        return (await control.bookmark(connection, now + DOUBT)).day
    found = read.get(control.mark_name(resource.name))
    return found.astimezone(BRASILIA).date() if found is not None and found <= now + DOUBT else None
