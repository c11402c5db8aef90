"""Rotas de controle sobre quem vende."""

from fastapi import APIRouter

from bling_simulator.bling import Bling
from bling_simulator.control.requests import Fields, refusals
from bling_simulator.payload import Json


def seller_routes(bling: Bling) -> APIRouter:
    router = APIRouter(prefix="/sellers")

    @router.post("", status_code=201)
    def add(fields: Fields) -> Json:
        """Cadastra um vendedor; os campos são os do detalhe, e sem `contato` cadastra-se um contato para ele."""
        with refusals():
            return {"id": bling.add_seller(**fields)}

    @router.patch("/{seller_id}", status_code=204)
    def edit(seller_id: int, fields: Fields) -> None:
        with refusals():
            bling.edit_seller(seller_id, **fields)

    @router.delete("/{seller_id}", status_code=204)
    def delete(seller_id: int) -> None:
        with refusals():
            bling.delete_seller(seller_id)

    return router
