"""O par novo que o banco não aceitou: guardado num arquivo que só o dono lê, até que o banco o aceite.

O nome do arquivo é a impressão do refresh token que o par substitui. Assim ele só serve ao banco que ainda guarda
aquele token, e deixa de servir no instante em que outro par é gravado.
"""

import os
import sys
import time
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from json import dumps, loads
from pathlib import Path
from typing import Final

from bling_collector.auth.token_cipher import TokenCipher
from bling_collector.auth.tokens import REFRESH_LIFE, Token
from bling_collector.disk.names import keep_names
from bling_collector.errors import ConfigurationError

_PREFIX: Final = "par-"


class SetAside:
    """Os pares à espera, na pasta de dados do usuário; cifrados como os do banco, se há chave."""

    def __init__(self, folder: Path, cipher: TokenCipher) -> None:
        self._folder = folder
        self._cipher = cipher

    def put(self, spent: str, token: Token) -> Path:
        """Guarda `token`, que substitui `spent`, e devolve onde. OSError se não é possível escrever ali."""
        fields = {
            "access_token": token.access_token,
            "refresh_token": token.refresh_token,
            "token_type": token.token_type,
            "expires_at": token.expires_at.isoformat(),
            "updated_at": token.updated_at.isoformat() if token.updated_at else None,
            "refresh_in_doubt": token.refresh_in_doubt,
        }
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._path(spent)
        new = path.with_suffix(f".{os.getpid()}")
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._give_back(descriptor)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(self._cipher.seal(dumps(fields)))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        keep_names(self._folder)
        return path

    def find(self, spent: str) -> Token | None:
        """O par que substitui `spent`, se está guardado aqui.

        ConfigurationError se está, mas não se deixa ler: enviar `spent` outra vez perderia a autorização.
        """
        path = self._path(spent)
        try:
            fields = loads(self._cipher.open(path.read_text("utf-8")))
            return Token(
                access_token=fields["access_token"],
                refresh_token=fields["refresh_token"],
                token_type=fields["token_type"],
                expires_at=datetime.fromisoformat(fields["expires_at"]),
                updated_at=datetime.fromisoformat(fields["updated_at"]) if fields["updated_at"] else None,
                refresh_in_doubt=fields["refresh_in_doubt"],
            )
        except (FileNotFoundError, NotADirectoryError):
            return None
        except PermissionError as error:
            if not os.access(self._folder, os.X_OK):
                return None  # a pasta é de outra conta: nada ali foi guardado por esta
            raise _unreadable(path, error) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _unreadable(path, error) from None

    def drop(self, spent: str) -> bool:
        """Apaga o par que substituía `spent`, e os que já não servem a ninguém por velhos; devolve se ele estava lá."""
        oldest, was_there = time.time() - REFRESH_LIFE.total_seconds(), False
        with suppress(OSError):
            was_there = self._path(spent).exists()
            self._path(spent).unlink(missing_ok=True)
            for path in self._folder.glob(f"{_PREFIX}*"):
                if path.stat().st_mtime < oldest:
                    path.unlink()
        return was_there

    def _give_back(self, descriptor: int) -> None:
        """O que o root guarda na pasta de um usuário (sudo) fica do usuário, que precisará lê-lo depois."""
        if sys.platform != "win32" and os.geteuid() == 0:
            owner = self._folder.parent.stat()
            os.chown(self._folder, owner.st_uid, owner.st_gid)
            os.fchown(descriptor, owner.st_uid, owner.st_gid)

    def _path(self, spent: str) -> Path:
        return self._folder / f"{_PREFIX}{sha256(spent.encode()).hexdigest()[:32]}.json"


def _unreadable(path: Path, error: Exception) -> ConfigurationError:
    return ConfigurationError(
        f"Um par de tokens que o banco não tinha aceitado está em {path}, e não se deixa ler "
        f"({type(error).__name__}). Rode com a conta que o guardou; ou apague-o e autorize de novo com "
        "`bling-collector auth`."
    )
