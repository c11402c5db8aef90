"""As tabelas do primeiro coletor: criadas, ou assumidas como estão, com as suas linhas."""

from alembic import op
from sqlalchemy import text

from bling_collector.errors import DatabaseError

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = {
    "oauth_tokens": """
        id integer PRIMARY KEY DEFAULT 1
        access_token text NOT NULL
        refresh_token text NOT NULL
        token_type varchar(50) DEFAULT 'Bearer'
        expires_at timestamp NOT NULL
        updated_at timestamp""",
    "nfe_cabecalho": """
        id bigint PRIMARY KEY
        numero varchar(50)
        data_emissao timestamp
        situacao integer
        contato_id bigint
        contato_nome varchar(500)
        contato_documento varchar(20)
        contato_municipio varchar(200)
        contato_uf varchar(2)
        total_produtos double precision
        total_nota double precision
        total_descontos double precision
        extraido_em timestamp""",
    "nfe_itens": """
        id serial PRIMARY KEY
        nfe_id bigint NOT NULL REFERENCES nfe_cabecalho (id)
        codigo_produto varchar(100)
        descricao_produto varchar(500)
        quantidade double precision
        valor_unitario double precision
        valor_total double precision
        valor_desconto double precision
        unidade_medida varchar(20)
        CONSTRAINT uq_nfe_item UNIQUE (nfe_id, codigo_produto)""",
    "nfe_pagamentos": """
        id serial PRIMARY KEY
        nfe_id bigint NOT NULL REFERENCES nfe_cabecalho (id)
        tipo_pagamento integer
        valor double precision""",
    "contatos": """
        id bigint PRIMARY KEY
        nome varchar(500)
        documento varchar(20)
        email varchar(500)
        tipo_pessoa varchar(1)
        municipio varchar(200)
        uf varchar(2)
        extraido_em timestamp""",
    "produtos": """
        id bigint PRIMARY KEY
        codigo varchar(100) UNIQUE
        nome varchar(500)
        preco_venda double precision
        preco_custo double precision
        categoria_id bigint
        categoria_descricao varchar(300)
        extraido_em timestamp""",
    "etl_controle": """
        id serial PRIMARY KEY
        inicio timestamp
        fim timestamp
        status varchar(20)
        data_referencia date
        nfes_processadas integer DEFAULT 0
        contatos_novos integer DEFAULT 0
        produtos_novos integer DEFAULT 0
        erro_mensagem text
        created_at timestamp DEFAULT now()""",
}


def upgrade() -> None:
    for table, ddl in TABLES.items():
        lines = [line.strip() for line in ddl.strip().splitlines()]
        op.execute(f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(lines)})")
        _refuse_a_stranger(table, {line.split()[0] for line in lines if not line.startswith("CONSTRAINT")})


def _refuse_a_stranger(table: str, expected: set[str]) -> None:
    """Uma tabela com o nome certo e sem as colunas certas não é a do primeiro coletor: nada é tocado."""
    found = op.get_bind().execute(
        text(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND table_name = :table"
        ),
        {"table": table},
    )
    if missing := sorted(expected - set(found.scalars())):
        raise DatabaseError(
            f"Já existe neste banco uma tabela {table} que não é a do coletor (faltam as colunas: "
            f"{', '.join(missing)}). Aponte DATABASE_URL para outro banco, ou para outro schema "
            "(?options=-csearch_path%3Dnome). Nada foi mudado."
        )
