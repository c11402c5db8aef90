"""Os recursos que se coletam, na ordem em que se coletam: quem cita vem antes do citado, e um pai, antes do que só se
lista por ele, ou tira dele os ids. Um que se declare em `streams/<assunto>/` e não esteja nela entra sozinho, com essa
regra."""

import pkgutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from importlib import import_module
from typing import Final

from bling_collector import ids, streams
from bling_collector.db import control
from bling_collector.db.connection.core import AsyncConnection
from bling_collector.errors import ConfigurationError
from bling_collector.etl.resource import Id, Resource
from bling_collector.streams.cadastros.campos_customizados import CAMPOS_CUSTOMIZADOS, CAMPOS_CUSTOMIZADOS_MODULOS
from bling_collector.streams.cadastros.canais_venda import CANAIS_VENDA
from bling_collector.streams.cadastros.categorias_financeiras import CATEGORIAS_FINANCEIRAS
from bling_collector.streams.cadastros.contas_financeiras import CONTAS_FINANCEIRAS
from bling_collector.streams.cadastros.contatos import CONTATOS
from bling_collector.streams.cadastros.depositos import DEPOSITOS
from bling_collector.streams.cadastros.formas_pagamento import FORMAS_PAGAMENTO
from bling_collector.streams.cadastros.naturezas_operacao import NATUREZAS_OPERACAO
from bling_collector.streams.cadastros.notificacoes import NOTIFICACOES
from bling_collector.streams.cadastros.situacoes import SITUACOES, SITUACOES_MODULOS
from bling_collector.streams.cadastros.tipos_contato import TIPOS_CONTATO
from bling_collector.streams.cadastros.vendedores import VENDEDORES
from bling_collector.streams.compras.pedidos_compra import PEDIDOS_COMPRA
from bling_collector.streams.estoque.estoques import ESTOQUES
from bling_collector.streams.financeiro.boletos import BOLETOS
from bling_collector.streams.financeiro.borderos import BORDEROS
from bling_collector.streams.financeiro.caixas import CAIXAS
from bling_collector.streams.financeiro.contas_pagar import CONTAS_PAGAR
from bling_collector.streams.financeiro.contas_receber import CONTAS_RECEBER
from bling_collector.streams.logistica.logisticas import LOGISTICAS
from bling_collector.streams.logistica.logisticas_objetos import LOGISTICAS_OBJETOS
from bling_collector.streams.logistica.logisticas_remessas import LOGISTICAS_REMESSAS
from bling_collector.streams.logistica.logisticas_servicos import LOGISTICAS_SERVICOS
from bling_collector.streams.notas.documentos import DOCUMENTOS
from bling_collector.streams.notas.nfce import NFCE
from bling_collector.streams.notas.nfe import NFE
from bling_collector.streams.notas.nfe_entrada import NFE_ENTRADA, NFE_ENTRADA_DETALHES
from bling_collector.streams.notas.nfse import NFSE
from bling_collector.streams.producao.ordens_producao import ORDENS_PRODUCAO
from bling_collector.streams.produtos.anuncios import ANUNCIOS
from bling_collector.streams.produtos.categorias_lojas import CATEGORIAS_LOJAS
from bling_collector.streams.produtos.categorias_produto import CATEGORIAS_PRODUTO
from bling_collector.streams.produtos.grupos_produto import GRUPOS_PRODUTO
from bling_collector.streams.produtos.produtos import PRODUTOS
from bling_collector.streams.produtos.produtos_componentes import PRODUTOS_COMPONENTES
from bling_collector.streams.produtos.produtos_fornecedores import PRODUTOS_FORNECEDORES
from bling_collector.streams.produtos.produtos_lojas import PRODUTOS_LOJAS
from bling_collector.streams.produtos.produtos_lotes import (
    PRODUTOS_CONTROLE_LOTE,
    PRODUTOS_LOTES,
    PRODUTOS_LOTES_LANCAMENTOS,
    PRODUTOS_LOTES_SALDOS,
)
from bling_collector.streams.vendas.contratos import CONTRATOS
from bling_collector.streams.vendas.ordens_servico import ORDENS_SERVICO
from bling_collector.streams.vendas.pedidos_venda import PEDIDOS_VENDA
from bling_collector.streams.vendas.propostas import PROPOSTAS

_IN_ORDER: Final[tuple[Resource, ...]] = (
    NFE,
    NFCE,
    NFSE,
    NFE_ENTRADA,
    NFE_ENTRADA_DETALHES,
    PEDIDOS_VENDA,
    ORDENS_SERVICO,
    PROPOSTAS,
    PEDIDOS_COMPRA,
    CONTAS_RECEBER,
    CONTAS_PAGAR,
    BORDEROS,
    BOLETOS,
    CAIXAS,
    CONTRATOS,
    SITUACOES_MODULOS,
    SITUACOES,
    ORDENS_PRODUCAO,
    LOGISTICAS_OBJETOS,
    LOGISTICAS,
    LOGISTICAS_SERVICOS,
    PRODUTOS_FORNECEDORES,
    PRODUTOS_LOJAS,
    CATEGORIAS_LOJAS,
    VENDEDORES,
    CANAIS_VENDA,
    ANUNCIOS,
    CONTATOS,
    ESTOQUES,
    PRODUTOS,
    PRODUTOS_COMPONENTES,
    PRODUTOS_CONTROLE_LOTE,
    PRODUTOS_LOTES,
    PRODUTOS_LOTES_SALDOS,
    PRODUTOS_LOTES_LANCAMENTOS,
    CATEGORIAS_PRODUTO,
    FORMAS_PAGAMENTO,
    DEPOSITOS,
    NATUREZAS_OPERACAO,
    TIPOS_CONTATO,
    GRUPOS_PRODUTO,
    CONTAS_FINANCEIRAS,
    CATEGORIAS_FINANCEIRAS,
    CAMPOS_CUSTOMIZADOS_MODULOS,
    CAMPOS_CUSTOMIZADOS,
    NOTIFICACOES,
    LOGISTICAS_REMESSAS,
    DOCUMENTOS,
)


def _declared() -> Iterator[Resource]:
    """Todos os que os módulos de `streams/<assunto>/` declaram."""
    rooms = [room.name for room in pkgutil.iter_modules(streams.__path__) if room.ispkg]
    for room in (import_module(f"{streams.__name__}.{name}") for name in rooms):
        for module in pkgutil.iter_modules(room.__path__, f"{room.__name__}."):
            yield from (each for each in vars(import_module(module.name)).values() if isinstance(each, Resource))


def in_place(resources: Iterable[Resource], others: Iterable[Resource]) -> tuple[Resource, ...]:
    """Os recursos, como estão, e os de `others` que ainda lá não estão: cada um logo antes do primeiro que cita, se não
    fica com isso antes de quem lhe dá os ids; ou no fim."""
    placed = [*resources]
    for each in others:
        if each.name in {other.name for other in placed}:
            continue
        givers = {parents.of for parents in each.parents} | {*each.needs}
        first = next((place for place, other in enumerate(placed) if each.gives(other)), len(placed))
        after = [place + 1 for place, other in enumerate(placed) if other.name in givers]
        placed.insert(max([first, *after]), each)
    return tuple(placed)


RESOURCES: Final[tuple[Resource, ...]] = in_place(_IN_ORDER, _declared())
SYNCED: Final = tuple(resource for resource in RESOURCES if resource.snapshot is None and resource.each is None)
"""Os de que se busca um registro só."""
ALL: Final = "todos"
WHOLE: Final = {f"{resource.name}_{ALL}": resource for resource in RESOURCES if resource.register}
"""O nome com que se pede o cadastro inteiro de um recurso, e não só o que se cita."""


def named(name: str) -> Resource | None:
    """O recurso deste nome (`contatos`), ou do singular dele (`contato`); None se não há."""
    return next((resource for resource in RESOURCES if name in (resource.name, resource.singular)), None)


def asked(names: Collection[str] | None, switches: Mapping[str, bool] | None = None) -> set[str]:
    """Os recursos destes nomes, e os que eles trazem; sem nomes, os que se coletam sem que ninguém os peça, com os que
    se ligaram e sem os que se desligaram (`switches`). ConfigurationError se um não existe."""
    names = names or ()
    if unknown := [name for name in names if name != ALL and name not in WHOLE and named(name) is None]:
        offered = ", ".join((*(resource.name for resource in RESOURCES), *WHOLE, ALL))
        raise ConfigurationError(f"RECURSOS: não há recurso {unknown[0]!r}. Os que há são {offered}.")
    whole = whole_of(names, switches)
    on = switches or {}
    if not names:
        names = [resource.name for resource in RESOURCES if on.get(resource.name, not resource.optional)]
    told = [each for each in RESOURCES if {each.name, each.singular} & {*names}]
    brought = {each.brings for each in told if each.brings and on.get(each.brings, True)}
    everything = {each.name for each in RESOURCES if ALL in names and not each.by_name}
    return whole | {each.name for each in told} | brought | everything


def record(recurso: str, written: str) -> tuple[Resource, Id]:
    """O registro que se pede, do recurso e do id como se digitam: `contatos` e `55`; onde o id é um texto, `documentos`
    e `4326…`. ValueError diz o que não serve."""
    id_ = ids.checked(written)
    if (found := named(recurso)) is None or found not in SYNCED:
        raise ValueError(f"{recurso!r}; use um destes: {', '.join(each.singular for each in SYNCED)}.")
    return found, id_ if found.has_text_ids else ids.number(id_)


def whole_of(names: Collection[str] | None, switches: Mapping[str, bool] | None = None) -> set[str]:
    """Os recursos de que se pede o cadastro inteiro, como em `asked`."""
    on = names or {name for name, is_on in (switches or {}).items() if is_on}
    return {resource.name for name, resource in WHOLE.items() if name in on}


def chosen(names: Collection[str] | None, switches: Mapping[str, bool] | None = None) -> tuple[Resource, ...]:
    """Os recursos que se pedem, como em `asked`, e os de que eles precisam."""
    wanted = asked(names, switches)
    while more := {name for each in RESOURCES if each.name in wanted for name in _needed_by(each, wanted)} - wanted:
        wanted |= more
    return tuple(resource for resource in RESOURCES if resource.name in wanted)


def _needed_by(resource: Resource, wanted: Collection[str]) -> Iterator[str]:
    """Aqueles por que se lista; e, se nenhum dos que já se pedem dá ids dele, os que os dão."""
    yield from (parents.of for parents in resource.parents if parents.of)
    if not any(each.gives(resource) for each in RESOURCES if each.name in wanted):
        yield from resource.needs


async def collected(connection: AsyncConnection, names: Collection[str] | None) -> tuple[Resource, ...]:
    """Os recursos que se coletam: os que `RECURSOS` pede (`names`) ou, sem ela, os que o banco diz."""
    return chosen(names, None if names else await control.switches(connection))


async def registers(connection: AsyncConnection, names: Collection[str] | None) -> set[str]:
    """Dos que se coletam, os de que se quer o cadastro inteiro."""
    return whole_of(names, None if names else await control.switches(connection))


async def needed(connection: AsyncConnection, names: Collection[str] | None) -> list[Resource]:
    """Dos que se coletam, os que só se coletam porque outro precisa deles."""
    wanted = asked(names, None if names else await control.switches(connection))
    return [resource for resource in await collected(connection, names) if resource.name not in wanted]
