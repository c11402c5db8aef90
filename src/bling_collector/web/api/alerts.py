"""Os alarmes por HTTP: o que está soando, e conferir agora o que não depende de uma execução acabar."""

from fastapi import APIRouter, Depends

from bling_collector.insight.alarms import load_alarms
from bling_collector.insight.snapshots import as_json
from bling_collector.payload import Json
from bling_collector.web.api.answers import AlarmState, problems
from bling_collector.web.api.running import no_body
from bling_collector.web.door.origin import same_origin
from bling_collector.web.service import OneService

router = APIRouter(prefix="/alerts", tags=["Situação"])


@router.get(
    "",
    summary="Os alarmes que já soaram e o estado de cada um",
    responses=problems(503),
    response_model=list[AlarmState],
)
async def alerts(service: OneService) -> Json:
    async with service.opened() as account:
        return as_json(await load_alarms(account.engine))


@router.post(
    "/check",
    summary="Confere os alarmes agora e diz aos destinos o que mudou",
    description="Para um agendamento: percebe que a coleta diária deixou de acontecer mesmo que nada mais chame o "
    "serviço. Só diz o que mudou.",
    responses=problems(403, 422, 503),
    response_model=list[AlarmState],
    dependencies=[Depends(same_origin), Depends(no_body)],
)
async def check(service: OneService) -> Json:
    async with service.opened() as account:
        if unchecked := await account.alarms.check():
            raise unchecked
        return as_json(await load_alarms(account.engine))
