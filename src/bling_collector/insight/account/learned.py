"""O que se aprendeu de como o Bling responde a esta conta: o que as fontes não dizem, ou dizem de duas maneiras.

Cada lição é um ponto de leitura que a coleta põe quando vê, e tira quando já não é verdade; ou uma das perguntas que se
fizeram à conta quando ela se autorizou. Nada se pergunta aqui.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bling_collector.db import answers, control
from bling_collector.db.connection.core import AsyncConnection
from bling_collector.etl.listing import HIDDEN
from bling_collector.etl.narrowing import REJECTED
from bling_collector.etl.strategies.changed import IGNORED, READ
from bling_collector.streams.questions import QUESTIONS
from bling_collector.streams.registry import RESOURCES
from bling_collector.words import lower_first


@dataclass(frozen=True)
class Lesson:
    """O que se aprendeu: quando se viu pela última vez, e o que quer dizer."""

    quando: datetime
    frase: str


_SAYS: Final[Mapping[str, Callable[[str, str], str]]] = {
    HIDDEN: lambda of, which: f"a listagem de {of} esconde registros: pedem-se também as dos outros filtros.",
    REJECTED: lambda of, which: f"o Bling recusa o filtro {which} em {of}; pede-se outra vez por semana.",
    READ: lambda of, which: f"o filtro de alteração de {of} é lido: o que muda vê-se na execução seguinte.",
    IGNORED: lambda of, which: (
        f"o Bling ignora o filtro de alteração de {of}: se são muitos, só se busca o que a listagem mostra mudado."
    ),
    control.REFUSED: lambda of, which: f"falta a permissão de ler {of}; pede-se de novo uma vez por dia.",
}
"""O fim do nome do ponto de leitura → o que ele quer dizer, do recurso e do que vem depois dele no nome."""


async def read_learned(connection: AsyncConnection) -> list[Lesson]:
    """As lições, na ordem em que se coletam os recursos; depois, as respostas da conta."""
    found = await control.all_checkpoints(connection)
    lessons = []
    if (seen := found.get(control.SHORT_PAGES)) is not None:
        lessons.append(Lesson(seen, "uma página curta não é a última: as listagens leem-se sempre até a vazia."))
    for resource in RESOURCES:
        for name, quando in found.items():
            owner, _, rest = name.partition(".")
            kind, _, which = rest.partition(".")
            if owner == resource.name and kind in _SAYS and not (kind == HIDDEN and which):
                lessons.append(Lesson(quando, _SAYS[kind](lower_first(resource.title), which)))
    told = {each.pergunta: each for each in await answers.read(connection)}
    for question in QUESTIONS:
        answer = told.get(question.name)
        if answer is not None and (frase := question.says.get(answer.resposta)) is not None:
            lessons.append(Lesson(answer.respondida_em, frase))
    return lessons
