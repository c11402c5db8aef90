"""Os números de GET /metrics que os outros loaders não trazem: somas de todas as execuções."""

from dataclasses import dataclass

from sqlalchemy import text

from bling_collector.db.connection.core import AsyncEngine


@dataclass(frozen=True)
class Totals:
    """Execuções por status, o que elas gravaram e pediram, e quantas notas o banco tem."""

    runs: dict[str, int]
    nfes: int
    contatos: int
    produtos: int
    requisicoes: int
    limitadas: int
    notas: int


async def load_totals(engine: AsyncEngine) -> Totals:
    """Os números de agora."""
    async with engine.connect() as connection:
        runs = await connection.execute(
            # Uma em curso ainda não conta: um contador que desce engana quem o acompanha.
            text("""
                SELECT coalesce(status, 'desconhecido') AS status, count(*) AS n FROM etl_controle
                WHERE status IS DISTINCT FROM 'running' GROUP BY 1""")
        )
        by_status = {row.status: row.n for row in runs}
        sums = await connection.execute(
            text("""
                SELECT coalesce(sum(nfes_processadas), 0) AS nfes, coalesce(sum(contatos_novos), 0) AS contatos,
                       coalesce(sum(produtos_novos), 0) AS produtos, coalesce(sum(requisicoes), 0) AS requisicoes,
                       coalesce(sum(limitadas), 0) AS limitadas,
                       (SELECT count(*) FROM nfe_cabecalho WHERE excluida_em IS NULL) AS notas
                FROM etl_controle""")
        )
        return Totals(by_status, *sums.one())
