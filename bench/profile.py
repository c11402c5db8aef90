"""Onde o nosso coletor gasta o processador numa carga histórica sem demora e sem limite.

    PYTHONPATH=src:. .venv/bin/python -m bench.profile [--nativo]

Amostras do py-spy, só das threads que não estão à espera. Quatro tabelas: por pacote e por módulo, o que estava a
rodar; por módulo nosso e por função nossa, quem o pediu (o quadro mais fundo que é do coletor). O que roda em C conta
para quem o chamou; com `--nativo`, tem nome.
"""

import argparse
import asyncio
import re
import shutil
import sys
import sysconfig
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.support.postgres import create_database, throwaway_server

from bench import measuring
from bench.contestants import CONTESTANTS, OTHER_PYTHON
from bench.report import number
from bench.scenarios import SHORT
from bench.stage import simulator

RATE: Final = 200
"""Amostras por segundo."""
MOST: Final = 15
OURS: Final = "bling_collector"
_FRAME = re.compile(r"(?P<function>.*) \((?P<file>[^()]*?)(?::\d+)?\)")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__.partition("\n")[0])
    parser.add_argument("--nativo", action="store_true", help="dá nome também ao que roda em C")
    options = parser.parse_args(arguments)
    stacks = list(_stacks(_record(native=options.nativo)))
    total = sum(count for _, count in stacks)
    sys.stdout.write(f"{number(total, 0)} amostras, {RATE} por segundo: {number(total / RATE, 1)} s a rodar.\n")
    tables = {
        "por pacote": (_package(_module(frames[-1])) for frames, count in stacks for _ in range(count)),
        "por módulo": (_module(frames[-1]) for frames, count in stacks for _ in range(count)),
        "por módulo nosso": (_asked(frames)[0] for frames, count in stacks for _ in range(count)),
        "por função nossa": (".".join(_asked(frames)) for frames, count in stacks for _ in range(count)),
    }
    for title, names in tables.items():
        sys.stdout.write(f"\n| {title} | do total |\n| --- | ---: |\n")
        for name, count in Counter(names).most_common(MOST):
            sys.stdout.write(f"| `{name}` | {number(count * 100 / total, 1)} % |\n")
    return 0


def _record(*, native: bool) -> str:
    """As pilhas amostradas, uma por linha, com o número de vezes no fim."""
    scenario, ours = SHORT[0], CONTESTANTS["nosso"]
    home = Path(tempfile.mkdtemp(prefix="bling-perfil-"))
    try:
        with throwaway_server() as server, simulator(scenario) as bling:
            database = asyncio.run(create_database(server))
            environment = ours.prepare(bling, database, scenario, home)
            options = ["--format", "raw", "--rate", str(RATE), "--output", str(home / "pilhas.txt")]
            command = [OTHER_PYTHON.parent / "py-spy", "record", *options, *(["--native"] if native else [])]
            cost = measuring.run([*command, "--", sys.executable, *ours.command], environment, home / "saida.txt")
            if cost.code:
                raise SystemExit((home / "saida.txt").read_text("utf-8", errors="replace")[-2000:])
        return (home / "pilhas.txt").read_text("utf-8")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _stacks(raw: str) -> Iterator[tuple[list[str], int]]:
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        yield stack.split(";"), int(count)


def _module(frame: str) -> str:
    """`bling_collector.etl.save`, `sqlalchemy.engine.base`, `asyncio.events`, `libpq.so`…"""
    found = _FRAME.fullmatch(frame)
    if found is None or not found["file"]:
        return frame
    file = found["file"]
    if file.startswith("<frozen "):
        return file[len("<frozen ") : -1]
    for root in (sysconfig.get_path("purelib"), sysconfig.get_path("stdlib"), str(Path(__file__).parents[1] / "src")):
        file = file.removeprefix(root).lstrip("/")
    if file.endswith((".py", ".pyx")):
        return file.rpartition(".")[0].replace("/", ".").removesuffix(".__init__")
    return Path(file).name


def _package(module: str) -> str:
    return module.partition(".")[0]


def _asked(frames: list[str]) -> tuple[str, ...]:
    """O módulo e a função."""
    for frame in reversed(frames):
        module = _module(frame)
        if _package(module) == OURS:
            return module, frame.partition(" (")[0]
    return ("nenhum (a partida e o laço)",)


if __name__ == "__main__":
    sys.exit(main())
