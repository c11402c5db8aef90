"""Para onde se exporta: uma pasta desta máquina, ou uma na nuvem. Um arquivo aparece lá inteiro, ou não aparece."""

import asyncio
import errno
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from bling_collector.disk.locks import FileLock
from bling_collector.disk.names import keep_names
from bling_collector.errors import CollectorError, ExportError, ExportInProgressError, UsageError, os_cause
from bling_collector.exporting.formats import check_installed

_WORKING: Final = ".exportando-"
_LOCK: Final = ".exportando"
_TEMPORARY: Final = "bling-exportando-"
"""Na pasta temporária desta máquina, onde se escreve o que vai para uma nuvem."""
_NATIVE: Final = ("s3", "gs", "gcs")
"""O que o pyarrow alcança sozinho; o resto é do fsspec."""
_GOOGLE: Final = ("gs", "gcs")
_PATIENCE: Final = 30
"""Segundos por que se insiste com o Google, se a URL não diz quantos; os dele são quinze minutos."""
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_UNFIT: Final = {
    errno.ENOENT: "não existe, e o sistema não deixa criá-la",
    errno.ENAMETOOLONG: "o nome é comprido demais",
}
"""Por que uma pasta desta máquina não serve."""
_LONGEST: Final = 300
"""Letras da causa que uma mensagem mostra."""
_DENIED: Final = (errno.EACCES, errno.EPERM, errno.EROFS)
_DENIED_THERE: Final = re.compile("ACCESS_DENIED|PERMISSION_DENIED|UNAUTHENTICATED")
"""Como o dizem a Amazon e o Google."""
_ABOVE: Final = r"Status\(\w+: |last message of |message was: |CURL error \[\d+\]=|; Details: "
"""O que vem antes da causa, nas frases deles."""


class Place(Protocol):
    """Uma pasta de destino. Os nomes são relativos a ela, com `/`; o que falha levanta OSError."""

    where: str
    """Como uma mensagem a chama."""
    workspace: Path
    """Onde se escreve um arquivo antes de o pôr lá."""

    def read(self, name: str) -> bytes | None:
        """O conteúdo; None se não há."""

    def sizes(self, folder: str) -> dict[str, int]:
        """Os arquivos de uma pasta dela, pelo nome inteiro, e os bytes de cada um."""

    def put(self, source: Path, name: str) -> None:
        """Leva para lá o arquivo, inteiro; onde se pode, sem que ninguém o veja ainda."""

    def show(self) -> None:
        """Mostra o que se levou, no lugar do que houver com os nomes."""

    def remove(self, name: str) -> None: ...

    def tidy(self) -> None:
        """Tira o que exportações que morreram deixaram por acabar."""


class Folder:
    """Uma pasta desta máquina, trancada por quem chama."""

    def __init__(self, path: Path) -> None:
        self._path, self.where = path, str(path)
        self.workspace = Path(tempfile.mkdtemp(prefix=_WORKING, dir=path))
        self._hidden: dict[str, Path] = {}

    def read(self, name: str) -> bytes | None:
        try:
            return (self._path / name).read_bytes()
        except FileNotFoundError:
            return None

    def sizes(self, folder: str) -> dict[str, int]:
        try:
            found = list(os.scandir(self._path / folder))
        except FileNotFoundError:
            return {}
        return {f"{folder}/{each.name}": each.stat().st_size for each in found if each.is_file()}

    def put(self, source: Path, name: str) -> None:
        with source.open("rb+") as file:
            os.fsync(file.fileno())  # antes do nome: numa queda de energia não fica o nome sem o conteúdo
        self._hidden[name] = source.replace(self.workspace / f"{len(self._hidden)}.pronto")

    def show(self) -> None:
        changed = {self._path}
        for name, ready in self._hidden.items():
            target = self._path / name
            target.parent.mkdir(exist_ok=True)
            ready.replace(target)
            changed.add(target.parent)
        for folder in changed:
            keep_names(folder)
        self._hidden.clear()

    def remove(self, name: str) -> None:
        target = self._path / name
        target.unlink(missing_ok=True)
        if target.parent != self._path:
            with suppress(OSError):  # ainda tem arquivos
                target.parent.rmdir()

    def tidy(self) -> None:
        for left in self._path.glob(f"{_WORKING}*"):
            if left != self.workspace:
                shutil.rmtree(left, ignore_errors=True)


class Bucket:
    """Uma pasta na nuvem. Um arquivo só passa a existir quando acaba de subir. Fazê-la pode já perguntar à nuvem."""

    def __init__(self, url: str, workspace: Path) -> None:
        from pyarrow import fs  # type: ignore[import-untyped]  # não traz os tipos

        parts = urlsplit(url)
        self.where, self.workspace = url, workspace
        self._native = parts.scheme in _NATIVE
        if parts.scheme in _GOOGLE and "retry_limit_seconds" not in parse_qs(parts.query):
            url += f"{'&' if parts.query else '?'}retry_limit_seconds={_PATIENCE}"
        if self._native:
            self._files, self._root = fs.FileSystem.from_uri(url)
        else:
            from fsspec import url_to_fs  # type: ignore[import-untyped]  # não traz os tipos

            files, self._root = url_to_fs(url)
            self._files = fs.PyFileSystem(fs.FSSpecHandler(files))
        self._selector: Callable[..., Any] = fs.FileSelector

    def read(self, name: str) -> bytes | None:
        try:
            with self._files.open_input_stream(self._path(name)) as file:
                return bytes(file.read())
        except FileNotFoundError:
            return None

    def sizes(self, folder: str) -> dict[str, int]:
        found = self._files.get_file_info(self._selector(self._path(folder), allow_not_found=True))
        return {f"{folder}/{each.base_name}": each.size for each in found if each.is_file}

    def put(self, source: Path, name: str) -> None:
        path = self._path(name)
        if not self._native:  # num balde não há pastas que criar
            self._files.create_dir(path.rpartition("/")[0], recursive=True)
        with source.open("rb") as file, self._files.open_output_stream(path) as target:
            shutil.copyfileobj(file, target, 1 << 20)
        source.unlink()

    def show(self) -> None:
        """Numa nuvem já se vê: mudar o nome de um arquivo é levá-lo outra vez."""

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self._files.delete_file(self._path(name))

    def tidy(self) -> None:
        """Nada fica por acabar lá: o que se escreve antes de subir está nesta máquina, na pasta de cada exportação."""
        for left in self.workspace.parent.glob(f"{_TEMPORARY}*"):
            if left != self.workspace:
                with suppress(OSError), closing(FileLock(left / _LOCK)) as lock:  # a de outro usuário não se abre
                    if lock.try_exclusive():
                        shutil.rmtree(left, ignore_errors=True)

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"


@asynccontextmanager
async def opened_place(target: str) -> AsyncIterator[Place]:
    """O destino, pronto; ao sair não fica nele nada que não se tenha posto lá.

    `target` é o caminho de uma pasta, que se cria, ou uma URL. UsageError, ou ConfigurationError, se não serve;
    ExportInProgressError se outra exportação, de quem for, está nessa pasta.
    """
    parts = urlsplit(target) if "://" in target else None
    if parts is None or parts.scheme == "file":
        with _folder(unquote(parts.path) if parts else target) as folder:
            yield folder
        return
    if not parts.netloc:
        raise UsageError(f"Falta em {target} o nome do balde, como em {parts.scheme}://balde/pasta.")
    if "@" in parts.netloc:
        raise UsageError("O endereço do destino não leva usuário nem senha: eles vêm do ambiente, como a nuvem os diz.")
    check_installed(f"Exportar para {parts.scheme}://")
    with ExitStack() as stack:
        with _preparing("a pasta temporária desta máquina"):
            workspace = stack.enter_context(tempfile.TemporaryDirectory(prefix=_TEMPORARY))
            stack.enter_context(closing(alive := FileLock(Path(workspace) / _LOCK)))
            alive.try_exclusive()  # enquanto este processo viver, ninguém a toma por abandonada
        with refusals(target):
            try:
                bucket = await asyncio.to_thread(Bucket, target, Path(workspace))
            except (ValueError, ImportError) as error:
                raise UsageError(f"Não sei exportar para {target}: {error}.") from error
        yield bucket


@contextmanager
def _folder(named: str) -> Iterator[Folder]:
    made: list[Path] = []
    try:
        with _preparing(named):
            path = Path(named).expanduser().absolute()
        with _preparing(str(path)):
            for each in [*reversed(path.parents), path]:
                if not each.is_dir():
                    each.mkdir()
                    made.append(each)
        with _locked(path):
            with _preparing(str(path)):
                folder = Folder(path)
            try:
                yield folder
            finally:
                shutil.rmtree(folder.workspace, ignore_errors=True)
    finally:
        for each in reversed(made):
            with suppress(OSError):  # tem a exportação
                each.rmdir()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """A pasta, só de uma exportação, seja de que empresa e de que banco for. ExportInProgressError se é de outra."""
    name = path / _LOCK
    with _preparing(str(path)):
        lock = FileLock(name)
    try:
        with closing(lock):
            with _preparing(str(path)):
                taken = lock.try_exclusive() and lock.is_at(name)
            if not taken:
                raise ExportInProgressError(f"Já há uma exportação em curso para {path}. Espere que termine.")
            try:
                yield
            finally:
                with suppress(OSError):  # ainda trancado: quem o abriu antes vê que já não é este
                    name.unlink()
    finally:
        if os.name == "nt":  # lá só se apaga fechado, e só se outro não o abriu
            with suppress(OSError):
                name.unlink()


@contextmanager
def _preparing(where: str) -> Iterator[None]:
    """O mesmo que `refusals`, antes de haver o que exportar: a pasta que não se deixa preparar não serve (UsageError),
    a não ser que só lhe falte espaço."""
    try:
        with refusals(where):
            yield
    except ExportError as error:
        cause = error.__cause__
        if not isinstance(cause, OSError) or cause.errno in _FULL:
            raise
        raise _unfit(where, _UNFIT.get(cause.errno or 0, f"o sistema recusa-a (erro {cause.errno})")) from cause
    except (RuntimeError, ValueError) as error:  # a pasta de um usuário que não há (`~fulano`); um nome com NUL
        raise _unfit(where, "não é um nome de pasta que sirva aqui") from error


def _unfit(where: str, why: str) -> UsageError:
    return UsageError(f"Não posso exportar para {where}: {why}. Escolha outra.")


@contextmanager
def refusals(where: str) -> Iterator[None]:
    """Traduz o que o destino recusa: UsageError se ele não serve, ExportError se falhou no meio."""
    try:
        yield
    except OSError as error:
        raise _said(where, error) from error


def _said(where: str, error: OSError) -> CollectorError:
    cause = _cause(error)
    if isinstance(error, FileExistsError | NotADirectoryError):
        return UsageError(f"Não posso exportar para {where}: há um arquivo no lugar da pasta. Escolha outra.")
    if isinstance(error, PermissionError) or error.errno in _DENIED or _DENIED_THERE.search(str(error)):
        return UsageError(f"Não tenho permissão para exportar para {where} ({cause}). O que havia lá fica como estava.")
    if error.errno in _FULL:
        full = os_cause(OSError(error.errno, os.strerror(error.errno)))  # o pyarrow di-lo em mais palavras
        kept = "O que havia lá fica como estava"
        return ExportError(f"Não coube em {where} ({full}). {kept}. Libere espaço e exporte de novo.")
    what = " Confira a rede, o endereço e as credenciais da nuvem." if "://" in where else ""
    return ExportError(f"Não consigo exportar para {where} ({cause}). O que havia lá fica como estava.{what}")


def _cause(error: OSError) -> str:
    """O que houve, em poucas palavras: o Google põe-no no fundo de uma frase enorme, e a Amazon no fim."""
    said = os_cause(error).splitlines()[0]
    deepest = re.split(_ABOVE, said.partition(" error_info=")[0])[-1]
    return deepest.strip(" .")[:_LONGEST] or type(error).__name__
