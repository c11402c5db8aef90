"""Os campos que a empresa acrescentou aos cadastros."""

from bling_simulator.company.dimensions.registers import as_register
from bling_simulator.company.register import Register
from bling_simulator.payload import Json

_CONTACTS, _PRODUCTS, _NONE = 12_345_601, 12_345_602, 12_345_603
_MODULES = (
    # (id, nome, módulo, agrupador)
    (_CONTACTS, "Clientes e Fornecedores", "Contatos", "Tipo de contato"),
    (_PRODUCTS, "Produtos", "Produtos", "Categoria"),
    (_NONE, "Pedidos de Venda", "Vendas", ""),
)
_TEXT, _LIST = 9_001, 9_002
_FIELDS: tuple[tuple[int, str, int, int, tuple[str, ...]], ...] = (
    # (módulo, nome, situação, tipo, opções)
    (_CONTACTS, "Ramo", 1, _LIST, ("Metalurgia", "Revenda")),
    (_PRODUCTS, "Norma", 1, _TEXT, ()),
    (_PRODUCTS, "Tratamento térmico", 1, _LIST, ("Cementado", "Temperado", "Nenhum")),
    (_PRODUCTS, "Código antigo", 0, _TEXT, ()),
)


def make_custom_fields() -> dict[str, Register]:
    """Os dois cadastros, iguais em toda empresa gerada. Um módulo não tem campo nenhum."""
    modules: list[Json] = [
        {
            "id": id_,
            "nome": nome,
            "modulo": modulo,
            "agrupador": agrupador,
            "permissoes": [{"nome": nome, "modulo": modulo, "autorizado": True}],
        }
        for id_, nome, modulo, agrupador in _MODULES
    ]
    fields: list[Json] = [
        {
            "id": 7_700_100 + 9 * position,
            "nome": nome,
            "situacao": situacao,
            "placeholder": "",
            "obrigatorio": False,
            "opcoes": [
                {"id": 8_800_000 + 100 * position + place, "nome": option} for place, option in enumerate(options)
            ],
            "tamanho": {"minimo": 0, "maximo": 60},
            "agrupadores": [],
            "modulo": {"id": module},
            "tipoCampo": {"id": kind},
        }
        for position, (module, nome, situacao, kind, options) in enumerate(_FIELDS)
    ]
    return {
        "/campos-customizados/modulos": as_register(modules),
        "/campos-customizados/modulos/{modulo_id}": as_register(fields),
    }
