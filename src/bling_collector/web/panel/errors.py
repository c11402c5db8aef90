"""Um erro, como página: o que houve e o que fazer."""

from starlette.responses import Response
from starlette.types import Scope

from bling_collector.web.panel.render import page


def error_page(
    scope: Scope,
    status: int,
    title: str,
    detail: str,
    headers: dict[str, str] | None = None,
    *,
    authorise: bool = False,
) -> Response:
    """A mesma coisa que o problema da API diz, para uma pessoa; com `authorise`, o botão que o resolve."""
    shown = {"title": title, "detail": detail, "code": status, "authorise": authorise}
    return page(scope, "erro.html", status=status, headers=headers, **shown)
