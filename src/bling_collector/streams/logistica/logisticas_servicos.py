"""Os serviços das logísticas (PAC, SEDEX…): GET /logisticas/servicos."""

from collections.abc import Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from bling_collector.clock import brasilia_day, is_weekly_due
from bling_collector.db import control
from bling_collector.db.models import logisticas_servicos
from bling_collector.db.resources import repository
from bling_collector.errors import BlingNotFoundError
from bling_collector.etl.resource import Document, Person, Resource, Rows, Whole, may_be_hidden
from bling_collector.payload import Fields, integer, objects
from bling_collector.streams.logistica.logisticas import LOGISTICAS
from bling_collector.traces import only

if TYPE_CHECKING:
    from bling_collector.etl.context import RunContext

_KEPT: Final = (
    *("id", "descricao", "codigo", "idCodigoServico", "ativo", "freteItem", "estimativaEntrega", "logistica"),
)
"""O que fica do serviço de quem pediu que os seus dados fossem apagados: um campo novo é tomado por pessoal."""
_OF_LOGISTICAS: Final = r"""
    SELECT id::bigint
    FROM (SELECT jsonb_path_query(detalhe, 'lax $.servicos[*].id') #>> '{}' FROM logisticas
          WHERE detalhe IS NOT NULL AND excluida_em IS NULL) AS ids (id)
    WHERE id ~ '^[0-9]{1,18}$'"""
"""Os que as logísticas dizem ter."""
_ALIVE: Final = "excluida_em IS NULL"


def rows(servico: Document) -> Rows:
    """A linha de um serviço."""
    read = Fields(servico)
    return {
        logisticas_servicos: [
            {
                "id": read.id("id"),
                "logistica_id": read.reference("logistica"),
                "descricao": read.text("descricao"),
                "codigo": read.text("codigo"),
                "codigo_servico": read.text("idCodigoServico"),
                "ativo": read.boolean("ativo"),
                "frete_item": read.measured("freteItem"),
                "estimativa_entrega": read.integer("estimativaEntrega"),
                "transportador_id": read.reference("transportador"),
                "detalhe": servico,
            }
        ]
    }


def nameless_servico(servico: Document) -> Document:
    """O serviço sem quem transporta, de que fica o id."""
    kept = only(servico, _KEPT)
    return kept | ({"transportador": only(servico["transportador"], ("id",))} if "transportador" in servico else {})


async def _read_inactive(ctx: "RunContext") -> None:
    """Uma vez por semana, os inativos: o detalhe de uma logística mostra-os a quem os pede, e listagem nenhuma. Dele
    basta o id, que o registro diz mais."""
    from bling_collector.etl.fetch import Wanted, details, fetch_and_store  # só quem coleta os carrega

    name, now, table = f"{LOGISTICAS_SERVICOS.name}.inativos", ctx.clock.now(), logisticas_servicos
    async with ctx.engine.connect() as connection:
        if not ctx.everything and not is_weekly_due(await control.checkpoint(connection, name), now, name):
            return
        logisticas = await repository.already_given(connection, LOGISTICAS.kept, _ALIVE, brasilia_day(now))
    found: set[int] = set()
    asked = {id_: Wanted(params=(("listarServicosInativos", "true"),)) for id_ in logisticas}
    async with aclosing(details(ctx, LOGISTICAS, logisticas, dict, wanted=asked)) as answers:
        async for fetched in answers:
            if fetched.document is not None:
                services = objects(fetched.document.get("servicos"))
                found |= {id_ for each in services if (id_ := integer(each.get("id")))}
            elif not isinstance(fetched.error, BlingNotFoundError):
                ctx.problems.append(f"{LOGISTICAS.name} {fetched.id}: os serviços não se leem: {fetched.error}")
    ctx.check_stop()
    async with ctx.engine.connect() as connection:
        found -= await repository.already_read(connection, table, found)
    read = (await fetch_and_store(ctx, LOGISTICAS_SERVICOS, {id_: Wanted() for id_ in found})).read
    ctx.check_stop()
    async with ctx.transaction() as connection:
        await repository.mark_unlisted(connection, table, read)
        await control.move_checkpoint(connection, name, now)


def _cost(new: Mapping[str, float], held: Mapping[str, int]) -> float:
    """O detalhe de cada logística, por semana."""
    return held.get("logisticas", 0) / 7


LOGISTICAS_SERVICOS = Resource(
    name="logisticas_servicos",
    title="Serviços das logísticas",
    noun="Serviço de uma logística",
    singular="logistica_servico",
    permission="Logísticas",
    path="/logisticas/servicos",
    table=logisticas_servicos,
    rows=rows,
    always=("descricao",),
    detail=False,
    # Nada se diz de a listagem dos serviços mostrar os inativos, e não tem como pedi-los.
    listable=may_be_hidden,
    special=(_read_inactive,),
    special_cost=_cost,
    whole=Whole(weekly=True),
    besides=_OF_LOGISTICAS,
    cites=(("logisticas", logisticas_servicos.c.logistica_id), ("contatos", logisticas_servicos.c.transportador_id)),
    history=(),
    person=Person(
        nameless_servico,
        contato_id=logisticas_servicos.c.transportador_id,
        path=("transportador", "id"),
        names=(),
    ),
)
