"""`GET /caixas` e `GET /caixas/{id}`."""

from calendar import monthrange
from decimal import Decimal

from bling_simulator.answers import invalid
from bling_simulator.api.query import Query
from bling_simulator.api.resource import Resource
from bling_simulator.bling import Bling
from bling_simulator.clock import local_now
from bling_simulator.payload import Json

_ROW_FIELDS = ("debCred", "situacao", "data", "observacoes", "origem", "contato", "contaFinanceira")
_SITUATIONS = ("R", "E")


def list_caixas(bling: Bling, query: Query) -> list[Json]:
    """Do lançamento mais novo ao mais antigo (suposto). Sem período, os do mês; sem `situacao`, os registrados (as
    duas, referência)."""
    situacao = query.text("situacao") or "R"
    if situacao not in _SITUATIONS:
        raise invalid("situacao", "O valor de situacao é inválido.")
    reconciled = query.choice("situacaoConciliacao", range(1, 4), default=3)
    account, words, valor = query.integer("idContaFinanceira"), query.text("pesquisa"), query.text("valor")
    categories = query.many("idsCategorias")
    first, last = _period(bling, query)

    def wanted(entry: Json) -> bool:
        return (
            entry["situacao"] == situacao
            and first <= entry["data"] <= last
            and (reconciled == 3 or (reconciled == 1) is bool(entry["conciliacaoMovimentacao"]["id"]))
            and (account is None or entry["contaFinanceira"]["id"] == account)
            and (words is None or words.lower() in entry["observacoes"].lower())
            and (valor is None or entry["valor"] == Decimal(valor))
            and (not categories or str(entry["categoria"]["id"]) in categories)
        )

    found = sorted(bling.cash_entries.values(), key=lambda entry: (entry["data"], entry["id"]), reverse=True)
    return [entry for entry in found if wanted(entry)]


def caixa_row(entry: Json) -> Json:
    """A linha: o id é um texto, o valor de um débito é negativo (um relato), e não há categoria nem competência."""
    return {
        "id": str(entry["id"]),
        "valor": -entry["valor"] if entry["debCred"] == "D" else entry["valor"],
        **{field: entry[field] for field in _ROW_FIELDS},
        "descricao": entry.get("descricao", ""),
    }


def get_caixa(bling: Bling, entry_id: int) -> Json | None:
    """O detalhe, também o de um excluído; o valor é sempre positivo (um relato), e a descrição só a listagem a traz."""
    found = bling.cash_entries.get(entry_id)
    return {k: v for k, v in found.items() if k != "descricao"} if found else None


def _period(bling: Bling, query: Query) -> tuple[str, str]:
    interval = query.interval("data", bare_dates_get_time_of_day=False)
    if interval is not None:
        return interval.start.date().isoformat(), interval.end.date().isoformat()
    today = local_now(bling.clock).date()
    return today.replace(day=1).isoformat(), today.replace(day=monthrange(today.year, today.month)[1]).isoformat()


CAIXAS = Resource(
    "/caixas",
    list_caixas,
    caixa_row,
    get_caixa,
    edit=lambda bling, id_, changes: bling.edit_cash_entry(id_, **changes),
    delete=lambda bling, id_: bling.delete_cash_entry(id_),
    page_size=lambda bling: bling.settings.cash_page_size,
    wraps=lambda bling: bling.settings.bare_details_in_envelope,
)
