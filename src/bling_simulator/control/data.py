"""Rotas de controle sobre os dados: a verdade, as notas e os cadastros."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from bling_simulator.answers import json_response
from bling_simulator.bling import Bling
from bling_simulator.control.requests import Fields, lines_of, refusals
from bling_simulator.payload import Json


def truth_routes(bling: Bling) -> APIRouter:
    router = APIRouter()

    @router.get("/truth")
    def truth(completa: bool = False) -> Response:
        """Os totais das notas de saída por ano e situação; com `completa=true`, também cada nota inteira."""
        years = {str(year): total.as_json() for year, total in bling.totals_by_year().items()}
        body: Json = {
            "years": years,
            "notes": sum(total["notes"] for total in years.values()),
            "cancelled": sum(total["cancelled"] for total in years.values()),
            "contacts": len(bling.contacts),
            "products": len(bling.products),
            "sellers": len(bling.sellers),
            "orders": len(bling.orders),
        }
        if completa:
            body["details"] = list(bling.notes.values())
        return json_response(body)

    return router


def company_routes(bling: Bling) -> APIRouter:
    router = APIRouter(prefix="/company")

    @router.post("/another", status_code=204)
    def another(fields: Fields) -> None:
        """A conta passa a ser a de outra empresa, com outros dados; `nome` e `cnpj` são opcionais."""
        with refusals():
            bling.become_another(**fields)

    return router


def note_routes(bling: Bling) -> APIRouter:
    router = APIRouter(prefix="/notes")

    @router.post("", status_code=201)
    def issue(fields: Fields) -> Json:
        """Emite uma nota; devolve o `id`. Os campos são os de `Bling.issue_note`, todos opcionais.

        `emitted_at` é ISO 8601 na hora de Brasília; `lines` traz os campos de `line_of`.
        """
        with refusals():
            return {"id": bling.issue_note(**_note_arguments(fields))}

    @router.patch("/{note_id}", status_code=204)
    def edit(note_id: int, fields: Fields) -> None:
        """Troca campos do detalhe."""
        with refusals():
            bling.edit_note(note_id, **fields)

    @router.post("/{note_id}/cancel", status_code=204)
    def cancel(note_id: int) -> None:
        with refusals():
            bling.cancel_note(note_id)

    @router.delete("/{note_id}", status_code=204)
    def delete(note_id: int) -> None:
        with refusals():
            bling.delete_note(note_id)

    return router


def contact_routes(bling: Bling) -> APIRouter:
    router = APIRouter(prefix="/contacts")

    @router.post("", status_code=201)
    def add(fields: Fields) -> Json:
        """Cadastra um contato; `kind` é J, F, E ou consumidor, e o resto são campos do detalhe."""
        with refusals():
            return {"id": bling.add_contact(**fields)}

    @router.patch("/{contact_id}", status_code=204)
    def edit(contact_id: int, fields: Fields) -> None:
        with refusals():
            bling.edit_contact(contact_id, **fields)

    @router.delete("/{contact_id}", status_code=204)
    def delete(contact_id: int) -> None:
        with refusals():
            bling.delete_contact(contact_id)

    return router


def product_routes(bling: Bling) -> APIRouter:
    router = APIRouter(prefix="/products")

    @router.post("", status_code=201)
    def add(fields: Fields) -> Json:
        """Cadastra um produto; `codigo` é obrigatório, e o resto são campos do detalhe."""
        with refusals():
            return {"id": bling.add_product(**fields)}

    @router.patch("/{product_id}", status_code=204)
    def edit(product_id: int, fields: Fields) -> None:
        with refusals():
            bling.edit_product(product_id, **fields)

    @router.delete("/{product_id}", status_code=204)
    def delete(product_id: int) -> None:
        with refusals():
            bling.delete_product(product_id)

    return router


def _note_arguments(fields: dict[str, Any]) -> dict[str, Any]:
    arguments = dict(fields)
    if "emitted_at" in fields:
        arguments["emitted_at"] = datetime.fromisoformat(fields["emitted_at"])
    if "lines" in fields:
        arguments["lines"] = lines_of(fields["lines"])
    return arguments
