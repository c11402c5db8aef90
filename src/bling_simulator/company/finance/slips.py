"""Os boletos: das contas a receber de uma nota, ou de um pedido, as que têm um."""

from collections.abc import Iterable
from decimal import Decimal

from bling_simulator.company.finance.accounts import BY_SLIP, CANCELLED, CONFIRMED, PAID, PARTLY_RETURNED
from bling_simulator.payload import Json

_STATUS = {PARTLY_RETURNED: 5, CANCELLED: 6, CONFIRMED: PAID}
"""A situação da conta, na numeração dos boletos (referência); as outras são as mesmas."""


def slips(accounts: Iterable[Json]) -> dict[int, Json]:
    """Id da origem → o que se responde dela, com os boletos de todas as situações."""
    found: dict[int, Json] = {}
    for account in accounts:
        origin = account["origem"]
        if not origin["id"] or account["formaPagamento"]["codigoFiscal"] not in BY_SLIP:
            continue
        is_order = origin["tipoOrigem"] == "venda"
        of_origin = found.setdefault(
            origin["id"],
            {
                "venda": {"numero": origin["numero"] if is_order else ""},
                "notaFiscal": {"numero": "" if is_order else origin["numero"]},
                "valorTotal": Decimal(0),
                "contas": [],
            },
        )
        if account["linkBoleto"]:
            of_origin["valorTotal"] += account["valor"]
            of_origin["contas"].append(_slip(account))
    return found


def _slip(account: Json) -> Json:
    return {
        "id": account["id"],
        "numeroExterno": f"BW{account['id'] % 10**7:x}",
        "vencimento": account["vencimento"],
        "valor": account["valor"],
        "situacao": _STATUS.get(account["situacao"], account["situacao"]),
    }
