"""Os formulários do painel, lidos sem biblioteca."""

from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import parse_qsl

from fastapi import HTTPException, Request

from bling_collector.errors import UsageError
from bling_collector.words import agreed, several

_FIELDS: Final = 50


async def fields(request: Request) -> dict[str, str]:
    """Os campos de um formulário urlencoded; de um nome repetido, o último. 422 para um que não se lê."""
    try:
        return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True, max_num_fields=_FIELDS))
    except ValueError:
        raise HTTPException(422, "O formulário não pôde ser lido.") from None


def local_path(value: str | None) -> str:
    """O endereço, se é um caminho deste serviço; senão, o da primeira página."""
    if value is None or not value.startswith("/") or value.startswith(("//", "/\\")) or not value.isprintable():
        return "/"
    return "/" if "\\" in value or value.startswith("/entrar") else value


def only(request: Request, names: Sequence[str]) -> dict[str, str]:
    """O que o endereço traz em cada um destes parâmetros, sem espaços em volta; o que falta é vazio.

    UsageError para um que não existe: ignorá-lo seria mostrar outra coisa que a pedida.
    """
    query = request.query_params
    if strange := sorted(set(query) - set(names)):
        raise UsageError(f"Esta página não conhece o filtro “{strange[0][:40]}”.")
    return {name: query.get(name, "").strip() for name in names}


def record_id(value: str, otherwise: str) -> int:
    """O id que o endereço traz; 404, com a frase `otherwise`, se não é um."""
    if value.isascii() and value.isdigit() and 0 < len(value) < 19 and int(value) > 0:
        return int(value)
    raise HTTPException(404, otherwise)


def not_collected(recursos: Sequence[str]) -> UsageError:
    """O erro de quem pede um arquivo do que não se coleta."""
    return UsageError(
        f"Estes números saem de {several(recursos)}, que não se {agreed(len(recursos), 'coleta', 'coletam')}."
    )


def unknown_table(name: str, offered: Iterable[str]) -> UsageError:
    """O erro de quem pede para baixar uma tabela que a página não tem."""
    return UsageError(f"Não há uma tabela chamada “{name[:40]}”. As que há: {', '.join(offered)}.")
