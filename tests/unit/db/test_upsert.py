"""O texto dos comandos de gravação: puro, de uma tabela a um comando."""

import re

import pytest

from bling_collector.db.models import contatos, nfe_itens, oauth_states
from bling_collector.db.upsert import Upserted, insert_statement, upsert_statement


def flat(statement: object) -> str:
    return re.sub(r"\s+", " ", str(statement)).strip()


def test_o_upsert_compara_tudo_menos_a_chave_e_o_volatil() -> None:
    columns = ["extraido_em", "nome", "id", "detalhe"]
    assert flat(upsert_statement(contatos, columns, volatile=["extraido_em"])) == (
        "WITH entrada AS (SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS linha"
        " (id BIGINT, nome TEXT, extraido_em TIMESTAMP WITH TIME ZONE, detalhe JSONB)), gravadas AS ("
        " INSERT INTO contatos AS atual (id, nome, extraido_em, detalhe)"
        " SELECT id, nome, extraido_em, detalhe FROM entrada"
        " ON CONFLICT (id) DO UPDATE SET nome = EXCLUDED.nome, extraido_em = EXCLUDED.extraido_em,"
        " detalhe = EXCLUDED.detalhe"
        " WHERE (atual.nome, atual.detalhe) IS DISTINCT FROM (EXCLUDED.nome, EXCLUDED.detalhe)"
        " RETURNING atual.id, (xmax = 0) AS criada) SELECT id, criada FROM gravadas"
    )


def test_o_insert_com_e_sem_o_que_ja_existe() -> None:
    plain = flat(insert_statement(nfe_itens, ["nfe_id", "quantidade"]))
    assert plain == (
        "INSERT INTO nfe_itens (nfe_id, quantidade) SELECT nfe_id, quantidade"
        " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS linha (nfe_id BIGINT, quantidade NUMERIC)"
    )
    assert flat(insert_statement(contatos, ["id"], ignore_present=True)).endswith("ON CONFLICT DO NOTHING")


@pytest.mark.parametrize("build", [upsert_statement, insert_statement])
def test_uma_coluna_que_nao_existe_e_um_defeito_do_programa(build: object) -> None:
    with pytest.raises(AssertionError):
        build(oauth_states, ["state_hash", "nao_existe"])  # type: ignore[operator]  # os dois construtores


def test_o_que_foi_gravado_vem_em_ordem() -> None:
    assert Upserted(frozenset({9, 1}), frozenset({5})).written == [1, 5, 9]
