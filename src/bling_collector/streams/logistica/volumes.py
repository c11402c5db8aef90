"""Os volumes que um pedido ou uma nota despacha: o id de cada um é o do objeto da logística."""

from typing import Literal

from bling_collector.db.models import transporte_volumes
from bling_collector.etl.resource import Child, Document
from bling_collector.payload import Row, integer, objects, part, text


def child_of(tipo: Literal["pedido", "nota"]) -> Child:
    """Os volumes deste tipo de documento, na tabela que é dos dois."""
    return Child(transporte_volumes, "documento_id", ours=f"documento_tipo = '{tipo}'")


def volumes(document: Document, tipo: Literal["pedido", "nota"]) -> list[Row]:
    """As linhas dos volumes; o que não se lê deles não impede que se leia o documento."""
    return [
        {
            "documento_tipo": tipo,
            "documento_id": integer(document.get("id")),
            "ordem": ordem,
            "objeto_id": integer(volume.get("id")) or None,
            "servico": text(volume.get("servico")),
            "codigo_rastreamento": text(volume.get("codigoRastreamento")),
        }
        for ordem, volume in enumerate(objects(part(document, "transporte", "volumes")), start=1)
    ]
