"""O que se pergunta uma vez a cada conta, assim que se autoriza: as respostas ficam no banco, e `doctor` as diz."""

import logging
from collections.abc import Collection, Sequence

from bling_collector.api.bling_client import BlingClient
from bling_collector.clock import Clock, today
from bling_collector.db import answers, control
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.errors import LASTING, BlingPausedError, CollectorError
from bling_collector.etl.listing import hidden
from bling_collector.etl.resource import Params, Resource
from bling_collector.payload import Json
from bling_collector.streams.questions import PAGE, QUESTIONS, Question

log = logging.getLogger(__name__)

_ATTEMPTS = 2


async def first_look(engine: AsyncEngine, client: BlingClient, clock: Clock, resources: Collection[Resource]) -> int:
    """Faz as perguntas dos recursos que se coletam, uma ou duas requisições cada uma; devolve quantas tiveram resposta.

    Nunca falha: uma que o Bling não atende fica sem resposta e, se ele não atende nenhuma, as outras ficam por fazer.
    """

    async def page(resource: Resource, params: Params) -> Sequence[Json]:
        place = (1 if resource.paged else None, PAGE if resource.paged and resource.sized else None)
        return await client.page(resource.path, params, *place, key=resource.key, attempts=_ATTEMPTS)

    told = 0
    for question in QUESTIONS:
        if question.resource not in resources:
            continue
        try:
            said = await question.ask(page, today(clock))
        except BlingPausedError as error:
            log.warning("As perguntas da conta ficaram em meio: %s", error)
            return told
        except LASTING as error:  # falta a permissão, ou o Bling recusa o que só se supõe que aceite
            log.info("A pergunta %s ficou sem resposta: %s", question.name, error)
            continue
        except CollectorError as error:
            log.warning("As perguntas da conta ficaram em meio: %s", error)
            return told
        if said is not None:
            await _keep(engine, clock, question, *said)
            told += 1
    if told:  # sem resposta nenhuma, volta-se a perguntar
        async with engine.begin() as connection:
            await control.move_checkpoint(connection, control.FIRST_LOOK, clock.now())
    return told


async def _keep(engine: AsyncEngine, clock: Clock, question: Question, answer: str, seen: str) -> None:
    async with engine.begin() as connection:
        await answers.keep(connection, question.name, answer, seen, clock.now())
        if question.hides == answer:
            await control.move_checkpoint(connection, hidden(question.resource), clock.now())
