"""Os erros do coletor, agrupados pelo que faz quem os recebe.

    CollectorError
    ├── UsageError                pedir de outro jeito: o pedido está errado, nada mudou     (saída 2, HTTP 422)
    │   └── ConfigurationError    corrigir a configuração                                    (saída 2, HTTP 503)
    ├── ReauthorizeError          o dono da conta autoriza de novo                           (saída 3, HTTP 503)
    ├── RunInProgressError        esperar: outra execução está em curso                      (saída 1, HTTP 409)
    ├── DatabaseError             cuidar do banco                                            (saída 1, HTTP 503)
    └── BlingError                o Bling não deu o que se pediu                             (saída 1, HTTP 502)
        ├── BlingUnavailableError tentar outra vez: o Bling não respondeu ou respondeu mal
        │   └── BlingBodyError    a resposta chegou, mas não se deixa ler
        ├── BlingThrottledError   esperar o próximo segundo
        ├── DailyLimitError       parar até amanhã: a cota do dia acabou
        ├── BlingAuthError        renovar o token (401)
        ├── BlingScopeError       parar a etapa: falta um escopo ao aplicativo (403)
        ├── BlingNotFoundError    seguir: o recurso não existe (404)
        ├── BlingRejectedError    seguir: o Bling recusa este pedido (demais 4xx)
        └── PaginationLoopError   parar a listagem: as páginas se repetem

A mensagem é para uma pessoa: o que houve, por quê, o que fazer agora.
"""


class CollectorError(Exception):
    """Um erro do coletor que se explica sozinho; a mensagem vai inteira a quem lê."""

    exit_code = 1
    http_status = 500
    title = "Erro do coletor"


class UsageError(CollectorError):
    """O pedido não faz sentido; nada foi mudado."""

    exit_code = 2
    http_status = 422
    title = "Pedido inválido"


class ConfigurationError(UsageError):
    """Falta uma configuração, ou o valor dela não serve."""

    http_status = 503
    title = "Configuração incompleta"


class ReauthorizeError(CollectorError):
    """Só o dono da conta resolve: é preciso autorizar de novo."""

    exit_code = 3
    http_status = 503
    title = "Sem autorização do Bling"


class RunInProgressError(CollectorError):
    """Outra execução está em curso neste banco."""

    http_status = 409
    title = "Execução em curso"


class DatabaseError(CollectorError):
    """O banco não responde, ou não serve."""

    http_status = 503
    title = "Banco de dados indisponível"


class BlingError(CollectorError):
    """O Bling não deu o que se pediu; `status` é o código HTTP, quando houve resposta."""

    http_status = 502
    title = "O Bling falhou"

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class BlingUnavailableError(BlingError):
    """O Bling não respondeu, ou respondeu com uma falha passageira (5xx)."""


class BlingBodyError(BlingUnavailableError):
    """A resposta chegou, mas cortada, vazia, em HTML ou com outro conteúdo que não o pedido."""


class BlingThrottledError(BlingError):
    """429: o limite por segundo da conta foi atingido."""


class DailyLimitError(BlingError):
    """429: a cota diária da conta acabou; volta amanhã."""

    title = "A cota diária do Bling acabou"


class BlingAuthError(BlingError):
    """401: o Bling não aceita o token de acesso."""


class BlingScopeError(BlingError):
    """403: o aplicativo não tem o escopo que este recurso pede."""


class BlingNotFoundError(BlingError):
    """404: o recurso não existe (ou não existe mais)."""


class BlingRejectedError(BlingError):
    """O Bling recusa este pedido, e recusaria de novo."""


class PaginationLoopError(BlingError):
    """A listagem anda em círculos: página após página, só linhas já vistas."""
