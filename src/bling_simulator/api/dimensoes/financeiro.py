"""As contas financeiras e as categorias de receitas e despesas: a situação só os filtros a sabem."""

from bling_simulator.api.dimensoes.kept import kept
from bling_simulator.api.query import Query
from bling_simulator.bling import Bling
from bling_simulator.payload import Json


def _conta(bling: Bling, query: Query, account: Json) -> bool:
    """Sem `situacoes`, as ativas (suposto)."""
    situacao = query.choice("situacoes", range(1, 5), default=1 if bling.settings.default_hides_inactive else None)
    alias = query.text("aliasIntegracao")
    return (
        (bling.settings.status_filters_are_ignored or situacao in {None, account["situacao"]})
        and alias in {None, account["aliasIntegracao"]}
        and not (query.text("ocultarTipoContaBancaria") == "true" and account["tipo"] == "conta-bancaria")
    )


def _categoria(bling: Bling, query: Query, category: Json) -> bool:
    """Sem filtros, todas; `situacao` é 1 para as ativas e 2 para as inativas, que o detalhe diz 1 e 0 (referência)."""
    tipo, situacao = query.choice("tipo", range(4), default=0), query.choice("situacao", range(3), default=0)
    all_of_them = bling.settings.status_filters_are_ignored
    return tipo in {0, category["tipo"]} and (all_of_them or situacao in {0, 1 if category["situacao"] == 1 else 2})


CONTAS_CONTABEIS = kept("/contas-contabeis", _conta, hidden=("situacao",))
CATEGORIAS_RECEITAS_DESPESAS = kept("/categorias/receitas-despesas", _categoria, only_in_detail=("situacao",))
