"""Os vendedores e as suas comissões."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_COMMENTS = {
    "vendedores.id": "o id no Bling",
    "vendedores.nome": "vazio se a listagem não o traz: está em contatos",
    "vendedores.contato_id": "o contato que ele é",
    "vendedores.situacao": "A ativo, I inativo, S sem movimento, E excluído",
    "vendedores.loja_id": "o canal de venda dele, se é de um só",
    "vendedores.desconto_limite": "o desconto que pode dar, em %; 0 é sem limite",
    "vendedores.detalhe": "o vendedor inteiro, como GET /vendedores/{id} o deu",
    "vendedores.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "vendedores.extraido_em": "quando o que está aqui foi lido",
    "vendedores.excluida_em": "quando o Bling deixou de o ter",
    "vendedores.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "vendedores_comissoes.id": "nosso, sem significado",
    "vendedores_comissoes.vendedor_id": "de quem é",
    "vendedores_comissoes.ordem": "o lugar na lista do Bling, de 1 em diante",
    "vendedores_comissoes.desconto_maximo": "até que desconto, em %, vale esta alíquota",
    "vendedores_comissoes.aliquota": "a comissão, em %",
}


def upgrade() -> None:
    op.execute("""
        CREATE TABLE vendedores (
            id BIGINT NOT NULL,
            nome TEXT,
            contato_id BIGINT,
            situacao TEXT,
            loja_id BIGINT,
            desconto_limite NUMERIC,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT vendedores_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_vendedores_contato_id ON vendedores (contato_id)")
    op.execute("""
        CREATE TABLE vendedores_comissoes (
            id SERIAL NOT NULL,
            vendedor_id BIGINT NOT NULL,
            ordem INTEGER,
            desconto_maximo NUMERIC,
            aliquota NUMERIC,
            CONSTRAINT vendedores_comissoes_pkey PRIMARY KEY (id),
            CONSTRAINT vendedores_comissoes_vendedor_id_fkey FOREIGN KEY(vendedor_id) REFERENCES vendedores (id)
        )""")
    op.execute("CREATE INDEX ix_vendedores_comissoes_vendedor_id ON vendedores_comissoes (vendedor_id)")
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")
