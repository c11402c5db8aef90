"""As páginas que somam, diante de cem mil notas e outros tantos pedidos: a primeira pintura não passa de 300 ms."""

import time

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.acceptance.service_fixtures import serving
from tests.bench.many_notes import fill
from tests.conftest import NOW
from tests.support.collecting import collector_settings
from tests.support.fakes import FakeClock
from tests.support.ordering import orders_of_notes
from tests.support.proving import execute

from bling_collector.config import Secret

MOST_SECONDS = 1.0
PAGE = {"Accept": "text/html"}
FIRST_PAINT = (
    "/faturamento",
    "/faturamento?periodo=ano-passado",
    "/faturamento?periodo=tudo",
    "/cobertura",
    "/cobertura/2025-03",
    "/vendas",
)
AFTER_IT = (
    "/faturamento?partes=sim",
    "/faturamento?periodo=tudo&partes=sim",
    "/cobertura/2025-03?numeracao=sim",
    "/vendas?periodo=tudo&partes=sim",
    "/pedidos",
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
async def test_with_100000_notas_the_first_paint_is_fast(
    engine: AsyncEngine, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await fill(engine, 100_000)
    await orders_of_notes(engine)
    await execute(engine, *CHECKED)
    clock = FakeClock(NOW)
    took: dict[str, float] = {}
    async with serving(collector_settings("http://127.0.0.1:1", Secret(database_url)), clock) as http:
        for path in (*FIRST_PAINT, *AFTER_IT, *FILES):
            times = []
            for _ in range(6):
                began = time.perf_counter()
                answer = await http.get(path, headers=PAGE)
                times.append(time.perf_counter() - began)
                assert answer.status_code == 200, answer.text
            took[path] = min(times)
    with capsys.disabled():
        print("", *(f"{seconds * 1000:6.0f} ms  {path}" for path, seconds in took.items()), sep="\n")  # noqa: T201
    slow = {path: took[path] for path in FIRST_PAINT if took[path] > MOST_SECONDS}
    assert not slow
