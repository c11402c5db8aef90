"""Um destino de avisos: recebe o que o Apprise manda a uma URL `json://`, e guarda."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Inbox:
    def __init__(self) -> None:
        self.received: list[dict[str, str]] = []
        self.status = 200
        """O que se responde; outro código é um destino que recusa."""
        self.attempts = 0
        self.on_post: Callable[[], object] | None = None
        """O que acontece, uma vez, enquanto o primeiro aviso é recebido."""
        self.url = ""

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.received]

    @property
    def kinds(self) -> list[str]:
        return [message["type"] for message in self.received]


@contextmanager
def open_inbox() -> Iterator[Inbox]:
    inbox = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            inbox.attempts += 1
            if (happens := inbox.on_post) is not None:
                inbox.on_post = None
                happens()
            if inbox.status == 200:
                inbox.received.append(body)
            self.send_response(inbox.status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — o nome é o da classe de base
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        inbox.url = f"json://usuario:senha-do-destino@127.0.0.1:{server.server_port}/avisos"
        try:
            yield inbox
        finally:
            server.shutdown()
            thread.join()
