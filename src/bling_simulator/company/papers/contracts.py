"""Os contratos de manutenção: uma cobrança de tempos em tempos."""

from datetime import datetime, timedelta
from decimal import Decimal

from bling_simulator.company.papers.papers import Desk
from bling_simulator.company.register import Register
from bling_simulator.payload import Json

INACTIVE, ACTIVE, SETTLED, EXEMPT, UNDER_REVIEW = range(5)
_FIRST_ID = 2_700_000_011
_STATUSES = (ACTIVE, SETTLED, ACTIVE, INACTIVE, EXEMPT, ACTIVE, ACTIVE)
_EVERY = 61


def make_contracts(desk: Desk) -> Register:
    """Do mais antigo ao mais novo, cada um de um cliente; nenhum em avaliação."""
    register, customers = Register(), desk.customers()
    for position, status in enumerate(_STATUSES if customers else ()):
        made = desk.today - timedelta(days=_EVERY * (len(_STATUSES) - position))
        moment = datetime.combine(made, datetime.min.time())
        contract = _contract(desk, f"{position + 1}", made.isoformat(), status, desk.rng.choice(customers)["id"])
        register.add(contract, moment, record_id=_FIRST_ID + 23 * position)
    return register


def _contract(desk: Desk, numero: str, made: str, status: int, contact: int) -> Json:
    rng = desk.rng
    until = f"{int(made[:4]) + 2}-{made[5:7]}"
    other = rng.choice(desk.customers())["id"] if rng.random() < 0.3 else 0
    return {
        "id": 0,
        "descricao": f"Manutenção preventiva {numero}",
        "data": made,
        "numero": numero,
        "valor": Decimal(rng.randrange(9_900, 99_000)) / 100,
        "situacao": status,
        "contato": {"id": contact},
        "dataFim": until if rng.random() < 0.7 else "0000-00",
        "tipoManutencao": rng.choice((1, 2)),
        "emitirOrdemServico": rng.random() < 0.5,
        "observacoes": "",
        "vendedor": {
            "id": rng.choice((0, *desk.sellers.entries)),
            "comissao": {"aliquota": Decimal("2.5"), "numeroParcelas": 1},
        },
        "categoria": {"id": 0},
        "desconto": {"valor": Decimal("4.99") if rng.random() < 0.3 else Decimal(0), "dataFim": until},
        "contaContabil": {"id": 0},
        "formaPagamento": {"id": rng.choice(list(desk.methods))},
        "notaFiscal": {
            "mes": 2,
            "gerar": 1,
            "descontarImpostoRenda": 3,
            "texto": "",
            "cfop": "",
            "iss": {"descontar": False, "aliquota": Decimal(0)},
            "item": {"codigoServico": "14.01", "produto": {"id": 0}},
        },
        "cobranca": {
            "dataBase": made,
            "contato": {"id": other},
            "vencimento": {"tipo": 1, "dia": 10, "periodicidade": rng.choice((1, 1, 1, 3, 5))},
        },
    }
