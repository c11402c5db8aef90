"""O que a página carrega: estilos, scripts e o ícone, de dentro do pacote, com a impressão do conteúdo no endereço."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, HTTPException, Response

PREFIX: Final = "/static/"
_TYPES: Final = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
_FOREVER: Final = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Asset:
    content: bytes
    media_type: str
    version: str


@cache
def assets() -> dict[str, Asset]:
    """Os arquivos que se servem, por nome."""
    found = {}
    for entry in files(__package__).joinpath("static").iterdir():
        if media_type := _TYPES.get(entry.name.rpartition(".")[2]):
            content = entry.read_bytes()
            found[entry.name] = Asset(content, media_type, sha256(content).hexdigest()[:12])
    return found


def static_url(name: str) -> str:
    """O endereço do arquivo; muda quando o conteúdo muda. KeyError se não existe."""
    return f"{PREFIX}{assets()[name].version}/{name}"


@router.get(PREFIX + "{version}/{name}")
async def static(version: str, name: str) -> Response:
    asset = assets().get(name)
    if asset is None or asset.version != version:
        raise HTTPException(404)
    return Response(asset.content, media_type=asset.media_type, headers={"Cache-Control": _FOREVER})
