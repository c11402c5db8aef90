"""As NFS-e da empresa: os serviços que presta a alguns dos seus clientes."""

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from hashlib import sha256
from random import Random

from bling_simulator.company.register import Register
from bling_simulator.payload import Json

_FIRST_ID = 9_900_000_307
_EVERY = 5
"""Uma nota de serviço a cada tantas notas de saída."""
PENDING, ISSUED, AVAILABLE, CANCELLED = range(4)


def make_services(rng: Random, notes: Collection[Json], contacts: Register) -> dict[int, Json]:
    """Da mais antiga à mais nova; a última ainda está pendente, e algumas foram canceladas."""
    days = sorted(date.fromisoformat(note["dataEmissao"][:10]) for note in notes if note["tipo"] == 1)[::_EVERY]
    people = [entry.detail for entry in contacts.entries.values() if not entry.deleted and entry.detail["nome"]]
    found: dict[int, Json] = {}
    for place, day in enumerate(days if people else []):
        situacao = CANCELLED if place % 9 == 4 else ISSUED if place % 4 == 0 else AVAILABLE
        situacao = PENDING if place and place == len(days) - 1 else situacao
        service_id = max(found, default=_FIRST_ID) + rng.randrange(1_000, 90_000)
        valor = Decimal(rng.randrange(9_000, 400_000)) / 100
        found[service_id] = build_service(service_id, place + 1, day, situacao, rng.choice(people), valor)
    return found


def build_service(service_id: int, rps: int, day: date, situacao: int, contact: Json, valor: Decimal) -> Json:
    """O detalhe. Uma pendente não tem número, link nem código (suposto)."""
    service: Json = {
        "id": service_id,
        "numero": "",
        "numeroRPS": str(rps),
        "serie": "1",
        "situacao": situacao,
        "dataEmissao": day.isoformat(),
        "valor": valor,
        "contato": {key: contact[key] for key in ("id", "nome", "numeroDocumento", "email")},
        "link": "",
        "codigoVerificacao": "",
    }
    return service | issued(service) if situacao != PENDING else service


def issued(service: Json) -> Json:
    """O que a prefeitura dá a uma nota quando a emite."""
    code = sha256(str(service["id"]).encode()).hexdigest()[:9].upper()
    number = f"{service['dataEmissao'][:4]}{int(service['numeroRPS']):011d}"
    return {"numero": number, "link": f"https://nfse.vale.example/ver?codigo={code}", "codigoVerificacao": code}
