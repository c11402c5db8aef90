"""Onde um texto manda digitar um comando, a página do painel que faz o mesmo.

As mensagens (erros, alarmes, o que uma execução deixou dito) são as mesmas para todos, e citam comandos. Aqui quem as
lê não tem onde os digitar: «Autorize com `bling-collector auth`» passa a «Autorize em Autorizar no Bling», um enlace.
"""

import re
from typing import Final

from markupsafe import Markup, escape

_PAGES: Final = {
    "auth": ("/autorizar", "Autorizar no Bling"),
    "failures": ("/execucoes", "Execuções"),
    "reconcile": ("/cobertura", "Cobertura"),
    "reconcile --repair --aceitar-exclusoes": ("/", "Situação"),
    "run": ("/executar", "Executar"),
    "run-full": ("/executar", "Executar"),
    "status": ("/execucoes", "Execuções"),
    "GET /runs": ("/execucoes", "Execuções"),
}
"""Por comando (com as opções, se o que fazem é de outra página) ou rota da API: o endereço e o nome da página. Os
outros não têm página, e ficam como estão."""
_WHERE: Final = {"com ": "em ", "pelo painel ou com ": "em ", "Rode ": "Vá a ", "rode ": "vá a ", None: "a página "}
"""O que vem antes do comando, e o que vem antes do nome da página."""
_COMMAND: Final = re.compile(
    r"(?:\b(?P<before>(?:pelo painel ou )?com |[Rr]ode ))?"
    r"(?:`bling-collector (?P<name>[a-z-]+)(?![a-z-])(?! --gerar-chave| --trocar-empresa)(?P<given>[^`]*)`"
    r"|(?P<route>GET /runs\b))"
)
_CODE: Final = re.compile(r"`([^`\n]+)`")


def pointing(text: str) -> Markup:
    """O texto, escapado, com cada comando que tem página trocado pelo enlace dela; os outros, como código."""
    return Markup(_CODE.sub(_as_code, _COMMAND.sub(_page, str(escape(text)))))  # noqa: S704 — já vem escapado


def coding(text: str) -> Markup:
    """O texto, escapado, com o que vem entre crases como código."""
    return Markup(_CODE.sub(_as_code, str(escape(text))))  # noqa: S704 — já vem escapado


def _as_code(found: re.Match[str]) -> str:
    return f"<code>{found[1]}</code>"


def _page(found: re.Match[str]) -> str:
    command = found["name"] or found["route"]
    page = _PAGES.get(f"{command}{found['given'] or ''}") or _PAGES.get(command)
    return f'{_WHERE[found["before"]]}<a href="{page[0]}">{page[1]}</a>' if page else found[0]
