"""Mede a carga histórica de cada coletor, no mesmo simulador e no mesmo PostgreSQL: `make bench`, `make bench-full`.

    PYTHONPATH=src:. .venv/bin/python -m bench [--completo] [--cenario NOME] [--quem NOME] [--voltas N]

Escreve as tabelas na saída e as medidas em bench/results/. Sai com 1 se o que algum gravou difere do que o Bling tem.
"""

import argparse
import asyncio
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from tests.support.postgres import create_database, drop_database, throwaway_server

from bench import measuring, report
from bench.contestants import CONTESTANTS, OTHER_PYTHON, Contestant
from bench.report import Measure
from bench.scenarios import FULL, SHORT, Scenario
from bench.stage import ROOT, Simulator, postgres_cpu, simulator
from bench.truth import Truth, found_in, truth_of
from bling_collector.db.embedded.postgres import EmbeddedServer

RESULTS = ROOT / "bench" / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    if not OTHER_PYTHON.exists():
        raise SystemExit("Falta o ambiente da medição: rode `make bench`.")
    path, results, wrong = RESULTS / f"{datetime.now().astimezone():%Y-%m-%d-%H%M%S}.json", [], False
    sys.stdout.write("As razões são quantas vezes o nosso; acima de 1, o nosso é melhor.\n")
    with throwaway_server() as server:
        for scenario in _chosen(options):
            measures = list(_measured(server, scenario))
            sys.stdout.write(f"\n{report.table(scenario, measures)}\n")
            sys.stdout.flush()
            results.append(report.as_json(scenario, measures))
            _write(path, results)
            wrong |= not all(one.right for one in measures)
    sys.stdout.write(f"\nAs medidas estão em {path.relative_to(ROOT)}.\n")
    if wrong:
        sys.stderr.write("O que algum gravou difere do que o Bling tem.\n")
    return int(wrong)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--completo", action="store_true", help="os cenários de `make bench-full`")
    parser.add_argument("--cenario", action="append", help="só este; pode repetir-se")
    parser.add_argument(
        "--quem", action="append", choices=CONTESTANTS, help="só este, ao lado do nosso; pode repetir-se"
    )
    parser.add_argument("--voltas", type=int, help="quantas vezes se mede cada um")
    return parser.parse_args(arguments)


def _chosen(options: argparse.Namespace) -> list[Scenario]:
    offered = FULL if options.completo else SHORT
    names = options.cenario or [scenario.name for scenario in offered]
    if unknown := set(names) - {scenario.name for scenario in offered}:
        raise SystemExit(
            f"Não há o cenário {', '.join(sorted(unknown))}; há {', '.join(scenario.name for scenario in offered)}."
        )
    return [
        replace(
            scenario,
            times=options.voltas or scenario.times,
            who=tuple(who for who in scenario.who if who in {report.BASE, *(options.quem or scenario.who)}),
        )
        for scenario in offered
        if scenario.name in names
    ]


def _measured(server: EmbeddedServer, scenario: Scenario) -> Iterator[Measure]:
    """Em cada volta um depois do outro, e na seguinte ao contrário: o que muda na máquina pesa em todos."""
    truth = truth_of(scenario)
    with simulator(scenario) as bling:
        for turn in range(scenario.times):
            for who in scenario.who if turn % 2 == 0 else reversed(scenario.who):
                sys.stderr.write(f"… {scenario.name}, volta {turn + 1} de {scenario.times}: {who}\n")
                yield _one(server, bling, scenario, CONTESTANTS[who], truth, turn)


def _one(
    server: EmbeddedServer, bling: Simulator, scenario: Scenario, who: Contestant, truth: Truth, turn: int
) -> Measure:
    database = asyncio.run(create_database(server))
    home = Path(tempfile.mkdtemp(prefix="bling-bench-"))
    try:
        environment = who.prepare(bling, database, scenario, home)
        bling.control("counters", "DELETE")
        simulated, stored = bling.cpu(), postgres_cpu(server)
        cost = measuring.run(who.command, environment, home / "saida.txt")
        simulated, stored = bling.cpu() - simulated, postgres_cpu(server) - stored
        counters = bling.control("counters")
        if cost.code:
            said = (home / "saida.txt").read_text("utf-8", errors="replace")[-2000:]
            sys.stderr.write(f"{who.title} saiu com {cost.code}:\n{said}\n")
        found = found_in(database, who.tables, truth)
    finally:
        shutil.rmtree(home, ignore_errors=True)
        asyncio.run(drop_database(server, database))
    return Measure(turn, who.name, cost, counters["requests"], counters["too_many_requests"], found, simulated, stored)


def _write(path: Path, results: Sequence[object]) -> None:
    path.parent.mkdir(exist_ok=True)
    machine = {"python": platform.python_version(), "nucleos": os.cpu_count(), "carga": os.getloadavg()}
    path.write_text(json.dumps({"maquina": machine, "cenarios": results}, ensure_ascii=False, indent=1), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
