"""As conexões do serviço: quantas, e quanto se espera por cada uma. Quem abre mil e não diz nada não cala os outros."""

import asyncio
import logging
import sys
from json import dumps
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from bling_collector.web.door.headers import ALWAYS, NOT_A_PAGE

log = logging.getLogger(__name__)

BACKLOG: Final = 32
"""Conexões que o sistema guarda à espera: é também quantas o asyncio aceita de uma vez, antes de se poder contá-las."""
HEADER_SECONDS: Final = 10.0
"""O que se espera por um pedido, da conexão (ou do primeiro byte dele) ao fim dos cabeçalhos."""
STALLED_SECONDS: Final = 60.0
"""O que se espera por quem deixou de ler a resposta."""
MAX_TARGET: Final = 8 * 1024
"""Bytes do caminho com a query."""
MAX_HEADERS: Final = 32 * 1024
"""Bytes dos cabeçalhos todos; um token JWT tem menos de 4 KB. Acima de 64 KB é o servidor que recusa."""
MAX_HEAD: Final = MAX_TARGET + MAX_HEADERS + 8 * 1024
"""Bytes do começo de um pedido que se guardam; o que passa dos limites e cabe aqui ouve de `limits` o porquê."""
_MOST: Final = 256
_CROWDED: Final = "São conexões demais (%d): fecha-se a que há mais tempo não diz nada."
_WORDS: Final = {
    431: ("Cabeçalhos grandes demais", "O começo do pedido passa do que se lê aqui."),
    400: ("Pedido malformado", "O que chegou não é um pedido HTTP."),
}


def most_connections() -> int:
    """Quantas conexões se têm ao mesmo tempo: um quarto dos arquivos que o processo pode abrir, até 256."""
    try:
        import resource
    except ImportError:  # no Windows, o `select` do laço vai até 512
        return _MOST
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _MOST if files == resource.RLIM_INFINITY else max(min(files // 4, _MOST), 8)


class Connection(H11Protocol):
    """Uma conexão do uvicorn com prazo: sem um pedido inteiro ele a fecha, e com gente demais ela dá lugar."""

    most = most_connections()
    header_seconds = HEADER_SECONDS

    heard_at = 0.0
    """A hora (do laço) do último byte que chegou."""
    _deadline: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # como o uvicorn
        super().connection_made(transport)
        self.heard_at = self.loop.time()
        self._watch()
        if len(self.connections) > self.most:
            log.warning(_CROWDED, len(self.connections))
            owing = [each for each in self.connections if isinstance(each, Connection) and each.owes]
            min(owing, key=lambda each: each.heard_at, default=self).give_up()

    def data_received(self, data: bytes) -> None:
        self.heard_at = self.loop.time()
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(STALLED_SECONDS, self.give_up)

    def resume_writing(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
        super().resume_writing()

    @property
    def is_waiting(self) -> bool:
        """Se nenhum pedido está a ser atendido nela."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def owes(self) -> bool:
        """Se é o outro lado que se espera: o pedido, o corpo dele, ou que leia a resposta."""
        return self.is_waiting or self.cycle.more_body or self._stalled is not None

    def give_up(self) -> None:
        """Fecha sem mais conversa."""
        self.connections.discard(self)
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """No lugar do texto em inglês do uvicorn, o problema que qualquer erro daqui é."""
        status = getattr(sys.exception(), "error_status_hint", 400)
        title, detail = _WORDS.get(status, _WORDS[400])
        body = dumps({"type": "about:blank", "title": title, "status": status, "detail": detail}, ensure_ascii=False)
        content = body.encode()
        headers = ALWAYS | {
            "Content-Security-Policy": NOT_A_PAGE,
            "Content-Type": "application/problem+json",
            "Content-Length": str(len(content)),
            "Connection": "close",
        }
        events = (
            h11.Response(status_code=status, headers=list(headers.items())),
            h11.Data(content),
            h11.EndOfMessage(),
        )
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            for event in events:
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _watch(self) -> None:
        """O prazo corre enquanto se espera um pedido; entre dois, sem um byte do seguinte, é o do uvicorn que corre."""
        if self.is_waiting and not self.transport.is_closing():
            if self._deadline is None and self.timeout_keep_alive_task is None:
                self._deadline = self.loop.call_later(self.header_seconds, self.give_up)
        else:
            self._forget_deadline()

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
