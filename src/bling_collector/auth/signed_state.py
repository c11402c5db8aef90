"""O `state` de uma autorização: assinado, e não guardado. Pedi-lo não muda nada; só o que volta do Bling se anota."""

import hmac
import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

STATE_LIFE: Final = timedelta(minutes=10)
UNKNOWN_STATE: Final = (
    "Esta autorização não começou aqui, já foi usada ou passou dos 10 minutos. Comece de novo com "
    "`bling-collector auth`."
)
_PURPOSE: Final = b"bling-collector: state de uma autorizacao"


def company_of(state: str) -> str | None:
    """A empresa de que o `state` diz ser; None se é da principal. Quem o confere é `SignedStates`."""
    return state.rpartition(".")[0].partition("~")[2] or None


class SignedStates:
    """Assina com uma chave tirada do Client Secret, que todos os processos têm e ninguém de fora conhece."""

    def __init__(self, client_secret: str) -> None:
        self._key = hmac.new(client_secret.encode("utf-8", "surrogateescape"), _PURPOSE, sha256).digest()

    def issue(self, now: datetime, empresa: str | None = None) -> str:
        """Um novo: até quando vale, um número só seu, a empresa, se não é a principal, e a assinatura disso."""
        what = f"{int((now + STATE_LIFE).timestamp())}-{secrets.token_urlsafe(24)}"
        what += f"~{empresa}" if empresa else ""
        return f"{what}.{self._signature(what)}"

    def ends_at(self, state: str, now: datetime) -> datetime | None:
        """Quando vence; None se não foi assinado aqui, ou se já venceu."""
        what, _, signature = state.rpartition(".")
        given = signature.encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._signature(what).encode()):
            return None
        ends = datetime.fromtimestamp(int(what.partition("-")[0]), UTC)
        return ends if now < ends else None

    def _signature(self, what: str) -> str:
        return hmac.new(self._key, what.encode("utf-8", "surrogateescape"), sha256).hexdigest()
