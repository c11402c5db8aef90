"""Uma conferência que só olha não faz as vezes da que repara; e esvaziar uma tabela também muda os dias dela."""

from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

_NOTE = """
    CREATE OR REPLACE FUNCTION anotar_os_dias_somados() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        EXECUTE format('INSERT INTO %1$I.dias_por_somar (tabela, dia)
                        SELECT %2$L, dia FROM %1$I.%3$I
                        UNION SELECT tabela, dia FROM %1$I.dias_por_somar WHERE tabela = %2$L',
                       TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_ARGV[0]);
        RETURN NULL;
    END $$"""
_SUMS = {"nfe_cabecalho": "notas_por_dia", "pedidos_venda": "pedidos_por_dia"}


def upgrade() -> None:
    op.execute("ALTER TABLE conferencias ADD COLUMN reparada_em timestamptz")
    # Das que já há não se sabe se só olharam: valem, e numa semana todas se fazem outra vez.
    op.execute("UPDATE conferencias SET reparada_em = conferida_em")
    op.execute(_NOTE)
    for table, sums in _SUMS.items():
        op.execute(f"""
            CREATE TRIGGER anotar_dias_truncate AFTER TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION anotar_os_dias_somados('{sums}')""")
        # O que se esvaziou antes disto.
        op.execute(f"""
            INSERT INTO dias_por_somar (tabela, dia)
            SELECT DISTINCT '{table}', dia FROM {sums} WHERE NOT EXISTS (SELECT FROM {table})""")
