"""O que houve com o que o Bling deixou de mostrar: mudou de data, foi excluído, ou não se sabe; e o mês, conferido.

Quanto se aceita dar por excluído de uma vez tem limite; acima dele espera-se a palavra de uma pessoa. Um engano — outra
conta, um filtro que o Bling ignora, uma listagem que falha — mostra-se como muita coisa que sumiu.
"""

from collections.abc import Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import date
from math import isqrt
from typing import Final

from bling_collector.clock import today
from bling_collector.db import proof
from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.control import Owed
from bling_collector.db.resources import repository
from bling_collector.errors import LASTING, BlingNotFoundError, BlingPausedError, CollectorError
from bling_collector.etl.check import months_of
from bling_collector.etl.context import RunContext
from bling_collector.etl.fetch import details
from bling_collector.etl.listing import Listing, list_window
from bling_collector.etl.resource import Document, Id, Resource
from bling_collector.etl.save import BATCH, Item
from bling_collector.payload import text
from bling_collector.windows import Window, whole_months
from bling_collector.words import upper_first

FEW: Final = 3
"""Até tantas exclusões de uma vez nunca são demais, a não ser que sejam a maior parte de tudo."""
MOST_UNANSWERED: Final = 10
"""Até tantos registros sem resposta (404) nunca são demais, ainda que sejam todos os que se perguntaram."""
READINGS: Final = 2
"""Quantas leituras seguidas de uma listagem sem período não mostram um registro até que se creia que ela não o tem."""
_WITNESSES: Final = 7
"""Por quantos dos outros registros se pergunta antes de dar alguns por excluídos."""
_REMEDY: Final = (
    "Nenhuma exclusão foi anotada. Confira se a conta autorizada é a desta empresa; se os registros foram "
    "mesmo excluídos, aceite-o com `bling-collector reconcile --repair --aceitar-exclusoes`."
)


class UnlikelyDeletionsError(CollectorError):
    """Uma parte improvável do que o banco tem não está mais no Bling: alguém precisa dizer que é isso mesmo."""

    title = "Exclusões demais"

    def __init__(self, subject: str, found: str, resource: str) -> None:
        """`subject` é do que se fala, e `found`, o que se achou dele."""
        why = f"{found}, o que é improvável. {_REMEDY}"
        super().__init__(f"{subject}: {why}")
        self.why = upper_first(why)
        """O mesmo, para onde já se diz de que se fala."""
        self.resource = resource


def limit(held: int) -> int:
    """Quantas exclusões se aceitam entre `held` registros: duas vezes a raiz quadrada, e nunca menos de `FEW`.

    São 12 de 44, 20 de 100, 62 de mil.
    """
    return max(FEW, 2 * isqrt(held))


def is_most(gone: int, held: int) -> bool:
    """Se, de tudo o que o banco tem, mais da metade sumiu; um só registro não diz nada."""
    return gone > 1 and 2 * gone > held


async def refuse_unlikely(
    ctx: RunContext, connection: AsyncConnection, resource: Resource, gone: int, checked: int, window: Window
) -> None:
    """UnlikelyDeletionsError se `gone` dos `checked` registros da janela são demais; ou se o são com os que esta
    execução já deu por excluídos; ou se ela já se recusou a dar outros."""
    if ctx.accept_deletions:
        return
    before = ctx.gone[resource.name]
    held = await proof.count_living(connection, resource.kept) + before
    too_many = gone > limit(checked) or gone + before > limit(held) or is_most(gone + before, held)
    if too_many or resource.name in ctx.unlikely:
        raise UnlikelyDeletionsError(
            f"{resource.title} de {window}",
            f"de {checked} que o banco tem, pelo menos {gone} já não estão no Bling",
            resource.name,
        )


async def refuse_without_witness(ctx: RunContext, resource: Resource, without: Collection[int]) -> None:
    """UnlikelyDeletionsError se o Bling também não responde pela maior parte de outros registros, espalhados pela
    história: os que se conferem são só o começo, ou a conta não é a deles. Pergunta-se uma vez por execução."""
    if ctx.accept_deletions or resource.name in ctx.witnessed:
        return
    async with ctx.engine.connect() as connection:
        witnesses = await proof.living(connection, resource.table, without, _WITNESSES)
    answered, asked = 0, len(witnesses)
    for id_, numero in witnesses.items():
        try:
            document = await ctx.asking(ctx.detail(resource, id_, dict))
        except BlingNotFoundError:  # também esta sumiu: conta contra
            continue
        except BlingPausedError:  # o Bling está fora do ar: de testemunha nenhuma se sabe
            raise
        except LASTING:  # também uma testemunha pode ter um defeito, e então não diz nada
            asked -= 1
            continue
        answered += (
            numero is None or text(document.get("numero")) == numero
        )  # um id pode existir também na conta de outro
        if 2 * answered > asked:
            break
    if 2 * answered < asked:
        raise UnlikelyDeletionsError(
            resource.title,
            "além das que sumiram, o Bling não responde pela maior parte de outras que se pediram",
            resource.name,
        )
    ctx.witnessed.add(resource.name)


async def mark_gone(
    ctx: RunContext, connection: AsyncConnection, resource: Resource, ids: Collection[Id], *, first: bool = False
) -> int:
    """Dá por excluídos os registros `ids` de um cadastro, e devolve quantos o banco tinha por vivos, que quem confirma
    a transação soma a `ctx.gone`. UnlikelyDeletionsError, e nada muda, se são demais.

    O que o banco só conheceu nesta execução, ou nunca teve como vivo, não é novidade que esteja excluído, e nada o é na
    primeira leitura (`first`); mas nem isso pode ser mais da metade de tudo.
    """
    new = await proof.newly_gone(connection, resource.kept, ids, ctx.started)
    if not ctx.accept_deletions:
        before = ctx.gone[resource.name]
        held = await proof.count_living(connection, resource.kept) + before
        known = 0 if first else new.known + before
        if known > limit(held) or is_most(new.total + before, held):
            raise UnlikelyDeletionsError(
                resource.title,
                f"o Bling dá por excluídos {new.total} de {held} que o banco tem",
                resource.name,
            )
    await proof.mark_gone(connection, resource.kept, ids, ctx.clock.now(), ctx.run_id, since=ctx.started)
    return new.total


def refuse_silence(ctx: RunContext, resource: Resource, what: str, missing: int, asked: int) -> None:
    """UnlikelyDeletionsError se o Bling respondeu 404 à maior parte de muitos registros que se perguntaram."""
    if not ctx.accept_deletions and missing > MOST_UNANSWERED and 2 * missing > asked:
        raise UnlikelyDeletionsError(
            what,
            f"o Bling diz não ter {missing} de {asked} que se pediram",
            resource.name,
        )


@dataclass
class Unlisted:
    """O que se soube do que a listagem não mostra."""

    gone: list[int] = field(default_factory=list)
    moved: list[int] = field(default_factory=list)
    """Mudaram de data, ou passaram ao que nenhuma listagem mostra."""
    in_doubt: list[int] = field(default_factory=list)
    """Não se pôde saber."""
    skipped: bool = False
    """A listagem passou por cima de um que existe: é preciso lê-la de novo."""


async def settle_the_unlisted(
    ctx: RunContext, resource: Resource, window: Window, days: Mapping[int, date], held: int
) -> Unlisted:
    """Decide o que houve com o que o banco tem (id → dia) e a listagem completa não mostra, e marca o excluído.

    UnlikelyDeletionsError, e nenhum é marcado, se são demais dos `held` que o banco tem na janela.

    Cada um é pedido pelo id. Se responde com outra data, só mudou, e é salvo. Se responde com a de antes, uma segunda
    leitura, do seu dia, diz se a listagem passou por cima dele. Se não, o Bling ainda responde por um excluído ou, onde
    o recurso o diz (`listable`), existe e nenhuma o mostra: é salvo, e anota-se que é assim. Do que outra janela, lida
    ao lado desta, já gravou com outra data nada há a decidir.
    """
    result = Unlisted()
    days = await _still_here(ctx, resource, window, days)
    by_day = sorted(days, key=lambda id_: (days[id_], id_))
    for start in range(0, len(by_day), BATCH):
        await _settle_some(ctx, resource, window, days, by_day[start : start + BATCH], held, result)
    if result.gone:
        async with ctx.transaction() as connection:
            await proof.mark_gone(connection, resource.kept, result.gone, ctx.clock.now(), ctx.run_id)
        ctx.gone[resource.name] += len(result.gone)
    return result


async def _settle_some(
    ctx: RunContext,
    resource: Resource,
    window: Window,
    days: Mapping[int, date],
    ids: Collection[int],
    held: int,
    result: Unlisted,
) -> None:
    """O mesmo destes `ids`, que acrescenta a `result`. Os que existem salvam-se já; os excluídos ainda não se marcam,
    que só depois de todos se sabe se são demais."""
    moved: list[Item] = []
    unlisted: list[Item] = []
    answering: dict[date, dict[int, Document]] = {}
    async with aclosing(details(ctx, resource, ids)) as answers:
        async for fetched in answers:
            if isinstance(fetched.error, BlingNotFoundError):
                result.gone.append(fetched.id)
                if len(result.gone) > limit(held):  # já: as outras não se perguntam à toa
                    await _refuse_too_many(ctx, resource, window, result, held)
            elif fetched.document is None:
                result.in_doubt.append(fetched.id)
                ctx.problems.append(
                    f"{resource.name} {fetched.id} saiu da listagem e não se sabe por quê: {fetched.error}"
                )
            else:
                day = resource.day(fetched.document) or days[fetched.id]
                if window.inicio <= day <= window.fim:
                    answering.setdefault(day, {})[fetched.id] = fetched.document
                else:
                    result.moved.append(fetched.id)
                    moved.append(Item(fetched.document))
    ctx.check_stop()
    for day, documents in sorted(answering.items()):
        listing = await list_window(ctx, resource, Window(day, day))
        left = [document for id_, document in documents.items() if id_ not in listing.listed]
        result.skipped |= len(left) < len(documents)
        if listing.unread:
            result.in_doubt += [document["id"] for document in left]
            ctx.note_unread(resource, listing.unread)
            continue
        result.gone += [document["id"] for document in left if resource.is_listable(document)]
        unlisted += [Item(document) for document in left if not resource.is_listable(document)]
    result.moved += [item.document["id"] for item in unlisted]
    if result.gone:
        await _refuse_too_many(ctx, resource, window, result, held)
        await refuse_without_witness(ctx, resource, days)
    if moved or unlisted:
        async with ctx.transaction() as connection:
            here = await proof.held(connection, resource.kept, window.inicio, window.fim)
            # A linha de um que mudou de data, se volta a ser a de antes, já não é a do que se tem: esquece-se.
            for items, note in ((moved, repository.forget_listed), (unlisted, repository.mark_unlisted)):
                kept = [item for item in items if item.document["id"] in here]
                await ctx.store(connection, resource, kept)
                await note(connection, resource.table, [item.document["id"] for item in kept])


async def _still_here(
    ctx: RunContext, resource: Resource, window: Window, days: Mapping[int, date]
) -> Mapping[int, date]:
    if not days:
        return days
    async with ctx.engine.connect() as connection:
        here = await proof.held(connection, resource.kept, window.inicio, window.fim)
    return {id_: day for id_, day in days.items() if id_ in here}


async def _refuse_too_many(ctx: RunContext, resource: Resource, window: Window, unlisted: Unlisted, held: int) -> None:
    async with ctx.engine.connect() as connection:
        await refuse_unlikely(ctx, connection, resource, len(unlisted.gone), held, window)


async def record_proof(
    ctx: RunContext,
    connection: AsyncConnection,
    resource: Resource,
    window: Window,
    listing: Listing,
    found: Mapping[int, date],
) -> None:
    """Guarda a conferência dos meses inteiros da janela que se leram; `found` é o dia do que se encontrou e reparou."""
    whole = whole_months(window, ctx.scope or window.inicio, today(ctx.clock))
    months = [month for month in whole if not any(month.touches(unread) for unread in listing.unread)]
    if months:
        held = await proof.held(connection, resource.kept, window.inicio, window.fim)
        counts = await proof.count_held(connection, resource.kept, window.inicio, window.fim)
        checked = months_of(months, listing.listed, held, counts, found, listing.otherwise)
        await proof.record(connection, resource.name, checked, ctx.clock.now(), ctx.run_id, repaired=ctx.repair)
        ctx.differing -= {(resource.name, month.inicio) for month in checked}
        ctx.differing |= {(resource.name, month.inicio) for month in checked if not month.same}


def owed_of(unread: Mapping[Window, str]) -> list[Owed]:
    """O que não se leu, como se deve: dos que começam no mesmo dia, o mais comprido."""
    longest = {window.inicio: Owed(window.inicio, window.fim, why) for window, why in sorted(unread.items())}
    return list(longest.values())
