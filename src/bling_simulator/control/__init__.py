"""A interface de controle em `/_control`: cada rota é uma porta para um método da alça."""

from fastapi import APIRouter

from bling_simulator.bling import Bling
from bling_simulator.control import data, sales, server, webhooks


def control_router(bling: Bling) -> APIRouter:
    """As rotas de controle de um Bling. A descrição delas está em `/_control/docs`."""
    router = APIRouter(tags=["controle"])
    for routes in (data.truth_routes, data.company_routes, data.note_routes, data.contact_routes, data.product_routes):
        router.include_router(routes(bling))
    for routes in (sales.seller_routes, sales.order_routes, webhooks.webhook_routes):
        router.include_router(routes(bling))
    for routes in (server.settings_routes, server.token_routes, server.fault_routes, server.counter_routes):
        router.include_router(routes(bling))
    return router
