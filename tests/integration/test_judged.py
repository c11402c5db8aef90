"""O juízo que a lista das empresas lê sozinho é o da situação inteira, seja qual for o caso."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.proving import execute

from bling_collector.auth.token_cipher import TokenCipher
from bling_collector.db.run_lock import run_lock
from bling_collector.insight.situation import load_judged, load_situation

NOW = datetime(2026, 2, 20, 9, tzinfo=UTC)
_RUN = """
    INSERT INTO etl_controle (inicio, fim, status, tipo, data_inicio, leu_o_presente, restam, nfes_processadas)
    VALUES ('2026-02-20 05:00Z', '2026-02-20 06:00Z', '{}', '{}', '2026-01-01', {}, {}, 7)"""
_CHECKED = """
    INSERT INTO conferencias (recurso, mes, data_inicio, data_fim, conferida_em, no_bling, no_banco, faltam, sobram,
                              diferem)
    VALUES ('{0}', '{1}', '{1}', '{2}', '2026-02-20 06:00Z', '{{"6": 9}}', '{{"6": {3}}}', '{4}', '{{}}', '{{}}')"""
_OWED = "INSERT INTO pendencias (recurso, recurso_id, erro, tentativas) VALUES ('nfe', '{}', 'GET /nfe/7: nada', {})"
STEPS = (
    ("sem-autorizacao", "SELECT"),
    (
        "sem-execucao",
        """
        INSERT INTO oauth_tokens (id, access_token, refresh_token, expires_at, updated_at)
        VALUES (1, 'a', 'b', '2026-02-21', '2026-02-20'), (2, 'c', 'd', '2026-02-21', '2026-02-20')""",
    ),
    ("falhou", _RUN.format("running", "run", "false", "NULL")),
    ("falhou", _RUN.format("error", "run", "false", "NULL")),
    ("em-parte", _RUN.format("partial", "run-full", "false", "12")),
    ("por-conferir", _RUN.format("success", "run", "true", "NULL")),
    ("por-conferir", _CHECKED.format("nfe", "2026-02-01", "2026-02-20", 9, "{}")),
    ("certo", _CHECKED.format("nfe", "2026-01-01", "2026-01-31", 9, "{}")),
    ("por-conferir", "INSERT INTO recursos_ligados (recurso, ligado) VALUES ('pedidos_venda', true)"),
    ("difere", _CHECKED.format("pedidos_venda", "2026-01-01", "2026-01-31", 8, "{77}")),
    ("certo", "INSERT INTO checkpoints (recurso, posicao) VALUES ('pedidos_venda.sem_permissao', '2026-02-20')"),
    ("difere", "UPDATE conferencias SET faltam = '{5,6}' WHERE recurso = 'nfe' AND mes = '2026-02-01'"),
    ("devidas", _OWED.format(7, 1)),
    ("devidas", _OWED.format(8, 12)),
    ("devidas", "UPDATE limites_bling SET esgotada_em = '2026-02-20'"),
    ("devidas", "UPDATE pendencias SET suspensa = recurso_id = '7'"),
    ("velhos", "UPDATE etl_controle SET inicio = inicio - interval '9 days', fim = fim - interval '9 days'"),
    ("token", "INSERT INTO alarmes (nome, estado, mensagem) VALUES ('token-nao-salvo', 'erro', 'o par')"),
    ("autorizacao-perdida", "UPDATE oauth_tokens SET refused_at = '2026-02-20' WHERE id = 1"),
    ("autorizacao-fechada", "UPDATE oauth_tokens SET access_token = 'fernet:x' WHERE id = 1"),
)


@pytest.mark.slow
async def test_what_is_judged_alone_is_what_the_page_of_the_company_says(engine: AsyncEngine) -> None:
    for case, change in STEPS:
        await execute(engine, change)
        whole = await load_situation(engine, TokenCipher(), NOW, no_run_hours=26)
        alone = await load_judged(engine, TokenCipher(), NOW, no_run_hours=26)
        assert (alone.verdict.case, alone.verdict) == (case, whole.verdict), change
        assert vars(alone.standing).items() <= vars(whole.status).items()
    async with run_lock(engine):
        assert (await load_judged(engine, TokenCipher(), NOW, no_run_hours=26)).standing.running
