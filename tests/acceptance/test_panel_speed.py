"""As páginas que somam, diante de cem mil notas e outros tantos pedidos: quanto leem do banco. O tempo mostra-se, e não
se confere: numa máquina ocupada muda; o que se lê, não."""

import time

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.acceptance.service_fixtures import serving
from tests.bench.many_notes import fill
from tests.bench.plans import Read
from tests.conftest import NOW
from tests.support.collecting import collector_settings
from tests.support.fakes import FakeClock
from tests.support.ordering import orders_of_notes
from tests.support.proving import execute

from bling_collector.config import Secret
from bling_collector.db.sums import fold

PAGE = {"Accept": "text/html"}
MOST_BLOCKS = {"por somar": 60_000, "somado": 3_000}
"""Páginas de 8 KB que a primeira pintura lê; as notas e os pedidos, sem os índices, ocupam mais de 20 mil."""
FIRST_PAINT = (
    "/faturamento",
    "/faturamento?periodo=ano-passado",
    "/faturamento?periodo=tudo",
    "/cobertura",
    "/cobertura/2025-03",
    "/vendas",
    "/pedidos",
)
AFTER_IT = (
    "/faturamento?partes=sim",
    "/faturamento?periodo=tudo&partes=sim",
    "/cobertura/2025-03?numeracao=sim",
    "/vendas?periodo=tudo&partes=sim",
    "/pedidos?q=ltda",
)
FILES = ("/faturamento.csv?tabela=clientes&periodo=tudo", "/faturamento.xlsx?periodo=tudo")

CHECKED = (
    """
    INSERT INTO etl_controle (inicio, fim, status, tipo, data_inicio, data_fim, data_referencia, leu_o_presente)
    VALUES (now(), now(), 'success', 'run-full', '2021-01-01', '2026-02-20', '2026-02-20', true)""",
    """
    INSERT INTO conferencias (mes, data_inicio, data_fim, conferida_em, run_id, no_bling, no_banco, faltam, sobram,
                              diferem)
    SELECT mes, mes, (mes + interval '1 month')::date - 1, now(), 1, notas, notas, '{}', '{}', '{}'
    FROM (SELECT mes, jsonb_object_agg(situacao, quantas) AS notas
          FROM (SELECT date_trunc('month', data_emissao)::date AS mes, situacao, count(*) AS quantas
                FROM nfe_cabecalho WHERE data_emissao IS NOT NULL AND excluida_em IS NULL GROUP BY 1, 2) AS situacoes
          GROUP BY 1) AS meses""",
)


@pytest.mark.slow
async def test_with_100000_notas_what_each_page_reads(
    engine: AsyncEngine, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await fill(engine, 100_000)
    await orders_of_notes(engine)
    await execute(engine, *CHECKED)
    settings = collector_settings("http://127.0.0.1:1", Secret(database_url))
    lines, too_much = [], []
    for state, most in MOST_BLOCKS.items():
        async with serving(settings, FakeClock(NOW)) as http:
            for path in (*FIRST_PAINT, *AFTER_IT, *FILES):
                with Read() as read:
                    began = time.perf_counter()
                    answer = await http.get(path, headers=PAGE)
                    took = time.perf_counter() - began
                assert answer.status_code == 200, answer.text
                blocks = await read.blocks(engine)
                lines.append(f"{blocks:9,} blocos {took * 1000:6.0f} ms  {path} ({state})")
                if path in FIRST_PAINT and blocks > most:
                    too_much.append(lines[-1])
        await fold(engine)
    with capsys.disabled():
        print("", *lines, sep="\n")  # noqa: T201
    assert too_much == []
