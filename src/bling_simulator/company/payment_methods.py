"""As formas de pagamento da empresa, com algumas já inativas."""

from bling_simulator.payload import Json

_BASE_ID = 2_094_000

# (descrição, código fiscal, ativa, padrão, destino)
_METHODS = (
    ("Dinheiro", 1, 1, 0, 2),
    ("Boleto bancário", 15, 1, 1, 1),
    ("PIX", 17, 1, 0, 2),
    ("Cartão de crédito", 3, 1, 0, 1),
    ("Cartão de débito", 4, 1, 0, 1),
    ("Cheque", 2, 0, 0, 1),
    ("Duplicata mercantil", 14, 0, 0, 1),
    ("Depósito bancário", 16, 1, 0, 3),
    ("PIX (chave da empresa)", 20, 1, 0, 3),
    ("Sem pagamento", 90, 1, 0, 2),
    ("Outros", 99, 1, 0, 1),
)


def make_payment_methods() -> dict[int, Json]:
    """id → detalhe, na ordem de cadastro."""
    methods = {}
    for position, (descricao, tipo, situacao, padrao, destino) in enumerate(_METHODS):
        method: Json = {
            "id": _BASE_ID + 137 * position,
            "descricao": descricao,
            "tipoPagamento": tipo,
            "situacao": situacao,
            "fixa": tipo == 1,
            "padrao": padrao,
            "finalidade": 1 if tipo != 90 else 3,
            "juros": 0,
            "multa": 0,
            "condicao": "28 56" if tipo in {14, 15} else "0",
            "destino": destino,
            "utilizaDiasUteis": False,
            "taxas": {"aliquota": 2.49 if tipo in {3, 4} else 0, "valor": 0, "prazo": 30 if tipo == 3 else 0},
        }
        if tipo in {3, 4}:
            method["dadosCartao"] = {
                "bandeira": 99, "tipo": 2, "cnpjCredenciadora": "", "autoLiquidacao": 0,
            }  # fmt: skip
        methods[int(method["id"])] = method
    return methods
