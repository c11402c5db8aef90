"""Os recursos que se coletam, na ordem em que se coletam: quem cita vem antes do citado, e um pai, antes do que só se
lista por ele."""

from collections.abc import Collection
from typing import Final

from bling_collector.errors import ConfigurationError
from bling_collector.etl.resource import Resource
from bling_collector.streams.cadastros.canais_venda import CANAIS_VENDA
from bling_collector.streams.cadastros.categorias_financeiras import CATEGORIAS_FINANCEIRAS
from bling_collector.streams.cadastros.contas_financeiras import CONTAS_FINANCEIRAS
from bling_collector.streams.cadastros.contatos import CONTATOS
from bling_collector.streams.cadastros.depositos import DEPOSITOS
from bling_collector.streams.cadastros.formas_pagamento import FORMAS_PAGAMENTO
from bling_collector.streams.cadastros.naturezas_operacao import NATUREZAS_OPERACAO
from bling_collector.streams.cadastros.situacoes import SITUACOES, SITUACOES_MODULOS
from bling_collector.streams.cadastros.tipos_contato import TIPOS_CONTATO
from bling_collector.streams.cadastros.vendedores import VENDEDORES
from bling_collector.streams.notas.nfe import NFE
from bling_collector.streams.produtos.categorias_produto import CATEGORIAS_PRODUTO
from bling_collector.streams.produtos.grupos_produto import GRUPOS_PRODUTO
from bling_collector.streams.produtos.produtos import PRODUTOS
from bling_collector.streams.produtos.produtos_fornecedores import PRODUTOS_FORNECEDORES
from bling_collector.streams.produtos.produtos_lojas import PRODUTOS_LOJAS
from bling_collector.streams.vendas.pedidos_venda import PEDIDOS_VENDA

RESOURCES: Final[tuple[Resource, ...]] = (
    NFE,
    PEDIDOS_VENDA,
    PRODUTOS_FORNECEDORES,
    PRODUTOS_LOJAS,
    VENDEDORES,
    CONTATOS,
    PRODUTOS,
    CATEGORIAS_PRODUTO,
    FORMAS_PAGAMENTO,
    CANAIS_VENDA,
    DEPOSITOS,
    NATUREZAS_OPERACAO,
    TIPOS_CONTATO,
    GRUPOS_PRODUTO,
    CONTAS_FINANCEIRAS,
    CATEGORIAS_FINANCEIRAS,
    SITUACOES_MODULOS,
    SITUACOES,
)
SYNCED: Final = tuple(resource for resource in RESOURCES if resource.snapshot is None and resource.each is None)
"""Os de que se busca um registro só."""
ALL: Final = "todos"


def named(name: str) -> Resource | None:
    """O recurso deste nome (`contatos`), ou do singular dele (`contato`); None se não há."""
    return next((resource for resource in RESOURCES if name in (resource.name, resource.singular)), None)


def chosen(names: Collection[str] | None) -> tuple[Resource, ...]:
    """Os recursos destes nomes, e os por que se listam; sem nomes, os que se coletam sem que ninguém os peça.
    ConfigurationError se um não existe."""
    names = names or ()
    if unknown := [name for name in names if name != ALL and named(name) is None]:
        offered = ", ".join((*(resource.name for resource in RESOURCES), ALL))
        raise ConfigurationError(f"RECURSOS: não há recurso {unknown[0]!r}. Os que há são {offered}.")
    if not names:
        return tuple(resource for resource in RESOURCES if not resource.optional)
    asked = [resource for name in names if (resource := named(name)) is not None]
    wanted = {name for each in asked for name in (each.name, *([each.each.of] if each.each is not None else []))}
    return tuple(resource for resource in RESOURCES if ALL in names or resource.name in wanted)
