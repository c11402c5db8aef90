"""Os recursos que se coletam, na ordem em que se fala deles."""

from typing import Final

from bling_collector.streams.base import Stream
from bling_collector.streams.categorias_produto import CATEGORIAS_PRODUTO
from bling_collector.streams.contatos import CONTATOS
from bling_collector.streams.formas_pagamento import FORMAS_PAGAMENTO
from bling_collector.streams.nfe import NFE
from bling_collector.streams.produtos import PRODUTOS

RESOURCES: Final[tuple[Stream, ...]] = (NFE, CONTATOS, PRODUTOS, CATEGORIAS_PRODUTO, FORMAS_PAGAMENTO)


def named(name: str) -> Stream | None:
    """O recurso deste nome (`contatos`), ou do singular dele (`contato`); None se não há."""
    return next((stream for stream in RESOURCES if name in (stream.name, stream.singular)), None)
