"""As notas e o que delas se tira."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

from bling_collector.db.models.base import BRASILIA_TIME, bling_id, gone, kept, metadata, ours


def _cabecalho(path: str, detalhe: str = "a nota inteira, como GET {}/{{id}} a deu") -> "tuple[Column[Any], ...]":
    """As colunas do cabeçalho de uma nota, a que `path` lista."""
    return (
        Column("id", BigInteger, primary_key=True, autoincrement=False),
        Column("numero", Text, index=True),
        Column("data_emissao", DateTime, index=True, comment=BRASILIA_TIME),
        Column("situacao", Integer),
        Column("contato_id", BigInteger, index=True),
        Column("contato_nome", Text),
        Column("contato_documento", Text, index=True),
        Column("contato_municipio", Text),
        Column("contato_uf", Text),
        Column("total_produtos", Numeric),
        Column("total_nota", Numeric),
        Column("total_descontos", Numeric, comment="vazio: o Bling não informa o desconto da nota"),
        ours("extraido_em"),
        Column("tipo", Integer, comment="0 entrada, 1 saída"),
        Column("serie", Integer),
        Column("chave_acesso", Text, index=True),
        Column("data_operacao", DateTime, comment=BRASILIA_TIME),
        Column("natureza_operacao_id", BigInteger),
        Column("loja_id", BigInteger),
        Column("loja_numero", Text),
        Column("numero_pedido_loja", Text),
        Column("vendedor_id", BigInteger),
        Column("finalidade", Integer),
        Column("valor_frete", Numeric),
        Column("link_xml", Text),
        Column("link_danfe", Text),
        Column("link_pdf", Text),
        Column("detalhe", JSONB, comment=detalhe.format(path)),
        Column("resumo_lista", Text, comment=f"impressão da linha de GET {path}: se ela muda, a nota mudou"),
        gone("quando uma varredura completa deixou de encontrar a nota no Bling"),
        Column("cfop", Text, comment="o CFOP das linhas; “vários” se são mais de um; vazio se nenhuma o tem"),
        Column("cfops", JSONB, comment="quanto do valor da nota é de cada CFOP, se são vários"),
    )


def _number() -> "Column[Any]":
    """A chave que o primeiro coletor deu às linhas de uma nota, um número sem significado. Sem ele, é a nota e o lugar
    nela."""
    return Column("id", Integer, primary_key=True)


def _nota(cabecalho: Table, number: "tuple[Column[Any], ...]") -> "Column[Any]":
    key = not number
    return Column("nfe_id", BigInteger, ForeignKey(cabecalho.c.id), primary_key=key, nullable=False, index=not key)


def _itens(cabecalho: Table, *number: "Column[Any]") -> "tuple[Column[Any], ...]":
    return (
        *number,
        _nota(cabecalho, number),
        Column("codigo_produto", Text, index=True),
        Column("descricao_produto", Text),
        Column("quantidade", Numeric),
        Column("valor_unitario", Numeric),
        Column("valor_total", Numeric),
        Column("valor_desconto", Numeric, comment="vazio: o Bling não informa o desconto do item"),
        Column("unidade_medida", Text),
        Column("ordem", Integer, primary_key=not number, comment="a primeira linha da nota em que o SKU aparece"),
        Column("cfop", Text, comment="o CFOP das linhas do SKU; “vários” se são mais de um; vazio se nenhuma o tem"),
        Column("cfops", JSONB, comment="a quantidade e o valor de cada CFOP, se são vários"),
    )


def _pagamentos(cabecalho: Table, *number: "Column[Any]") -> "tuple[Column[Any], ...]":
    return (
        *number,
        _nota(cabecalho, number),
        Column("tipo_pagamento", Integer, comment="código fiscal: 1 dinheiro, 3 crédito, 15 boleto, 17 PIX…"),
        Column("valor", Numeric),
        Column("forma_pagamento_id", BigInteger, index=True, comment="a forma de pagamento da conta no Bling"),
        Column("data_vencimento", Date),
        Column("numero_parcela", Integer, primary_key=not number),
    )


nfe_cabecalho = Table(
    "nfe_cabecalho",
    metadata,
    *_cabecalho("/nfe"),
    Index("ix_nfe_cabecalho_serie", "serie"),
    Index(
        "ix_nfe_cabecalho_faturamento",
        "data_emissao",
        postgresql_include=["id", "tipo", "situacao", "total_nota", "contato_id", "contato_uf", "finalidade", "cfop"],
        postgresql_where=text("excluida_em IS NULL"),
    ),
    Index(
        "ix_nfe_cabecalho_excluidas",
        text("data_emissao DESC"),
        text("id DESC"),
        postgresql_where=text("excluida_em IS NOT NULL"),
    ),
    Index("ix_nfe_cabecalho_varios_cfops", "data_emissao", postgresql_where=text("cfop = 'vários'")),
    Index(
        "ix_nfe_cabecalho_sem_detalhe",
        "data_emissao",
        postgresql_where=text("detalhe IS NULL AND excluida_em IS NULL"),
    ),
    Index(
        "ix_nfe_cabecalho_numeracao",
        text("coalesce(serie, 0)"),
        text("(numero::bigint)"),
        "id",
        postgresql_include=["serie", "numero", "data_emissao", "situacao", "excluida_em"],
        postgresql_where=text("numero ~ '^[0-9]{1,18}$' AND coalesce(tipo, 1) = 1"),
    ),
)

nfe_itens = Table(
    "nfe_itens",
    metadata,
    *_itens(nfe_cabecalho, _number()),
    Index("ix_nfe_itens_varios_cfops", "nfe_id", postgresql_where=text("cfop = 'vários'")),
    UniqueConstraint("nfe_id", "codigo_produto", name="uq_nfe_item"),
)

nfe_pagamentos = Table("nfe_pagamentos", metadata, *_pagamentos(nfe_cabecalho, _number()))

# As das outras notas têm as mesmas colunas, também com os mesmos nomes: a mesma consulta serve a umas e a outras.
nfce_cabecalho = Table("nfce_cabecalho", metadata, *_cabecalho("/nfce"))
nfce_itens = Table(
    "nfce_itens",
    metadata,
    *_itens(nfce_cabecalho),
    UniqueConstraint("nfe_id", "codigo_produto", name="uq_nfce_item"),
)
nfce_pagamentos = Table("nfce_pagamentos", metadata, *_pagamentos(nfce_cabecalho))

nfe_entrada_cabecalho = Table(
    "nfe_entrada_cabecalho",
    metadata,
    *_cabecalho("/nfe", detalhe="a linha de GET {}; a nota inteira, se se pediu, em nfe_entrada_detalhes"),
    Column(
        "nao_encontrado_em", DateTime(timezone=True), comment="quando o Bling disse, da última vez, não o ter (404)"
    ),
)
nfe_entrada_itens = Table(
    "nfe_entrada_itens",
    metadata,
    *_itens(nfe_entrada_cabecalho),
    UniqueConstraint("nfe_id", "codigo_produto", name="uq_nfe_entrada_item"),
)
nfe_entrada_pagamentos = Table("nfe_entrada_pagamentos", metadata, *_pagamentos(nfe_entrada_cabecalho))
nfe_entrada_detalhes = Table(
    "nfe_entrada_detalhes",
    metadata,
    bling_id(),
    Column("numero", Text),
    Column("contato_id", BigInteger, index=True),
    Column("detalhe", JSONB, comment="a nota inteira, como GET /nfe/{id} a deu"),
    Column("resumo_lista", Text, comment="a de nfe_entrada_cabecalho quando se leu: se ela muda, lê-se outra vez"),
    ours("extraido_em"),
    Column(
        "nao_encontrado_em", DateTime(timezone=True), comment="quando o Bling disse, da última vez, não o ter (404)"
    ),
)

nfe_documentos = Table(
    "nfe_documentos",
    metadata,
    Column("id", Text, primary_key=True, comment="a chave de acesso"),
    Column("chave_acesso", Text, Computed("id", persisted=True), comment="o mesmo que id"),
    Column("formato", Text, nullable=False, server_default="xml"),
    Column("conteudo", LargeBinary, comment="o documento, em gzip; vazio se o Bling não o tem"),
    Column("sha256", Text, comment="do documento, sem o gzip"),
    Column("situacao", Integer, comment="a da nota quando se pediu: uma que se cancela pede-se outra vez"),
    ours("extraido_em"),
    Column("lido_em", DateTime(timezone=True), Computed("extraido_em", persisted=True), comment="quando se leu"),
)
nfe_impostos = Table(
    "nfe_impostos",
    metadata,
    Column("documento_id", Text, ForeignKey(nfe_documentos.c.id), primary_key=True, comment="a chave de acesso"),
    Column("item", Integer, primary_key=True, comment="o nItem do XML"),
    Column("codigo_produto", Text, index=True),
    Column("descricao", Text),
    Column("ncm", Text),
    Column("cest", Text),
    Column("cfop", Text),
    Column("unidade", Text),
    Column("quantidade", Numeric),
    Column("valor_unitario", Numeric),
    Column("valor_produto", Numeric, comment="vProd: sem o desconto, o frete e os impostos por fora"),
    Column("valor_frete", Numeric),
    Column("valor_seguro", Numeric),
    Column("valor_desconto", Numeric),
    Column("valor_outras", Numeric),
    Column("origem", Text, comment="a da mercadoria, de 0 a 8"),
    Column("cst_icms", Text, comment="o CST ou, no Simples Nacional, o CSOSN"),
    Column("base_icms", Numeric),
    Column("aliquota_icms", Numeric),
    Column("valor_icms", Numeric),
    Column("base_icms_st", Numeric),
    Column("aliquota_icms_st", Numeric),
    Column("valor_icms_st", Numeric),
    Column("valor_fcp", Numeric, comment="o Fundo de Combate à Pobreza"),
    Column("valor_fcp_st", Numeric),
    Column("valor_icms_destino", Numeric, comment="o DIFAL, da UF de destino"),
    Column("cst_ipi", Text),
    Column("base_ipi", Numeric),
    Column("aliquota_ipi", Numeric),
    Column("valor_ipi", Numeric),
    Column("cst_pis", Text),
    Column("base_pis", Numeric),
    Column("aliquota_pis", Numeric),
    Column("valor_pis", Numeric),
    Column("cst_cofins", Text),
    Column("base_cofins", Numeric),
    Column("aliquota_cofins", Numeric),
    Column("valor_cofins", Numeric),
    Column("cst_ibs_cbs", Text),
    Column("classificacao_ibs_cbs", Text, comment="o cClassTrib"),
    Column("base_ibs_cbs", Numeric),
    Column("aliquota_ibs_uf", Numeric),
    Column("valor_ibs_uf", Numeric),
    Column("aliquota_ibs_municipio", Numeric),
    Column("valor_ibs_municipio", Numeric),
    Column("valor_ibs", Numeric, comment="o da UF e o do município"),
    Column("aliquota_cbs", Numeric),
    Column("valor_cbs", Numeric),
    Column("valor_is", Numeric, comment="o imposto seletivo"),
)

nfse = Table(
    "nfse",
    metadata,
    bling_id(),
    Column("numero", Text, index=True, comment="o que a prefeitura deu; vazio enquanto está pendente"),
    Column("numero_rps", Text, comment="o do recibo provisório, que a empresa numera"),
    Column("serie", Text),
    Column("situacao", Integer, comment="0 pendente, 1 emitida, 2 disponível para consulta, 3 cancelada"),
    Column("data_emissao", Date, index=True),
    Column("valor", Numeric),
    Column("contato_id", BigInteger, index=True),
    Column("contato_nome", Text),
    Column("contato_documento", Text, index=True),
    Column("contato_email", Text),
    Column("link", Text, comment="a página da prefeitura que mostra a nota"),
    Column("codigo_verificacao", Text),
    *kept("a nota inteira, como GET /nfse/{id} a deu"),
)

_OPERACOES = "operacao IN ('venda', 'devolucao', 'transferencia', 'remessa', 'outra')"

cfops = Table(
    "cfops",
    metadata,
    Column("cfop", Text, primary_key=True),
    Column("operacao", Text, nullable=False, comment="venda, devolucao, transferencia, remessa ou outra"),
    Column("descricao", Text, nullable=False),
    CheckConstraint("cfop ~ '^[0-9]{4}$'", name="quatro_algarismos"),
    CheckConstraint(_OPERACOES, name="operacao_conhecida"),
)

cfops_da_empresa = Table(
    "cfops_da_empresa",
    metadata,
    Column("cfop", Text, primary_key=True),
    Column(
        "operacao",
        Text,
        nullable=False,
        comment="a que vale no lugar da de cfops: venda, devolucao, transferencia, remessa ou outra",
    ),
    Column("motivo", Text),
    CheckConstraint("cfop ~ '^[0-9]{4}$'", name="quatro_algarismos"),
    CheckConstraint(_OPERACOES, name="operacao_conhecida"),
)

nfe_busca = Table(
    "nfe_busca",
    metadata,
    Column("nfe_id", BigInteger, ForeignKey(nfe_cabecalho.c.id, ondelete="CASCADE"), primary_key=True),
    Column("data_emissao", DateTime, nullable=False, comment="a da nota; 0001-01-01 se ela não tem"),
    Column("situacao", Integer, nullable=False, comment="a da nota; 0 excluída no Bling, -1 sem situação"),
    Column("numero", Text, comment="sem os zeros à esquerda"),
    Column("documento", Text, comment="só letras e algarismos"),
    Column("chave", Text, comment="só letras e algarismos"),
    Column("cliente", TSVECTOR, nullable=False, comment="as palavras do nome, sem acento e em minúsculas"),
    Column("produtos", TSVECTOR, nullable=False, comment="as palavras dos códigos e das descrições dos itens"),
    Index("ix_nfe_busca_data_emissao", "data_emissao", "nfe_id"),
    Index("ix_nfe_busca_situacao", "situacao", "data_emissao", "nfe_id"),
    Index("ix_nfe_busca_numero", "numero", "data_emissao", "nfe_id"),
    Index("ix_nfe_busca_chave", "chave"),
    Index(
        "ix_nfe_busca_documento",
        "documento",
        "data_emissao",
        "nfe_id",
        postgresql_ops={"documento": "text_pattern_ops"},
    ),
    Index("ix_nfe_busca_palavras", "cliente", "produtos", postgresql_using="gin"),
)

nfe_entradas = Table(
    "nfe_entradas",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("serie", Integer, nullable=False, comment="da chave de acesso"),
    Column("numero", BigInteger, nullable=False),
    Column("data_emissao", DateTime, comment=BRASILIA_TIME),
    Column("situacao", Integer),
    Column("chave_acesso", Text),
    ours("extraido_em"),
    Index("ix_nfe_entradas_numero", "serie", "numero"),
)
