"""Os códigos e tokens vivos, e as regras de sua troca."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from bling_simulator.answers import BlingError, oauth_error
from bling_simulator.clock import Clock
from bling_simulator.oauth.tokens import SCOPES, jwt_token, opaque_token
from bling_simulator.payload import Json
from bling_simulator.settings import SimulatorSettings


@dataclass
class _Code:
    expires: datetime
    used: bool = False


@dataclass(frozen=True)
class _Access:
    expires: datetime
    jwt: bool


class Grants:
    """A autorização de um usuário a um aplicativo: é uma só, e cai inteira."""

    def __init__(self, clock: Clock, settings: Callable[[], SimulatorSettings], seed: int) -> None:
        self._clock = clock
        self._settings = settings
        self._rng = Random(seed)
        self._codes: dict[str, _Code] = {}
        self._access: dict[str, _Access] = {}
        self._refresh: dict[str, datetime] = {}

    def new_code(self) -> str:
        """Um código de uso único, válido por um minuto."""
        code = opaque_token(self._rng)
        self._codes[code] = _Code(self._in(self._settings().code_seconds))
        return code

    def exchange(self, code: str, *, jwt: bool) -> Json:
        """O primeiro par de tokens. Um código já usado derruba tudo o que o usuário concedeu."""
        known = self._codes.get(code)
        if known is None:
            raise oauth_error(400, "invalid_grant", "Authorization code doesn't exist or is invalid for the client")
        if known.used:
            self.revoke_all()
            raise BlingError(
                400,
                "VALIDATION_ERROR",
                "Invalid authorization code",
                "This authorization code has already been used, for security reasons the user has been revoked.",
            )
        if self._clock.now() >= known.expires:
            raise oauth_error(400, "invalid_grant", "The authorization code has expired")
        known.used = True
        return self.issue(jwt=jwt)

    def rotate(self, refresh_token: str, *, jwt: bool) -> Json:
        """Um par novo; o refresh token usado morre na hora, sem tolerância (medido)."""
        expires = self._refresh.get(refresh_token)
        if expires is None:
            raise oauth_error(400, "invalid_grant", "Invalid refresh token")
        if self._clock.now() >= expires:
            raise oauth_error(400, "invalid_grant", "Refresh token has expired")
        if self._settings().company_inactive:
            inactive = "A empresa vinculada ao token esta inativa."
            raise BlingError(400, "UNAUTHORIZED_ERROR", "Empresa inativa", inactive)
        del self._refresh[refresh_token]
        return self.issue(jwt=jwt)

    def issue(self, *, jwt: bool = False) -> Json:
        """Um par de tokens, como o corpo de `POST /oauth/token` o traz."""
        settings = self._settings()
        jwt = jwt or settings.always_jwt
        expires = self._in(settings.access_seconds)
        access = (
            jwt_token(self._rng, settings.client_id, settings.client_secret, expires)
            if jwt
            else opaque_token(self._rng)
        )
        refresh = opaque_token(self._rng)
        self._access[access] = _Access(expires, jwt)
        self._refresh[refresh] = self._in(settings.refresh_seconds)
        return {
            "access_token": access,
            "expires_in": settings.access_seconds,
            "token_type": "bearer" if settings.token_type_lowercase else "Bearer",
            "scope": " ".join(map(str, SCOPES)),
            "refresh_token": refresh,
        }

    def check(self, access_token: str, *, wants_jwt: bool) -> None:
        """401 se o token não serve; um opaco com `enable-jwt: 1` não serve (medido)."""
        known = self._access.get(access_token)
        if known is None or (wants_jwt and not known.jwt):
            raise oauth_error(401, "invalid_token", "The access token provided is invalid")
        if self._clock.now() >= known.expires:
            raise oauth_error(401, "invalid_token", "The access token provided has expired")

    def expire_access_tokens(self) -> None:
        """Vence agora todos os access tokens; os refresh tokens continuam valendo."""
        now = self._clock.now()
        self._access = {token: _Access(now, known.jwt) for token, known in self._access.items()}

    def revoke(self, token: str) -> None:
        self._access.pop(token, None)
        self._refresh.pop(token, None)

    def revoke_all(self) -> None:
        """O usuário revogou o aplicativo: nenhum token ou código serve mais."""
        self._access.clear()
        self._refresh.clear()
        self._codes = {code: known for code, known in self._codes.items() if known.used}

    def adopt(self, other: "Grants") -> None:
        """O que `other` concedeu vale aqui também."""
        self._access |= other._access
        self._refresh |= other._refresh

    def _in(self, seconds: int) -> datetime:
        return self._clock.now() + timedelta(seconds=seconds)
