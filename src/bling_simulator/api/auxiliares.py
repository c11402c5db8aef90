"""Os recursos pequenos: formas de pagamento, categorias de produto e dados da empresa."""

from bling_simulator.api.query import Query
from bling_simulator.api.resource import Resource
from bling_simulator.bling import Bling
from bling_simulator.payload import Json

_FORMA_ROW = (
    "id", "descricao", "tipoPagamento", "situacao", "fixa", "padrao", "finalidade", "juros", "multa",
)  # fmt: skip


def list_formas_pagamentos(bling: Bling, query: Query) -> list[Json]:
    """Ativas e inativas, a não ser que `situacao` escolha."""
    situacao = query.choice("situacao", range(2), default=1 if bling.settings.methods_hide_inactive else None)
    tipos = query.many("tiposPagamentos[]")
    descricao = (query.text("descricao") or "").lower()
    return [
        method
        for method in bling.company.payment_methods.values()
        if (situacao is None or method["situacao"] == situacao)
        and (not tipos or str(method["tipoPagamento"]) in tipos)
        and descricao in method["descricao"].lower()
    ]


def forma_pagamento_row(method: Json) -> Json:
    return {field: method[field] for field in _FORMA_ROW}


def get_forma_pagamento(bling: Bling, method_id: int) -> Json | None:
    return bling.company.payment_methods.get(method_id)


def list_categorias(bling: Bling, query: Query) -> list[Json]:
    del query  # a listagem de categorias só tem página
    return list(bling.company.categories.values())


def categoria_row(category: Json) -> Json:
    return category


def get_categoria(bling: Bling, category_id: int) -> Json | None:
    return bling.company.categories.get(category_id)


def get_dados_basicos(bling: Bling) -> Json:
    return bling.profile


FORMAS_PAGAMENTOS = Resource(
    "/formas-pagamentos",
    list_formas_pagamentos,
    forma_pagamento_row,
    get_forma_pagamento,
    edit=lambda bling, id_, changes: bling.company.payment_methods[id_].update(changes),
    delete=lambda bling, id_: bling.company.payment_methods.pop(id_),
)
CATEGORIAS_PRODUTOS = Resource(
    "/categorias/produtos",
    list_categorias,
    categoria_row,
    get_categoria,
    edit=lambda bling, id_, changes: bling.company.categories[id_].update(changes),
    delete=lambda bling, id_: bling.company.categories.pop(id_),
)
