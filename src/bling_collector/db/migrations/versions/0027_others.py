"""O mais que se coleta a pedido: logística, composições, anúncios, campos customizados, notificações."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_COMMENTS = {
    "logisticas.id": "o id no Bling",
    "logisticas.tipo_integracao": "Correios, MelhorEnvio, MercadoEnvios…",
    "logisticas.situacao": "H habilitada, D desabilitada",
    "logisticas.integracao_id": "a integração do Bling de que é",
    "logisticas.detalhe": "a linha de GET /logisticas",
    "logisticas.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "logisticas.extraido_em": "quando o que está aqui foi lido",
    "logisticas.excluida_em": "quando o Bling deixou de o ter",
    "logisticas.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "logisticas_servicos.id": "o id no Bling",
    "logisticas_servicos.codigo": "o código do serviço",
    "logisticas_servicos.codigo_servico": "o idCodigoServico do Bling",
    "logisticas_servicos.frete_item": "o frete que se calcula para cada item do pedido",
    "logisticas_servicos.estimativa_entrega": "em dias úteis",
    "logisticas_servicos.transportador_id": "o contato que transporta",
    "logisticas_servicos.detalhe": "a linha de GET /logisticas/servicos",
    "logisticas_servicos.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "logisticas_servicos.extraido_em": "quando o que está aqui foi lido",
    "logisticas_servicos.excluida_em": "quando o Bling deixou de o ter",
    "logisticas_servicos.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "logisticas_objetos.id": "o id no Bling",
    "logisticas_objetos.situacao": (
        "0 postado, 1 em andamento, 2 não entregue, 3 entregue, 4 aguardando retirada, 5 "
        "etiqueta comprada, 6 vinculado, 7 atrasado, 8 não postado, 9 entrega suspensa"
    ),
    "logisticas_objetos.ultima_alteracao": "a do rastreamento; hora local de Brasília, como o Bling a dá",
    "logisticas_objetos.prazo_entrega_previsto": "em dias",
    "logisticas_objetos.detalhe": "o objeto inteiro, como GET /logisticas/objetos/{id} o deu",
    "logisticas_objetos.extraido_em": "quando o que está aqui foi lido",
    "logisticas_objetos.excluida_em": "quando o Bling deixou de o ter",
    "logisticas_objetos.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "transporte_volumes.documento_tipo": "pedido ou nota",
    "transporte_volumes.documento_id": "o pedido de venda ou a nota, como o tipo diz",
    "transporte_volumes.ordem": "o lugar no documento, de 1 em diante",
    "transporte_volumes.objeto_id": "o objeto que se despachou, em logisticas_objetos",
    "transporte_volumes.servico": "como o documento o diz",
    "transporte_volumes.codigo_rastreamento": "como o documento o diz",
    "produtos_estruturas.id": "o id do produto composto",
    "produtos_estruturas.tipo_estoque": "F físico, V virtual",
    "produtos_estruturas.lancamento_estoque": (
        "o que uma venda baixa: A o produto e os componentes, M os componentes, P o produto"
    ),
    "produtos_estruturas.detalhe": "a estrutura inteira, como GET /produtos/estruturas/{id} a deu",
    "produtos_estruturas.extraido_em": "quando o que está aqui foi lido",
    "produtos_estruturas.excluida_em": "quando o Bling deixou de o ter",
    "produtos_estruturas.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "produtos_componentes.produto_id": "o produto composto",
    "produtos_componentes.ordem": "o lugar na estrutura, de 1 em diante",
    "produtos_componentes.componente_id": "o produto que o compõe",
    "produtos_componentes.quantidade": "quantos entram em um",
    "anuncios.id": "o id no Bling",
    "anuncios.loja_id": "o canal de venda",
    "anuncios.tipo_integracao": "o tipo do canal",
    "anuncios.situacao": "1 publicado, 2 rascunho, 3 com problema, 4 pausado",
    "anuncios.detalhe": "o anúncio inteiro, como GET /anuncios/{id} o deu, com o que a listagem diz dele",
    "anuncios.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "anuncios.extraido_em": "quando o que está aqui foi lido",
    "anuncios.excluida_em": "quando o Bling deixou de o ter",
    "anuncios.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "campos_customizados_modulos.id": "o id no Bling",
    "campos_customizados_modulos.modulo": "como o sistema o chama",
    "campos_customizados_modulos.agrupador": "o que, no cadastro, separa os campos que um registro tem",
    "campos_customizados_modulos.detalhe": "a linha de GET /campos-customizados/modulos",
    "campos_customizados_modulos.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "campos_customizados_modulos.extraido_em": "quando o que está aqui foi lido",
    "campos_customizados_modulos.excluida_em": "quando o Bling deixou de o ter",
    "campos_customizados_modulos.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "campos_customizados.id": "o id no Bling",
    "campos_customizados.situacao": "1 ativo, 0 inativo",
    "campos_customizados.tipo_campo_id": "o tipo, que o Bling diz em GET /campos-customizados/tipos",
    "campos_customizados.detalhe": "o campo inteiro, como GET /campos-customizados/{id} o deu",
    "campos_customizados.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "campos_customizados.extraido_em": "quando o que está aqui foi lido",
    "campos_customizados.excluida_em": "quando o Bling deixou de o ter",
    "campos_customizados.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "campos_customizados_opcoes.campo_id": "de que campo é",
    "campos_customizados_opcoes.ordem": "o lugar no campo, de 1 em diante",
    "campos_customizados_opcoes.id": "o id no Bling, que é o que o cadastro guarda",
    "notificacoes.id": "o id no Bling, que é um texto",
    "notificacoes.modulo": "FISCAL…",
    "notificacoes.fonte": "o órgão em que se baseia",
    "notificacoes.acao": "o que se fez dela",
    "notificacoes.data_envio": "quando se publicou; hora local de Brasília, como o Bling a dá",
    "notificacoes.data_vigencia": "quando passa a valer o que ela diz",
    "notificacoes.data_leitura": "quando alguém a leu; hora local de Brasília, como o Bling a dá",
    "notificacoes.detalhe": "a linha de GET /notificacoes",
    "notificacoes.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "notificacoes.extraido_em": "quando o que está aqui foi lido",
    "notificacoes.excluida_em": "quando o Bling deixou de o ter",
    "notificacoes.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
    "ordens_servico.id": "o id no Bling",
    "ordens_servico.detalhe": "a ordem inteira, como GET /ordens/servico/{id} a deu",
    "ordens_servico.resumo_lista": "impressão da linha da listagem: se ela muda, o registro mudou",
    "ordens_servico.extraido_em": "quando o que está aqui foi lido",
    "ordens_servico.excluida_em": "quando o Bling deixou de o ter",
    "ordens_servico.nao_encontrado_em": "o Bling respondeu 404: não se pergunta de novo",
}

# O que os documentos já guardados dizem dos seus volumes, como a leitura deles o grava.
_VOLUMES = r"""
    INSERT INTO transporte_volumes (documento_tipo, documento_id, ordem, objeto_id, servico, codigo_rastreamento)
    SELECT '{tipo}', d.id, v.ordem,
           CASE WHEN v.volume ->> 'id' ~ '^[0-9]{{1,18}}$' THEN nullif((v.volume ->> 'id')::bigint, 0) END,
           CASE WHEN trim(v.volume ->> 'servico') <> '' THEN v.volume ->> 'servico' END,
           CASE WHEN trim(v.volume ->> 'codigoRastreamento') <> '' THEN v.volume ->> 'codigoRastreamento' END
    FROM {table} d, jsonb_array_elements(
        CASE WHEN jsonb_typeof(d.detalhe #> '{{transporte,volumes}}') = 'array'
             THEN d.detalhe #> '{{transporte,volumes}}' ELSE '[]' END) WITH ORDINALITY AS v (volume, ordem)
    WHERE jsonb_typeof(v.volume) = 'object'"""


def upgrade() -> None:
    op.execute("""
        CREATE TABLE logisticas (
            id BIGINT NOT NULL,
            descricao TEXT,
            tipo_integracao TEXT,
            integracao_nativa BOOLEAN,
            situacao TEXT,
            integracao_id BIGINT,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT logisticas_pkey PRIMARY KEY (id)
        )""")
    op.execute("""
        CREATE TABLE logisticas_servicos (
            id BIGINT NOT NULL,
            logistica_id BIGINT,
            descricao TEXT,
            codigo TEXT,
            codigo_servico TEXT,
            ativo BOOLEAN,
            frete_item NUMERIC,
            estimativa_entrega INTEGER,
            transportador_id BIGINT,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT logisticas_servicos_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_logisticas_servicos_logistica_id ON logisticas_servicos (logistica_id)")
    op.execute("CREATE INDEX ix_logisticas_servicos_transportador_id ON logisticas_servicos (transportador_id)")
    op.execute("""
        CREATE TABLE logisticas_objetos (
            id BIGINT NOT NULL,
            pedido_venda_id BIGINT,
            nota_fiscal_id BIGINT,
            servico_id BIGINT,
            codigo_rastreamento TEXT,
            situacao INTEGER,
            ultima_alteracao TIMESTAMP WITHOUT TIME ZONE,
            data_saida DATE,
            prazo_entrega_previsto INTEGER,
            frete_previsto NUMERIC,
            valor_declarado NUMERIC,
            detalhe JSONB,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT logisticas_objetos_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_logisticas_objetos_codigo_rastreamento ON logisticas_objetos (codigo_rastreamento)")
    op.execute("CREATE INDEX ix_logisticas_objetos_data_saida ON logisticas_objetos (data_saida)")
    op.execute("CREATE INDEX ix_logisticas_objetos_nota_fiscal_id ON logisticas_objetos (nota_fiscal_id)")
    op.execute("CREATE INDEX ix_logisticas_objetos_pedido_venda_id ON logisticas_objetos (pedido_venda_id)")
    op.execute("""
        CREATE TABLE transporte_volumes (
            documento_tipo TEXT NOT NULL,
            documento_id BIGINT NOT NULL,
            ordem INTEGER NOT NULL,
            objeto_id BIGINT,
            servico TEXT,
            codigo_rastreamento TEXT,
            CONSTRAINT transporte_volumes_pkey PRIMARY KEY (documento_tipo, documento_id, ordem)
        )""")
    op.execute("CREATE INDEX ix_transporte_volumes_objeto_id ON transporte_volumes (objeto_id)")
    op.execute("""
        CREATE TABLE produtos_estruturas (
            id BIGINT NOT NULL,
            tipo_estoque TEXT,
            lancamento_estoque TEXT,
            detalhe JSONB,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT produtos_estruturas_pkey PRIMARY KEY (id)
        )""")
    op.execute("""
        CREATE TABLE produtos_componentes (
            produto_id BIGINT NOT NULL,
            ordem INTEGER NOT NULL,
            componente_id BIGINT,
            quantidade NUMERIC,
            CONSTRAINT produtos_componentes_pkey PRIMARY KEY (produto_id, ordem),
            CONSTRAINT produtos_componentes_produto_id_fkey FOREIGN KEY(produto_id) REFERENCES produtos_estruturas (id)
        )""")
    op.execute("CREATE INDEX ix_produtos_componentes_componente_id ON produtos_componentes (componente_id)")
    op.execute("""
        CREATE TABLE anuncios (
            id BIGINT NOT NULL,
            loja_id BIGINT,
            tipo_integracao TEXT,
            produto_id BIGINT,
            titulo TEXT,
            situacao INTEGER,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT anuncios_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_anuncios_loja_id ON anuncios (loja_id)")
    op.execute("CREATE INDEX ix_anuncios_produto_id ON anuncios (produto_id)")
    op.execute("""
        CREATE TABLE campos_customizados_modulos (
            id BIGINT NOT NULL,
            nome TEXT,
            modulo TEXT,
            agrupador TEXT,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT campos_customizados_modulos_pkey PRIMARY KEY (id)
        )""")
    op.execute("""
        CREATE TABLE campos_customizados (
            id BIGINT NOT NULL,
            modulo_id BIGINT,
            nome TEXT,
            situacao INTEGER,
            tipo_campo_id BIGINT,
            obrigatorio BOOLEAN,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT campos_customizados_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_campos_customizados_modulo_id ON campos_customizados (modulo_id)")
    op.execute("""
        CREATE TABLE campos_customizados_opcoes (
            campo_id BIGINT NOT NULL,
            ordem INTEGER NOT NULL,
            id BIGINT,
            nome TEXT,
            CONSTRAINT campos_customizados_opcoes_pkey PRIMARY KEY (campo_id, ordem),
            CONSTRAINT campos_customizados_opcoes_campo_id_fkey FOREIGN KEY(campo_id)
                REFERENCES campos_customizados (id)
        )""")
    op.execute("""
        CREATE TABLE notificacoes (
            id TEXT NOT NULL,
            titulo TEXT,
            descricao TEXT,
            modulo TEXT,
            fonte TEXT,
            acao TEXT,
            data_criacao DATE,
            data_envio TIMESTAMP WITHOUT TIME ZONE,
            data_vigencia DATE,
            data_leitura TIMESTAMP WITHOUT TIME ZONE,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT notificacoes_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_notificacoes_data_criacao ON notificacoes (data_criacao)")
    op.execute("""
        CREATE TABLE ordens_servico (
            id BIGINT NOT NULL,
            numero TEXT,
            contato_id BIGINT,
            detalhe JSONB,
            resumo_lista TEXT,
            extraido_em TIMESTAMP WITH TIME ZONE,
            excluida_em TIMESTAMP WITH TIME ZONE,
            nao_encontrado_em TIMESTAMP WITH TIME ZONE,
            CONSTRAINT ordens_servico_pkey PRIMARY KEY (id)
        )""")
    op.execute("CREATE INDEX ix_ordens_servico_contato_id ON ordens_servico (contato_id)")
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")
    for tipo, table in (("pedido", "pedidos_venda"), ("nota", "nfe_cabecalho")):
        op.execute(_VOLUMES.format(tipo=tipo, table=table))
    op.execute("ALTER TABLE empresa ADD COLUMN detalhe JSONB")
    op.execute("COMMENT ON COLUMN empresa.detalhe IS 'a empresa inteira, como GET /empresas/me/dados-basicos a deu'")
