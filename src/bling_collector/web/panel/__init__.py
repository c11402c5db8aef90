"""O painel: as páginas que o dono dos dados lê. Cada página é um módulo com o seu `router`."""

from typing import Final

from fastapi import APIRouter

from bling_collector.web.panel import static
from bling_collector.web.panel.pages import (
    api,
    autorizar,
    cobertura,
    custo,
    empresas,
    entrar,
    execucoes,
    executar,
    situacao,
)
from bling_collector.web.panel.pages.negocio import (
    atencao,
    cliente,
    contas,
    estoque,
    faturamento,
    financeiro,
    nota,
    notas,
    pedido,
    pedidos,
    produto,
    vendas,
)

ROUTERS: Final[tuple[APIRouter, ...]] = (
    static.router,
    api.router,
    entrar.router,
    autorizar.router,
    empresas.router,
    situacao.router,
    custo.router,
    atencao.router,
    executar.router,
    execucoes.router,
    cobertura.router,
    faturamento.router,
    vendas.router,
    pedidos.router,
    pedido.router,
    financeiro.router,
    contas.router,
    estoque.router,
    produto.router,
    cliente.router,
    notas.router,
    nota.router,
)
"""As rotas do painel, na ordem em que se procura; `main` as inclui todas."""
