"""O nome por que o serviço é chamado: bem escrito, e um dos seus."""

import re
from collections.abc import Collection
from ipaddress import IPv6Address
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

ASKED: Final = "asked_host"
"""No `state` do pedido: o nome por que o proxy diz que foi chamado; sem proxy, não está lá."""
LOCAL: Final = ("localhost", "*.localhost", "127.0.0.1", "[::1]")
"""Os nomes desta máquina; um navegador nunca procura noutra o que acaba em `.localhost`."""
_HOST: Final = re.compile(
    r"(?P<name>[\w.-]{0,253}|\[(?P<six>[0-9a-f:.]{2,45})\])(?::\d{0,5})?", re.IGNORECASE | re.ASCII
)


def asked_hosts(scope: Scope) -> list[str]:
    """O Host que chegou e, se um proxy de confiança o diz, o que chegou a ele."""
    asked = scope.get("state", {}).get(ASKED)
    return [Headers(scope=scope).get("host", ""), *([asked] if asked else [])]


def name_of(host: str) -> str | None:
    """O nome, em minúsculas e sem a porta; None se isso não é um Host."""
    found = _HOST.fullmatch(host)
    if found is None:
        return None
    try:
        return f"[{IPv6Address(found['six'])}]" if found["six"] else found["name"].lower().removesuffix(".")
    except ValueError:
        return None


def is_allowed(name: str, allowed: Collection[str]) -> bool:
    """Se o nome é um dos permitidos, ou está abaixo de um `*.nome`."""
    return any(each in ("*", name) or (each.startswith("*.") and name.endswith(each[1:])) for each in allowed)
