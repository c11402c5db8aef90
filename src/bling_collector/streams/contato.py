"""O contato que os documentos trazem, e por que as pessoas conhecem um registro."""

from collections.abc import Callable

from bling_collector.etl.resource import Document
from bling_collector.payload import Fields, Row, integer, part, text


def contato_of(read: Fields, *, tipo: str) -> list[Row]:
    """A linha do contato como o documento o traz, se traz um; `tipo` é a chave do tipo de pessoa. O detalhe, que sabe
    mais, vem com os contatos."""
    contato_id = read.reference("contato")
    if contato_id is None:
        return []
    return [
        {
            "id": contato_id,
            "nome": read.text("contato", "nome"),
            "documento": read.documento("contato", "numeroDocumento"),
            "tipo_pessoa": read.text("contato", tipo),
        }
    ]


def known_by(*numero: str) -> Callable[[Document], Row]:
    """Os `names` de um recurso: o contato da linha e, se ela o tem, o número, no fim deste caminho."""

    def names(row: Document) -> Row:
        return {
            "numero": text(part(row, *numero)) if numero else None,
            "contato_id": integer(part(row, "contato", "id")) or None,
            "contato_nome": text(part(row, "contato", "nome")),
        }

    return names
