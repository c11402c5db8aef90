"""Os tokens cifrados em repouso: Fernet (AES-128-CBC com HMAC-SHA256), com tantas chaves quantas a troca delas peça."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from bling_collector.auth.texts import SEALED
from bling_collector.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_MARK: Final = "fernet:"
"""O que distingue um token cifrado de um em claro; nenhum token do Bling tem dois-pontos."""


class TokenCipher:
    """Cifra com a primeira chave e decifra com qualquer delas; sem chave, o texto fica como está."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        """ConfigurationError, sem repetir a chave, se alguma não é do Fernet."""
        self._keys: list[Fernet] = []
        if not keys:
            return
        from cryptography import fernet

        try:
            self._keys = [fernet.Fernet(key) for key in keys]
        except ValueError:
            raise ConfigurationError(
                "TOKEN_ENCRYPTION_KEY tem uma chave que não serve: são 44 caracteres, como "
                "`bling-collector auth --gerar-chave` os dá; várias chaves se separam com vírgula."
            ) from None

    def seal(self, text: str) -> str:
        """Como guardar `text`."""
        return _MARK + self._keys[0].encrypt(text.encode()).decode() if self._keys else text

    def open(self, stored: str) -> str:
        """O texto guardado, cifrado ou em claro. ConfigurationError se foi cifrado com uma chave que não há."""
        if not is_sealed(stored):
            return stored
        if not self._keys:
            raise ConfigurationError(SEALED)
        from cryptography.fernet import InvalidToken, MultiFernet

        try:
            return MultiFernet(self._keys).decrypt(stored.removeprefix(_MARK)).decode()
        except InvalidToken:
            raise ConfigurationError(SEALED) from None

    def opens(self, stored: str) -> bool:
        """Se `open` o abriria."""
        try:
            self.open(stored)
        except ConfigurationError:
            return False
        return True

    def is_current(self, stored: str) -> bool:
        """Se está guardado como `seal` o guardaria hoje: cifrado com a primeira chave ou, sem chaves, como for."""
        if not self._keys:
            return True
        from cryptography.fernet import InvalidToken

        try:
            self._keys[0].decrypt(stored.removeprefix(_MARK))
        except InvalidToken:
            return False
        return True


def is_sealed(stored: str) -> bool:
    """Se o texto guardado está cifrado."""
    return stored.startswith(_MARK)


def new_key() -> str:
    """Uma chave nova para TOKEN_ENCRYPTION_KEY."""
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()
