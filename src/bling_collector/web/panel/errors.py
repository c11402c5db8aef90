"""Um erro, como página: o que houve e o que fazer, primeiro para o dono dos dados, e o resto para quem cuida disto."""

from typing import Final

from starlette.responses import Response
from starlette.types import Scope

from bling_collector.errors import DailyLimitError, DatabaseError
from bling_collector.web.panel.forms import local_path
from bling_collector.web.panel.render import page

NOTHING: Final = "Não há nenhuma página neste endereço. Comece pela Situação, ou pelas seções no alto."


def error_page(
    scope: Scope,
    status: int,
    title: str,
    detail: str,
    headers: dict[str, str] | None = None,
    *,
    authorise: bool = False,
    nothing: bool = False,
) -> Response:
    """A mesma coisa que o problema da API diz, para uma pessoa.

    Com `authorise`, o botão que o resolve; com `nothing`, o endereço não é de página alguma.
    """
    plain = NOTHING if nothing else _plain(status, title, authorise=authorise)
    query = scope["query_string"].decode("latin-1")
    here = f"{scope['path']}?{query}" if query else scope["path"]
    again = local_path(here) if plain and status >= 500 and scope["method"] == "GET" and not authorise else None
    shown = {"title": title, "detail": detail, "code": status, "authorise": authorise, "plain": plain, "again": again}
    return page(scope, "erro.html", status=status, headers=headers, **shown)


def _plain(status: int, title: str, *, authorise: bool) -> str | None:
    """O que dizer a quem não cuida do coletor; None se o erro já é uma frase para todos."""
    if authorise:
        return "O coletor precisa que você o autorize a ler a sua conta do Bling. Nada se perde: ele continua daí."
    if title == DatabaseError.title:
        return (
            "O banco dos dados não atende agora. Tente de novo em alguns minutos; se continuar, avise quem cuida dele."
        )
    if status == 502 and title != DailyLimitError.title:  # a cota acabada já o diz, e minutos não bastam
        return "O Bling não respondeu como devia. Nada se perdeu; tente de novo em alguns minutos."
    return None
