"""As contas financeiras e as categorias de receitas e despesas."""

from bling_simulator.company.dimensions.registers import as_register
from bling_simulator.company.register import Register
from bling_simulator.payload import Json

_FIRST_ACCOUNT, _FIRST_CATEGORY = 14_200_300_021, 14_640_100_203
_ACCOUNTS = (
    # (descrição, tipo, integração, situação: 1 ativo, 2 inativo, 3 pendente, 4 cancelada)
    ("Caixa", "caixa", "", 1),
    ("Banco do Vale", "banco", "", 1),
    ("Conta do Banco do Vale", "conta-bancaria", "", 1),
    ("Recebimentos do marketplace", "integracao-pagamento", "BlingPagamentos", 1),
    ("Caixa da feira de 2022", "caixa", "", 2),
    ("Conta nova", "conta-bancaria", "", 3),
    ("Maquininha antiga", "integracao-pagamento", "BlingConta", 4),
)
_EXPENSE, _INCOME, _BOTH = 1, 2, 3
_CATEGORIES: tuple[tuple[str, int, tuple[tuple[str, int], ...]], ...] = (
    # (descrição, tipo, [(filha, situação)])
    ("Vendas", _INCOME, (("Venda de mercadorias", 1), ("Serviços de usinagem", 1), ("Venda de sucata", 0))),
    ("Compras", _EXPENSE, (("Aço", 1), ("Ferramentas", 1))),
    ("Despesas fixas", _EXPENSE, (("Aluguel", 1), ("Telefone fixo", 0))),
    ("Transferências", _BOTH, ()),
    ("Tarifas bancárias", _EXPENSE, ()),
)


def make_finance() -> dict[str, Register]:
    """Os dois cadastros, iguais em toda empresa gerada. A situação das contas só serve aos filtros."""
    return {"/contas-contabeis": as_register(_accounts()), "/categorias/receitas-despesas": as_register(_categories())}


def account_named(descricao: str) -> int:
    """O id da conta financeira que se chama assim."""
    return next(int(each["id"]) for each in _accounts() if each["descricao"] == descricao)


def category_named(descricao: str) -> int:
    """O id da categoria que se chama assim."""
    return next(int(each["id"]) for each in _categories() if each["descricao"] == descricao)


def _accounts() -> list[Json]:
    return [
        {
            "id": _FIRST_ACCOUNT + 11 * position,
            "descricao": descricao,
            "tipo": tipo,
            "aliasIntegracao": alias,
            "situacao": situacao,
        }
        for position, (descricao, tipo, alias, situacao) in enumerate(_ACCOUNTS)
    ]


def _categories() -> list[Json]:
    categories: list[Json] = []
    for descricao, tipo, children in _CATEGORIES:
        parent = _category(categories, descricao, tipo, 1, 0)
        for child, situacao in children:
            _category(categories, child, tipo, situacao, parent)
    return categories


def _category(found: list[Json], descricao: str, tipo: int, situacao: int, parent: int) -> int:
    category_id = _FIRST_CATEGORY + 5 * len(found)
    found.append(
        {"id": category_id, "idCategoriaPai": parent, "descricao": descricao, "tipo": tipo, "situacao": situacao}
    )
    return category_id
