"""O que todo recurso declarado sabe fazer: um recurso novo tem tudo isto por estar no registro.

Nada daqui sabe o nome de um recurso. O Bling simulado o lista, muda, exclui, esconde e estraga; o que se espera do
banco sai da declaração dele.
"""

import asyncio
import itertools
import re
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from itertools import product
from string import Formatter
from typing import Any

import pytest
from sqlalchemy import Boolean, Numeric, Table, Text, select, text
from sqlalchemy.dialects.postgresql import JSONB
from tests.support.collecting import scalar
from tests.support.fakes import FakeClock

from bling_collector.etl.progress import Progress
from bling_collector.etl.resource import Document, Params, Resource
from bling_collector.insight.recursos import load_recursos
from bling_collector.payload import UnreadableError
from bling_collector.privacy.titular import erase_person
from bling_collector.streams.registry import RESOURCES, named
from bling_collector.windows import Period, Window
from bling_collector.workplace.account import Account
from bling_simulator.answers import BlingError
from bling_simulator.api.dispatch import RESOURCES as SIMULATED
from bling_simulator.bling import Bling

START = date(2025, 9, 1)
SPAN = Window(START, date(2026, 4, 30))
"""O que se coleta, e o tempo que passa nos testes."""
DAY = 86_400.0
ALL = ("todos", *(each.name for each in RESOURCES if each.by_name))
pytestmark = [
    pytest.mark.bling(scale=0.02),
    pytest.mark.collector(recursos=ALL, extraction_lookback_days=10),
    pytest.mark.loaded(START),
]
_GARBAGE = {"veio": "outra coisa"}


def collects_all(resource: Resource) -> bool:
    """Se o recurso se coleta inteiro, e não só o que outros citam."""
    return resource.emitted is not None or (resource.whole is not None and not resource.whole.when_lacking)


def _each(
    which: Callable[[Resource], bool], *, slow: Callable[[Resource], bool] = lambda _: False
) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "resource",
        [pytest.param(each, id=each.name, marks=[pytest.mark.slow] * slow(each)) for each in RESOURCES if which(each)],
    )


def _strategy(resource: Resource) -> str | None:
    """Por onde o motor começa a lê-lo; None se é só por quem o cita."""
    parts = ("emitted", "changed", "whole", "snapshot")
    return next((part for part in parts if getattr(resource, part) is not None), None)


_FIRSTS = {_strategy(each): each.name for each in reversed(RESOURCES)}.values()


def _is_repeated(resource: Resource) -> bool:
    """Se outro recurso antes dele já se lê do mesmo jeito: o que o motor faz depois de o ler já se viu."""
    return resource.name not in _FIRSTS


_FIRST_OPTIONAL = next(each for each in RESOURCES if each.optional)


EACH = _each(lambda resource: resource.snapshot is None, slow=_is_repeated)
EACH_WAY = _each(lambda resource: resource.snapshot is None and "detalhe" in resource.table.c, slow=_is_repeated)
"""Menos o que não guarda JSON: um documento, que não muda."""
PHOTOGRAPHED = _each(lambda resource: resource.snapshot is not None)


@pytest.fixture(autouse=True)
def alone(request: pytest.FixtureRequest, resource: Resource) -> None:
    """O banco tem tudo; as execuções do teste coletam só o recurso, os que o citam e aqueles por que se lista."""
    if "account" not in request.fixturenames:
        return
    names = {resource.name, *(each.name for each in RESOURCES for name, _ in each.cites if name == resource.name)}
    names |= {parents.of for parents in resource.parents if parents.of}
    names |= {*resource.needs} if resource.besides else set()
    if (source := _source(resource)) is not None:
        names.add(source.name)
    elif resource.keys is not None or resource.special:
        names |= {each.name for each in RESOURCES if not each.optional}
    account: Account = request.getfixturevalue("account")
    account.pipeline._settings = replace(account.settings, recursos=tuple(sorted(names)))


def _source(resource: Resource) -> Resource | None:
    """Aquele cuja listagem mostra os que este, que não se lista, pede."""
    return named(resource.needs[0]) if resource.special and not resource.listed else None


def documents(bling: Bling, resource: Resource) -> dict[int, Document]:
    """O que o Bling diz de cada registro vivo, como a coleta o guarda: o detalhe, ou a linha com o que a primeira
    listagem que a mostra diz dela."""
    simulated = SIMULATED[resource.path]
    found: dict[int, Document] = {}
    span = () if resource.emitted is None else resource.emitted.between.params(Period.of(SPAN))
    shows = (_source(resource) or resource).shows
    for parent, params in itertools.product(_parents(bling, resource), shows):
        asked = dict(params)
        told = {key: asked[param] for param, key in resource.told if param in asked}
        told |= {key: parent[column] for column, key in (resource.each.told if resource.each is not None else ())}
        for listed in _shown(bling, resource, (*params, *span, *_asked(resource, parent))):
            if listed["id"] in found or (detail := simulated.detail(bling, listed["id"])) is None:
                continue
            row = {"id": listed["id"], **told, **simulated.row(dict(listed))}
            found[listed["id"]] = {"id": listed["id"], **detail, **resource.of_list(row)} if resource.detail else row
    return found


def listed(bling: Bling, resource: Resource, *filters: Params) -> list[int]:
    """Os ids que as listagens com estes filtros mostram; nenhum se o recurso não se lista."""
    if not resource.listed:
        return []
    asked = [(*params, *_asked(resource, parent)) for parent in _parents(bling, resource) for params in filters]
    return [row["id"] for params in asked for row in _shown(bling, resource, params)]


def _shown(bling: Bling, resource: Resource, params: Params) -> list[Any]:
    """O que a listagem mostra; nada, se o Bling a recusa."""
    with suppress(BlingError):
        return SIMULATED[resource.path].list(bling, _query(bling, params))
    return []


def _parents(bling: Bling, resource: Resource) -> list[dict[str, Any]]:
    """O que cada pai diz de uma listagem, como a consulta o chama; de um recurso sem pai, nada, uma vez."""
    if resource.each is None or not resource.each.of:
        return [{}]
    parent = named(resource.each.of)
    assert parent is not None, resource.name
    columns = re.findall(r'(\w+) AS "?([\w\[\]]+)', resource.each.query)
    held = [parent.rows(document)[parent.table][0] for document in documents(bling, parent).values()]
    return [{name: row[column] for column, name in columns} for row in held]


def _in_path(resource: Resource) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(resource.path) if name]


def _asked(resource: Resource, parent: dict[str, Any]) -> Params:
    """O que se pede da listagem de um pai."""
    params = resource.each.params if resource.each is not None and parent else ()
    return tuple((name, str(parent[name])) for name in (*_in_path(resource), *params))


def _query(bling: Bling, params: Any) -> Any:
    from starlette.datastructures import QueryParams

    from bling_simulator.api.query import Query

    return Query(QueryParams(params), datetime(2026, 2, 20))  # noqa: DTZ001 - hora de Brasília


async def held(account: Account, table: Table, *, without: Collection[str] = ()) -> list[dict[str, Any]]:
    """As linhas da tabela, em ordem, menos as colunas `without`."""
    async with account.engine.connect() as connection:
        found = await connection.execute(select(table).order_by(*table.primary_key))
        return [{name: value for name, value in row.items() if name not in without} for row in found.mappings()]


async def photographs(account: Account, resource: Resource) -> dict[datetime, dict[Any, list[dict[str, Any]]]]:
    """As leituras de uma fotografia, da mais velha à mais nova: de cada id, as linhas."""
    assert resource.snapshot is not None
    taken = resource.snapshot.taken
    found: dict[datetime, dict[Any, list[dict[str, Any]]]] = {}
    for row in await held(account, resource.table):
        place = next(row[column.name] for column in resource.table.primary_key if column.name != taken)
        read = found.setdefault(row[taken], {})
        read.setdefault(place, []).append({name: value for name, value in row.items() if name != taken})
    return found


async def assert_last_photograph_is_bling(account: Account, bling: Bling, resource: Resource) -> list[Any]:
    """A última leitura tem todos os que se sabem, também os de que o Bling nada tem; devolve os de que tem."""
    assert resource.snapshot is not None
    async with account.engine.connect() as connection:
        asked = set((await connection.execute(text(resource.snapshot.query))).scalars())
    truth = documents(bling, resource)
    exist = asked
    if resource.snapshot.of is not None:
        exist = {*listed(bling, resource.snapshot.of, *resource.snapshot.shows)}
    read = list((await photographs(account, resource)).values())[-1]
    assert read.keys() == exist | asked & truth.keys()
    for id_ in read:
        expected = resource.rows(truth.get(id_) or resource.snapshot.none(id_))[resource.table]
        assert sorted(read[id_], key=repr) == sorted(expected, key=repr), (resource.name, id_)
    return sorted(read.keys() & truth.keys())


async def assert_equals_bling(account: Account, bling: Bling, resource: Resource) -> list[int]:
    """Cada linha é a do documento do Bling; devolve os ids. O que se coleta por si mesmo está todo."""
    if resource.snapshot is not None:
        return await assert_last_photograph_is_bling(account, bling, resource)
    truth = documents(bling, resource)
    ids = []
    for row in await held(account, resource.table):
        if row["id"] not in truth or ("detalhe" in row and row["detalhe"] is None):
            continue
        expected = resource.rows(truth[row["id"]])[resource.table][0]
        json = {column.name for column in resource.table.c if isinstance(column.type, JSONB)}
        said = {name: value for name, value in expected.items() if name not in {*json, *resource.volatile}}
        assert {name: row[name] for name in said} == said, (resource.name, row["id"])
        ids.append(row["id"])
    assert ids, "nada deste recurso foi coletado"
    if collects_all(resource):
        wanted = {id_ for id_, document in truth.items() if (resource.day(document) or START) >= START}
        assert set(ids) >= wanted
    return ids


async def repaired(account: Account) -> None:
    result = await account.pipeline.reconcile(repair=True, accept_deletions=True)
    assert result.status == "success", result.message


def changeable(resource: Resource, document: Document) -> dict[str, Any]:
    """Uma mudança, a mais simples, de uma coluna de texto ou de número (senão, de sim ou não) que a listagem também
    mostra, e com que o mostra ainda."""
    asked = {name for params in resource.shows for name, _ in params}
    row = SIMULATED[resource.path].row if resource.detail else dict
    before = resource.rows(document)[resource.table][0]
    for name, value in sorted(document.items(), key=lambda item: isinstance(item[1], bool)):
        other = _other(value)
        if other is None or name in {"id", *asked} or row({**document, name: other}) == row({**document}):
            continue
        try:
            after = resource.rows({**document, name: other})[resource.table][0]
        except UnreadableError:
            continue
        changed = [column for column in resource.table.c if after.get(column.name) != before.get(column.name)]
        if [type(column.type) for column in changed if column.name != "detalhe"] in ([Text], [Numeric], [Boolean]):
            return {name: other}
    raise AssertionError(f"nenhum campo de {resource.name} se deixa mudar")


def _other(value: Any) -> Any:
    if isinstance(value, str):
        return f"{value} outra"[:60] if value[4:5] != "-" else None
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, (int, Decimal)) else None


def unreadable(resource: Resource, document: Document) -> dict[str, Any]:
    """Um campo que vem de outra forma, e com que o registro não se lê inteiro."""
    # Com um que a listagem de outro recurso mostrasse, também a linha dele não se leria.
    source = _source(resource)
    shares = source is not None and source.path == resource.path
    shown = SIMULATED[resource.path].row(dict(document)) if shares else {"id"}
    for name in document:
        if name in shown or resource.key({**document, name: _GARBAGE}) != resource.key(document):
            continue
        try:
            resource.read({**document, name: _GARBAGE})
        except UnreadableError:
            return {name: _GARBAGE}
    raise AssertionError(f"nenhum campo de {resource.name} se recusa")


@EACH
async def test_what_is_loaded_is_what_bling_says_and_is_read_once(
    account: Account, bling: Bling, clock: FakeClock, resource: Resource
) -> None:
    await assert_equals_bling(account, bling, resource)
    # Do que se relê cada um no seu dia da semana, fica a hora a que se leu; e a que se perguntou pelo que não há.
    moves = {"nao_encontrado_em"} | ({"extraido_em"} if resource.waits_its_week else set())
    before = await held(account, resource.table, without=moves)
    noted = await scalar(account.engine, "SELECT count(*) FROM historico")
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    assert await held(account, resource.table, without=moves) == before
    assert await scalar(account.engine, "SELECT count(*) FROM historico") == noted


@EACH_WAY
async def test_what_changes_in_bling_changes_here(
    account: Account, bling: Bling, clock: FakeClock, resource: Resource
) -> None:
    ids = await assert_equals_bling(account, bling, resource)
    if resource.whole is not None and resource.whole.aside:  # os outros leem-se uma vez por semana
        in_the_first = listed(bling, resource, resource.shows[0])
        ids = [id_ for id_ in ids if id_ in in_the_first]
    chosen = ids[-1]
    clock.advance(DAY)
    SIMULATED[resource.path].edit(bling, chosen, changeable(resource, documents(bling, resource)[chosen]))
    clock.advance(DAY)
    daily = resource.whole is not None and not (resource.whole.weekly or resource.whole.when_lacking)
    seen_daily = resource.changed is not None or (resource.emitted is None and daily)
    if seen_daily:
        assert (await account.pipeline.run()).status == "success"
    else:  # o que se lê por janelas, ou só quando se cita, pode ficar para a releitura
        await repaired(account)
    await assert_equals_bling(account, bling, resource)


@EACH_WAY
async def test_what_bling_no_longer_has_is_marked_and_stays(
    account: Account, bling: Bling, clock: FakeClock, resource: Resource
) -> None:
    ids = await assert_equals_bling(account, bling, resource)
    chosen = ids[len(ids) // 2]
    SIMULATED[resource.path].delete(bling, chosen)
    for _ in range(1 if resource.listed else 2):  # sem listagem que o diga, só o segundo 404
        clock.advance(DAY)
        await repaired(account)
    rows = {row["id"]: row for row in await held(account, resource.table)}
    assert chosen in rows, "uma linha nunca é apagada"
    gone = chosen not in documents(bling, resource)
    if gone and (resource.removed is not None or chosen not in listed(bling, resource, resource.shows[0])):
        assert rows[chosen].get("excluida_em", "não se anota") is not None
    assert sum(row.get("excluida_em") is not None for row in rows.values()) <= 1 + _gone_before(bling, resource)


def _gone_before(bling: Bling, resource: Resource) -> int:
    if resource.removed is None:
        return 0
    return len(listed(bling, resource, resource.removed.params))


@_each(collects_all, slow=_is_repeated)
async def test_what_answers_and_is_not_listed_is_not_invented(
    account: Account, bling: Bling, clock: FakeClock, resource: Resource
) -> None:
    ids, truth = await assert_equals_bling(account, bling, resource), documents(bling, resource)
    chosen = next((id_ for id_ in ids if resource.is_listable(truth[id_])), ids[0])
    bling.unlisted.add((resource.path, chosen))
    clock.advance(DAY)
    await repaired(account)
    gone = {row["id"]: row for row in await held(account, resource.table)}[chosen]["excluida_em"] is not None
    assert gone == resource.is_listable(truth[chosen])
    bling.unlisted.clear()
    clock.advance(DAY)
    await repaired(account)
    assert {row["id"]: row for row in await held(account, resource.table)}[chosen]["excluida_em"] is None


@EACH_WAY
async def test_one_that_cannot_be_read_is_owed_and_the_others_are_not(
    account: Account, bling: Bling, clock: FakeClock, resource: Resource
) -> None:
    ids = await assert_equals_bling(account, bling, resource)
    chosen = ids[-1]
    document = documents(bling, resource)[chosen]
    clock.advance(DAY)
    SIMULATED[resource.path].edit(bling, chosen, changeable(resource, document))
    bling.garbled[resource.path, chosen] = unreadable(resource, document)
    clock.advance(DAY)
    result = await account.pipeline.reconcile(repair=True)
    assert result.status == "partial", result.message
    owed = "SELECT count(*) FROM pendencias WHERE recurso = :recurso AND recurso_id = :id"
    assert await scalar(account.engine, owed, recurso=resource.name, id=str(chosen)) == 1
    bling.garbled.clear()
    clock.advance(DAY)
    await repaired(account)
    await assert_equals_bling(account, bling, resource)


@pytest.mark.parametrize("killed", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["stopped", "killed"])
@EACH_WAY
async def test_a_run_that_does_not_reach_the_end_goes_on_from_where_it_was(
    account: Account, bling: Bling, clock: FakeClock, resource: Resource, killed: bool
) -> None:
    ids = await assert_equals_bling(account, bling, resource)
    async with account.engine.begin() as connection:
        for child in resource.children:
            await connection.execute(text(f"DELETE FROM {child.table.name}"))
        unset = {"resumo_lista": "NULL"} if resource.keeps_listing else {}
        for column, value in unset.items():
            await connection.execute(text(f"UPDATE {resource.table.name} SET {column} = {value}"))
    for id_ in ids[:3]:
        SIMULATED[resource.path].edit(bling, id_, changeable(resource, documents(bling, resource)[id_]))
    stop = asyncio.Event()

    def end_in_the_middle(progress: Progress) -> None:
        if resource.title in progress.fase and not stop.is_set():
            stop.set()
            if killed:
                run.cancel()

    clock.advance(DAY)
    run = asyncio.create_task(account.pipeline.reconcile(repair=True, sink=end_in_the_middle, stop=stop))
    await asyncio.gather(run, return_exceptions=True)
    assert (stop.is_set(), run.cancelled()) == (True, killed)
    if killed:  # como a deixa um processo que já não pôde dizer nada
        async with account.engine.begin() as connection:
            await connection.execute(
                text("UPDATE etl_controle SET status = 'running', fim = NULL WHERE status = 'error'")
            )
    clock.advance(DAY)
    await repaired(account)
    await assert_equals_bling(account, bling, resource)


@EACH_WAY
async def test_reprocessed_it_is_equal_to_what_was_there(account: Account, resource: Resource) -> None:
    tables = [resource.table, *(child.table for child in resource.children)]
    before = [await held(account, table) for table in tables]
    if "detalhe" in resource.table.c:
        blank = [c.name for c in resource.table.c if c.name in _texts(before[0])]
        async with account.engine.begin() as connection:
            for child in resource.children:
                await connection.execute(text(f"DELETE FROM {child.table.name}"))
            if blank:
                emptied = ", ".join(f"{name} = NULL" for name in blank)
                await connection.execute(text(f"UPDATE {resource.table.name} SET {emptied} WHERE detalhe IS NOT NULL"))
    result = await account.pipeline.reprocess()
    assert result.status == "success", result.message
    after = [await held(account, table) for table in tables]
    assert _plain(after) == _plain(before)


def _texts(rows: list[dict[str, Any]]) -> set[str]:
    kept = {"id", "codigo", "resumo_lista", "categoria_descricao"}
    return {name for row in rows for name, value in row.items() if isinstance(value, str) and name not in kept}


def _plain(tables: list[list[dict[str, Any]]]) -> list[list[dict[str, Any]]]:
    main, *children = tables
    return [main, *([{k: v for k, v in row.items() if k != "id"} for row in rows] for rows in children)]


@_each(lambda resource: resource.person is not None, slow=_is_repeated)
async def test_a_person_erased_does_not_come_back(
    account: Account, bling: Bling, clock: FakeClock, resource: Resource
) -> None:
    assert resource.person is not None
    ids = await assert_equals_bling(account, bling, resource)
    truth = documents(bling, resource)
    chosen = next(id_ for id_ in reversed(ids) if resource.person.contatos(truth[id_]))
    contato = min(resource.person.contatos(truth[chosen]))
    await erase_person(account.engine, contato, clock.now())
    clock.advance(DAY)
    SIMULATED[resource.path].edit(bling, chosen, changeable(resource, truth[chosen]))
    clock.advance(DAY)
    await repaired(account)
    row = {row["id"]: row for row in await held(account, resource.table)}[chosen]
    assert {row[column.name] for column in resource.person.columns} <= {None}
    assert row["detalhe"] == {**resource.person.without(truth[chosen], {contato})} | {
        key: row["detalhe"][key] for key in changeable(resource, truth[chosen]) if key in row["detalhe"]
    }
    whose = SIMULATED["/contatos"].detail(bling, contato)
    assert whose is not None
    tables = [(resource.table, "id"), *((child.table, child.parent) for child in resource.children)]
    texts = [
        await scalar(account.engine, f"SELECT string_agg(t::text, ' ') FROM {table} t WHERE {key} = :id", id=chosen)
        for table, key in tables
    ]
    told = re.sub("[0-9A-Z]{44}", "", " ".join(each or "" for each in texts))  # a chave traz o CNPJ de quem emitiu
    assert str(whose["nome"]) not in told
    assert str(whose["numeroDocumento"]) not in told


@_each(
    lambda resource: resource.snapshot is not None or "detalhe" in resource.table.c,
    slow=lambda resource: resource is not _FIRST_OPTIONAL,
)
async def test_without_the_permission_the_others_are_whole(
    account: Account, bling: Bling, clock: FakeClock, resource: Resource
) -> None:
    bling.configure(missing_scopes=frozenset({resource.path}))
    clock.advance(DAY)
    result = await account.pipeline.reconcile(repair=True)
    if resource.optional:
        assert result.status == "success", result.message
        found = {each.recurso: each for each in await load_recursos(account.engine, ("todos",), clock.now())}
        # O que está debaixo do caminho é da mesma permissão; o que se lê por outro, do mesmo, pode nem se pedir.
        refused, source = {name for name, each in found.items() if each.sem_permissao}, _source(resource)
        assert resource.name in refused or (source is not None and source.name in refused)
        assert refused <= {each.name for each in RESOURCES if f"{each.path}/".startswith(f"{resource.path}/")}
    else:
        assert result.status != "success"
        assert "permissão" in str(result.message)
    bling.configure(missing_scopes=frozenset())
    for other in RESOURCES:
        if other is not resource:
            await assert_equals_bling(account, bling, other)
    clock.advance(DAY)
    await repaired(account)
    found = {each.recurso: each for each in await load_recursos(account.engine, ("todos",), clock.now())}
    assert not any(each.sem_permissao for each in found.values())
    await assert_equals_bling(account, bling, resource)


@PHOTOGRAPHED
async def test_each_day_has_its_photograph_and_none_is_touched_again(
    account: Account, bling: Bling, clock: FakeClock, resource: Resource
) -> None:
    ids = await assert_equals_bling(account, bling, resource)
    first = await photographs(account, resource)
    assert len(first) == 1
    clock.advance(3600)
    assert (await account.pipeline.run()).status == "success"
    assert await photographs(account, resource) == first, "duas leituras no mesmo dia não se pedem"
    clock.advance(DAY)
    simulated = SIMULATED[resource.path]
    truth = documents(bling, resource)
    simulated.edit(bling, ids[0], photographable(resource, truth[ids[0]]))
    simulated.delete(bling, ids[1])
    clock.advance(7 * DAY)
    assert (await account.pipeline.run()).status == "success"
    now = await photographs(account, resource)
    assert len(now) == 2
    last = now.pop(max(now))
    assert now == first
    assert last[ids[0]] != first[min(first)][ids[0]]
    assert ids[1] not in last


@PHOTOGRAPHED
async def test_a_photograph_lacks_only_what_cannot_be_read(
    account: Account, bling: Bling, clock: FakeClock, resource: Resource
) -> None:
    ids = await assert_equals_bling(account, bling, resource)
    before = list((await photographs(account, resource)).values())[-1]
    clock.advance(DAY)
    bling.garbled[resource.path, ids[0]] = unreadable(resource, documents(bling, resource)[ids[0]])
    assert (await account.pipeline.run()).status == "partial"
    last = list((await photographs(account, resource)).values())[-1]
    assert last.keys() == before.keys() - {ids[0]}
    owed = "SELECT count(*) FROM pendencias WHERE recurso = :recurso AND recurso_id = :id"
    assert await scalar(account.engine, owed, recurso=resource.name, id=str(ids[0])) == 1
    bling.garbled.clear()
    clock.advance(DAY)
    assert (await account.pipeline.run()).status == "success"
    await assert_equals_bling(account, bling, resource)


@PHOTOGRAPHED
async def test_a_photograph_nobody_can_blame_on_a_record_is_not_kept(
    account: Account, bling: Bling, clock: FakeClock, resource: Resource
) -> None:
    await assert_equals_bling(account, bling, resource)
    before = await photographs(account, resource)
    clock.advance(DAY)
    bling.fail(rf"^{resource.path}$", "server_error")
    assert (await account.pipeline.run()).status == "partial"
    assert await photographs(account, resource) == before
    bling.faults.clear()
    stop = asyncio.Event()

    def stop_in_the_middle(progress: Progress) -> None:
        if progress.fase == resource.title:
            stop.set()

    await account.pipeline.run(sink=stop_in_the_middle, stop=stop)
    assert stop.is_set()
    assert await photographs(account, resource) == before
    assert (await account.pipeline.run()).status == "success"
    assert len(await photographs(account, resource)) == 2
    await assert_equals_bling(account, bling, resource)


def photographable(resource: Resource, document: Document) -> dict[str, Any]:
    """Uma mudança de uma fotografia: as linhas do registro são outras."""
    before = resource.rows(document)[resource.table]
    nothing: tuple[Any, ...] = ([], 0, "")
    for name, empty in product([name for name in document if name != "id"], nothing):
        try:
            if resource.rows({**document, name: empty})[resource.table] != before:
                return {name: empty}
        except UnreadableError:
            continue
    raise AssertionError(f"nenhum campo de {resource.name} se deixa mudar")


@_each(lambda resource: True)
def test_every_column_of_the_mapping_is_in_its_table(bling: Bling, resource: Resource) -> None:
    for document in documents(bling, resource).values():
        for table, rows in resource.rows(document).items():
            for row in rows:
                assert row.keys() <= set(table.c.keys())
