"""Roda um programa e diz o que ele custou: tempo, processador e memória do processo e dos filhos dele."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SAMPLE = 0.05
"""Segundos entre duas leituras da memória."""


@dataclass(frozen=True)
class Cost:
    seconds: float
    cpu: float
    """Segundos de processador, de usuário e de sistema, do processo e dos filhos que terminaram."""
    memory: int
    """Bytes residentes no pico: o do processo, como o sistema o guarda, ou a soma da árvore, lida a cada `SAMPLE`, se é
    mais."""
    code: int


def run(command: Sequence[str | Path], environment: Mapping[str, str], output: Path) -> Cost:
    """Espera que o programa acabe; o que ele escreve vai para `output`."""
    with output.open("wb") as log:
        began = time.monotonic()
        process = subprocess.Popen(
            command, env=dict(environment), cwd=output.parent, stdout=log, stderr=subprocess.STDOUT
        )
        peak = 0
        try:
            while True:
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    break
                peak = max(peak, _resident(process.pid), _own_peak(process.pid))
                time.sleep(SAMPLE)
        except BaseException:  # nem quem interrompe a medida deixa o processo para trás
            process.kill()
            raise
        seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)  # quem o recolheu fomos nós
    # No Linux, o ru_maxrss começa no de quem deu à luz o processo: só serve onde não há /proc.
    return Cost(seconds, usage.ru_utime + usage.ru_stime, peak or usage.ru_maxrss, process.returncode)


def cpu_of(pid: int) -> float:
    """Segundos de processador de um processo e dos filhos dele, os vivos e os que ele recolheu; fora do Linux, 0."""
    ticks = 0
    for member, recalled in ((pid, True), *((child, False) for child in _children(pid))):
        try:
            after_name = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, after_name[11 : 15 if recalled else 13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    try:
        found = [(task / "children").read_text().split() for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return []
    return [int(child) for children in found for child in children]


def _own_peak(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


def _resident(pid: int) -> int:
    """Bytes residentes de um processo e dos seus descendentes; fora do Linux, 0."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(_resident(child) for child in _children(pid))
