"""As respostas do Bling: JSON, páginas HTML e o envelope de erro."""

from typing import Any

from starlette.responses import HTMLResponse, Response

from bling_simulator.payload import Json, dump

_OPERATION_FAILED = "Não foi possível executar a operação"


class BlingError(Exception):
    """Uma recusa do Bling: o status e o que vai dentro do envelope `{"error": …}`."""

    def __init__(self, status: int, kind: str, message: str, description: str, **extra: Any) -> None:
        super().__init__(f"{status} {kind}: {description}")
        self.status = status
        self.error: Json = {"type": kind, "message": message, "description": description, **extra}

    def response(self) -> Response:
        return json_response({"error": self.error}, self.status)


def json_response(body: object, status: int = 200) -> Response:
    return Response(dump(body), status, media_type="application/json")


def html_page(title: str, body: str, status: int) -> Response:
    return HTMLResponse(
        f'<!doctype html><html lang="pt-BR"><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body><h1>{title}</h1>{body}</body></html>",
        status,
    )


def not_found() -> BlingError:
    return BlingError(
        404,
        "RESOURCE_NOT_FOUND",
        "Recurso não encontrado",
        "O recurso requisitado não foi encontrado. Verifique se o endpoint solicitado está correto ou se o ID "
        "informado realmente existe no sistema.",
    )


def invalid(element: str, msg: str) -> BlingError:
    """400 de um parâmetro que não passou na validação."""
    field = {"code": 3, "msg": msg, "element": element, "namespace": "CONSULTA"}
    description = "Ocorreu um erro ao validar os dados recebidos."
    return BlingError(400, "VALIDATION_ERROR", _OPERATION_FAILED, description, fields=[field])


def method_not_allowed() -> BlingError:
    return BlingError(405, "METHOD_NOT_ALLOWED", "Método não permitido", "O simulador só atende consultas (GET).")


def server_error() -> BlingError:
    return BlingError(500, "SERVER_ERROR", _OPERATION_FAILED, "Um erro interno ocorreu.")


def oauth_error(status: int, kind: str, description: str) -> BlingError:
    """Um erro da biblioteca OAuth do Bling, que repete o tipo na mensagem."""
    return BlingError(status, kind, kind, description)


def too_many_requests(limit: int, period: str) -> BlingError:
    """429 por segundo (`second`) ou por dia (`day`); nunca vem com `Retry-After`."""
    text = {
        "second": "O limite de requisições por segundo foi atingido, tente novamente mais tarde.",
        "day": "O limite de requisições por dia foi atingido, tente novamente amanhã.",
    }[period]
    return BlingError(429, "TOO_MANY_REQUESTS", "Limite de requisições atingido.", text, limit=limit, period=period)


def blocked_page() -> Response:
    text = "<p>O acesso deste endereço IP foi temporariamente bloqueado por excesso de requisições.</p>"
    return html_page("Acesso negado", text, 403)


def bad_gateway_page(status: int) -> Response:
    return html_page(f"{status} Bad Gateway", "<hr><p>nginx</p>", status)
