"""O que o Bling avisou à empresa. Os ids são textos (ULID)."""

from bling_simulator.company.dimensions.registers import as_register
from bling_simulator.company.register import Register
from bling_simulator.payload import Json

_NOTICES = (
    # (final do id, dia em que se criou, título, lida)
    ("4RRFFQ69G5FAV", "2021-03-15", "Nova tabela de NCM", True),
    ("5SSGGR70H6GBW", "2024-11-20", "Nota técnica 2024.003", True),
    ("6TTHHS81J7HCX", "2025-08-04", "Horário de verão", True),
    ("7VVJJT92K8JDY", "2025-12-30", "Obrigatoriedade do IBS e da CBS", False),
    ("8WWKKV03M9KEZ", "2026-01-05", "CNPJ com letras", False),
    ("9XXMMW14N0MFA", "2026-02-11", "Manutenção programada", False),
)


def make_notices() -> dict[str, Register]:
    """O cadastro, igual em toda empresa gerada."""
    return {"/notificacoes": as_register([_notice(*each) for each in _NOTICES])}


def _notice(end: str, created: str, titulo: str, read: bool) -> Json:
    return {
        "id": f"01ARZ3NDEKTSV{end}",
        "emitente": "Equipe Bling",
        "modulo": "FISCAL",
        "descricao": f"{titulo}: veja o que muda.",
        "titulo": titulo,
        "fonte": "SEFAZ",
        "linkAjuda": "",
        "acao": "",
        "dataCriacao": created,
        "dataEnvio": f"{created} 08:00:00",
        "dataVigencia": "0000-00-00",
        "dataAcao": "0000-00-00",
        "dataLeitura": f"{created} 11:50:00" if read else "",
        "dataAlerta": "0000-00-00",
        "dataPerigo": "0000-00-00",
        "enquadramentos": [{"tamanhoEmpresa": ["ME"], "idMunicipio": [], "uf": ["RS"], "crt": [1]}],
    }
