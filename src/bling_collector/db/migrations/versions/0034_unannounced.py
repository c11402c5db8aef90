"""O que uma olhada achou mudado e nenhum aviso disse."""

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_COMMENTS = {
    "webhook_eventos.agendado_em": "quando um worker começou a ler o registro por causa dele",
    "webhook_faltas.registro_id": "que registro se achou novo ou mudado",
    "webhook_faltas.aviso": "como o Bling chama o recurso nos avisos",
    "webhook_faltas.depois_de": "a hora da olhada anterior, que ainda não o viu",
}


def upgrade() -> None:
    op.execute("""
        CREATE TABLE webhook_faltas (
            recurso text NOT NULL,
            registro_id text NOT NULL,
            aviso text NOT NULL,
            depois_de timestamptz NOT NULL,
            encontrado_em timestamptz NOT NULL,
            PRIMARY KEY (recurso, registro_id))""")
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")
