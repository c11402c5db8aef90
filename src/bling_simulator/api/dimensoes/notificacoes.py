"""`GET /notificacoes`: sem páginas, e sem o detalhe de uma só."""

from bling_simulator.answers import invalid
from bling_simulator.api.dimensoes.kept import kept
from bling_simulator.api.query import Query
from bling_simulator.bling import Bling
from bling_simulator.clock import local_now
from bling_simulator.payload import Json


def _notificacao(bling: Bling, query: Query, notice: Json) -> bool:
    """Sem `periodo`, as do ano (referência)."""
    period = query.text("periodo") or str(local_now(bling.clock).year)
    if len(period) not in {4, 7} or not period.replace("-", "").isdigit():
        raise invalid("periodo", "O período deve ser AAAA ou AAAA-MM.")
    return str(notice["dataCriacao"]).startswith(period)


NOTIFICACOES = kept("/notificacoes", _notificacao, alone=False, paged=False)
