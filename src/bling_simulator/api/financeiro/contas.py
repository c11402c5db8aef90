"""`GET /contas/receber`, `GET /contas/pagar` e os detalhes."""

from collections.abc import Iterable
from datetime import date, timedelta

from bling_simulator.answers import invalid
from bling_simulator.api.query import Interval, Query
from bling_simulator.api.resource import Resource
from bling_simulator.bling import Bling
from bling_simulator.clock import local_now
from bling_simulator.payload import Json

_RECEIVABLE_ROW = (
    "id", "situacao", "vencimento", "valor", "idTransacao", "linkQRCodePix", "linkBoleto", "dataEmissao", "contato",
    "formaPagamento", "contaContabil", "origem",
)  # fmt: skip
"""O que vem na listagem: o saldo, a categoria, o portador, o vendedor e os borderôs só no detalhe (referência)."""
_PAYABLE_ROW = ("id", "situacao", "vencimento", "valor", "contato", "formaPagamento")
"""Nem a emissão."""
_YEAR = timedelta(days=365)
_UNLISTED = (6, 7)
"""As que talvez nenhuma listagem mostre: devolvida em parte e confirmada."""


def list_contas_receber(bling: Bling, query: Query) -> list[Json]:
    """Da emissão mais nova à mais antiga (suposto). O período é o da data que `tipoFiltroData` diz; sem ele, do último
    ano, até hoje, pela emissão (referência)."""
    statuses = query.many("situacoes[]")
    if statuses - {"1", "2", "3", "4", "5"}:
        raise invalid("situacoes[]", "O valor de situacoes[] é inválido.")
    axis = query.letter("tipoFiltroData", "EVR", "E")
    first, last = _period(bling, query)
    contact, seller, method = (query.integer(name) for name in ("idContato", "idVendedor", "idFormaPagamento"))
    holder, categories = query.integer("idPortador"), query.many("idsCategorias[]")

    def wanted(account: Json) -> bool:
        return (
            _is_listed(bling, account)
            and (not statuses or str(account["situacao"]) in statuses)
            and any(first <= day <= last for day in _days(bling, account, axis))
            and (contact is None or account["contato"]["id"] == contact)
            and (seller is None or account["vendedor"]["id"] == seller)
            and (method is None or account["formaPagamento"]["id"] == method)
            and (holder is None or account["portador"]["id"] == holder)
            and (not categories or str(account["categoria"]["id"]) in categories)
        )

    return [_as_answered(bling, each) for each in _newest_first(bling.receivables.values()) if wanted(each)]


def list_contas_pagar(bling: Bling, query: Query) -> list[Json]:
    """Todas, da emissão mais nova à mais antiga (suposto)."""
    status, contact = query.choice("situacao", range(1, 6)), query.integer("idContato")
    names = {"dataEmissao": "E", "dataVencimento": "V", "dataPagamento": "R"}
    ignored = bling.settings.payable_filters_are_ignored
    periods = {
        axis: _ends(interval)
        for name, axis in names.items()
        if not ignored and (interval := query.interval(name, bare_dates_get_time_of_day=False)) is not None
    }

    def wanted(account: Json) -> bool:
        return (
            _is_listed(bling, account)
            and (status is None or account["situacao"] == status)
            and (contact is None or account["contato"]["id"] == contact)
            and all(
                any(first <= day <= last for day in _days(bling, account, axis))
                for axis, (first, last) in periods.items()
            )
        )

    found = [_as_answered(bling, each) for each in _newest_first(bling.payables.values()) if wanted(each)]
    if bling.settings.payable_due_differs:
        return [account | {"vencimento": account["vencimentoOriginal"]} for account in found]
    return found


def conta_receber_row(account: Json) -> Json:
    return {field: account[field] for field in _RECEIVABLE_ROW}


def conta_pagar_row(account: Json) -> Json:
    return {field: account[field] for field in _PAYABLE_ROW}


def get_conta_receber(bling: Bling, account_id: int) -> Json | None:
    found = bling.receivables.get(account_id)
    return _as_answered(bling, found) if found else None


def get_conta_pagar(bling: Bling, account_id: int) -> Json | None:
    found = bling.payables.get(account_id)
    return _as_answered(bling, found) if found else None


def _is_listed(bling: Bling, account: Json) -> bool:
    return not (bling.settings.returned_and_confirmed_accounts_are_unlisted and account["situacao"] in _UNLISTED)


def _period(bling: Bling, query: Query) -> tuple[str, str]:
    if bling.settings.receivable_filters_are_ignored:
        return "", "~"
    interval = query.interval("data", bare_dates_get_time_of_day=False)
    if interval is not None:
        return _ends(interval)
    today: date = local_now(bling.clock).date()
    return (today - _YEAR).isoformat(), today.isoformat()


def _ends(interval: Interval) -> tuple[str, str]:
    return interval.start.date().isoformat(), interval.end.date().isoformat()


def _days(bling: Bling, account: Json, axis: str) -> list[str]:
    """As datas da conta por que este período a acha: a emissão, o vencimento, ou cada recebimento."""
    if axis == "E":
        return [account["dataEmissao"]]
    if axis == "V":
        return [account["vencimento"]]
    return [bling.borderos[each]["data"] for each in account["borderos"] if each in bling.borderos]


def _newest_first(accounts: Iterable[Json]) -> list[Json]:
    return sorted(accounts, key=lambda account: (account["dataEmissao"], account["id"]), reverse=True)


def _as_answered(bling: Bling, account: Json) -> Json:
    if not bling.settings.payment_links_are_signed or "linkBoleto" not in account:
        return account
    key = bling.counters.total
    return account | dict.fromkeys(("linkBoleto", "linkQRCodePix"), f"https://pagar.example/?accessKey={key}")


CONTAS_RECEBER = Resource(
    "/contas/receber",
    list_contas_receber,
    conta_receber_row,
    get_conta_receber,
    edit=lambda bling, id_, changes: bling.edit_account("receber", id_, **changes),
    delete=lambda bling, id_: bling.delete_account("receber", id_),
)
CONTAS_PAGAR = Resource(
    "/contas/pagar",
    list_contas_pagar,
    conta_pagar_row,
    get_conta_pagar,
    edit=lambda bling, id_, changes: bling.edit_account("pagar", id_, **changes),
    delete=lambda bling, id_: bling.delete_account("pagar", id_),
)
