"""As categorias dos canais de venda, e as remessas das logísticas."""

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

_COMMENTS = {
    "categorias_lojas.id": "o id no Bling",
    "categorias_lojas.loja_id": "o canal de venda",
    "categorias_lojas.categoria_produto_id": "a categoria de produtos a que corresponde",
    "categorias_lojas.codigo": "o código da categoria no canal",
    "categorias_lojas.detalhe": "a linha de GET /categorias/lojas",
    "categorias_lojas.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "categorias_lojas.extraido_em": "quando o que está aqui foi lido",
    "categorias_lojas.excluida_em": "quando o Bling deixou de o ter",
    "categorias_lojas.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "logisticas_remessas.id": "o id no Bling",
    "logisticas_remessas.numero_plp": "o número da pré-lista de postagem",
    "logisticas_remessas.situacao": (
        "-3 a ser corrigida, -2 em processamento, -1 cancelada, 0 em aberto, 1 emitida, 2 e 4 pronta para envio, "
        "3 despachada, 5 etiqueta comprada, 6 etiqueta comprada em parte"
    ),
    "logisticas_remessas.detalhe": "a remessa inteira, como GET /logisticas/remessas/{id} a deu",
    "logisticas_remessas.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "logisticas_remessas.extraido_em": "quando o que está aqui foi lido",
    "logisticas_remessas.excluida_em": "quando o Bling deixou de o ter",
    "logisticas_remessas.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "logisticas_remessas_objetos.remessa_id": "em que remessa foi",
    "logisticas_remessas_objetos.objeto_id": "o que foi nela, em logisticas_objetos",
}


def upgrade() -> None:
    op.execute("""
        CREATE TABLE categorias_lojas (
            id BIGINT NOT NULL,
            loja_id BIGINT,
            categoria_produto_id BIGINT,
            codigo TEXT,
            descricao TEXT,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT categorias_lojas_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_categorias_lojas_loja_id ON categorias_lojas (loja_id)")
    op.execute("CREATE INDEX ix_categorias_lojas_categoria_produto_id ON categorias_lojas (categoria_produto_id)")
    op.execute("""
        CREATE TABLE logisticas_remessas (
            id BIGINT NOT NULL,
            logistica_id BIGINT,
            numero_plp TEXT,
            descricao TEXT,
            situacao INTEGER,
            data_criacao DATE,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT logisticas_remessas_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_logisticas_remessas_logistica_id ON logisticas_remessas (logistica_id)")
    op.execute("CREATE INDEX ix_logisticas_remessas_data_criacao ON logisticas_remessas (data_criacao)")
    op.execute("""
        CREATE TABLE logisticas_remessas_objetos (
            remessa_id BIGINT NOT NULL,
            objeto_id BIGINT NOT NULL,
            CONSTRAINT logisticas_remessas_objetos_pkey PRIMARY KEY (remessa_id, objeto_id),
            CONSTRAINT logisticas_remessas_objetos_remessa_id_fkey FOREIGN KEY(remessa_id)
                REFERENCES logisticas_remessas (id)
        )""")
    op.execute("CREATE INDEX ix_logisticas_remessas_objetos_objeto_id ON logisticas_remessas_objetos (objeto_id)")
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")
