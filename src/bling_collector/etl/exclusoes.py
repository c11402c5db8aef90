"""Quanto se aceita dar por excluído de uma vez; acima disso espera-se a palavra de uma pessoa.

Um engano — outra conta, um filtro que o Bling ignora, uma listagem que falha — mostra-se como muita coisa que sumiu.
"""

from collections.abc import Collection
from math import isqrt
from typing import Final

from bling_collector.db import control, proof
from bling_collector.db.core import AsyncConnection
from bling_collector.errors import LASTING, BlingNotFoundError, BlingPausedError, CollectorError
from bling_collector.etl.context import RunContext
from bling_collector.payload import text
from bling_collector.streams.base import Stream
from bling_collector.windows import Window

FEW: Final = 3
"""Até tantas exclusões de uma vez nunca são demais, a não ser que sejam a maior parte de tudo."""
MOST_UNANSWERED: Final = 10
"""Até tantos registros sem resposta (404) nunca são demais, ainda que sejam todos os que se perguntaram."""
_WITNESSES: Final = 7
"""Quantas das outras notas por que se pergunta antes de dar outras por excluídas."""
_REMEDY: Final = (
    "Nenhuma exclusão foi anotada. Confira se a conta autorizada é a da empresa deste banco; se os registros foram "
    "mesmo excluídos, aceite-o com `bling-collector reconcile --repair --aceitar-exclusoes`."
)


class UnlikelyDeletionsError(CollectorError):
    """Uma parte improvável do que o banco tem não está mais no Bling: alguém precisa dizer que é isso mesmo."""

    title = "Exclusões demais"

    def __init__(self, message: str, stream: str) -> None:
        super().__init__(message)
        self.stream = stream


def limit(held: int) -> int:
    """Quantas exclusões se aceitam entre `held` registros: duas vezes a raiz quadrada, e nunca menos de `FEW`.

    São 12 de 44, 20 de 100, 62 de mil.
    """
    return max(FEW, 2 * isqrt(held))


def is_most(gone: int, held: int) -> bool:
    """Se, de tudo o que o banco tem, mais da metade sumiu; um só registro não diz nada."""
    return gone > 1 and 2 * gone > held


async def refuse_unlikely(
    ctx: RunContext, connection: AsyncConnection, stream: Stream, gone: int, checked: int, window: Window
) -> None:
    """UnlikelyDeletionsError se `gone` das `checked` notas da janela são demais; ou se o são com as que esta execução
    já deu por excluídas; ou se ela já se recusou a dar outras."""
    if ctx.accept_deletions:
        return
    before = ctx.gone[stream.name]
    held = await proof.count_living(connection, stream.kept) + before
    too_many = gone > limit(checked) or gone + before > limit(held) or is_most(gone + before, held)
    if too_many or stream.name in ctx.unlikely:
        raise UnlikelyDeletionsError(
            f"{stream.title} de {window}: de {checked} que o banco tem, pelo menos {gone} já não estão no Bling, o que "
            f"é improvável. {_REMEDY}",
            stream.name,
        )


async def refuse_without_witness(ctx: RunContext, stream: Stream, without: Collection[int]) -> None:
    """UnlikelyDeletionsError se o Bling também não responde pela maior parte de outras notas, espalhadas pela história:
    as que se conferem são só o começo, ou a conta não é a delas. Pergunta-se uma vez por execução."""
    if ctx.accept_deletions or stream.name in ctx.witnessed:
        return
    async with ctx.engine.connect() as connection:
        witnesses = await proof.living(connection, stream.table, without, _WITNESSES)
    answered, asked = 0, len(witnesses)
    for id_, numero in witnesses.items():
        try:
            document = await ctx.asking(ctx.client.detail(stream.path, id_))
        except BlingNotFoundError:
            continue
        except BlingPausedError:
            raise
        except LASTING:  # também uma testemunha pode ter um defeito, e então não diz nada
            asked -= 1
            continue
        answered += text(document.get("numero")) == numero  # um id pode existir também na conta de outro
        if 2 * answered > asked:
            break
    if 2 * answered < asked:
        raise UnlikelyDeletionsError(
            f"{stream.title}: além das que sumiram, o Bling não responde pela maior parte de outras que se pediram, o "
            f"que é improvável. {_REMEDY}",
            stream.name,
        )
    ctx.witnessed.add(stream.name)


async def mark_gone(ctx: RunContext, connection: AsyncConnection, stream: Stream, ids: Collection[int]) -> int:
    """Dá por excluídos os registros `ids` de um cadastro, e devolve quantos o banco tinha por vivos, que quem confirma
    a transação soma a `ctx.gone`. UnlikelyDeletionsError, e nada muda, se são demais.

    O que o banco só conheceu nesta execução, ou nunca teve como vivo, não é novidade que esteja excluído; mas nem isso
    pode ser mais da metade de tudo.
    """
    new = await proof.newly_gone(connection, stream.kept, ids, ctx.started)
    if not ctx.accept_deletions:
        before = ctx.gone[stream.name]
        held = await proof.count_living(connection, stream.kept) + before
        first = await control.checkpoint(connection, f"{stream.name}.excluidos") is None
        known = 0 if first else new.known + before
        if known > limit(held) or is_most(new.total + before, held):
            raise UnlikelyDeletionsError(
                f"{stream.title}: o Bling dá por excluídos {new.total} de {held} que o banco tem, o que é improvável. "
                f"{_REMEDY}",
                stream.name,
            )
    await proof.mark_gone(connection, stream.kept, ids, ctx.clock.now(), ctx.run_id, since=ctx.started)
    return new.total


def refuse_silence(ctx: RunContext, stream: Stream, what: str, missing: int, asked: int) -> None:
    """UnlikelyDeletionsError se o Bling respondeu 404 à maior parte de muitos registros que se perguntaram."""
    if not ctx.accept_deletions and missing > MOST_UNANSWERED and 2 * missing > asked:
        raise UnlikelyDeletionsError(
            f"{what}: o Bling diz não ter {missing} de {asked} que as notas citam, o que é improvável. {_REMEDY}",
            stream.name,
        )
