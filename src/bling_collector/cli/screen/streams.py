"""As saídas do processo nunca mudam como um comando acaba: seja qual for a codificação, e leia-as alguém ou não."""

import codecs
import errno
import io
import os
import sys
import unicodedata
from typing import Final

_ALIKE: Final = {
    "✔": "+",
    "✘": "x",
    "◐": "~",
    "⚠": "!",
    "─": "-",
    "—": "-",
    "–": "-",
    "…": "...",
    "→": "->",
    "←": "<-",
} | {
    **dict.fromkeys("«»“”", '"'),
    **dict.fromkeys("‘’", "'"),
    "×": "x",
    "·": "-",
}
_HANDLER: Final = "bling_collector.alike"
_NOBODY: Final = {errno.EPIPE, errno.EBADF} | ({errno.EINVAL} if sys.platform == "win32" else set())
"""Quem lia se foi (`| head`), ou nunca houve quem lesse."""


def alike(error: UnicodeError) -> tuple[str, int]:
    """O que se escreve no lugar do que a codificação da saída não tem."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    encoding = error.encoding

    def one(character: str) -> str:
        plain = unicodedata.normalize("NFKD", character)
        letters = "".join(part for part in plain if not unicodedata.combining(part))
        for choice in (_ALIKE.get(character), letters):
            try:
                if choice and choice.encode(encoding) is not None:
                    return choice
            except UnicodeError:
                continue
        return "?"

    return "".join(map(one, error.object[error.start : error.end])), error.end


class Output(io.TextIOWrapper):
    """Uma saída que não levanta erro: o que não se pôde escrever se perde, e `failure` diz por quê."""

    failure: OSError | None = None
    """None também se só não havia quem lesse."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            self._lose(error)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        if error.errno not in _NOBODY:
            self.failure = error
        # O que ficou por escrever, e o resto, tem onde cair: senão o próprio Python, ao acabar, mudaria o código.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def prepare() -> None:
    """Põe as saídas do processo como aqui se promete; as que alguém já trocou ficam como estão."""
    codecs.register_error(_HANDLER, alike)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        # Fechada por quem nos chamou, o número dela iria para o primeiro arquivo ou conexão que se abrisse.
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 — até o fim do processo
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")  # uma resposta digitada noutra codificação é só uma resposta errada
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if type(stream) is io.TextIOWrapper and stream is getattr(sys, f"__{name}__"):
            encoding, lines, through = stream.encoding, stream.line_buffering, stream.write_through
            ours = Output(stream.detach(), encoding, _HANDLER, None, lines, through)
            setattr(sys, name, ours)
            setattr(sys, f"__{name}__", ours)


def in_unicode() -> bool:
    """Se toda letra cabe na saída."""
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("_", "-")
    return encoding.startswith(("utf-8", "utf8", "utf-16", "utf-32"))


def failure() -> OSError | None:
    """O que impediu que tudo o que se escreveu em stdout chegasse; None se chegou, ou se ninguém o lia."""
    if not isinstance(sys.stdout, Output):
        return None
    sys.stdout.flush()
    return sys.stdout.failure
