"""Uma conta a receber ou a pagar em palavras, para as listas, os arquivos, a página dela e a do pedido."""

from datetime import date
from typing import Final

from bling_collector.documentos import masked
from bling_collector.insight.finance.accounts import Accounts
from bling_collector.insight.finance.situacoes import situacao
from bling_collector.web.panel.tables.table import Column, Table

TITLES: Final = {"receber": "Contas a receber", "pagar": "Contas a pagar"}
WHO: Final = {"receber": "Cliente", "pagar": "Fornecedor"}
_OPEN: Final = (1, 3)
_TONES: Final = {2: "good", 3: "warning", 4: "bad", 5: "bad", 6: "bad", 7: "good"}


def state(code: int | None, due: date | None, hoje: date, *, gone: bool = False) -> tuple[str, str]:
    """(a situação em palavras, o tom dela)."""
    if gone:
        return "Excluída no Bling", "warning"
    if code in _OPEN and due is not None and due < hoje:
        return f"{situacao(code)}, vencida", "bad"
    return situacao(code), _TONES.get(code or 0, "neutral")


def accounts_table(lado: str, found: Accounts, hoje: date) -> Table:
    """As contas, como se baixam."""
    columns = (
        Column("Conta"),
        Column("Id no Bling"),
        Column(WHO[lado]),
        Column("CNPJ ou CPF"),
        Column("Emissão", "day"),
        Column("Vencimento", "day"),
        Column("Situação"),
        Column("Valor", "money"),
        Column("Em aberto", "money"),
        Column("Último pagamento", "day"),
    )
    rows = [
        (
            row.numero_documento,
            str(row.conta_id),
            row.contato_nome,
            masked(row.contato_documento),
            row.data_emissao,
            row.vencimento,
            state(row.situacao, row.vencimento, hoje)[0],
            row.valor,
            row.em_aberto,
            row.pago_em,
        )
        for row in found.rows
    ]
    return Table(f"contas-a-{lado}", TITLES[lado], columns, rows, len(rows))
