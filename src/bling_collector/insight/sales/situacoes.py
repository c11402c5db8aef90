"""As situações de uma nota, as operações e as formas de pagamento fiscais, em palavras."""

from typing import Final

SITUACOES: Final = {
    1: "Pendente",
    2: "Cancelada",
    3: "Aguardando recibo",
    4: "Rejeitada",
    5: "Autorizada",
    6: "Emitida",
    7: "Registrada",
    8: "Aguardando protocolo",
    9: "Denegada",
    10: "Consulta situação",
    11: "Bloqueada",
}
"""Como em vw_notas_por_situacao; a 6 é a autorizada com o DANFE emitido."""
PAGAMENTOS: Final = {
    1: "Dinheiro",
    2: "Cheque",
    3: "Cartão de crédito",
    4: "Cartão de débito",
    5: "Crédito da loja",
    10: "Vale-alimentação",
    11: "Vale-refeição",
    12: "Vale-presente",
    13: "Vale-combustível",
    14: "Duplicata",
    15: "Boleto",
    16: "Depósito",
    17: "PIX",
    18: "Transferência ou carteira digital",
    19: "Fidelidade ou cashback",
    20: "PIX estático",
    21: "Crédito em loja",
    90: "Sem pagamento",
    99: "Outros",
}
"""Os códigos do campo tPag da NF-e."""


OPERACOES: Final = {
    "venda": "Venda",
    "devolucao": "Devolução",
    "transferencia": "Transferência",
    "remessa": "Remessa ou retorno",
    "outra": "Outra saída",
    "complementar": "Nota complementar",
    "ajuste": "Nota de ajuste",
    "credito": "Nota de crédito",
    "debito": "Nota de débito",
    "desconhecida": "CFOP fora da tabela",
}
"""As operações de vw_nfe_operacoes, que a finalidade da nota e o CFOP das linhas dizem."""


def situacao(code: int | None) -> str:
    """A situação em palavras; uma que ninguém conhece diz o seu número."""
    return "Sem situação" if code is None else SITUACOES.get(code, f"Situação {code}")
