"""Salvar um lote de documentos: numa transação, a linha principal, as filhas e o que mais o documento traz."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlalchemy.exc import DBAPIError

from bling_collector.clock import is_weekly_due
from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.resources import erasure, repository
from bling_collector.db.upsert import History, Upserted, insert, replace_children, upsert
from bling_collector.etl.resource import Document, Id, Resource, Rows
from bling_collector.payload import Row, UnreadableError, integer
from bling_collector.redaction import redact
from bling_collector.traces import contatos_in

BATCH = 50
"""Documentos por transação (o primeiro coletor também confirmava a cada 50)."""


@dataclass(frozen=True)
class Item:
    """Um documento por salvar, com a impressão da linha de listagem que o trouxe, se houve uma."""

    document: Document
    resumo: str | None = None
    day: date | None = None
    """O dia dele, se o documento não o disser."""
    rows: Rows | None = field(default=None, compare=False)
    """As linhas dele, se quem o buscou já as leu."""
    asked: datetime | None = field(default=None, compare=False)
    """Quando saiu o pedido dele; None se foi agora."""
    is_row: bool = False
    """Se é só a linha da listagem: o mais que o banco sabe do registro fica."""


@dataclass
class Saved:
    created: set[Id] = field(default_factory=set)
    updated: set[Id] = field(default_factory=set)
    saved: list[Item] = field(default_factory=list)
    """Os que o banco aceitou, mudados ou não."""
    refused: list[tuple[Item, str]] = field(default_factory=list)
    """Os que não se leem inteiros, ou que o banco recusou, e por quê."""


Mapped = tuple[Item, Rows]


async def save(
    connection: AsyncConnection, resource: Resource, items: Sequence[Item], now: datetime, run_id: int | None = None
) -> Saved:
    """Grava os documentos e anota no histórico o que mudou. Um que não se lê inteiro é recusado inteiro; um que o banco
    recusa é achado por bisseção e não leva os outros consigo. Um que se pediu antes do que o banco já tem não se grava.
    """
    outcome = Saved()
    mapped = await _mapped(connection, resource, items, outcome)
    history = History(run_id, now, resource.history) if resource.history is not None else None
    # Quem veio sem passar pela listagem fica com a impressão que tinha, e não se sabe que está vivo.
    for same in ([m for m in mapped if m[0].resumo is not None], [m for m in mapped if m[0].resumo is None]):
        if same:
            await _save_or_bisect(connection, resource, same, now, outcome, history)
    return outcome


async def _mapped(
    connection: AsyncConnection, resource: Resource, items: Sequence[Item], outcome: Saved
) -> Sequence[Mapped]:
    """Cada documento, sem a pessoa se ela pediu que a apagassem, com as suas linhas; menos os que não se leem."""
    documents = await _with_what_is_held(connection, resource, items)
    documents = await nameless(connection, resource, documents)
    mapped = []
    for item, document in zip(items, documents, strict=True):
        try:
            resource.refuse_a_piece(item.document)
            rows = item.rows if item.rows is not None and document is item.document else resource.rows(document)
            mapped.append((replace(item, document=document), rows))
        except UnreadableError as error:  # os outros do lote não têm culpa
            outcome.refused.append((item, f"o registro não se lê inteiro: {error}"))
    return mapped


async def _with_what_is_held(
    connection: AsyncConnection, resource: Resource, items: Sequence[Item]
) -> Sequence[Document]:
    """Os documentos, com o que só a listagem disse de cada um: o que veio sem passar por ela fica com o que tinha; e a
    linha sem documento, com todo o que tinha."""
    keys = {key for _, key in resource.from_list}
    lacking = [item.document["id"] for item in items if item.is_row or not item.document.keys() >= keys]
    if not lacking:
        return [item.document for item in items]
    held = await repository.details(connection, resource.table, lacking)
    return [
        {key: value for key, value in held.get(item.document["id"], {}).items() if item.is_row or key in keys}
        | {**item.document}
        for item in items
    ]


async def nameless(connection: AsyncConnection, resource: Resource, documents: Sequence[Document]) -> list[Document]:
    """Os documentos, sem quem pediu que os seus dados fossem apagados: quem é dono deles, e quem eles citam pelo id."""
    person = resource.person
    cited = {id_ for document in documents for id_ in contatos_in(document)}
    records: set[int] = set()
    if person is not None:
        cited |= {id_ for document in documents for id_ in person.contatos(document)}
        records = {id_ for document in documents if (id_ := integer(document.get("id"))) is not None}
    erased = await erasure.erased(connection, cited, records)
    return [resource.without(document, erased) for document in documents]


async def _save_or_bisect(
    connection: AsyncConnection,
    resource: Resource,
    mapped: Sequence[Mapped],
    now: datetime,
    outcome: Saved,
    history: History | None,
) -> None:
    try:
        async with connection.begin_nested():
            written = await _write(connection, resource, mapped, now, history)
    except DBAPIError as error:  # um valor que o banco não aceita leva consigo o lote: procura-se de quem é
        if not _is_about_the_rows(error):
            raise
        if len(mapped) == 1:
            # Só a primeira linha: a seguinte (DETAIL) traz a linha inteira, com o nome e o documento do cliente.
            reason = redact(str(error.orig).splitlines()[0])
            outcome.refused.append((mapped[0][0], f"o banco recusou o registro: {reason}"))
            return
        middle = len(mapped) // 2
        await _save_or_bisect(connection, resource, mapped[:middle], now, outcome, history)
        await _save_or_bisect(connection, resource, mapped[middle:], now, outcome, history)
    else:
        outcome.created |= written.created
        outcome.updated |= written.updated
        outcome.saved.extend(item for item, _ in mapped)


def _is_about_the_rows(error: DBAPIError) -> bool:
    """O SQLSTATE diz se o banco recusou os dados, ou se o que há é com o banco, a conexão ou o comando."""
    state = str(getattr(error.orig, "sqlstate", None) or "")
    # 21 e 22: valores; 23: restrições; 54: passou de um limite, como o tamanho de uma chave de índice; P0: um gatilho
    # que alguém pôs na tabela.
    return not error.connection_invalidated and state[:2] in {"21", "22", "23", "54", "P0"}


async def _write(
    connection: AsyncConnection, resource: Resource, mapped: Sequence[Mapped], now: datetime, history: History | None
) -> Upserted:
    stamp: Row = {}
    if "nao_encontrado_em" in resource.table.c:
        stamp["nao_encontrado_em"] = None
    listed = resource.keeps_listing and mapped[0][0].resumo is not None
    # Onde não há listagem, ou ela não mostra tudo, é a resposta que diz que ele existe.
    by_answer = not resource.listed or not any(resource.is_listable(item.document) for item, _ in mapped)
    if "excluida_em" in resource.table.c and (listed or by_answer):
        stamp["excluida_em"] = None
    main = [
        row | stamp | {"extraido_em": item.asked or now} | ({"resumo_lista": item.resumo} if listed else {})
        for item, rows in mapped
        for row in rows[resource.table]
    ]
    volatile = ("extraido_em", "nao_encontrado_em", *resource.volatile)
    written = await upsert(connection, resource.table, main, volatile=volatile, history=history, now=now)
    if resource.waits_its_week:  # também o que veio igual espera agora a semana seguinte
        read = await repository.last_read(connection, resource.table, {row["id"] for row in main} - {*written.written})
        same = [id_ for id_, when in read.items() if is_weekly_due(when, now, id_)]
        await repository.note_read(connection, resource.table, same, now)
    await _replace_children(connection, resource, [rows for _, rows in mapped], written.written)
    for table in resource.first_seen:
        seen = _first_by_id(row | {"extraido_em": now} for _, rows in mapped for row in rows[table])
        await insert(connection, table, seen, ignore_present=True)
    return written


async def _replace_children(
    connection: AsyncConnection, resource: Resource, mapped: Sequence[Rows], parents: Sequence[Id]
) -> None:
    # De um documento repetido no lote vale o último, como no upsert.
    latest = {row["id"]: rows for rows in mapped for row in rows[resource.table]}
    for child in resource.children:
        rows = [row for parent in parents for row in latest[parent][child.table]]
        await replace_children(connection, child.table, child.parent, parents, rows, ours=child.ours)


async def rebuild(
    connection: AsyncConnection, resource: Resource, items: Sequence[tuple[Document, datetime]]
) -> list[tuple[Document, str]]:
    """Refaz as linhas derivadas de documentos já guardados, cada um com a hora em que foi extraído.

    As dos documentos que não se leem inteiros ficam como estavam; devolve-os, com a razão.
    """
    documents = await nameless(connection, resource, [document for document, _ in items])
    mapped: list[tuple[Rows, datetime]] = []
    unreadable: list[tuple[Document, str]] = []
    for document, (_, extracted) in zip(documents, items, strict=True):
        try:
            mapped.append((resource.rows(document), extracted))
        except UnreadableError as error:  # fica como estava, e devido
            unreadable.append((document, str(error)))
    # Também o que não se lê perde a pessoa que pediu que a apagassem.
    kept = [{"id": document["id"], "detalhe": document} for document, _ in unreadable]
    await upsert(connection, resource.table, kept)
    main = [
        {name: value for name, value in row.items() if name not in resource.state} | {"extraido_em": extracted}
        for rows, extracted in mapped
        for row in rows[resource.table]
    ]
    await upsert(connection, resource.table, main)
    ids = [row["id"] for row in main]
    await _replace_children(connection, resource, [rows for rows, _ in mapped], ids)
    for table in resource.first_seen:
        seen = _first_by_id(row | {"extraido_em": at} for rows, at in mapped for row in rows[table])
        await insert(connection, table, seen, ignore_present=True)
    if resource.after_save is not None:
        await resource.after_save(connection, ids)
    return unreadable


def _first_by_id(rows: Iterable[Row]) -> list[Row]:
    unique: dict[Id, Row] = {}
    for row in rows:
        unique.setdefault(row["id"], row)
    return list(unique.values())
