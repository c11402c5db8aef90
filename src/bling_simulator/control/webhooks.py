"""Rotas de controle sobre os avisos: ligá-los, e mandá-los a um endereço."""

import httpx2
from fastapi import APIRouter

from bling_simulator.bling import Bling
from bling_simulator.control.requests import Fields
from bling_simulator.payload import Json
from bling_simulator.webhooks import KINDS, posting_to


def webhook_routes(bling: Bling) -> APIRouter:
    router = APIRouter(prefix="/webhooks")

    @router.put("/{state}", status_code=204)
    def switch(state: str, recurso: str = "") -> None:
        """`on` liga os avisos, e outra coisa os desliga: os de `recurso`, ou todos."""
        which = {recurso} if recurso else {*KINDS}
        bling.webhooks.on = bling.webhooks.on | which if state == "on" else bling.webhooks.on - which

    @router.post("")
    async def deliver(fields: Fields) -> Json:
        """Manda a `url` os avisos do que mudou desde a última vez, como a rede os entrega (`repeated`, `lost`,
        `forged`: a parte deles); devolve quantos tiveram cada código."""
        url = str(fields.pop("url"))
        found = bling.webhooks.as_the_network_does(bling.webhooks.pending(), **fields)
        async with httpx2.AsyncClient(trust_env=False, timeout=5) as http:
            return await bling.webhooks.deliver(posting_to(http, url), found)

    return router
