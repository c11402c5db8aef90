"""O que as rotas de controle têm em comum: o corpo livre e a tradução dos erros da alça."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Body, HTTPException

from bling_simulator.company.invoices.lines import line_of
from bling_simulator.payload import Json

Fields = Annotated[dict[str, Any], Body()]


@contextmanager
def refusals() -> Iterator[None]:
    """O que não existe é 404; o que não faz sentido é 422."""
    try:
        yield
    except KeyError as error:
        raise HTTPException(404, f"Não existe: {error.args[0]}") from error
    except (TypeError, ValueError, re.error) as error:
        raise HTTPException(422, str(error)) from error


def lines_of(given: Sequence[Json]) -> list[Json]:
    """As linhas de uma nota ou de um pedido, dos campos de `line_of`."""
    return [line_of(**{**line, "valor": Decimal(str(line["valor"]))}) for line in given]
