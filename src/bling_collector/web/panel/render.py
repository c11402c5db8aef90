"""O único ambiente Jinja: tudo escapado, indefinido é erro, filtros em português, e a política de conteúdo estrita."""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, cookie_parser
from starlette.responses import HTMLResponse
from starlette.types import Scope

from bling_collector import words
from bling_collector.documentos import masked
from bling_collector.insight.words import STATUSES, besides, plain
from bling_collector.web.door.companies import COMPANY
from bling_collector.web.door.headers import PANEL
from bling_collector.web.panel.charts import meter
from bling_collector.web.panel.pointers import coding, pointing
from bling_collector.web.panel.static import static_url
from bling_collector.web.panel.tables.table import shown

SECTIONS: Final = (
    ("situacao", "/", "Situação"),
    ("cobertura", "/cobertura", "Cobertura"),
    ("executar", "/executar", "Executar"),
    ("execucoes", "/execucoes", "Execuções"),
    ("faturamento", "/faturamento", "Faturamento"),
    ("vendas", "/vendas", "Vendas"),
    ("financeiro", "/financeiro", "Financeiro"),
    ("notas", "/notas", "Notas"),
    ("estoque", "/estoque", "Estoque"),
)
"""As seções do painel: o nome que a página diz em `section`, o endereço e o título."""
THEMES: Final = ("light", "dark")
THEME_COOKIE: Final = "tema"
"""A escolha de tema de quem a fez; sem ele vale a do sistema. Não é segredo: o botão, em app.js, o escreve."""

FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "numero": words.number,
    "dinheiro": words.money,
    "compacto": words.compact,
    "porcento": words.percent,
    "dia": words.day,
    "periodo": words.period,
    "mes": words.month,
    "momento": words.moment,
    "hora": words.clock_time,
    "iso": words.iso,
    "duracao": words.duration,
    "ha": words.ago,
    "plural": words.plural,
    "concorda": words.agreed,
    "parte": words.share,
    "maiuscula": words.upper_first,
    "mascarado": masked,
}


@cache
def environment() -> Environment:
    env = Environment(
        loader=PackageLoader("bling_collector.web.panel"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= FILTERS | {
        "cell": shown,
        "meter": meter,
        "alem": besides,
        "aponta": pointing,
        "codigo": coding,
        "motivo": lambda text: pointing(plain(text)),
    }
    env.globals |= {"static_url": static_url, "sections": SECTIONS, "run_statuses": STATUSES}
    return env


def page(
    request: HTTPConnection | Scope,
    template: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **context: Any,
) -> HTMLResponse:
    """A página inteira. `section` (uma de SECTIONS, ou None) marca onde se está; `title` é o título."""
    scope = request.scope if isinstance(request, HTTPConnection) else request
    context = (
        {"section": None, "logged_in": False, "show_nav": True, "company": scope.get("state", {}).get(COMPANY)}
        | scope.get("state", {}).get("panel", {})
        | context
    )
    html = environment().get_template(template).render(theme=_theme(scope), path=scope["path"], **context)
    return HTMLResponse(html, status, PANEL | (headers or {}))


def fragment(template: str, block: str | None = None, **context: Any) -> HTMLResponse:
    """Um pedaço de página para o htmx: o modelo inteiro, ou só um `{% block %}` dele."""
    found = environment().get_template(template)
    if block is None:
        html = found.render(**context)
    else:
        names = found.new_context(context)
        html = "".join(found.blocks[block](names))
    return HTMLResponse(html, headers=PANEL)


def wants_page(scope: Scope) -> bool:
    """Se quem pede é um navegador que vai mostrar a resposta a uma pessoa."""
    return "text/html" in Headers(scope=scope).get("accept", "")


def wants_fragment(scope: Scope) -> bool:
    """Se quem pede é o htmx, que só troca um pedaço da página."""
    return Headers(scope=scope).get("hx-request", "") == "true"


def cookie(scope: Scope, name: str) -> str | None:
    return cookie_parser(Headers(scope=scope).get("cookie", "")).get(name)


def _theme(scope: Scope) -> str | None:
    theme = cookie(scope, THEME_COOKIE)
    return theme if theme in THEMES else None
