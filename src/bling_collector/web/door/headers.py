"""Os cabeçalhos de segurança de toda resposta; os que a rota já pôs ficam."""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
NOT_A_PAGE: Final = "default-src 'none'; frame-ancestors 'none'"
PANEL: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    # Um formulário nosso diz de onde vem, que é o que se confere antes de mudar alguma coisa; outro site não o sabe.
    "Referrer-Policy": "same-origin",
}
"""Os das páginas do painel: só o que vem deste serviço se carrega, e nada escrito na página se executa."""


class SecurityHeaders:
    """Middleware: nada daqui se guarda em cache, se adivinha o tipo ou se põe num quadro de outra página."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", NOT_A_PAGE)
            await send(message)

        await self._app(scope, receive, dressed)
