"""As migrações num PostgreSQL de verdade: do nada, quatro ao mesmo tempo, em bancos que não são nossos."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.collecting import rows, scalar
from tests.support.variants import one_now

from bling_collector.db import control, migrations, proof, schema
from bling_collector.db.connection.database import close, create_engine, parse_url
from bling_collector.db.models import metadata
from bling_collector.errors import DatabaseError

TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY 1"


async def _execute(engine: AsyncEngine, *statements: str) -> None:
    async with engine.begin() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)


def _drift(connection: Connection) -> list[object]:
    options = {"compare_type": True, "compare_server_default": True}
    found = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    # Os comentários, quem os confere é test_meanings: os modelos só trazem parte deles.
    return [each for each in found if "comment" not in str(each[0])]


VIEWS = {
    "vw_abc_clientes",
    "vw_abc_margem",
    "vw_abc_produtos",
    "vw_borderos_contas",
    "vw_cfops",
    "vw_compras_fornecedor",
    "vw_conferencia_financeira",
    "vw_contas",
    "vw_contas_a_pagar",
    "vw_contas_a_receber",
    "vw_contas_liquidacao",
    "vw_contas_pagar_idade",
    "vw_contas_receber_idade",
    "vw_dre_mes",
    "vw_estoque_atual",
    "vw_estoque_cobertura",
    "vw_estoque_por_dia",
    "vw_faturamento_cliente",
    "vw_faturamento_dia",
    "vw_faturamento_mes",
    "vw_faturamento_produto",
    "vw_faturamento_uf",
    "vw_fluxo_caixa_dia",
    "vw_itens_operacoes",
    "vw_kits_custos",
    "vw_lancamentos_avulsos",
    "vw_margem_canal",
    "vw_margem_itens",
    "vw_margem_produto",
    "vw_nfe_impostos",
    "vw_nfe_linhas",
    "vw_nfe_operacoes",
    "vw_nfe_validas",
    "vw_notas_por_situacao",
    "vw_pagamentos_mes",
    "vw_pedidos",
    "vw_pedidos_caminho",
    "vw_pedidos_canal",
    "vw_pedidos_contas",
    "vw_pedidos_dia",
    "vw_pedidos_itens",
    "vw_pedidos_produto",
    "vw_pedidos_situacao",
    "vw_pedidos_vendedor",
    "vw_produtos_custos",
    "vw_saidas_mes",
    "vw_situacoes",
    "vw_ultima_compra_cliente",
}


def test_no_view_takes_the_name_of_a_table_in_what_unites_the_companies() -> None:
    """`vw_todas_contas_receber` é da tabela; as que já o eram ficam."""
    known = {"vw_cfops", "vw_nfe_impostos", "vw_situacoes"}
    assert {name for name in VIEWS if name.removeprefix("vw_") in metadata.tables} == known


async def test_from_nothing_the_tables_are_those_of_the_models(empty_engine: AsyncEngine) -> None:
    assert await schema.current_revision(empty_engine) is None
    assert await schema.upgrade(empty_engine) == (None, migrations.HEAD)
    async with empty_engine.connect() as connection:
        assert await connection.run_sync(_drift) == []
    created = {name for (name,) in await rows(empty_engine, TABLES)}
    assert created == {*metadata.tables, "alembic_version", *VIEWS}


async def test_the_second_time_does_nothing(engine: AsyncEngine) -> None:
    assert await schema.upgrade(engine) == (migrations.HEAD, migrations.HEAD)


def test_head_is_the_last_alembic_revision() -> None:
    config = Config()
    config.set_main_option("script_location", next(iter(migrations.__path__)))
    assert ScriptDirectory.from_config(config).get_heads() == [migrations.HEAD]


@pytest.mark.slow
async def test_four_at_once_migrate_once(empty_database_url: str) -> None:
    engines = [create_engine(parse_url(empty_database_url)) for _ in range(4)]
    try:
        results = await asyncio.gather(*(schema.upgrade(engine) for engine in engines))
        assert {after for _, after in results} == {migrations.HEAD}
        assert await rows(engines[0], "SELECT version_num FROM alembic_version") == [(migrations.HEAD,)]
        async with engines[0].connect() as connection:
            assert await connection.run_sync(_drift) == []
    finally:
        for engine in engines:
            await close(engine)


@pytest.mark.parametrize(
    ("ddl", "name"),
    [
        ("CREATE TABLE contatos (id integer PRIMARY KEY, apelido text)", "contatos"),
        ("CREATE TABLE pendencias (id integer)", "pendencias"),
        ("CREATE TABLE checkpoints (id integer)", "checkpoints"),
        ("CREATE VIEW vw_nfe_linhas AS SELECT 1 AS um", "vw_nfe_linhas"),
        ("CREATE VIEW produtos AS SELECT 1 AS id", "produtos"),
    ],
)
async def test_a_table_of_another_program_is_named_and_nothing_changes(
    empty_engine: AsyncEngine, ddl: str, name: str
) -> None:
    await _execute(empty_engine, ddl)
    before = await rows(empty_engine, TABLES)
    with pytest.raises(DatabaseError, match=rf"\b{name}\b.*Nada foi mudado"):
        await schema.upgrade(empty_engine)
    assert await rows(empty_engine, TABLES) == before


@pytest.mark.parametrize("revision", ["9999", "a1b2c3d4e5f6", "00a1"])
async def test_an_unknown_revision_is_refused(engine: AsyncEngine, revision: str) -> None:
    await _execute(engine, f"UPDATE alembic_version SET version_num = '{revision}'")
    with pytest.raises(DatabaseError, match=f"revisão {revision}, que este programa"):
        await schema.upgrade(engine)
    assert await scalar(engine, "SELECT version_num FROM alembic_version") == revision


async def test_without_permission_on_the_schema_it_says_what_to_do(
    empty_engine: AsyncEngine, empty_database_url: str
) -> None:
    await _execute(
        empty_engine,
        "DROP ROLE IF EXISTS sem_direitos",
        "CREATE ROLE sem_direitos LOGIN",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    )
    limited = create_engine(parse_url(empty_database_url).set(username="sem_direitos"))
    try:
        with pytest.raises(DatabaseError, match=r"permission denied.*GRANT CREATE"):
            await schema.upgrade(limited)
    finally:
        await close(limited)
    assert await rows(empty_engine, TABLES) == []


async def test_a_schema_that_does_not_exist_says_what_to_do(empty_database_url: str) -> None:
    engine = create_engine(parse_url(f"{empty_database_url}{_search_path('empresa', empty_database_url)}"))
    try:
        with pytest.raises(DatabaseError, match=r"search_path: empresa.*CREATE SCHEMA"):
            await schema.upgrade(engine)
    finally:
        await close(engine)


@pytest.mark.slow
async def test_only_the_present_schema_counts_with_others_in_the_path(engine: AsyncEngine, database_url: str) -> None:
    """O `public` já tem as tabelas de uma empresa; a outra, com ele no search_path, ganha as suas."""
    await _execute(engine, "CREATE SCHEMA outra")
    other = create_engine(parse_url(f"{database_url}{_search_path('outra,public', database_url)}"))
    try:
        assert await schema.upgrade(other) == (None, migrations.HEAD)
        created = {name for (name,) in await rows(other, TABLES)}
        assert created == {*metadata.tables, "alembic_version", *VIEWS}
    finally:
        await close(other)


def _search_path(path: str, url: str) -> str:
    return f"{'&' if '?' in url else '?'}options=-csearch_path%3D{path}"


async def test_the_view_of_the_lines_accepts_any_detail(engine: AsyncEngine) -> None:
    odd = """[{"codigo": "", "quantidade": "2,5", "valorTotal": "1e2"}, 7, null, {"quantidade": "  "},
              {"codigo": "A", "quantidade": 0.1, "impostos": {"icms": {"valor": "12.30"}}}]"""
    async with engine.begin() as connection:
        insert = text("INSERT INTO nfe_cabecalho (id, detalhe) VALUES (:id, CAST(:detalhe AS jsonb))")
        await connection.execute(insert, {"id": 1, "detalhe": f'{{"itens": {odd}}}'})
        for id_, detalhe in ((2, '{"itens": {"a": 1}}'), (3, "{}"), (4, "[1]"), (5, None)):
            await connection.execute(insert, {"id": id_, "detalhe": detalhe})
    found = await rows(
        engine,
        "SELECT nfe_id, linha, codigo_produto, CAST(quantidade AS text), CAST(valor_total AS text), icms_valor"
        " FROM vw_nfe_linhas ORDER BY 1, 2",
    )
    assert [row[:5] for row in found] == [
        (1, 1, None, None, "100"),
        (1, 2, None, None, None),
        (1, 3, None, None, None),
        (1, 4, None, None, None),
        (1, 5, "A", "0.1", None),
    ]
    assert str(found[-1][5]) == "12.30"


@pytest.mark.parametrize("revision", one_now([f"{number:04}" for number in range(int(migrations.HEAD) - 2, 0, -1)]))
async def test_a_database_of_each_earlier_version_is_taken_over_with_what_it_has(
    empty_engine: AsyncEngine, revision: str
) -> None:
    async with empty_engine.begin() as connection:
        await connection.run_sync(schema.migrate, revision)
    await _execute(
        empty_engine,
        "INSERT INTO nfe_cabecalho (id, numero, situacao, contato_id, total_nota) VALUES (1, '000219', 6, 10, 988.35)",
        "INSERT INTO nfe_itens (nfe_id, codigo_produto, quantidade, valor_total) VALUES (1, 'ENG-1', 3, 988.35)",
        "INSERT INTO contatos (id, nome, documento) VALUES (10, 'Metalúrgica Aço & Ação', '12345678000195')",
        "INSERT INTO produtos (id, codigo, nome) VALUES (20, 'ENG-1', 'Engrenagem')",
        "INSERT INTO oauth_tokens (id, access_token, refresh_token, expires_at) VALUES (1, 'acesso', 'par', now())",
        "INSERT INTO etl_controle (inicio, fim, status, data_referencia) "
        "VALUES ('2026-02-10 09:00', '2026-02-10 09:10', 'success', '2026-02-10')",
    )
    assert await schema.upgrade(empty_engine) == (revision, migrations.HEAD)
    async with empty_engine.connect() as connection:
        assert await connection.run_sync(_drift) == []
        assert (await control.bookmark(connection, datetime.now(UTC))).day == date(2026, 2, 10)
    kept = """
        SELECT numero, n.situacao, total_nota, codigo_produto, quantidade, c.nome, p.nome, refresh_token
        FROM nfe_cabecalho n JOIN nfe_itens i ON i.nfe_id = n.id JOIN contatos c ON c.id = n.contato_id
        JOIN produtos p ON p.codigo = codigo_produto CROSS JOIN oauth_tokens"""
    assert await rows(empty_engine, kept) == [
        ("000219", 6, Decimal("988.35"), "ENG-1", 3, "Metalúrgica Aço & Ação", "Engrenagem", "par")
    ]


@pytest.mark.slow
async def test_the_total_of_earlier_saldos_is_the_sum_of_what_counts(empty_engine: AsyncEngine) -> None:
    async with empty_engine.begin() as connection:
        await connection.run_sync(schema.migrate, "0019")
    await _execute(
        empty_engine,
        "INSERT INTO depositos (id, desconsiderar_saldo) VALUES (1, false), (2, true)",
        "INSERT INTO estoque_saldos SELECT '2026-01-01', * FROM (VALUES"
        " (7, 1, 5, 4), (7, 2, 9, 9), (7, 3, 1, 1), (8, 0, 3, 2), (9, 1, NULL, NULL)) AS saldos",
    )
    await schema.upgrade(empty_engine)
    totals = "SELECT produto_id, saldo_fisico, saldo_virtual FROM estoque_totais ORDER BY 1"
    assert await rows(empty_engine, totals) == [(7, 6, 5), (8, 3, 2), (9, None, None)]
    seen = "SELECT produto_id, deposito_id, saldo_fisico FROM vw_estoque_atual ORDER BY 1, 2"
    assert await rows(empty_engine, seen) == [(7, 1, 5), (7, 2, 9), (7, 3, 1), (8, None, 3), (9, 1, None)]


@pytest.mark.slow
async def test_the_cost_of_today_is_valid_since_its_last_version(empty_engine: AsyncEngine) -> None:
    async with empty_engine.begin() as connection:
        await connection.run_sync(schema.migrate, "0035")
    await _execute(
        empty_engine,
        "INSERT INTO produtos_fornecedores (id, preco_custo) VALUES (1, 3), (2, 5)",
        "INSERT INTO produtos_fornecedores_custos VALUES"
        " (1, '2026-01-01 09:00Z', 2, NULL), (1, '2026-01-03 09:00Z', 3, NULL)",
    )
    await schema.upgrade(empty_engine)
    since = await rows(empty_engine, "SELECT id, valido_desde FROM produtos_fornecedores ORDER BY 1")
    assert since == [(1, datetime(2026, 1, 3, 9, tzinfo=UTC)), (2, None)]


@pytest.mark.slow
async def test_the_contas_of_a_payment_that_is_gone_are_read_again(empty_engine: AsyncEngine) -> None:
    """Menos as que listagem nenhuma mostra, que se leem pelo id."""
    async with empty_engine.begin() as connection:
        await connection.run_sync(schema.migrate, "0041")
    accounts = "(id, resumo_lista) VALUES (1, 'a'), (2, 'b'), (3, '')"
    await _execute(
        empty_engine,
        "INSERT INTO borderos (id, excluida_em) VALUES (7, now()), (8, NULL)",
        *(f"INSERT INTO contas_{lado} {accounts}" for lado in ("receber", "pagar")),
        "INSERT INTO contas_borderos (conta_tipo, conta_id, bordero_id) VALUES ('receber', 1, 7), ('receber', 2, 8),"
        " ('receber', 3, 7), ('pagar', 2, 7), ('pagar', 1, 8)",
    )
    await schema.upgrade(empty_engine)
    listed = "SELECT id, resumo_lista FROM contas_{} ORDER BY 1"
    assert await rows(empty_engine, listed.format("receber")) == [(1, None), (2, "b"), (3, "")]
    assert await rows(empty_engine, listed.format("pagar")) == [(1, "a"), (2, None), (3, "")]


@pytest.mark.slow
async def test_the_check_of_each_month_becomes_that_of_a_resource(empty_engine: AsyncEngine) -> None:
    """O que um banco de antes conferiu é das notas, e a de outro recurso no mesmo mês não a apaga."""
    async with empty_engine.begin() as connection:
        await connection.run_sync(schema.migrate, "0009")
    values = "'2025-03-01', '2025-03-31', now(), '{\"6\": 3}', '{\"6\": 3}', '{}', '{}', '{}'"
    columns = "data_inicio, data_fim, conferida_em, no_bling, no_banco, faltam, sobram, diferem"
    await _execute(empty_engine, f"INSERT INTO conferencias (mes, {columns}) VALUES ('2025-03-01', {values})")
    await schema.upgrade(empty_engine)
    assert await rows(empty_engine, "SELECT recurso, no_bling FROM conferencias") == [("nfe", {"6": 3})]
    month = proof.Month(date(2025, 3, 1), date(2025, 3, 31), no_bling=Counter({"9": 1}))
    async with empty_engine.begin() as connection:
        await proof.record(connection, "pedidos", [month], datetime(2026, 1, 1, tzinfo=UTC), None, repaired=True)
        await proof.record(connection, "pedidos", [month], datetime(2026, 1, 2, tzinfo=UTC), None, repaired=True)
        assert list(await proof.checked_months(connection, "nfe", datetime.now(UTC))) == [date(2025, 3, 1)]
    found = await rows(empty_engine, "SELECT recurso, no_bling FROM conferencias ORDER BY 1")
    assert found == [("nfe", {"6": 3}), ("pedidos", {"9": 1})]


@pytest.mark.slow
async def test_the_volumes_of_the_documents_already_held_are_read(empty_engine: AsyncEngine) -> None:
    async with empty_engine.begin() as connection:
        await connection.run_sync(schema.migrate, "0021")
    volumes = '[{"id": 5, "servico": "PAC", "codigoRastreamento": ""}, {"id": "6"}, {"id": 0}, {"id": {}}]'
    documents = {1: f'{{"transporte": {{"volumes": {volumes}}}}}', 2: '{"transporte": {"volumes": 3}}', 3: "{}"}
    async with empty_engine.begin() as connection:
        for table in ("pedidos_venda", "nfe_cabecalho"):
            insert = text(f"INSERT INTO {table} (id, detalhe) VALUES (:id, CAST(:detalhe AS jsonb))")
            for id_, detalhe in {**documents, 4: None}.items():
                await connection.execute(insert, {"id": id_, "detalhe": detalhe})
    await schema.upgrade(empty_engine)
    found = "SELECT documento_id, ordem, objeto_id, servico, codigo_rastreamento FROM transporte_volumes"
    for tipo in ("pedido", "nota"):
        assert await rows(empty_engine, f"{found} WHERE documento_tipo = '{tipo}' ORDER BY ordem") == [
            (1, 1, 5, "PAC", None),
            (1, 2, 6, None, None),
            (1, 3, None, None, None),
            (1, 4, None, None, None),
        ]


async def test_what_was_read_whole_before_differs_in_nothing(empty_engine: AsyncEngine) -> None:
    async with empty_engine.begin() as connection:
        await connection.run_sync(schema.migrate, "0042")
    await _execute(
        empty_engine,
        "INSERT INTO conferencias_inteiras (recurso, conferida_em, no_bling, no_banco, faltam, sobram)"
        """ VALUES ('depositos', now(), '{"1": 2}', '{"1": 2}', '{}', '{7}')""",
    )
    await schema.upgrade(empty_engine)
    found = await rows(empty_engine, "SELECT recurso, faltam, sobram, diferem FROM conferencias_inteiras")
    assert found == [("depositos", [], ["7"], [])]
