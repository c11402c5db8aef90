"""As situações de uma conta, em palavras."""

from typing import Final

SITUACOES: Final = {
    1: "Em aberto",
    2: "Paga",
    3: "Paga em parte",
    4: "Devolvida",
    5: "Cancelada",
    6: "Devolvida em parte",
    7: "Confirmada",
}
"""As de GET /contas/receber; GET /contas/pagar usa os mesmos números."""


def situacao(code: int | None) -> str:
    """A situação em palavras; uma que ninguém conhece diz o seu número."""
    return "Sem situação" if code is None else SITUACOES.get(code, f"Situação {code}")
