"""O texto dos comandos de gravação: puro, de uma tabela a um comando."""

import re

import pytest

from bling_collector.db.models import contatos, nfe_itens, oauth_states
from bling_collector.db.upsert import Upserted, insert_statement, upsert_statement


def flat(statement: object) -> str:
    return re.sub(r"\s+", " ", str(statement)).strip()


def test_the_upsert_compares_all_but_the_key_and_the_volatile() -> None:
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


def test_the_insert_with_and_without_what_already_exists() -> None:
    plain = flat(insert_statement(nfe_itens, ["nfe_id", "quantidade"]))
    assert plain == (
        "INSERT INTO nfe_itens (nfe_id, quantidade) SELECT nfe_id, quantidade"
        " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS linha (nfe_id BIGINT, quantidade NUMERIC)"
    )
    assert flat(insert_statement(contatos, ["id"], ignore_present=True)).endswith("ON CONFLICT DO NOTHING")


@pytest.mark.parametrize("build", [upsert_statement, insert_statement])
def test_a_column_that_does_not_exist_is_a_flaw_of_the_program(build: object) -> None:
    with pytest.raises(AssertionError):
        build(oauth_states, ["state_hash", "nao_existe"])  # type: ignore[operator]  # os dois construtores


def test_what_was_written_comes_in_order() -> None:
    assert Upserted(frozenset({9, 1}), frozenset({5})).written == [1, 5, 9]
