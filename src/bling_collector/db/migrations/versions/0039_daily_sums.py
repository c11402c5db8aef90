"""As somas de cada dia, para que uma página de um milhão de notas não as leia todas.

Um gatilho por comando anota os dias que ele muda, sem esperar por ninguém; quem coleta soma-os depois. Um dia anotado
lê-se das notas, e não das somas: o que se vê é sempre o que há.
"""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

_DAYS = {"nfe_cabecalho": "data_emissao", "pedidos_venda": "data"}
_SEEN = {
    "INSERT": ("REFERENCING NEW TABLE AS depois", "SELECT %1$I::date AS dia FROM depois"),
    "UPDATE": (
        "REFERENCING OLD TABLE AS antes NEW TABLE AS depois",
        "SELECT %1$I::date AS dia FROM antes UNION SELECT %1$I::date FROM depois",
    ),
    "DELETE": ("REFERENCING OLD TABLE AS antes", "SELECT %1$I::date AS dia FROM antes"),
}
# O schema é o da tabela que mudou, e não o da sessão de quem a muda.
_NOTE = """
    CREATE OR REPLACE FUNCTION anotar_dias() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE dias text := CASE TG_OP {cases} END;
    BEGIN
        EXECUTE format('INSERT INTO %I.dias_por_somar (tabela, dia) SELECT DISTINCT %L, dia FROM (', TG_TABLE_SCHEMA,
                       TG_TABLE_NAME) || format(dias, TG_ARGV[0]) || ') AS d WHERE dia IS NOT NULL';
        RETURN NULL;
    END $$"""


def upgrade() -> None:
    op.execute("CREATE TABLE dias_por_somar (tabela text NOT NULL, dia date NOT NULL)")
    op.execute("CREATE INDEX ix_dias_por_somar ON dias_por_somar (tabela, dia)")
    op.execute("""
        CREATE TABLE notas_por_dia (
            dia date NOT NULL, situacao integer, tipo integer, resumo_lista text, registros bigint NOT NULL)""")
    op.execute("""
        CREATE TABLE vendas_por_dia (
            dia date NOT NULL, valida boolean NOT NULL, operacao text NOT NULL, contato_uf text,
            registros bigint NOT NULL, valor numeric)""")
    op.execute("""
        CREATE TABLE pedidos_por_dia (
            dia date NOT NULL, situacao_id bigint, resumo_lista text, registros bigint NOT NULL, valor numeric)""")
    for table in ("notas_por_dia", "vendas_por_dia", "pedidos_por_dia"):
        op.execute(f"CREATE INDEX ix_{table} ON {table} (dia)")
    cases = " ".join(f"WHEN '{event}' THEN '{days}'" for event, (_, days) in _SEEN.items())
    op.execute(_NOTE.format(cases=cases))
    for table, day in _DAYS.items():
        for event, (referencing, _) in _SEEN.items():
            op.execute(f"""
                CREATE TRIGGER anotar_dias_{event.lower()} AFTER {event} ON {table} {referencing}
                FOR EACH STATEMENT EXECUTE FUNCTION anotar_dias('{day}')""")
        op.execute(f"""
            INSERT INTO dias_por_somar (tabela, dia)
            SELECT DISTINCT '{table}', {day}::date FROM {table} WHERE {day} IS NOT NULL""")
    # A lista dos pedidos começa pelos últimos.
    op.execute("""
        CREATE INDEX ix_pedidos_venda_ultimos ON pedidos_venda (data DESC NULLS LAST, id DESC)
        WHERE excluida_em IS NULL""")
    # As excluídas são poucas, e as páginas da cobertura só querem as de um mês.
    op.execute("""
        CREATE INDEX ix_nfe_cabecalho_excluidas ON nfe_cabecalho (data_emissao DESC, id DESC)
        WHERE excluida_em IS NOT NULL""")
