"""Cada endereço que o Bling deixa ler é coletado, ou a decisão diz por que não."""

import json
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DESCRIPTION = os.environ.get("BLING_OPENAPI", "")
"""A descrição oficial, que não acompanha este repositório."""
_PARAMETER = re.compile(r"{\w+}")


@pytest.mark.skipif(not DESCRIPTION, reason="BLING_OPENAPI não aponta para a descrição oficial da API")
def test_every_address_is_read_or_said_not_to_be() -> None:
    paths = json.loads(Path(DESCRIPTION).read_text("utf-8"))["paths"]
    addresses = {_PARAMETER.sub("{}", path) for path, methods in paths.items() if "get" in methods}
    assert len(addresses) > 80
    code = "".join(path.read_text("utf-8") for path in (ROOT / "src" / "bling_collector").rglob("*.py"))
    read = {_PARAMETER.sub("{}", path).rstrip("/") for path in re.findall(r'"(/[a-z{][^" ]*)"', code)}
    page = (ROOT / "docs" / "decisions" / "o-que-nao-se-coleta.md").read_text("utf-8")
    said = {_PARAMETER.sub("{}", path) for path in re.findall(r"`(/[^` ]*)`", page)}
    lacking = {path for path in addresses - read - said if path.removesuffix("/{}") not in read}
    assert lacking == set(), "colete-se, ou diga-se por que não em docs/decisions/o-que-nao-se-coleta.md"
