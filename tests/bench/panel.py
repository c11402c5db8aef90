"""Mede cada página do painel numa empresa grande: `PYTHONPATH=src:. .venv/bin/python -m tests.bench.panel 1000000`.

Um pedido e as contas a receber de cada nota, os produtos, o estoque e as contas a pagar. De cada página, o menor tempo
de cinco, e quanto dele passou no banco; depois, o tamanho das maiores tabelas e o tempo das views lentas.
"""

import asyncio
import sys
import time
from typing import Any

from sqlalchemy import Engine, event, text
from tests.acceptance.service_fixtures import serving
from tests.bench.many_notes import fill
from tests.conftest import NOW
from tests.support.collecting import collector_settings
from tests.support.fakes import FakeClock
from tests.support.ordering import orders_of_notes
from tests.support.postgres import create_database, throwaway_server
from tests.support.proving import execute

from bling_collector.config import Secret
from bling_collector.db import schema
from bling_collector.db.connection.database import close, create_engine, parse_url
from bling_collector.db.embedded.postgres import EmbeddedServer
from bling_collector.db.sums import fold

TIMES = 5
_SLOW = 0.1
"""Segundos a partir dos quais uma view se mostra."""
_SIZES = """
    SELECT relname AS nome, reltuples AS linhas, pg_size_pretty(pg_table_size(oid)) AS dados,
           pg_size_pretty(pg_indexes_size(oid)) AS indices
    FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    ORDER BY pg_total_relation_size(oid) DESC LIMIT 10"""
_VIEWS = "SELECT viewname FROM pg_views WHERE schemaname = 'public' ORDER BY 1"
PAGE = {"Accept": "text/html"}
PATHS = (
    *("/", "/notas", "/notas?q=ltda", "/faturamento", "/faturamento?periodo=tudo", "/faturamento?partes=sim"),
    *("/vendas", "/vendas?periodo=tudo", "/vendas?partes=sim", "/pedidos", "/pedidos?q=ltda"),
    *("/financeiro", "/contas/receber", "/contas/pagar", "/estoque", "/atencao", "/cobertura", "/cobertura/2025-03"),
    *("/execucoes", "/notas/10000000500", "/pedidos/10000000501", "/produtos/7", "/clientes/3"),
    "/contas/receber/18000000004",
)
_MORE = (
    "UPDATE contas_receber SET vencimento = n.data_emissao::date + 28, data_emissao = n.data_emissao::date"
    " FROM nfe_cabecalho n WHERE n.id = origem_id",
    """
    INSERT INTO contas_pagar (id, situacao, vencimento, data_emissao, valor, saldo, contato_id)
    SELECT id + 1000000000, situacao, vencimento, data_emissao, valor, saldo, contato_id FROM contas_receber
    WHERE id % 4 < 2""",
    """
    INSERT INTO produtos (id, codigo, nome, tipo, situacao, formato, preco_venda, preferido, extraido_em)
    SELECT row_number() OVER (ORDER BY codigo_produto), codigo_produto, min(descricao_produto), 'P', 'A', 'S',
           min(valor_unitario), true, now()
    FROM nfe_itens GROUP BY codigo_produto""",
    """
    INSERT INTO estoque_totais (lido_em, produto_id, saldo_fisico, saldo_virtual)
    SELECT timestamptz '2026-02-20 09:00-03' - make_interval(days => d), id, id % 90, id % 90
    FROM produtos, generate_series(0, 29) AS d""",
    """
    INSERT INTO etl_controle (inicio, fim, status, tipo, data_inicio, data_fim, data_referencia, leu_o_presente)
    VALUES (now(), now(), 'success', 'run-full', '2021-01-01', '2026-02-20', '2026-02-20', true)""",
    "ANALYZE contas_receber, contas_pagar, produtos, estoque_totais",
)


async def measure(server: EmbeddedServer, notas: int) -> None:
    url = await create_database(server)
    engine = create_engine(parse_url(f"{url}{'&' if '?' in url else '?'}options=-c%20statement_timeout%3D0"))
    await schema.upgrade(engine)
    start = time.perf_counter()
    await fill(engine, notas)
    await orders_of_notes(engine)
    await execute(engine, *_MORE)
    folding = time.perf_counter()
    await fold(engine)
    folded = time.perf_counter() - folding
    async with engine.connect() as connection:
        await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(text("VACUUM ANALYZE"))
    sys.stdout.write(f"\nOs dias todos somados em {folded:.1f} s\n")
    sys.stdout.write(f"\n{notas:,} notas, geradas em {time.perf_counter() - start:.0f} s\n\n".replace(",", "."))
    await close(engine)
    sys.stdout.write("| página | leva | no banco | comandos |\n| --- | ---: | ---: | ---: |\n")
    async with serving(collector_settings("http://127.0.0.1:1", Secret(url)), FakeClock(NOW)) as http:
        with Watched() as sql:
            for path in PATHS:
                took = []
                for _ in range(TIMES):
                    sql.clear()
                    began = time.perf_counter()
                    answer = await http.get(path, headers=PAGE)
                    took.append((time.perf_counter() - began, sum(each for each, _ in sql.said), len(sql.said)))
                assert answer.status_code == 200, f"{path}: {answer.status_code}"
                whole, there, statements = min(took)
                sys.stdout.write(f"| `{path}` | {whole * 1000:.0f} ms | {there * 1000:.0f} ms | {statements} |\n")
                if "-v" in sys.argv:
                    for seconds, statement in sorted(sql.said, reverse=True)[:2]:
                        sys.stdout.write(f"    {seconds * 1000:.0f} ms {' '.join(statement.split())[:600]}\n")
                sys.stdout.flush()
    await weigh(url)


async def weigh(url: str) -> None:
    """O que ocupam as maiores tabelas, e quanto leva cada view inteira."""
    engine = create_engine(parse_url(f"{url}{'&' if '?' in url else '?'}options=-c%20statement_timeout%3D0"))
    async with engine.connect() as connection:
        sys.stdout.write("\n| tabela | linhas | tabela e textos | índices |\n| --- | ---: | ---: | ---: |\n")
        for row in await connection.execute(text(_SIZES)):
            sys.stdout.write(f"| `{row.nome}` | {row.linhas:,.0f} | {row.dados} | {row.indices} |\n".replace(",", "."))
        sys.stdout.write("\n| view | leva |\n| --- | ---: |\n")
        for (view,) in (await connection.execute(text(_VIEWS))).all():
            began = time.perf_counter()
            await connection.execute(text(f"EXPLAIN (ANALYZE, TIMING OFF) SELECT * FROM {view}"))
            if (took := time.perf_counter() - began) > _SLOW:
                sys.stdout.write(f"| `{view}` | {took:.1f} s |\n")
                sys.stdout.flush()
    await close(engine)


class Watched:
    """Quanto leva cada comando de todos os motores."""

    def __init__(self) -> None:
        self.said: list[tuple[float, str]] = []

    def clear(self) -> None:
        self.said.clear()

    def __enter__(self) -> "Watched":
        event.listen(Engine, "before_cursor_execute", self._before)
        event.listen(Engine, "after_cursor_execute", self._after)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(Engine, "before_cursor_execute", self._before)
        event.remove(Engine, "after_cursor_execute", self._after)

    def _before(self, *said: Any) -> None:
        said[4]._began = time.perf_counter()

    def _after(self, *said: Any) -> None:
        self.said.append((time.perf_counter() - said[4]._began, said[2]))


if __name__ == "__main__":
    with throwaway_server() as running:
        for size in [word for word in sys.argv[1:] if word.isdecimal()] or ["100000"]:
            asyncio.run(measure(running, int(size)))
