"""`GET /vendedores` e `GET /vendedores/{id}`."""

from bling_simulator.api.query import Query
from bling_simulator.api.resource import Resource
from bling_simulator.bling import Bling
from bling_simulator.company.register import Entry
from bling_simulator.payload import Json

_EVERYONE = "T"
_DELETED = "E"


def list_vendedores(bling: Bling, query: Query) -> list[Json]:
    """Do cadastro mais novo ao mais antigo (suposto). Sem `situacaoContato`, só os ativos; com T, todos, também os
    excluídos (referência). `nomeContato` é parte do nome, sem diferença de maiúsculas (suposto)."""
    situacao = query.letter("situacaoContato", "AISET", default="A")
    changed = query.interval("dataAlteracao", bare_dates_get_time_of_day=False)
    contact, shop = query.integer("idContato"), query.integer("idLoja")
    nome = (query.text("nomeContato") or "").lower()

    def wanted(entry: Entry) -> bool:
        seller = entry.detail
        return (
            situacao in {_EVERYONE, seller["contato"]["situacao"]}
            and (changed is None or changed.holds(entry.changed))
            and (contact is None or seller["contato"]["id"] == contact)
            and (shop is None or seller["loja"]["id"] == shop)
            and nome in seller["contato"]["nome"].lower()
        )

    found = [entry.detail for entry in bling.company.sellers.newest_first() if wanted(entry)]
    return [_nameless(seller) for seller in found] if bling.settings.seller_rows_without_name else found


def vendedor_row(seller: Json) -> Json:
    """A linha da lista: tudo menos as comissões (referência)."""
    return {field: seller[field] for field in ("id", "descontoLimite", "loja", "contato")}


def get_vendedor(bling: Bling, seller_id: int) -> Json | None:
    """O detalhe; o de um excluído não responde, como o de um contato excluído (suposto)."""
    entry = bling.company.sellers.entries.get(seller_id)
    if entry is None:
        return None
    gone = entry.detail["contato"]["situacao"] == _DELETED
    return None if gone and not bling.settings.deleted_detail_answers_200 else entry.detail


def _nameless(seller: Json) -> Json:
    contact = {field: value for field, value in seller["contato"].items() if field != "nome"}
    return seller | {"contato": contact}


VENDEDORES = Resource(
    "/vendedores",
    list_vendedores,
    vendedor_row,
    get_vendedor,
    edit=lambda bling, id_, changes: bling.edit_seller(id_, **changes),
    delete=lambda bling, id_: bling.delete_seller(id_),
)
