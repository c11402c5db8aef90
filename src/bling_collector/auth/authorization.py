"""A autorização do Bling, como a usa quem coleta e quem autoriza."""

from typing import NoReturn, Protocol

from bling_collector.auth.tokens import Token
from bling_collector.errors import ConfigurationError


class Authorization(Protocol):
    """O que `OAuth` faz: dá o token que vale, renova-o, e guarda o de quem autoriza.

    ConfigurationError se faltam as credenciais do aplicativo; ReauthorizeError se só o dono da conta resolve.
    """

    async def get_valid_access_token(self) -> Token: ...

    async def take_up(self) -> None: ...

    async def renew_after_401(self, rejected: Token) -> Token: ...

    async def refuse(self, rejected: Token) -> None: ...

    async def start_authorization(self) -> str: ...

    async def exchange_authorization_code(self, code: str, state: str) -> Token: ...


class WithoutCredentials:
    """A autorização de quem ainda não tem credenciais: todo uso dela diz qual falta."""

    def __init__(self, missing: ConfigurationError) -> None:
        self._missing = missing

    async def get_valid_access_token(self) -> Token:
        self._refuse()

    async def take_up(self) -> None:
        """Sem credenciais ninguém trocou par nenhum."""

    async def renew_after_401(self, rejected: Token) -> Token:
        self._refuse()

    async def refuse(self, rejected: Token) -> None:
        self._refuse()

    async def start_authorization(self) -> str:
        self._refuse()

    async def exchange_authorization_code(self, code: str, state: str) -> Token:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ConfigurationError(str(self._missing))
