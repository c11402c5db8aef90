"""Os registros (logs): JSON como o Cloud Logging os lê ou, num terminal, linhas curtas. Um segredo ou um
documento (CPF, CNPJ) não passa por aqui.

Quem começa uma execução põe o número dela em `current_run`; todo registro feito dali em diante o leva.
"""

import logging
import re
import sys
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from json import dumps
from typing import Any, Final, TextIO

from bling_collector.redaction import HIDDEN, redact
from bling_collector.words import of_company

current_run: ContextVar[int | None] = ContextVar("current_run", default=None)
"""O número da execução a que pertence o que se registra, ou None."""
current_company: ContextVar[str | None] = ContextVar("current_company", default=None)
"""A empresa de que se trata; None é a principal."""

_SECRET_FIELD: Final = re.compile(
    r"authorization|secret|password|senha|token$|encryption_key|^code$|^state$|cookie|documento$|^cpf$|^cnpj$",
    re.IGNORECASE,
)
_STANDARD: Final = logging.makeLogRecord({}).__dict__.keys() | {"message", "asctime", "taskName", "color_message"}
_LONGEST_PATH: Final = 500
"""Caracteres de um caminho na linha de acesso: quem chama o escreve como quer."""
_SEVERITIES: Final = {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}
_IN_PORTUGUESE: Final = {"WARNING": "AVISO", "ERROR": "ERRO", "CRITICAL": "GRAVE"}
_ADOPTED: Final = ("uvicorn", "uvicorn.error", "uvicorn.access", "sqlalchemy", "alembic", "httpx2")
"""Os que teriam os seus próprios destinos."""
_LEAST: Final = dict.fromkeys(("sqlalchemy", "httpcore2", "httpx2", "alembic"), logging.WARNING)
"""O nível mínimo de quem diz demais: o SQL com os seus parâmetros, os cabeçalhos, cada requisição."""
_TRANSLATED: Final = {
    "Started server process [%d]": "O processo %d do serviço começou.",
    "Waiting for application startup.": "O serviço está abrindo.",
    "Application startup complete.": "O serviço abriu.",
    "Application startup failed. Exiting.": "O serviço não abriu, e acaba aqui.",
    "Uvicorn running on %s://%s:%d (Press CTRL+C to quit)": "Atendendo em %s://%s:%d (Ctrl-C para).",
    "Uvicorn running on %s://[%s]:%d (Press CTRL+C to quit)": "Atendendo em %s://[%s]:%d (Ctrl-C para).",
    "Shutting down": "O serviço está parando.",
    "Waiting for connections to close. (CTRL+C to force quit)": "Espera que as conexões se fechem.",
    "Waiting for background tasks to complete. (CTRL+C to force quit)": "Espera que os pedidos em curso terminem.",
    "Cancel %s running task(s), timeout graceful shutdown exceeded": "Acabou o prazo; pedidos cancelados: %s.",
    "Waiting for application shutdown.": "O serviço está fechando.",
    "Application shutdown complete.": "O serviço fechou.",
    "Finished server process [%d]": "O processo %d do serviço acabou.",
    "Invalid HTTP request received.": "Chegou algo que não é HTTP.",
    "Unsupported upgrade request.": "Pediram para trocar de protocolo (Upgrade), e aqui só se fala HTTP.",
}
"""O que o uvicorn diz num dia comum."""
_NOISY: Final = ("uvicorn.error", "asyncio", "bling_collector.web.door.connections")
_PROVOKED: Final = (
    "Invalid HTTP request received.",
    "Unsupported upgrade request.",
    "No supported WebSocket library detected.",
    "socket.accept() out of system resource",
    "São conexões demais",
)
"""O começo do que se registra por culpa de quem chama."""


def _said(message: str) -> str:
    """A mensagem, com os comandos da empresa de que se trata."""
    empresa = current_company.get()
    return message if empresa is None else of_company(message, empresa)


class JsonFormatter(logging.Formatter):
    """Um objeto JSON por linha, com os campos especiais do Cloud Logging (structured logging)."""

    def __init__(self, secrets: Iterable[str] = (), *, ascii_only: bool = False) -> None:
        super().__init__()
        self._secrets = tuple(secrets)
        self._ascii_only = ascii_only

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        entry: dict[str, Any] = {
            "severity": record.levelname if record.levelname in _SEVERITIES else "DEFAULT",
            "time": time.replace("+00:00", "Z"),
            "message": _said(record.getMessage()),
            "logger": record.name,
            "logging.googleapis.com/sourceLocation": {
                "file": record.pathname,
                "line": str(record.lineno),
                "function": record.funcName,
            },
        }
        if (run_id := current_run.get()) is not None:
            entry["run_id"] = run_id
        if (empresa := current_company.get()) is not None:
            entry["empresa"] = empresa
        entry |= {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
        stacks = [self.formatException(record.exc_info)] if record.exc_info else []
        if record.stack_info:
            stacks.append(self.formatStack(record.stack_info))
        if stacks:
            entry["stack_trace"] = "\n".join(stacks)
        return dumps(self._clean(entry), ensure_ascii=self._ascii_only, default=str)

    def _clean(self, value: Any) -> Any:
        match value:
            case Mapping():
                return {
                    str(name): HIDDEN if _SECRET_FIELD.search(str(name)) else self._clean(inner)
                    for name, inner in value.items()
                }
            case list() | tuple() | set() | frozenset():
                return [self._clean(inner) for inner in value]
            case bool() | int() | float() | None:
                return value
        return redact(str(value), self._secrets)


class LineFormatter(logging.Formatter):
    """Uma linha curta para uma pessoa: a hora local, o nível quando não é o comum, a execução e a mensagem."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__("%(asctime)s %(message)s", "%H:%M:%S")
        self._secrets = tuple(secrets)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 — o nome é do logging
        level = "" if record.levelno == logging.INFO else _IN_PORTUGUESE.get(record.levelname, record.levelname) + " "
        of = " ".join(str(each) for each in (current_company.get(), current_run.get()) if each is not None)
        return f"{record.asctime} {level}{f'[{of}] ' if of else ''}{_said(record.message)}"

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record), self._secrets)


class _Handler(logging.StreamHandler[TextIO]):
    """O destino que `configure` instala, para que a chamada seguinte o reconheça."""


def configure(
    level: str = "INFO", *, stream: TextIO | None = None, json: bool | None = None, secrets: Iterable[str] = ()
) -> None:
    """Manda tudo o que se registra a `stream` (sem ele, a saída de erros). Pode ser chamada de novo.

    `json=None` escolhe: JSON, a não ser num terminal. `secrets` são textos a esconder além dos que se reconhecem
    pela forma.
    """
    stream = stream if stream is not None else sys.stderr
    hidden = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
    handler = _Handler(stream)
    handler.addFilter(translate)
    handler.setLevel(level.upper())  # uma execução pode guardar mais do que aqui se mostra
    if json if json is not None else not stream.isatty():
        encoding = (getattr(stream, "encoding", None) or "utf-8").lower().replace("_", "-")
        handler.setFormatter(JsonFormatter(hidden, ascii_only=encoding not in ("utf-8", "utf8")))
    else:
        handler.setFormatter(LineFormatter(hidden))
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _ADOPTED:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.NOTSET)
    for name, least in _LEAST.items():
        logging.getLogger(name).setLevel(max(least, root.level))
    logging.getLogger("uvicorn.access").addFilter(without_query)
    for name in _NOISY:
        logging.getLogger(name).addFilter(_once_a_minute)


def translate(record: logging.LogRecord) -> bool:
    """Põe em português o que o uvicorn registra."""
    if record.name == "uvicorn.error":
        record.msg = _TRANSLATED.get(str(record.msg), record.msg)
    return True


class OnceAMinute(logging.Filter):
    """O que qualquer um de fora provoca quantas vezes quiser diz-se uma vez por minuto, e não mil."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        kind = next((start for start in _PROVOKED if str(record.msg).startswith(start)), None)
        if kind is None:
            return True
        before = self._said.get(kind)
        if before is not None and record.created - before < 60:
            return False
        self._said[kind] = record.created
        return True


_once_a_minute: Final = OnceAMinute()


def without_query(record: logging.LogRecord) -> bool:
    """Tira a query do caminho na linha de acesso do uvicorn: o código do OAuth viaja nela."""
    if isinstance(record.args, tuple) and len(record.args) == 5:
        client, method, path, *rest = record.args
        record.args = (client, method, str(path).partition("?")[0][:_LONGEST_PATH], *rest)
    return True
