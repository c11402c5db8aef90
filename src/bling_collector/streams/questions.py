"""O que os documentos não sabem, ou dizem de duas maneiras, e se pergunta uma vez a cada conta, depois de autorizada.

A coleta sobrevive às duas respostas. Uma pergunta é uma declaração: de que recurso, como se faz, e o que cada resposta
quer dizer; a que muda o que a coleta pede diz também que ponto de leitura ela põe (`hides`).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from bling_collector.etl.resource import Document, Id, Params, Resource
from bling_collector.payload import Json
from bling_collector.streams.cadastros.canais_venda import CANAIS_VENDA
from bling_collector.streams.cadastros.contas_financeiras import CONTAS_FINANCEIRAS
from bling_collector.streams.cadastros.naturezas_operacao import NATUREZAS_OPERACAO
from bling_collector.streams.compras.pedidos_compra import PEDIDOS_COMPRA
from bling_collector.streams.estoque.estoques import ESTOQUES
from bling_collector.streams.financeiro.contas_pagar import CONTAS_PAGAR
from bling_collector.streams.financeiro.contas_receber import CONTAS_RECEBER
from bling_collector.streams.logistica.logisticas import LOGISTICAS
from bling_collector.streams.notas.nfce import NFCE
from bling_collector.streams.notas.nfse import NFSE
from bling_collector.streams.produtos.produtos import PRODUTOS
from bling_collector.streams.vendas.pedidos_venda import PEDIDOS_VENDA
from bling_collector.windows import EARLIEST, Period, Window

PAGE: Final = 100
_SOME: Final = 20
Page = Callable[[Resource, Params], Awaitable[Sequence[Json]]]
"""A primeira página de uma listagem."""
Ask = Callable[[Page, date], Awaitable[tuple[str, str] | None]]
"""A resposta e o que se viu, hoje; None se a conta não tem com que se saiba."""


@dataclass(frozen=True)
class Question:
    name: str
    resource: Resource
    ask: Ask
    says: Mapping[str, str]
    """Resposta → o que ela quer dizer."""
    hides: str = ""
    """A resposta que diz que a listagem de costume esconde registros: pedem-se logo todas."""


def _hidden(resource: Resource, filters: Params, plain: Params = (), ids: str | None = None) -> Ask:
    """Se a listagem de costume mostra um registro que só este filtro diz que há: `mostra` ou `esconde`. Pede-se por
    ele, onde há um filtro de ids, ou no dia dele; de uma página cheia, em que ele não está, nada se sabe."""

    async def ask(page: Page, today: date) -> tuple[str, str] | None:
        found = await page(resource, (*plain, *filters))
        if not found:
            return None
        id_ = resource.key(found[0])
        seen = await page(resource, (*plain, *_around(resource, found[0], id_, ids)))
        if id_ in {resource.key(row) for row in seen}:
            return "mostra", str(id_)
        return ("esconde", str(id_)) if len(seen) < PAGE else None

    return ask


def _around(resource: Resource, row: Document, id_: Id, ids: str | None) -> Params:
    day = resource.day(row)
    if ids is not None:
        return ((ids, str(id_)),)
    if resource.emitted is not None and day is not None:
        return resource.emitted.between.params(Period.of(Window(day, day)))
    return ()


def _ignored(resource: Resource, *impossible: Params) -> Ask:
    """Se o Bling lê cada um destes filtros, com que nada pode haver, numa conta que tem algo: `lido` ou `ignorado`."""

    async def ask(page: Page, today: date) -> tuple[str, str] | None:
        if not await page(resource, ()):
            return None
        for params in impossible:
            if await page(resource, params):
                return "ignorado", "&".join("=".join(pair) for pair in params)
        return "lido", ""

    return ask


async def _zero_stock(page: Page, today: date) -> tuple[str, str] | None:
    """Se, de produtos que o cadastro dá por zerados, o saldo sem filtro mostra um que nada tem, nem reservado."""
    zeroed = await page(PRODUTOS, (*PRODUTOS.shows[0], *PRODUTOS.suspects[0]))
    asked = tuple(("idsProdutos[]", str(row["id"])) for row in zeroed[:_SOME])
    if not asked:
        return None
    shown = [row for row in await page(ESTOQUES, asked) if ESTOQUES.proves(row)]
    if not shown:
        hidden = [row for row in await page(ESTOQUES, (*ESTOQUES.suspects[0], *asked)) if ESTOQUES.proves(row)]
        return ("esconde", str(ESTOQUES.key(hidden[0]))) if hidden else None
    return "mostra", str(ESTOQUES.key(shown[0]))


async def _today(page: Page, today: date) -> tuple[str, str] | None:
    """Os pedidos de hoje, com o fim hoje e com o fim amanhã."""
    first = ("dataInicial", str(today))
    there = await page(PEDIDOS_VENDA, (first, ("dataFinal", str(today + timedelta(days=1)))))
    of_today = {row["id"] for row in there if PEDIDOS_VENDA.day(row) == today}
    if not of_today:
        return None
    until_today = {row["id"] for row in await page(PEDIDOS_VENDA, (first, ("dataFinal", str(today))))}
    return ("inclui" if of_today <= until_today else "exclui"), str(max(of_today))


async def _disjoint(page: Page, today: date) -> tuple[str, str] | None:
    """As contas de duas situações, que não podem ser as mesmas."""
    first, second = [
        {row["id"] for row in await page(CONTAS_FINANCEIRAS, (("situacoes", str(each)),))} for each in (1, 2)
    ]
    both = first & second
    if both:
        return "ignorado", str(min(both))
    return ("lido", "") if first or second else None


def _past(inicio: str, fim: str, *more: tuple[str, str]) -> Params:
    """Um dia em que nada podia haver."""
    return (*more, (inicio, str(EARLIEST)), (fim, str(EARLIEST)))


def _shows(what: str) -> Mapping[str, str]:
    return {"mostra": f"a listagem de costume mostra {what}.", "esconde": f"a listagem de costume esconde {what}."}


_READS: Final = {
    "lido": "o filtro {0} é lido.",
    "ignorado": "o Bling ignora o filtro {0}; o que ele traz a mais fica de lado.",
}


def _reads(what: str) -> Mapping[str, str]:
    return {answer: says.format(what) for answer, says in _READS.items()}


QUESTIONS: Final = (
    Question(
        "produtos_zerados",
        PRODUTOS,
        _hidden(PRODUTOS, PRODUTOS.suspects[0], PRODUTOS.shows[0], PRODUTOS.ids),
        _shows("os produtos de saldo zerado"),
        hides="esconde",
    ),
    Question("saldos_zerados", ESTOQUES, _zero_stock, _shows("os saldos zerados")),
    Question(
        "contas_pagar_datas",
        CONTAS_PAGAR,
        _ignored(CONTAS_PAGAR, _past("dataVencimentoInicial", "dataVencimentoFinal")),
        _reads("do vencimento das contas a pagar"),
    ),
    Question(
        "contas_receber_datas",
        CONTAS_RECEBER,
        _ignored(
            CONTAS_RECEBER,
            *(_past("dataInicial", "dataFinal", ("tipoFiltroData", each)) for each in ("E", "V", "R")),
        ),
        _reads("das datas das contas a receber"),
    ),
    Question(
        "alteracao_de_uma_ponta",
        PEDIDOS_VENDA,
        _ignored(PEDIDOS_VENDA, (("dataAlteracaoInicial", "2099-01-01 00:00:00"),)),
        _reads("de alteração dos pedidos com uma ponta só"),
    ),
    Question(
        "pedidos_de_hoje",
        PEDIDOS_VENDA,
        _today,
        {
            "inclui": "o fim do período dos pedidos inclui o próprio dia.",
            "exclui": "o fim do período dos pedidos deixa o próprio dia de fora.",
        },
    ),
    Question(
        "pedidos_cancelados",
        PEDIDOS_VENDA,
        _hidden(PEDIDOS_VENDA, (("idsSituacoes[]", "12"),)),
        _shows("os pedidos cancelados"),
    ),
    Question(
        "compras_canceladas",
        PEDIDOS_COMPRA,
        _hidden(PEDIDOS_COMPRA, (("valorSituacao", "2"),)),
        _shows("os pedidos de compra cancelados"),
    ),
    Question("nfce_canceladas", NFCE, _hidden(NFCE, (("situacao", "2"),)), _shows("as notas de consumidor canceladas")),
    Question("nfse_canceladas", NFSE, _hidden(NFSE, (("situacao", "3"),)), _shows("as notas de serviço canceladas")),
    Question(
        "naturezas_inativas",
        NATUREZAS_OPERACAO,
        _hidden(NATUREZAS_OPERACAO, (("situacao", "0"),)),
        _shows("as naturezas inativas"),
    ),
    Question(
        "canais_desabilitados",
        CANAIS_VENDA,
        _hidden(CANAIS_VENDA, (("situacao", "2"),)),
        _shows("os canais desabilitados"),
    ),
    Question(
        "logisticas_desabilitadas",
        LOGISTICAS,
        _hidden(LOGISTICAS, (("situacao", "D"),)),
        _shows("as logísticas desabilitadas"),
    ),
    Question("situacao_das_contas", CONTAS_FINANCEIRAS, _disjoint, _reads("da situação das contas financeiras")),
)
