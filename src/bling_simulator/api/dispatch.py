"""Do caminho ao recurso: confere o token e o escopo, lista ou detalha."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from bling_simulator.answers import json_response, method_not_allowed, not_found, oauth_error
from bling_simulator.api import auxiliares, contatos, nfe, produtos
from bling_simulator.api.paging import cut_page
from bling_simulator.api.query import Query
from bling_simulator.bling import Bling
from bling_simulator.clock import local_now
from bling_simulator.oauth.credentials import bearer_token, wants_jwt
from bling_simulator.payload import Json


@dataclass(frozen=True)
class Resource:
    list: Callable[[Bling, Query], list[Json]]
    row: Callable[[Json], Json]
    detail: Callable[[Bling, int], Json | None]


RESOURCES = {
    "/nfe": Resource(nfe.list_nfe, nfe.nfe_row, nfe.get_nfe),
    "/contatos": Resource(contatos.list_contatos, contatos.contato_row, contatos.get_contato),
    "/produtos": Resource(produtos.list_produtos, produtos.produto_row, produtos.get_produto),
    "/formas-pagamentos": Resource(
        auxiliares.list_formas_pagamentos, auxiliares.forma_pagamento_row, auxiliares.get_forma_pagamento
    ),
    "/categorias/produtos": Resource(auxiliares.list_categorias, auxiliares.categoria_row, auxiliares.get_categoria),
}


async def dispatch(bling: Bling, request: Request) -> Response:
    """A resposta da API, ou um `BlingError`. `request.path_params["path"]` é o caminho sem o prefixo."""
    path = "/" + request.path_params["path"]
    authorization = request.headers.get("authorization")
    if authorization is None:
        return Response(status_code=401, headers={"WWW-Authenticate": 'Bearer realm="Service"'})
    bling.grants.check(bearer_token(authorization), wants_jwt=wants_jwt(request))
    _check_scope(bling, path)
    if path == "/empresas/me/dados-basicos":
        return _data(request, auxiliares.get_dados_basicos(bling))
    if path in RESOURCES:
        return _data(request, _list(bling, request, RESOURCES[path]))
    head, _, tail = path.rpartition("/")
    if head in RESOURCES and tail.isascii() and tail.isdigit():
        return _data(request, RESOURCES[head].detail(bling, int(tail)))
    raise not_found()


def _list(bling: Bling, request: Request, resource: Resource) -> list[Json]:
    query = Query(request.query_params, local_now(bling.clock), bling.settings.most_array_values)
    pagina, limite = query.page()
    rows = resource.list(bling, query)
    return [resource.row(row) for row in cut_page(rows, pagina, limite, bling.settings)]


def _check_scope(bling: Bling, path: str) -> None:
    if any(path == scope or path.startswith(f"{scope}/") for scope in bling.settings.missing_scopes):
        text = "The request requires higher privileges than provided by the access token"
        raise oauth_error(403, "insufficient_scope", text)


def _data(request: Request, data: object) -> Response:
    if request.method != "GET":
        raise method_not_allowed()
    if data is None:
        raise not_found()
    return json_response({"data": data})
