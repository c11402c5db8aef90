"""A imagem construída sem Docker: pelo buildah, numa pasta de armazenamento só desta vez."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import simplejson

ROOT = Path(__file__).parents[2]
IMAGE = "localhost/bling-collector"
LIBRARIES = "libbz2-1.0,libexpat1,libffi8,liblzma5,libncursesw6,libreadline8,libsqlite3-0,libssl3,libuuid1,zlib1g"
"""O que a imagem oficial também instala para o CPython que traz."""


class CannotCheckError(Exception):
    """O que falta, numa frase."""


@dataclass(frozen=True)
class Buildah:
    """O buildah numa pasta: tudo o que ele guarda está nela, e vai-se com ela."""

    folder: Path

    def command(self, *arguments: str | Path) -> list[str]:
        storage = ("--root", self.folder / "storage", "--runroot", self.folder / "run", "--storage-driver", "vfs")
        return ["buildah", *map(str, storage), *map(str, arguments)]

    @property
    def environment(self) -> dict[str, str]:
        registries = self.folder / "registries.conf"
        registries.write_text('unqualified-search-registries = ["docker.io"]\n')
        own = {"BUILDAH_ISOLATION": "chroot", "TMPDIR": str(self.folder), "CONTAINERS_REGISTRIES_CONF": str(registries)}
        return dict(os.environ) | own

    def __call__(self, *arguments: str | Path) -> str:
        """O que ele escreveu. CannotCheckError, com o fim do que disse, se não deu certo."""
        return run(self.command(*arguments), self.environment)

    def configuration(self, name: str, kind: str) -> Any:
        """Como a imagem (`image`) ou o contêiner (`container`) diz que roda: `User`, `Cmd`, `Healthcheck`…"""
        return simplejson.loads(self("inspect", "--type", kind, name))["Docker"]["config"]


def run(command: Sequence[str | Path], environment: dict[str, str] | None = None) -> str:
    arguments = [str(argument) for argument in command]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise CannotCheckError(f"«{' '.join(arguments)}» não deu certo:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout.strip()


@contextmanager
def buildah() -> Iterator[Buildah]:
    """Um buildah sem nada guardado. CannotCheckError se esta máquina não o pode ter."""
    if sys.platform != "linux" or os.geteuid() != 0:
        raise CannotCheckError("Construir e rodar uma imagem sem Docker pede root, no Linux: «sudo make image-check».")
    if shutil.which("buildah") is None:
        raise CannotCheckError("Falta o buildah, que constrói a imagem: «apt-get install buildah».")
    with tempfile.TemporaryDirectory(prefix="bling-imagem-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        tool = Buildah(Path(folder))
        try:
            yield tool
        finally:
            subprocess.run(tool.command("rm", "--all"), env=tool.environment, capture_output=True, check=False)
            unmount(folder)


def unmount(folder: str) -> None:
    """Desfaz o que um passo cortado a meio deixou montado, antes de se apagar a pasta: o debootstrap monta /proc."""
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for place in reversed([place for place in mounted if place.startswith(f"{folder}/")]):
        subprocess.run(["umount", "--lazy", place], capture_output=True, check=False)


def base_of(dockerfile: str) -> str:
    """A imagem de que parte todo estágio: `python:3.12-slim-bookworm`."""
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", dockerfile, re.MULTILINE))
    bases = set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) - stages
    if len(bases) != 1:
        raise CannotCheckError(f"Os estágios do Dockerfile partem de imagens diferentes: {', '.join(sorted(bases))}.")
    return str(bases.pop())


def take_base(tool: Buildah, base: str) -> str:
    """Traz a base do Docker Hub ou, se ele não a dá, faz aqui uma com o mesmo nome; devolve o que se fez."""
    official = f"docker.io/library/{base}"
    try:
        tool("pull", "--quiet", official)
    except CannotCheckError:
        return make_base(tool, base, official)
    return "a oficial, do Docker Hub"


def make_base(tool: Buildah, base: str, official: str) -> str:
    """A base com o Debian e o CPython que o nome dela diz: o Debian por debootstrap, o CPython desta máquina."""
    named = re.fullmatch(r"python:(\d+\.\d+)-slim-(\w+)", base)
    if named is None:
        raise CannotCheckError(f"O Docker Hub não deu {base}, e aqui só se faz uma base python:X.Y-slim-Z.")
    version, suite = named.groups()
    python = find_python(version)
    if shutil.which("debootstrap") is None:
        raise CannotCheckError(
            f"O Docker Hub não deu {base}, e falta com que a fazer aqui: «apt-get install debootstrap»."
        )
    debian = tool.folder / "debian"
    packages = f"--include=ca-certificates,netbase,tzdata,{LIBRARIES}"
    run(["debootstrap", "--variant=minbase", packages, suite, debian])
    put_python(python, version, debian)
    container = tool("from", "--quiet", "scratch")
    tool("add", "--quiet", container, debian, "/")
    tool("run", container, "--", "ldconfig")
    tool("run", container, "--", f"python{version}", "-m", "ensurepip", "--default-pip")
    tool("run", container, "--", "ln", "--symbolic", f"python{version}", "/usr/local/bin/python")
    tool("run", container, "--", "find", "/usr/local", "-name", "*.pyc", "-delete")  # como faz a oficial
    tool("config", "--env", "LANG=C.UTF-8", container)
    tool("commit", "--quiet", "--rm", container, official)
    shutil.rmtree(debian)
    return f"feita aqui sob o mesmo nome (o Docker Hub não a deu): Debian {suite} e o CPython de {python}"


def find_python(version: str) -> Path:
    """Um CPython dessa versão, nesta máquina: o de BASE_PYTHON, o que está no PATH ou o do pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found_here = (shutil.which(f"python{version}"), *map(str, pyenv.glob(f"{version}.*/bin/python{version}")))
    given = os.environ.get("BASE_PYTHON")
    for candidate in filter(None, (given,) if given else found_here):
        try:
            found = run([candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"])
        except (CannotCheckError, OSError):
            continue  # um atalho do pyenv que não leva a lugar nenhum
        if found.startswith(f"{version} "):
            return Path(found.partition(" ")[2]).resolve()
    raise CannotCheckError(
        f"O Docker Hub não deu a base, e para a fazer aqui falta um Python {version}: diga onde há um, "
        f"«make image-check BASE_PYTHON=/caminho/python{version}»."
    )


def put_python(python: Path, version: str, debian: Path) -> None:
    """Copia o CPython para /usr/local, como na imagem oficial: sem os testes dele e sem bytecode."""
    where = "import sys, sysconfig as s; print(s.get_path('stdlib'), s.get_config_var('LIBDIR'), sep='\\n')"
    library, shared = map(Path, run([python, "-c", where]).splitlines())
    unwanted = shutil.ignore_patterns("__pycache__", "test", "tests", "idle_test", "site-packages", "config-*", "*.a")
    shutil.copytree(library, debian / "usr/local/lib" / library.name, ignore=unwanted, symlinks=True)
    for file in shared.glob(f"libpython{version}.so.*"):
        shutil.copy2(file, debian / "usr/local/lib")
    shutil.copy2(python, debian / "usr/local/bin" / f"python{version}")


def build(tool: Buildah) -> None:
    """Constrói o Dockerfile. O que esta máquina diz ao pip e em que autoridades confia vale também lá dentro."""
    trusted = [Path("/etc/ssl/certs"), Path("/etc/pip.conf")]
    volumes = [part for path in trusted if path.exists() for part in ("--volume", f"{path}:{path}:ro")]
    tool("build", "--quiet", "--pull=never", "--format", "docker", *volumes, "--tag", IMAGE, ROOT)
