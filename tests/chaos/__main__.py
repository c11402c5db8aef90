"""`python -m tests.chaos`: o caos inteiro; escreve docs/caos.md."""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from tests.chaos.disasters import DISASTERS, Disaster
from tests.chaos.scene import IN_HAND, scene
from tests.chaos.storm import Tally, plan, storm

REPORT = Path(__file__).parents[2] / "docs" / "caos.md"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="quantas vezes o coletor é morto com kill -9")
    parser.add_argument("--seed", type=int, default=1, help="a semente de tudo o que é sorteado")
    parser.add_argument("--scale", type=float, default=0.06, help="o tamanho da empresa (1 = 2.926 notas)")
    parser.add_argument("--only", default="", help="só os desastres cujo nome tem este texto")
    parser.add_argument("--report", type=Path, default=REPORT, help="onde escrever a tabela")
    options = parser.parse_args(arguments)
    chosen = [d for d in DISASTERS if options.only in d.name]
    began = time.monotonic()
    rows, notes = asyncio.run(_run(chosen, options.kills, options.seed, options.scale))
    sys.stdout.write(table(rows))
    if not options.only:
        options.report.write_text(document(rows, options.seed, notes, time.monotonic() - began), encoding="utf-8")


async def _run(chosen: Sequence[Disaster], kills: int, seed: int, scale: float) -> tuple[list[Tally], int]:
    todo = plan(chosen, kills, Random(seed))
    async with scene(scale) as stage:
        notes = sum(note["tipo"] == 1 for note in stage.bling.notes.values())
        say(f"{notes} notas; uma carga em paz: {stage.calm.requests} requisições, {stage.calm.seconds:.1f} s")
        tallies = await storm(stage, todo, seed, say)
    return [tallies[disaster.name] for disaster in chosen], notes


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def table(rows: Iterable[Tally]) -> str:
    lines = [
        "| desastre | vezes | em plena carga | carga interrompida | notas rebuscadas, no pior caso | "
        "nova autorização pedida |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        cells = (row.name, row.times, row.hits, row.interrupted, row.refetched, row.reauthorised)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"


def document(rows: list[Tally], seed: int, notes: int, seconds: float) -> str:
    times = sum(row.times for row in rows)
    return f"""# O que o coletor sobreviveu

Escrito por `make chaos` em {datetime.now(UTC):%Y-%m-%d}, com a semente {seed}: {times} desastres em
{seconds / 60:.0f} minutos.

Uma carga histórica de {notes} notas roda num processo de verdade (`run-full` ou, em um quarto das vezes, o serviço e
um `POST /run/full`), num banco novo, diante do simulador do Bling e de um PostgreSQL só deste teste, com um
intermediário de rede na frente de cada um. No meio dela acontece o desastre. Depois (como se fosse o
dia seguinte, para a cota e as pausas) vem **uma execução a mais**, a diária, e então é conferido que:

- o banco é igual ao Bling: cada nota, item, parcela, linha, contato e produto;
- nenhuma execução ficou `running`, e nada ficou devido;
- nenhuma nota já salva foi buscada outra vez, e as buscadas em vão são no máximo as {IN_HAND} que se tem na mão (o lote
  por confirmar e o que está em voo);
- o token guardado serve;
- quem saiu com código 0 tinha mesmo terminado, e ninguém mostrou uma pilha.

Todos os {times} passaram; o comando para no primeiro que não passa.

{table(rows)}
«Carga interrompida» é a que não saiu com 0. «Nova autorização pedida» só acontece a quem é morto entre a resposta do
Bling a uma renovação do token e a gravação dela: o refresh token vale uma vez, e esse instante não se elimina. Os
desastres dessa linha miram nele de propósito; numa operação normal há uma renovação a cada seis horas.

Os sorteios repetem-se com a mesma semente (`python -m tests.chaos --seed {seed}`); a ordem em que o sistema operacional
entrega cada coisa, não.
"""


if __name__ == "__main__":
    main()
