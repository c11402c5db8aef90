"""As categorias de produto da empresa: três mães e suas filhas."""

from bling_simulator.payload import Json

_BASE_ID = 4_871_300

_TREE = {
    "Engrenagens": ("Engrenagens retas", "Engrenagens helicoidais", "Engrenagens cônicas", "Coroas e sem-fim"),
    "Transmissão": ("Polias", "Correntes", "Acoplamentos", "Eixos"),
    "Serviços": (),
}


def make_categories() -> dict[int, Json]:
    """id → categoria, com a mãe em `categoriaPai` (id 0 quando não tem)."""
    categories: dict[int, Json] = {}
    for parent, children in _TREE.items():
        parent_id = _add(categories, parent, 0)
        for child in children:
            _add(categories, child, parent_id)
    return categories


def _add(categories: dict[int, Json], descricao: str, parent_id: int) -> int:
    category_id = _BASE_ID + 11 * len(categories)
    categories[category_id] = {
        "id": category_id,
        "descricao": descricao,
        "categoriaPai": {"id": parent_id},
    }
    return category_id
