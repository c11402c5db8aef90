"""`/nfe/documento/{chave}`: o XML de uma nota, coerente com ela, e as outras leituras."""

import gzip
from base64 import b64decode
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import httpx2
import pytest

from bling_simulator import Bling
from bling_simulator.company.invoices.xml import note_xml

SPACE = "{http://www.portalfiscal.inf.br/nfe}"


async def asked(client: httpx2.AsyncClient, chave: str, **params: str) -> httpx2.Response:
    return await client.get(f"/nfe/documento/{chave}", params=params)


def some(bling: Bling, situacao: int, tipo: int = 1) -> Any:
    return next(note for note in bling.notes.values() if (note["situacao"], note["tipo"]) == (situacao, tipo))


def values(root: ET.Element, name: str) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SPACE}{name}")]


async def test_it_comes_as_base64_of_gzip_inside_a_list(client: httpx2.AsyncClient, bling: Bling) -> None:
    note = some(bling, 6)
    (found,) = (await asked(client, note["chaveAcesso"], formato="xml")).json()["data"]
    assert found.keys() == {"nome", "conteudo"}
    assert gzip.decompress(b64decode(found["conteudo"])) == note_xml(note, bling.profile)
    assert (await asked(client, note["chaveAcesso"])).status_code == 400
    assert (await asked(client, "1" * 44, formato="xml")).status_code == 404


async def test_the_other_readings(client: httpx2.AsyncClient, bling: Bling) -> None:
    cancelled, other = some(bling, 2)["chaveAcesso"], some(bling, 6)["chaveAcesso"]
    bling.configure(document_is_not_gzip=True)
    (found,) = (await asked(client, other, formato="xml")).json()["data"]
    assert b64decode(found["conteudo"]).startswith(b"<?xml")
    assert b"<infNFe" in b64decode((await asked(client, cancelled, formato="xml")).json()["data"][0]["conteudo"])
    bling.configure(cancelled_document_is_the_event=True)
    event = b64decode((await asked(client, cancelled, formato="xml")).json()["data"][0]["conteudo"])
    assert b"<infNFe" not in event
    assert cancelled.encode() in event
    bling.configure(cancelled_document_answers_404=True)
    assert (await asked(client, cancelled, formato="xml")).status_code == 404


def test_a_nota_without_authorisation_has_no_document(bling: Bling) -> None:
    from bling_simulator.api.documentos import get_documento

    assert get_documento(bling, some(bling, 1)["chaveAcesso"]) is None
    assert get_documento(bling, "") is None


@pytest.mark.parametrize("tipo", [0, 1])
def test_the_xml_is_that_of_the_nota(bling: Bling, tipo: int) -> None:
    for note in bling.notes.values():
        if note["tipo"] != tipo or not note["xml"]:
            continue
        root = ET.fromstring(note_xml(note, bling.profile))  # noqa: S314 — feito aqui
        (info,) = root.iter(f"{SPACE}infNFe")
        assert info.get("Id") == f"NFe{note['chaveAcesso']}"
        assert values(root, "chNFe") == [note["chaveAcesso"]]
        assert [Decimal(value) for value in values(root, "vProd")[:-1]] == [
            line["valorTotal"] for line in note["itens"]
        ]
        sums = {name: sum(map(Decimal, values(root, name)[:-1])) for name in ("vProd", "vFrete", "vDesc", "vIPI")}
        assert [Decimal(value) for value in values(root, "vNF")] == [note["valorNota"]]
        assert sums["vProd"] + sums["vFrete"] - sums["vDesc"] + sums["vIPI"] == note["valorNota"]
        issuer = next(info.iter(f"{SPACE}emit"))
        assert (bling.profile["cnpj"] in values(issuer, "CNPJ")) == (tipo == 1)
