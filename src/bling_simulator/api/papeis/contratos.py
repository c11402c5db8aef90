"""`GET /contratos` e `GET /contratos/{id}`."""

from bling_simulator.api.dimensoes.kept import kept
from bling_simulator.api.query import Query
from bling_simulator.bling import Bling
from bling_simulator.company.papers.contracts import ACTIVE
from bling_simulator.payload import Json

_ONLY_IN_DETAIL = (
    "dataFim", "tipoManutencao", "emitirOrdemServico", "observacoes", "vendedor", "categoria", "desconto",
    "contaContabil", "formaPagamento", "notaFiscal", "cobranca",
)  # fmt: skip


def _contrato(bling: Bling, query: Query, contract: Json) -> bool:
    """Sem `situacao`, os ativos; não se pode pedir pelos em avaliação (as duas, referência)."""
    default = None if bling.settings.contracts_are_all_shown_by_default else ACTIVE
    situacao = query.choice("situacao", range(4), default=default)
    contact, billed = query.integer("idContato"), query.integer("idContatoCobranca")
    made, base = _period(query, "dataCriacao"), _period(query, "dataBase")
    return (
        situacao in {None, contract["situacao"]}
        and contact in {None, contract["contato"]["id"]}
        and billed in {None, contract["cobranca"]["contato"]["id"]}
        and made[0] <= contract["data"] <= made[1]
        and base[0] <= contract["cobranca"]["dataBase"] <= base[1]
    )


def _period(query: Query, prefix: str) -> tuple[str, str]:
    """As pontas, que aqui se chamam `Inicio` e `Final`; uma só é ignorada (suposto)."""
    first, last = query.text(f"{prefix}Inicio"), query.text(f"{prefix}Final")
    return (first, last) if first and last else ("", "~")


CONTRATOS = kept("/contratos", _contrato, only_in_detail=_ONLY_IN_DETAIL)
