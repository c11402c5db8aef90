"""Os cadastros que as notas e os pedidos citam."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from bling_collector.db.models.base import bling_id, gone, kept, metadata, ours

contatos = Table(
    "contatos",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("nome", Text),
    Column("documento", Text, index=True),
    Column("email", Text),
    Column("tipo_pessoa", Text, comment="J jurídica, F física, E estrangeira"),
    Column("municipio", Text),
    Column("uf", Text),
    ours("extraido_em"),
    Column("codigo", Text),
    Column("fantasia", Text),
    Column("situacao", Text, comment="A ativo, E excluído, I inativo, S sem movimento"),
    Column("telefone", Text),
    Column("celular", Text),
    Column(
        "detalhe",
        JSONB,
        comment="o contato inteiro, como GET /contatos/{id} o deu; vazio se só a nota o trouxe",
    ),
    Column(
        "nao_encontrado_em", DateTime(timezone=True), comment="quando o Bling disse, da última vez, não o ter (404)"
    ),
    gone("quando o Bling passou a dar o contato por excluído"),
)

produtos = Table(
    "produtos",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("codigo", Text, index=True),
    Column("nome", Text),
    Column("preco_venda", Numeric),
    Column("preco_custo", Numeric),
    Column("categoria_id", BigInteger),
    Column("categoria_descricao", Text),
    ours("extraido_em"),
    Column("tipo", Text),
    Column("situacao", Text, comment="A ativo, I inativo"),
    Column("formato", Text),
    Column("produto_pai_id", BigInteger),
    Column(
        "preferido",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="o produto vivo, ou o mais novo, do SKU",
    ),
    Column("detalhe", JSONB, comment="a linha de GET /produtos"),
    ours("categoria_vista_em"),
    gone("quando o Bling passou a dar o produto por excluído"),
    Column(
        "nao_encontrado_em",
        DateTime(timezone=True),
        comment="quando o Bling, da última vez que se pediu, não o mostrou",
    ),
    Column(
        "exclusao_vista_em",
        DateTime(timezone=True),
        comment="quando se perguntou ao Bling se o produto foi excluído",
    ),
    Index("uq_produtos_preferido", "codigo", unique=True, postgresql_where=text("preferido")),
)

produtos_desconhecidos = Table(
    "produtos_desconhecidos",
    metadata,
    Column("codigo", Text, primary_key=True, comment="SKU que está em notas e que o Bling não conhece"),
    ours("verificado_em", nullable=False),
)

categorias_produto = Table(
    "categorias_produto",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("descricao", Text),
    Column("categoria_pai_id", BigInteger),
    ours("extraido_em"),
)

formas_pagamento = Table(
    "formas_pagamento",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("descricao", Text),
    Column("tipo_pagamento", Integer, comment="código fiscal; vazio se o Bling não conhece mais a forma"),
    Column("situacao", Integer),
    Column("detalhe", JSONB),
    ours("extraido_em"),
)

vendedores = Table(
    "vendedores",
    metadata,
    bling_id(),
    Column("nome", Text, comment="o que o Bling diz dele ou, se não diz, o do contato"),
    Column("contato_id", BigInteger, index=True, comment="o contato que ele é"),
    Column("situacao", Text, comment="A ativo, I inativo, S sem movimento, E excluído"),
    Column("loja_id", BigInteger, comment="o canal de venda dele, se é de um só"),
    Column("desconto_limite", Numeric, comment="o desconto que pode dar, em %; 0 é sem limite"),
    *kept("o vendedor inteiro, como GET /vendedores/{id} o deu"),
)

vendedores_comissoes = Table(
    "vendedores_comissoes",
    metadata,
    Column("vendedor_id", BigInteger, ForeignKey(vendedores.c.id), primary_key=True, comment="de quem é"),
    Column("ordem", Integer, primary_key=True, comment="o lugar na lista do Bling, de 1 em diante"),
    Column("desconto_maximo", Numeric, comment="até que desconto, em %, vale esta alíquota"),
    Column("aliquota", Numeric, comment="a comissão, em %"),
)
