"""Uma exportação inteira: o que mudou escreve-se ao lado, o manifesto troca-se no fim, e só então sai o de antes."""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from bling_collector.db import empresa as stored
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.db.extracts import Extract, Part, Snapshot, snapshot
from bling_collector.empresa import Empresa
from bling_collector.errors import CollectorError, ExportError, UsageError
from bling_collector.exporting.days import EXPORTED
from bling_collector.exporting.formats import WRITERS, Writer, check_installed
from bling_collector.exporting.manifest import FILE, NAME, File, Manifest, Table, month_name, read_manifest
from bling_collector.exporting.places import Place, opened_place, refusals
from bling_collector.words import plural

log = logging.getLogger(__name__)

T = TypeVar("T")
_NAMED: Final = 16
"""Letras do SHA-256 que vão no nome."""


@dataclass(frozen=True)
class Exported:
    """O que uma exportação fez."""

    manifest: Manifest
    written: int
    """Arquivos que se escreveram."""
    kept: int
    """Arquivos que já eram estes."""
    removed: int
    """Arquivos que deixaram de valer."""

    @property
    def rows(self) -> int:
        return sum(table.linhas for table in self.manifest.tabelas.values())


async def export(engine: AsyncEngine, target: str, kind: str, *, incremental: bool) -> Exported:
    """Exporta para `target`, uma pasta ou uma URL, no formato `kind`; tudo, ou nada.

    `incremental` deixa como está o arquivo de um mês em que nada mudou. UsageError se o destino não serve, ou é de
    outra empresa ou formato; ExportError se falhou no meio: o que havia lá fica. ExportInProgressError se há outra, dos
    mesmos dados ou para a mesma pasta.
    """
    if kind == "parquet":
        check_installed("O formato parquet")
    async with opened_place(target) as place:
        # Antes da transação: um destino que não responde não segura o banco, nem a vez de quem exporta.
        content = await _reaching(place, partial(place.read, NAME))
        async with snapshot(engine) as seen:
            company = await stored.load(seen.connection)
            before = _before(content, place, kind, company)
            await _reaching(place, place.tidy)
            work = _Export(seen, place, kind, before, incremental=incremental)
            return await work.run(company)


def _before(content: bytes | None, place: Place, kind: str, company: Empresa | None) -> Manifest | None:
    """A exportação que já lá está, pelo manifesto. UsageError se não é desta empresa e deste formato."""
    if content is None:
        return None
    found = read_manifest(content, place.where)
    if found.empresa is not None and (company is None or company.is_same(found.empresa) is False):
        raise UsageError(
            f"Em {place.where} está a exportação de outra empresa, {found.empresa.name}. Exporte para outra pasta."
        )
    if found.empresa is None and company is not None:
        raise UsageError(
            f"Em {place.where} está a exportação de um banco que ainda não sabia de que empresa era. Exporte para "
            "outra pasta; ou, se o banco era este, apague-a e exporte de novo."
        )
    if found.formato != kind:
        raise UsageError(
            f"Em {place.where} está uma exportação em {found.formato}, e esta é em {kind}. Exporte para outra pasta."
        )
    return found


@dataclass
class _Export:
    seen: Snapshot
    place: Place
    kind: str
    before: Manifest | None
    incremental: bool
    there: dict[str, int] = field(default_factory=dict)
    """Os nossos arquivos que já lá estavam, e os bytes de cada um."""
    put: set[str] = field(default_factory=set)

    async def run(self, company: Empresa | None) -> Exported:
        try:
            tables = {name: await self._table(name) for name in EXPORTED}
            manifest = Manifest(self.kind, company, self.seen.revision, self.seen.taken_at, tables)
            await self.seen.still_there()
        except BaseException:  # também uma parada: o que não se publicou não fica
            self._undo()
            raise
        await self._publish(manifest)
        old = (self.there.keys() | (self.before.files if self.before else set())) - manifest.files
        await self._remove(old)
        return Exported(manifest, len(self.put), len(manifest.files - self.put), len(old))

    async def _table(self, name: str) -> Table:
        extract = await self.seen.extract(name, EXPORTED[name])
        sizes = await _reaching(self.place, partial(self.place.sizes, name))
        self.there |= {file: size for file, size in sizes.items() if FILE.fullmatch(file)}
        kept = dict(self._kept(extract))
        written = await self._write(extract, [part for part in extract.parts if part.month not in kept])
        files = [(kept | written)[part.month] for part in extract.parts]
        log.info("%s: %d de %d arquivos escritos.", name, len(written), len(files))
        return Table(sum(part.rows for part in extract.parts), extract.columns, files)

    def _kept(self, extract: Extract) -> Iterable[tuple[date | None, File]]:
        """Os arquivos que já são os meses de agora."""
        table = self.before.tabelas.get(extract.name) if self.before and self.incremental else None
        if table is None or list(table.colunas) != list(extract.columns):
            return
        for part in extract.parts:
            for file in table.arquivos:
                if file.holds(part) and self.there.get(file.arquivo) == file.bytes:
                    yield part.month, file

    async def _write(self, extract: Extract, parts: list[Part]) -> dict[date | None, File]:
        written: dict[date | None, File] = {}
        if not parts:
            return written
        due = {part.month: part for part in parts}
        path = self.place.workspace / f"{extract.name}.{self.kind}"
        writer: Writer | None = None
        current: date | None = None
        try:
            async with aclosing(self.seen.rows(extract, due.keys())) as batches:
                async for month, rows in batches:
                    if writer is not None and month != current:
                        written[current] = await self._finish(extract, due[current], writer, path)
                        writer = None
                    if writer is None:
                        current = month
                        writer = await _reaching(self.place, partial(WRITERS[self.kind], path, extract.columns))
                    await _reaching(self.place, partial(writer.write, rows))
            if writer is not None:
                written[current] = await self._finish(extract, due[current], writer, path)
                writer = None
        finally:
            if writer is not None:
                with suppress(OSError):  # o erro que vale é o da escrita
                    writer.close()
        return written

    async def _finish(self, extract: Extract, part: Part, writer: Writer, path: Path) -> File:
        await _reaching(self.place, writer.close)
        sha256, size = await _reaching(self.place, partial(_hash, path))
        month = month_name(part)
        label = month or ("sem-data" if extract.dated else "tudo")
        name = f"{extract.name}/{label}-{sha256[:_NAMED]}.{self.kind}"
        self.put.add(name)
        await _reaching(self.place, partial(self.place.put, path, name))
        return File(name, month, part.rows, size, sha256, part.digest)

    async def _publish(self, manifest: Manifest) -> None:
        path, content = self.place.workspace / NAME, manifest.write()

        def publish() -> None:
            self.place.show()
            path.write_bytes(content)
            self.place.put(path, NAME)
            self.place.show()

        try:
            await _reaching(self.place, publish)
        except BaseException:  # também uma parada a meio da troca
            with suppress(OSError):  # uma nuvem pode tê-lo guardado e não o ter dito; na dúvida, os arquivos ficam
                if self.place.read(NAME) != content:
                    self._undo()
            raise

    def _undo(self) -> None:
        """Tira o que se pôs, menos o que já lá estava."""
        for name in self.put - self.there.keys():
            with suppress(OSError):  # a exportação seguinte tira os que ninguém cita
                self.place.remove(name)

    async def _remove(self, names: Iterable[str]) -> None:
        """Tira o que deixou de valer. ExportError se não pode: a exportação está feita, mas não está só."""
        left = []
        for name in sorted(names):
            try:
                await _reaching(self.place, partial(self.place.remove, name))
            except CollectorError as error:
                log.warning("%s", error)
                left.append(name)
        if left:
            what = plural(len(left), "arquivo de antes não se deixou", "arquivos de antes não se deixaram")
            raise ExportError(
                f"A exportação em {self.place.where} está feita, mas {what} apagar ({left[0]}). Quem lê pelo {NAME} "
                "não o vê. Dê a permissão de apagar; a próxima exportação apaga-o."
            )


async def _reaching(place: Place, work: Callable[[], T]) -> T:
    """O que se faz no destino, fora do laço de eventos, e as recusas dele em palavras. Uma parada espera que acabe."""
    with refusals(place.where):
        working = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            await asyncio.gather(working, return_exceptions=True)
            raise


def _hash(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size


def as_json(done: Exported, target: str) -> dict[str, Any]:
    """O que se fez, para um programa."""
    return {
        "destino": target,
        "formato": done.manifest.formato,
        "quando": done.manifest.quando,
        "tabelas": len(done.manifest.tabelas),
        "linhas": done.rows,
        "arquivos": {"escritos": done.written, "iguais": done.kept, "apagados": done.removed},
    }
