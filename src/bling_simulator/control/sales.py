"""Rotas de controle sobre quem vende e o que se pediu."""

from datetime import date
from typing import Any

from fastapi import APIRouter

from bling_simulator.bling import Bling
from bling_simulator.control.requests import Fields, lines_of, refusals
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


def order_routes(bling: Bling) -> APIRouter:
    router = APIRouter(prefix="/orders")

    @router.post("", status_code=201)
    def add(fields: Fields) -> Json:
        """Faz um pedido; devolve o `id`. Os campos são os de `Bling.add_order`, todos opcionais.

        `ordered_on` é AAAA-MM-DD; `lines` traz os campos de `line_of`; `situacao` pode ser só o id.
        """
        with refusals():
            return {"id": bling.add_order(**_order_arguments(fields))}

    @router.patch("/{order_id}", status_code=204)
    def edit(order_id: int, fields: Fields) -> None:
        """Troca campos do detalhe; a data de alteração passa a ser agora."""
        with refusals():
            bling.edit_order(order_id, **fields)

    @router.post("/{order_id}/cancel", status_code=204)
    def cancel(order_id: int) -> None:
        with refusals():
            bling.cancel_order(order_id)

    @router.delete("/{order_id}", status_code=204)
    def delete(order_id: int) -> None:
        with refusals():
            bling.delete_order(order_id)

    return router


def _order_arguments(fields: dict[str, Any]) -> dict[str, Any]:
    arguments = dict(fields)
    if "ordered_on" in fields:
        arguments["ordered_on"] = date.fromisoformat(fields["ordered_on"])
    if "lines" in fields:
        arguments["lines"] = lines_of(fields["lines"])
    return arguments
