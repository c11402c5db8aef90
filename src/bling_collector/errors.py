"""Os erros do coletor, agrupados pelo que faz quem os recebe.

    CollectorError
    ├── UsageError                pedir de outro jeito: o pedido está errado, nada mudou     (saída 2, HTTP 422)
    │   ├── UnknownCompanyError   outro nome, ou criá-la: não há essa empresa neste banco    (saída 2, HTTP 404)
    │   ├── ConfigurationError    corrigir a configuração                                    (saída 2, HTTP 503)
    │   └── AnotherCompanyError   outra conta, ou outra empresa: esta não é a dona dos dados (saída 2, HTTP 422)
    ├── ReauthorizeError          o dono da conta autoriza de novo                           (saída 3, HTTP 503)
    ├── InProgressError           esperar: outra coisa igual está em curso                   (saída 1, HTTP 409)
    │   ├── RunInProgressError        uma execução
    │   └── ExportInProgressError     uma exportação
    ├── DatabaseError             cuidar do banco                                            (saída 1, HTTP 503)
    ├── ExportError               cuidar do destino da exportação                            (saída 1, HTTP 500)
    └── BlingError                o Bling não deu o que se pediu                             (saída 1, HTTP 502)
        ├── BlingUnavailableError tentar outra vez: o Bling não respondeu ou respondeu mal
        │   ├── BlingBodyError    a resposta chegou, mas não se deixa ler
        │   ├── BlingPausedError  esperar: depois de muitos erros, nada mais se pede por um tempo
        │   └── BlingResourceDownError  parar a etapa: o Bling atende, mas nenhum registro deste recurso
        ├── BlingThrottledError   esperar o próximo segundo
        ├── DailyLimitError       parar até amanhã: a cota do dia acabou
        ├── BlingAuthError        renovar o token (401)
        ├── BlingMovedError       corrigir o endereço: o Bling manda a outro (3xx)    (saída 2, HTTP 503)
        ├── BlingScopeError       parar a etapa: falta um escopo ao aplicativo (403)
        ├── BlingNotFoundError    seguir: o recurso não existe (404)
        ├── BlingRejectedError    seguir: o Bling recusa este pedido (demais 4xx)
        └── PaginationLoopError   parar a listagem: as páginas se repetem

A mensagem é para uma pessoa: o que houve, por quê, o que fazer agora.
"""

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

from bling_collector.redaction import without_documents

_OF_THE_SYSTEM: Final = {
    errno.EACCES: "sem permissão",
    errno.EPERM: "o sistema não o permite",
    errno.ENOENT: "não existe",
    errno.ENOTDIR: "há um arquivo no lugar de uma pasta",
    errno.EISDIR: "é uma pasta",
    errno.EEXIST: "já existe",
    errno.ENOTEMPTY: "a pasta não está vazia",
    errno.EROFS: "o disco é só de leitura",
    errno.ENOSPC: "o disco está cheio",
    errno.EDQUOT: "a cota do disco acabou",
    errno.EFBIG: "o arquivo passa do tamanho que se permite",
    errno.EIO: "o disco falhou",
    errno.EMFILE: "há arquivos abertos demais",
    errno.ENFILE: "há arquivos abertos demais na máquina",
    errno.ENAMETOOLONG: "o nome é longo demais",
    errno.ELOOP: "os atalhos dão voltas",
    errno.EPIPE: "quem lia fechou",
    errno.ECONNREFUSED: "ninguém atende ali",
    errno.ETIMEDOUT: "não houve resposta a tempo",
    errno.EADDRINUSE: "o endereço já está em uso",
}


def os_cause(error: OSError) -> str:
    """O que o sistema disse, em português; o que não se conhece, ou outro programa disse por ele, como o disse."""
    said = error.strerror or str(error) or type(error).__name__
    is_its_own = error.errno is not None and said == os.strerror(error.errno)
    return _OF_THE_SYSTEM.get(error.errno or 0, said) if is_its_own else said


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


class UnknownCompanyError(UsageError):
    """Não há neste banco a empresa de que se fala."""

    http_status = 404
    title = "Empresa desconhecida"


class AnotherCompanyError(UsageError):
    """A conta do Bling não é a daquela de quem são os dados que aqui se guardam."""

    title = "A conta do Bling é de outra empresa"


class ReauthorizeError(CollectorError):
    """Só o dono da conta resolve: é preciso autorizar de novo."""

    exit_code = 3
    http_status = 503
    title = "Sem autorização do Bling"


class InProgressError(CollectorError):
    """O que se pediu só se faz um de cada vez em cada empresa, e já há outro em curso."""

    http_status = 409
    title = "Já em curso"


class RunInProgressError(InProgressError):
    """Outra execução desta empresa está em curso."""

    title = "Execução em curso"


class ExportInProgressError(InProgressError):
    """Outra exportação desta empresa, ou para a mesma pasta, está em curso."""

    title = "Exportação em curso"


class DatabaseError(CollectorError):
    """O banco não responde, ou não serve."""

    http_status = 503
    title = "Banco de dados indisponível"


class ExportError(CollectorError):
    """O destino de uma exportação falhou no meio dela; o que havia lá ficou."""

    title = "A exportação falhou"


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


class BlingPausedError(BlingUnavailableError):
    """Depois de muitos erros o coletor deixa o Bling em paz por `wait` segundos; nada foi enviado."""

    http_status = 503
    title = "O Bling está em pausa"

    def __init__(self, message: str, *, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


class BlingResourceDownError(BlingUnavailableError):
    """O Bling atende, mas não dá registro nenhum deste recurso: insistir em cada um só gastaria a cota."""

    title = "Um recurso do Bling não responde"


class BlingThrottledError(BlingError):
    """429: o limite por segundo da conta foi atingido."""


class DailyLimitError(BlingError):
    """429: a cota diária da conta acabou; volta amanhã."""

    title = "A cota diária do Bling acabou"


class BlingAuthError(BlingError):
    """401: o Bling não aceita o token de acesso."""


class BlingMovedError(BlingError):
    """3xx: o Bling manda a outro endereço. Nada o segue: o token iria a quem não se conhece."""

    exit_code = 2
    http_status = 503
    title = "O Bling mudou de endereço"

    @classmethod
    def read(
        cls, where: str, url: str, status: int, location: str, variable: str, afterwards: str = ""
    ) -> "BlingMovedError":
        """`url` é o que se pediu; `location`, o cabeçalho; `variable`, a que guarda o endereço."""
        there = "não diz qual"
        with suppress(ValueError):
            parts = urlsplit(urljoin(url, location))
            if location and parts.hostname:
                # Sem usuário, parâmetros e fragmento: podem trazer o que se enviou.
                port = f":{parts.port}" if parts.port else ""
                there = f"{parts.scheme}://{parts.hostname}{port}{parts.path}"[:200]
        return cls(
            f"{where} (HTTP {status}): o Bling manda a outro endereço: {there}. O coletor não o seguiu, porque o token "
            "não deve ir a quem não se conhece. Se developer.bling.com.br diz que a API mudou para lá, escreva-o em "
            f"{variable}; senão, é algo no caminho (um proxy, um portal de rede) que desvia os pedidos. "
            f"{afterwards}".rstrip(),
            status=status,
        )


class BlingScopeError(BlingError):
    """403: o aplicativo não tem o escopo que este recurso pede."""


class BlingNotFoundError(BlingError):
    """404: o recurso não existe (ou não existe mais)."""


class BlingRejectedError(BlingError):
    """O Bling recusa este pedido, e recusaria de novo."""


class PaginationLoopError(BlingError):
    """A listagem anda em círculos: página após página, só linhas já vistas."""


LASTING: Final = (
    BlingUnavailableError,
    BlingThrottledError,
    BlingScopeError,
    BlingNotFoundError,
    BlingRejectedError,
)
"""Os erros de um pedido que tanto podem ser só dele como de todos: quem o diz é um pedido que já foi atendido."""


@dataclass(frozen=True)
class BlingSaid:
    """O que o Bling diz num corpo de erro (developer.bling.com.br/erros-comuns)."""

    type: str
    """`error.type`, como `invalid_grant` ou `RESOURCE_NOT_FOUND`; vazio se não veio."""
    text: str
    """A descrição (ou a mensagem) e as `fields[].msg`, numa linha; vazio se não veio."""

    @classmethod
    def read(cls, body: object) -> "BlingSaid | None":
        """None se o corpo não traz `error`. Aceita o objeto de hoje e o texto de antes (RFC 6749)."""
        error = body.get("error") if isinstance(body, Mapping) else None
        if not isinstance(body, Mapping) or not (error or isinstance(error, Mapping)):
            return None
        if not isinstance(error, Mapping):
            error = {"type": error, "description": body.get("error_description") or body.get("message")}
        kind = error.get("type")
        words = [error.get("description") or error.get("message") or kind, *_field_messages(error.get("fields"))]
        # O Bling cita o que recebeu: o CPF ou o CNPJ de alguém não entra num erro, que vai a logs, painéis e e-mails.
        text = without_documents(" ".join("; ".join(str(word) for word in words if word).split()))
        return cls(kind if isinstance(kind, str) else "", text if len(text) <= 500 else f"{text[:499]}…")


def _field_messages(fields: object) -> Iterator[str]:
    for field in fields if isinstance(fields, list) else ():
        if isinstance(field, Mapping):
            if field.get("msg"):
                yield f"{field['element']}: {field['msg']}" if field.get("element") else str(field["msg"])
            yield from _field_messages(field.get("collection"))
