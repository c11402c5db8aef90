"""De quem são os dados, e as notas de entrada de emissão própria, que dividem a numeração com as de saída."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_COMMENTS = {
    "empresa.bling_id": "o id da conta no Bling: 32 dígitos hexadecimais",
    "empresa.cnpj": "sem pontuação; pode ter letras",
    "empresa.desde": "quando este banco passou a ser dela",
    "nfe_entradas.serie": "da chave de acesso",
}


def upgrade() -> None:
    op.execute("""
        CREATE TABLE empresa (
            id integer PRIMARY KEY CONSTRAINT empresa_uma_linha CHECK (id = 1), bling_id text, nome text, cnpj text,
            email text, data_contrato date, desde timestamptz NOT NULL DEFAULT now())""")
    op.execute("""
        CREATE TABLE nfe_entradas (
            id bigint PRIMARY KEY, serie integer NOT NULL, numero bigint NOT NULL, data_emissao timestamp,
            situacao integer, chave_acesso text, extraido_em timestamptz)""")
    op.execute("CREATE INDEX ix_nfe_entradas_numero ON nfe_entradas (serie, numero)")
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")
    op.execute("COMMENT ON COLUMN nfe_entradas.data_emissao IS 'hora local de Brasília, como o Bling a dá'")
