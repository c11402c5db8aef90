"""O banco do primeiro coletor, assumido como está: as linhas ficam, os tipos se corrigem, os relatórios respondem."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.collecting import rows, scalar

from bling_collector.auth.token_cipher import TokenCipher
from bling_collector.auth.token_store import PgTokenStore
from bling_collector.db import control, migrations, schema
from bling_collector.db.connection.database import close, create_engine, parse_url
from bling_collector.errors import DatabaseError

FIRST_COLLECTOR = """
CREATE TABLE oauth_tokens (
    id SERIAL PRIMARY KEY, access_token TEXT NOT NULL, refresh_token TEXT NOT NULL,
    token_type VARCHAR(50) DEFAULT 'Bearer', expires_at TIMESTAMP NOT NULL, updated_at TIMESTAMP DEFAULT now());
CREATE TABLE nfe_cabecalho (
    id BIGINT PRIMARY KEY, numero VARCHAR(50), data_emissao TIMESTAMP, situacao INTEGER, contato_id BIGINT,
    contato_nome VARCHAR(500), contato_documento VARCHAR(20), contato_municipio VARCHAR(200), contato_uf VARCHAR(2),
    total_produtos FLOAT, total_nota FLOAT, total_descontos FLOAT, extraido_em TIMESTAMP DEFAULT now());
CREATE INDEX idx_numero ON nfe_cabecalho (numero);
CREATE INDEX ix_nfe_cabecalho_data_emissao ON nfe_cabecalho (data_emissao);
CREATE INDEX idx_contato ON nfe_cabecalho (contato_id);
CREATE INDEX idx_documento ON nfe_cabecalho (contato_documento);
CREATE TABLE nfe_itens (
    id SERIAL PRIMARY KEY, nfe_id BIGINT NOT NULL CONSTRAINT fk_da_nota REFERENCES nfe_cabecalho (id),
    codigo_produto VARCHAR(100), descricao_produto VARCHAR(500), quantidade FLOAT, valor_unitario FLOAT,
    valor_total FLOAT, valor_desconto FLOAT, unidade_medida VARCHAR(20),
    CONSTRAINT uq_nfe_item UNIQUE (nfe_id, codigo_produto));
CREATE INDEX idx_item_nota ON nfe_itens (nfe_id);
CREATE TABLE nfe_pagamentos (
    id SERIAL PRIMARY KEY, nfe_id BIGINT NOT NULL REFERENCES nfe_cabecalho (id), tipo_pagamento INTEGER, valor FLOAT);
CREATE TABLE contatos (
    id BIGINT PRIMARY KEY, nome VARCHAR(500), documento VARCHAR(20), email VARCHAR(500), tipo_pessoa VARCHAR(1),
    municipio VARCHAR(200), uf VARCHAR(2), extraido_em TIMESTAMP);
CREATE TABLE produtos (
    id BIGINT PRIMARY KEY, codigo VARCHAR(100), nome VARCHAR(500), preco_venda FLOAT, preco_custo FLOAT,
    categoria_id BIGINT, categoria_descricao VARCHAR(300), extraido_em TIMESTAMP);
CREATE UNIQUE INDEX produtos_sku_unico ON produtos (codigo);
CREATE TABLE etl_controle (
    id SERIAL PRIMARY KEY, inicio TIMESTAMP NOT NULL, fim TIMESTAMP, status VARCHAR(20) NOT NULL, data_referencia DATE,
    nfes_processadas INTEGER DEFAULT 0, contatos_novos INTEGER DEFAULT 0, produtos_novos INTEGER DEFAULT 0,
    erro_mensagem TEXT, created_at TIMESTAMP DEFAULT now());

INSERT INTO oauth_tokens (id, access_token, refresh_token, expires_at, updated_at)
    VALUES (1, 'acesso-simples', 'renovacao-simples', '2026-02-20 15:00:00', '2026-02-20 09:00:00');
INSERT INTO contatos VALUES
    (10, 'Metalúrgica Aço & Ação', '12345678000195', NULL, 'J', 'Caxias do Sul', 'RS', '2026-02-01 09:00');
INSERT INTO produtos VALUES
    (20, 'ENG-1', 'Engrenagem', 0.1::float8 + 0.2::float8, 19.9, NULL, NULL, '2026-02-01 09:00'),
    (21, NULL, 'Sem código', NULL, NULL, NULL, NULL, NULL);
INSERT INTO nfe_cabecalho VALUES
    (1, '000219', '2026-02-03 09:52:12', 6, 10, 'Metalúrgica Aço & Ação', '12345678000195', 'Caxias do Sul', 'RS',
     0.1::float8 + 0.2::float8, 988.35, -0.05, '2026-02-03 12:00:00');
INSERT INTO nfe_itens (nfe_id, codigo_produto, descricao_produto, quantidade, valor_unitario, valor_total)
    VALUES (1, 'ENG-1', 'Engrenagem', 3, 0.1, 0.1::float8 * 3);
INSERT INTO nfe_pagamentos (nfe_id, tipo_pagamento, valor) VALUES (1, 2094137, 988.35), (1, 0, 1);
INSERT INTO etl_controle (inicio, fim, status, data_referencia, nfes_processadas) VALUES
    ('2026-02-10 09:00', '2026-02-10 09:10', 'success', '2026-02-10', 5),
    ('2026-02-15 09:00', '2026-02-15 09:01', 'error', '2026-02-15', 0),
    ('2026-02-16 09:00', NULL, 'running', '2026-02-16', 0);
"""

REPORTS = """
DROP ROLE IF EXISTS leitor;
CREATE ROLE leitor LOGIN;
CREATE SCHEMA relatorios;
CREATE VIEW vendas AS
    SELECT n.id, n.data_emissao, n.total_nota, i.codigo_produto, i.valor_total
    FROM nfe_cabecalho n JOIN nfe_itens i ON i.nfe_id = n.id WHERE n.contato_nome LIKE '%Aço%';
COMMENT ON VIEW vendas IS 'O que o dono''a vê: 100%';
GRANT SELECT ON vendas TO leitor WITH GRANT OPTION;
CREATE VIEW relatorios."Vendas por mês" AS
    SELECT date_trunc('month', data_emissao) AS mes, sum(valor_total) AS total FROM vendas GROUP BY 1;
GRANT SELECT ON relatorios."Vendas por mês" TO PUBLIC;
CREATE MATERIALIZED VIEW resumo AS SELECT v.mes, v.total, p.nome
    FROM relatorios."Vendas por mês" v CROSS JOIN produtos p WHERE p.codigo IS NOT NULL;
CREATE UNIQUE INDEX resumo_por_mes ON resumo (mes, nome);
CREATE VIEW so_uf WITH (security_barrier) AS SELECT uf FROM contatos;
"""

READ = (
    "SELECT id, round(total_nota::numeric, 2), codigo_produto, round(valor_total::numeric, 2) FROM vendas",
    'SELECT mes, round(total::numeric, 2) FROM relatorios."Vendas por mês"',
    "SELECT mes, nome FROM resumo",
    "SELECT uf FROM so_uf",
)


async def _script(engine: AsyncEngine, script: str) -> None:
    async with engine.begin() as connection:
        for statement in script.split(";\n"):
            if statement.strip():
                await connection.exec_driver_sql(statement.replace("%", "%%"))


@pytest.fixture
async def old(empty_engine: AsyncEngine) -> AsyncEngine:
    """Um banco do primeiro coletor, com linhas."""
    await _script(empty_engine, FIRST_COLLECTOR)
    return empty_engine


async def test_the_rows_stay_and_the_numbers_become_exact(old: AsyncEngine) -> None:
    assert await schema.upgrade(old) == (None, migrations.HEAD)
    note = await rows(
        old, "SELECT numero, contato_nome, total_produtos, total_nota, total_descontos FROM nfe_cabecalho"
    )
    assert note == [("000219", "Metalúrgica Aço & Ação", Decimal("0.3"), Decimal("988.35"), Decimal("-0.05"))]
    assert await rows(old, "SELECT quantidade, valor_unitario, valor_total FROM nfe_itens") == [
        (Decimal(3), Decimal("0.1"), Decimal("0.3"))
    ]
    assert await scalar(old, "SELECT preco_venda FROM produtos WHERE id = 20") == Decimal("0.3")
    assert await rows(old, "SELECT email, uf FROM contatos") == [(None, "RS")]


@pytest.mark.slow
async def test_the_types_are_those_of_the_models(old: AsyncEngine) -> None:
    await schema.upgrade(old)
    floats = "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public' AND data_type = :type"
    assert await scalar(old, floats, type="double precision") == 2, (
        "só `limites_bling`, que é do ritmo e não é dinheiro"
    )
    assert await scalar(old, floats, type="character varying") == 3, "token_type, status e a versão do alembic"
    naive = await rows(
        old,
        """SELECT table_name, column_name FROM information_schema.columns NATURAL JOIN information_schema.tables
           WHERE table_type = 'BASE TABLE' AND table_schema = 'public' AND data_type = 'timestamp without time zone'
           ORDER BY 1, 2""",
    )
    assert set(naive) == {
        ("logisticas_objetos", "ultima_alteracao"),
        ("nfe_busca", "data_emissao"),
        *(
            (f"{nota}_cabecalho", day)
            for nota in ("nfe", "nfce", "nfe_entrada")
            for day in ("data_emissao", "data_operacao")
        ),
        ("nfe_entradas", "data_emissao"),
        ("notificacoes", "data_envio"),
        ("notificacoes", "data_leitura"),
        ("produtos_lotes_lancamentos", "data"),
    }


@pytest.mark.slow
async def test_the_plain_token_still_works(old: AsyncEngine) -> None:
    await schema.upgrade(old)
    token = await PgTokenStore(old, TokenCipher()).read()
    assert token is not None
    assert (token.access_token, token.refresh_token) == ("acesso-simples", "renovacao-simples")
    assert token.expires_at == datetime(2026, 2, 20, 15, tzinfo=UTC)
    assert not token.refresh_in_doubt
    await PgTokenStore(old, TokenCipher()).read()
    async with PgTokenStore(old, TokenCipher()).locked() as tokens:
        await tokens.save(token)
    assert await scalar(old, "SELECT count(*) FROM oauth_tokens") == 1


@pytest.mark.slow
async def test_the_forma_pagamento_id_leaves_the_codigo_fiscal_column(old: AsyncEngine) -> None:
    await schema.upgrade(old)
    found = await rows(old, "SELECT tipo_pagamento, forma_pagamento_id FROM nfe_pagamentos ORDER BY id")
    assert found == [(None, 2094137), (None, None)]


@pytest.mark.slow
async def test_the_sku_is_no_longer_unique_whatever_the_index_was_called(old: AsyncEngine) -> None:
    await schema.upgrade(old)
    async with old.begin() as connection:
        await connection.exec_driver_sql("INSERT INTO produtos (id, codigo) VALUES (22, 'ENG-1')")
    assert await rows(old, "SELECT id, preferido FROM produtos ORDER BY id") == [(20, True), (21, False), (22, False)]


@pytest.mark.slow
async def test_indexes_under_another_name_are_not_repeated(old: AsyncEngine) -> None:
    await schema.upgrade(old)
    repeated = await rows(
        old,
        """SELECT indrelid::regclass::text, indkey::text, count(*) FROM pg_index
           WHERE NOT indisunique AND indpred IS NULL AND indrelid::regclass::text LIKE 'nfe%'
           GROUP BY 1, 2 HAVING count(*) > 1""",
    )
    assert repeated == []
    indexed = await rows(old, "SELECT count(*) FROM pg_indexes WHERE tablename = 'nfe_cabecalho'")
    assert indexed == [(12,)], "a chave, os quatro de antes, chave_acesso, serie, a numeração e os quatro do painel"


@pytest.mark.slow
async def test_only_a_successful_run_says_how_far_was_covered(old: AsyncEngine) -> None:
    """O primeiro coletor anotava a data de referência também nas que falhavam."""
    await schema.upgrade(old)
    async with old.begin() as connection:
        assert (await control.bookmark(connection, datetime.now(UTC))).day == date(2026, 2, 10)
        assert await control.close_dead_runs(connection, datetime.now(UTC)) == 1
        assert (await control.bookmark(connection, datetime.now(UTC))).day == date(2026, 2, 10)


@pytest.mark.slow
async def test_the_views_answer_the_same_and_keep_what_they_had(old: AsyncEngine, empty_database_url: str) -> None:
    await _script(old, REPORTS)
    before = [await rows(old, query) for query in READ]
    await schema.upgrade(old)
    assert [await rows(old, query) for query in READ] == before
    assert await scalar(old, "SELECT obj_description('vendas'::regclass)") == "O que o dono'a vê: 100%"
    assert (
        await scalar(old, "SELECT reloptions::text FROM pg_class WHERE relname = 'so_uf'") == "{security_barrier=true}"
    )
    assert await scalar(old, "SELECT count(*) FROM pg_indexes WHERE indexname = 'resumo_por_mes'") == 1
    assert await scalar(old, "SELECT has_table_privilege('leitor', 'vendas', 'SELECT WITH GRANT OPTION')")
    reader = create_engine(parse_url(empty_database_url).set(username="leitor"))
    try:
        assert await rows(reader, READ[0]) == before[0]
    finally:
        await close(reader)
    await _script(old, "REFRESH MATERIALIZED VIEW CONCURRENTLY resumo")


async def test_a_view_keeps_all_that_was_said_of_it(old: AsyncEngine) -> None:
    await _script(
        old,
        """
        DROP ROLE IF EXISTS "do'no 100%";
        CREATE ROLE "do'no 100%";
        CREATE VIEW vendas AS SELECT id, total_nota, contato_nome FROM nfe_cabecalho;
        GRANT SELECT (id, total_nota) ON vendas TO "do'no 100%";
        COMMENT ON VIEW vendas IS 'as vendas';
        COMMENT ON COLUMN vendas.total_nota IS 'o total, 100% dele';
        ALTER VIEW vendas ALTER COLUMN contato_nome SET DEFAULT 'ninguém';
        CREATE RULE ignora AS ON DELETE TO vendas DO INSTEAD NOTHING;
        CREATE FUNCTION nada() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE TRIGGER muda INSTEAD OF UPDATE ON vendas FOR EACH ROW EXECUTE FUNCTION nada();
        CREATE MATERIALIZED VIEW vazia AS SELECT id FROM vendas WITH NO DATA;
        ALTER VIEW vendas OWNER TO "do'no 100%"
        """,
    )
    said = """
        SELECT has_column_privilege('do''no 100%', 'vendas', 'total_nota', 'SELECT'),
               obj_description('vendas'::regclass),
               col_description('vendas'::regclass, 2), pg_get_userbyid(relowner),
               (SELECT relispopulated FROM pg_class WHERE relname = 'vazia'),
               (SELECT split_part(column_default, ':', 1) FROM information_schema.columns
                WHERE table_name = 'vendas' AND column_name = 'contato_nome'),
               ARRAY(SELECT rulename::text FROM pg_rewrite WHERE ev_class = 'vendas'::regclass ORDER BY 1),
               ARRAY(SELECT tgname::text FROM pg_trigger WHERE tgrelid = 'vendas'::regclass)
        FROM pg_class WHERE oid = 'vendas'::regclass"""
    before = await rows(old, said)
    assert before[0][4:] == (False, "'ninguém'", ["_RETURN", "ignora"], ["muda"])
    await schema.upgrade(old)
    assert await rows(old, said) == before
    for gone in ("MATERIALIZED VIEW vazia", "VIEW vendas", 'ROLE "do\'no 100%"'):
        await _script(old, f"DROP {gone}")


@pytest.mark.parametrize(
    ("theirs", "words"),
    [
        ("CREATE TABLE historico (x int)", 'relation "historico" already exists). Se essa tabela'),
        (
            "ALTER TABLE nfe_cabecalho ADD COLUMN dobro numeric GENERATED ALWAYS AS (2 * total_nota) STORED",
            'by generated column "dobro".). Se o que depende',
        ),
    ],
)
async def test_what_the_owner_made_and_stands_in_the_way_is_named(old: AsyncEngine, theirs: str, words: str) -> None:
    await _script(old, theirs)
    with pytest.raises(DatabaseError) as refused:
        await schema.upgrade(old)
    assert words in str(refused.value)
    assert "Nada foi mudado" in str(refused.value)
    assert await schema.current_revision(old) is None


async def test_a_view_that_cannot_be_dropped_is_named_and_nothing_changes(old: AsyncEngine) -> None:
    await _script(old, "CREATE VIEW vendas AS SELECT id, total_nota FROM nfe_cabecalho")
    await _script(old, "CREATE FUNCTION f(v vendas) RETURNS bigint LANGUAGE sql AS 'SELECT v.id'")
    with pytest.raises(DatabaseError, match=r"A view vendas .*Nada foi mudado"):
        await schema.upgrade(old)
    assert await schema.current_revision(old) is None
    assert await scalar(old, "SELECT pg_typeof(total_nota)::text FROM nfe_cabecalho") == "double precision"
    assert await rows(old, "SELECT id FROM vendas") == [(1,)]
