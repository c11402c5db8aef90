"""Do caminho ao recurso: confere o token e o escopo, lista ou detalha."""

import re

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from bling_simulator.answers import invalid, json_response, method_not_allowed, not_found, oauth_error
from bling_simulator.api.auxiliares import CATEGORIAS_PRODUTOS, FORMAS_PAGAMENTOS, get_dados_basicos
from bling_simulator.api.contatos import CONTATOS
from bling_simulator.api.dimensoes import DIMENSOES
from bling_simulator.api.documentos import DOCUMENTOS
from bling_simulator.api.estoque.saldos import SALDOS
from bling_simulator.api.estruturas import ESTRUTURAS
from bling_simulator.api.financeiro.boletos import BOLETOS
from bling_simulator.api.financeiro.borderos import BORDEROS
from bling_simulator.api.financeiro.caixas import CAIXAS
from bling_simulator.api.financeiro.contas import CONTAS_PAGAR, CONTAS_RECEBER
from bling_simulator.api.nfce import NFCE
from bling_simulator.api.nfe import NFE
from bling_simulator.api.nfse import NFSE
from bling_simulator.api.objetos import OBJETOS
from bling_simulator.api.paging import cut_page
from bling_simulator.api.papeis import PAPEIS
from bling_simulator.api.pedidos_vendas import PEDIDOS_VENDAS
from bling_simulator.api.produtos import PRODUTOS
from bling_simulator.api.query import Query
from bling_simulator.api.resource import Resource
from bling_simulator.api.vendedores import VENDEDORES
from bling_simulator.api.writing import as_written
from bling_simulator.bling import Bling
from bling_simulator.clock import local_now
from bling_simulator.oauth.credentials import bearer_token, wants_jwt
from bling_simulator.payload import Json

RESOURCES = {
    resource.path: resource
    for resource in (
        *(
            NFE,
            NFCE,
            NFSE,
            DOCUMENTOS,
            CONTATOS,
            PRODUTOS,
            FORMAS_PAGAMENTOS,
            CATEGORIAS_PRODUTOS,
            VENDEDORES,
            PEDIDOS_VENDAS,
        ),
        *(CONTAS_RECEBER, CONTAS_PAGAR, BORDEROS, BOLETOS, CAIXAS, SALDOS, OBJETOS, ESTRUTURAS),
        *DIMENSOES,
        *PAPEIS,
    )
}


_BY_PARENT = [
    (re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[0-9]+)", path)), resource)
    for path, resource in RESOURCES.items()
    if "{" in path
]
_DETAILS = {
    resource.detail_path or path: resource for path, resource in RESOURCES.items() if resource.alone and not resource.by
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
        return _data(request, get_dados_basicos(bling))
    listed, parent = _listed(path)
    if listed is not None and listed.listed:
        _check_scope(bling, listed.path)
        return _data(request, _list(bling, request, listed, parent))
    if listed is not None and listed.by:
        return _one_by_param(bling, request, listed)
    head, _, tail = path.rpartition("/")
    if head in _DETAILS and tail.isascii() and (tail.isalnum() if _DETAILS[head].text_ids else tail.isdigit()):
        _check_scope(bling, _DETAILS[head].path)
        found = _DETAILS[head]
        if lacking := [name for name in found.detail_required if not request.query_params.get(name)]:
            raise invalid(lacking[0], f"O parâmetro {lacking[0]} é obrigatório.")
        detail = _detail(bling, found, tail if found.text_ids else int(tail), _query(bling, request.query_params))
        return _data(request, [detail] if found.several and detail else detail, wrapped=found.wraps(bling))
    raise not_found()


def _one_by_param(bling: Bling, request: Request, resource: Resource) -> Response:
    query = _query(bling, request.query_params)
    record_id = query.integer(resource.by)
    if record_id is None:
        raise invalid(resource.by, f"O parâmetro {resource.by} é obrigatório.")
    return _data(request, _detail(bling, resource, record_id, query), wrapped=resource.wraps(bling))


def _listed(path: str) -> tuple[Resource | None, dict[str, str]]:
    """O recurso que se lista neste caminho, e o que o caminho diz do pai."""
    for pattern, resource in _BY_PARENT:
        if match := pattern.fullmatch(path):
            return resource, match.groupdict()
    return RESOURCES.get(path), {}


def _list(bling: Bling, request: Request, resource: Resource, parent: dict[str, str]) -> list[Json]:
    params = QueryParams([*request.query_params.multi_items(), *parent.items()])
    query = _query(bling, params)
    pagina, limite = query.page() if resource.paged else (1, 0)
    if resource.page_size is not None:
        limite = resource.page_size(bling)
    if resource.required and not any(map(query.many, resource.required)):
        raise invalid(resource.required[0], f"O parâmetro {resource.required[0]} é obrigatório.")
    rows = [row for row in resource.list(bling, query) if (resource.path, row["id"]) not in bling.unlisted]
    page = cut_page(rows, pagina, limite, bling.settings) if resource.paged else rows
    return [_written(bling, resource, row["id"], resource.row(row)) for row in page]


def _query(bling: Bling, params: QueryParams) -> Query:
    return Query(params, local_now(bling.clock), bling.settings.most_array_values)


def _detail(bling: Bling, resource: Resource, record_id: int | str, query: Query) -> Json | None:
    found = resource.detail(bling, record_id)
    return None if found is None else _written(bling, resource, record_id, resource.asked(bling, found, query))


def _written(bling: Bling, resource: Resource, record_id: int | str, record: Json) -> Json:
    return as_written(record, bling.settings) | bling.garbled.get((resource.path, record_id), {})


def _check_scope(bling: Bling, path: str) -> None:
    if any(path == scope or path.startswith(f"{scope}/") for scope in bling.settings.missing_scopes):
        text = "The request requires higher privileges than provided by the access token"
        raise oauth_error(403, "insufficient_scope", text)


def _data(request: Request, data: object, *, wrapped: bool = True) -> Response:
    if request.method != "GET":
        raise method_not_allowed()
    if data is None:
        raise not_found()
    return json_response({"data": data} if wrapped else data)
