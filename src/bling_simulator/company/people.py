"""Contatos inventados: empresas, pessoas, estrangeiros e o consumidor final."""

from random import Random
from typing import Literal

from bling_simulator.company.brazil import (
    BRANDS,
    COUNTRIES,
    DISTRICTS,
    ENDINGS,
    FIRST_NAMES,
    PLACES,
    STREETS,
    SURNAMES,
    TRADES,
    Place,
)
from bling_simulator.company.documents import make_cnpj, make_cpf
from bling_simulator.payload import Json

Kind = Literal["J", "F", "E", "consumidor"]

CUSTOMER_TYPE = {"id": 1_483_001, "descricao": "Cliente"}
SUPPLIER_TYPE = {"id": 1_483_002, "descricao": "Fornecedor"}


def make_contact(rng: Random, kind: Kind, *, supplier: bool = False, vendedor: int = 0) -> Json:
    """O detalhe de um contato, com `id` 0: quem o cadastra lhe dá o número."""
    place = rng.choice(PLACES)
    nome, numero_documento = _identity(rng, kind)
    slug = "".join(letter for letter in nome.lower() if letter.isascii() and letter.isalnum())[:18]
    tem_ie = kind == "J" and rng.random() < 0.8
    has_mail = kind != "consumidor" and rng.random() < 0.9
    mail = f"compras@{slug}.example" if has_mail else ""
    endereco = _address(rng, kind, place)
    return {
        "id": 0,
        "nome": nome,
        "codigo": "",
        "situacao": "A",
        "numeroDocumento": numero_documento,
        "telefone": f"({place.area_code}) 5555-{rng.randrange(10_000):04d}" if has_mail else "",
        "celular": f"({place.area_code}) 95555-{rng.randrange(10_000):04d}" if rng.random() < 0.5 else "",
        "fantasia": nome.split(" ")[0] if kind == "J" else "",
        "tipo": "F" if kind == "consumidor" else kind,
        "indicadorIe": 1 if tem_ie else 9,
        "ie": f"{rng.randrange(10**9, 10**10)}" if tem_ie else "",
        "rg": f"{rng.randrange(10**8, 10**9)}" if kind == "F" and rng.random() < 0.4 else "",
        "inscricaoMunicipal": "",
        "orgaoEmissor": "",
        "email": mail,
        "emailNotaFiscal": mail,
        "orgaoPublico": "N",
        "endereco": {"geral": endereco, "cobranca": _blank(endereco)},
        "vendedor": {"id": vendedor},
        "dadosAdicionais": {"dataNascimento": "0000-00-00", "sexo": "M", "naturalidade": ""},
        "financeiro": {"limiteCredito": 0, "condicaoPagamento": "", "categoria": {"id": 0}},
        "pais": {"nome": rng.choice(COUNTRIES)[0] if kind == "E" else ""},
        "tiposContato": [SUPPLIER_TYPE if supplier else CUSTOMER_TYPE],
        "pessoasContato": [],
    }


def as_note_contact(contact: Json | None) -> Json:
    """O retrato do contato que a nota guarda; sem contato, tudo vazio e id 0."""
    if contact is None:
        return _note_contact({"id": 0, "nome": "", "tipo": "F", "indicadorIe": 9})
    return _note_contact(contact)


def _note_contact(contact: Json) -> Json:
    geral = contact.get("endereco", {}).get("geral", {})
    address = ("endereco", "numero", "complemento", "bairro", "cep", "municipio", "uf")
    return {
        "id": contact["id"],
        "nome": contact["nome"],
        "tipoPessoa": contact["tipo"],
        "numeroDocumento": contact.get("numeroDocumento", ""),
        "ie": contact.get("ie", ""),
        "rg": contact.get("rg", ""),
        "contribuinte": contact["indicadorIe"],
        "telefone": contact.get("telefone", ""),
        "email": contact.get("email", ""),
        "endereco": {
            **{field: geral.get(field, "") for field in address},
            "pais": contact.get("pais", {}).get("nome", ""),
        },
    }


def _identity(rng: Random, kind: Kind) -> tuple[str, str]:
    person = f"{rng.choice(FIRST_NAMES)} {rng.choice(SURNAMES)} {rng.choice(SURNAMES)}"
    match kind:
        case "J":
            trade, brand, ending = rng.choice(TRADES), rng.choice(BRANDS), rng.choice(ENDINGS)
            return f"{trade} {brand} {rng.choice(SURNAMES)} {ending}", make_cnpj(rng)
        case "F":
            return person, make_cpf(rng)
        case "E":
            return f"{rng.choice(BRANDS)} {rng.choice(SURNAMES)} S.R.L.", ""
        case "consumidor":
            return "Consumidor Final", ""


def _address(rng: Random, kind: Kind, place: Place) -> Json:
    if kind == "E":
        return {
            "endereco": "Ruta Nacional 9", "cep": "", "bairro": "Exterior", "municipio": "EXTERIOR", "uf": "EX",
            "numero": str(rng.randrange(1, 900)), "complemento": "",
        }  # fmt: skip
    return {
        "endereco": rng.choice(STREETS),
        "cep": f"{place.cep}{rng.randrange(1000):03d}",
        "bairro": rng.choice(DISTRICTS),
        "municipio": place.municipio,
        "uf": place.uf,
        "numero": str(rng.randrange(1, 3000)) if rng.random() < 0.95 else "S/N",
        "complemento": rng.choice(("", "", "", "Sala 2", "Galpão B")),
    }


def _blank(address: Json) -> Json:
    return dict.fromkeys(address, "")
