"""As tabelas. Os nomes e as colunas do primeiro coletor ficam; o que há de novo foi acrescentado.

Nada aqui nomeia um schema: vale o `search_path` da conexão, e cada empresa pode ter o seu.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s",
    }
)

_BRASILIA = "hora local de Brasília, como o Bling a dá"


def _ours(name: str, *, nullable: bool = True, now: bool = False) -> "Column[object]":
    """Uma hora nossa: timestamptz."""
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=func.now() if now else None)


def _gone(comment: str) -> "Column[object]":
    return Column("excluida_em", DateTime(timezone=True), comment=comment)


def _kept(detalhe: str) -> "tuple[Column[Any], ...]":
    """O que as tabelas de todo recurso guardam de cada registro."""
    return (
        Column("detalhe", JSONB, comment=detalhe),
        Column("resumo_lista", Text, comment="impressão da linha da listagem: se ela muda, o registro mudou"),
        Column("extraido_em", DateTime(timezone=True), comment="quando o que está aqui foi lido"),
        _gone("quando o Bling deixou de o ter"),
        Column("nao_encontrado_em", DateTime(timezone=True), comment="o Bling respondeu 404: não se pergunta de novo"),
    )


TOKENS_ROW = 1
"""O id da linha de `oauth_tokens` que vale."""

oauth_tokens = Table(
    "oauth_tokens",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("access_token", Text, nullable=False),
    Column("refresh_token", Text, nullable=False),
    Column("token_type", String(50), server_default="Bearer"),
    _ours("expires_at", nullable=False),
    _ours("updated_at"),
    Column("refresh_in_doubt", Boolean, nullable=False, server_default=text("false")),
    _ours("refused_at"),
)

oauth_states = Table(
    "oauth_states",
    metadata,
    Column("state_hash", Text, primary_key=True),
    _ours("expires_at", nullable=False),
)

empresa = Table(
    "empresa",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("bling_id", Text, comment="o id da conta no Bling: 32 dígitos hexadecimais"),
    Column("nome", Text),
    Column("cnpj", Text, comment="sem pontuação; pode ter letras"),
    Column("email", Text),
    Column("data_contrato", Date),
    Column(
        "desde",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.now(),
        comment="quando este banco passou a ser dela",
    ),
    CheckConstraint("id = 1", name="uma_linha"),
)

nfe_cabecalho = Table(
    "nfe_cabecalho",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("numero", Text, index=True),
    Column("data_emissao", DateTime, index=True, comment=_BRASILIA),
    Column("situacao", Integer),
    Column("contato_id", BigInteger, index=True),
    Column("contato_nome", Text),
    Column("contato_documento", Text, index=True),
    Column("contato_municipio", Text),
    Column("contato_uf", Text),
    Column("total_produtos", Numeric),
    Column("total_nota", Numeric),
    Column("total_descontos", Numeric, comment="vazio: o Bling não informa o desconto da nota"),
    _ours("extraido_em"),
    Column("tipo", Integer, comment="0 entrada, 1 saída"),
    Column("serie", Integer),
    Column("chave_acesso", Text, index=True),
    Column("data_operacao", DateTime, comment=_BRASILIA),
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
    Column("detalhe", JSONB, comment="a nota inteira, como GET /nfe/{id} a deu"),
    Column("resumo_lista", Text, comment="impressão da linha de GET /nfe: se ela muda, a nota mudou"),
    _gone("quando uma varredura completa deixou de encontrar a nota no Bling"),
    Column("cfop", Text, comment="o CFOP das linhas; “vários” se são mais de um; vazio se nenhuma o tem"),
    Column("cfops", JSONB, comment="quanto do valor da nota é de cada CFOP, se são vários"),
    Index("ix_nfe_cabecalho_serie", "serie"),
    Index(
        "ix_nfe_cabecalho_faturamento",
        "data_emissao",
        postgresql_include=["id", "tipo", "situacao", "total_nota", "contato_id", "contato_uf", "finalidade", "cfop"],
        postgresql_where=text("excluida_em IS NULL"),
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
    Column("id", Integer, primary_key=True),
    Column("nfe_id", BigInteger, ForeignKey(nfe_cabecalho.c.id), nullable=False, index=True),
    Column("codigo_produto", Text, index=True),
    Column("descricao_produto", Text),
    Column("quantidade", Numeric),
    Column("valor_unitario", Numeric),
    Column("valor_total", Numeric),
    Column("valor_desconto", Numeric, comment="vazio: o Bling não informa o desconto do item"),
    Column("unidade_medida", Text),
    Column("ordem", Integer, comment="a primeira linha da nota em que o SKU aparece"),
    Column("cfop", Text, comment="o CFOP das linhas do SKU; “vários” se são mais de um; vazio se nenhuma o tem"),
    Column("cfops", JSONB, comment="a quantidade e o valor de cada CFOP, se são vários"),
    Index("ix_nfe_itens_varios_cfops", "nfe_id", postgresql_where=text("cfop = 'vários'")),
    UniqueConstraint("nfe_id", "codigo_produto", name="uq_nfe_item"),
)

nfe_pagamentos = Table(
    "nfe_pagamentos",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("nfe_id", BigInteger, ForeignKey(nfe_cabecalho.c.id), nullable=False, index=True),
    Column("tipo_pagamento", Integer, comment="código fiscal: 1 dinheiro, 3 crédito, 15 boleto, 17 PIX…"),
    Column("valor", Numeric),
    Column("forma_pagamento_id", BigInteger, index=True, comment="a forma de pagamento da conta no Bling"),
    Column("data_vencimento", Date),
    Column("numero_parcela", Integer),
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
    Column("data_emissao", DateTime, comment=_BRASILIA),
    Column("situacao", Integer),
    Column("chave_acesso", Text),
    _ours("extraido_em"),
    Index("ix_nfe_entradas_numero", "serie", "numero"),
)

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
    _ours("extraido_em"),
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
    Column("nao_encontrado_em", DateTime(timezone=True), comment="o Bling respondeu 404: não se pergunta de novo"),
    _gone("quando o Bling passou a dar o contato por excluído"),
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
    _ours("extraido_em"),
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
    _ours("categoria_vista_em"),
    _gone("quando o Bling passou a dar o produto por excluído"),
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
    _ours("verificado_em", nullable=False),
)

categorias_produto = Table(
    "categorias_produto",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("descricao", Text),
    Column("categoria_pai_id", BigInteger),
    _ours("extraido_em"),
)

formas_pagamento = Table(
    "formas_pagamento",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("descricao", Text),
    Column("tipo_pagamento", Integer, comment="código fiscal; vazio se o Bling não conhece mais a forma"),
    Column("situacao", Integer),
    Column("detalhe", JSONB),
    _ours("extraido_em"),
)

vendedores = Table(
    "vendedores",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False, comment="o id no Bling"),
    Column("nome", Text, comment="vazio se a listagem não o traz: está em contatos"),
    Column("contato_id", BigInteger, index=True, comment="o contato que ele é"),
    Column("situacao", Text, comment="A ativo, I inativo, S sem movimento, E excluído"),
    Column("loja_id", BigInteger, comment="o canal de venda dele, se é de um só"),
    Column("desconto_limite", Numeric, comment="o desconto que pode dar, em %; 0 é sem limite"),
    *_kept("o vendedor inteiro, como GET /vendedores/{id} o deu"),
)

vendedores_comissoes = Table(
    "vendedores_comissoes",
    metadata,
    Column("id", Integer, primary_key=True, comment="nosso, sem significado"),
    Column("vendedor_id", BigInteger, ForeignKey(vendedores.c.id), nullable=False, index=True, comment="de quem é"),
    Column("ordem", Integer, comment="o lugar na lista do Bling, de 1 em diante"),
    Column("desconto_maximo", Numeric, comment="até que desconto, em %, vale esta alíquota"),
    Column("aliquota", Numeric, comment="a comissão, em %"),
)

pedidos_venda = Table(
    "pedidos_venda",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False, comment="o id no Bling"),
    Column("numero", BigInteger, comment="corre sem lacuna, a não ser pelos excluídos e pelos importados"),
    Column("numero_loja", Text, comment="o número no canal de venda; um pedido importado de novo o repete"),
    Column("data", Date, index=True, comment="o dia do pedido"),
    Column("data_saida", Date),
    Column("data_prevista", Date),
    Column("situacao_id", BigInteger, comment="a situação da conta: 6 em aberto, 9 atendido, 12 cancelado…"),
    Column("situacao_valor", Integer, comment="o que o Bling diz dela em número; em certas contas é sempre 0"),
    Column("contato_id", BigInteger, index=True),
    Column("loja_id", BigInteger, comment="o canal de venda; vazio é venda própria"),
    Column("vendedor_id", BigInteger, comment="de vendedores, e não de contatos"),
    Column("nota_fiscal_id", BigInteger, index=True, comment="a nota que dele se fez"),
    Column("total_produtos", Numeric),
    Column("total", Numeric),
    Column("desconto", Numeric, comment="em reais ou em %, como desconto_unidade diz"),
    Column("desconto_unidade", Text, comment="REAL ou PERCENTUAL"),
    Column("outras_despesas", Numeric),
    Column("frete", Numeric),
    Column("taxa_comissao", Numeric, comment="a do canal de venda, como o Bling a dá"),
    Column("custo_frete", Numeric, comment="o frete que o canal de venda cobra"),
    *_kept("o pedido inteiro, como GET /pedidos/vendas/{id} o deu"),
)

pedidos_venda_itens = Table(
    "pedidos_venda_itens",
    metadata,
    Column("pedido_id", BigInteger, ForeignKey(pedidos_venda.c.id), primary_key=True, comment="de que pedido é"),
    Column("ordem", Integer, primary_key=True, comment="o lugar no pedido, de 1 em diante"),
    Column("id", BigInteger, index=True, comment="o id no Bling"),
    Column("produto_id", BigInteger, index=True),
    Column("codigo_produto", Text, index=True),
    Column("descricao", Text),
    Column("quantidade", Numeric),
    Column("valor_unitario", Numeric, comment="já sem o desconto do item"),
    Column("desconto_percentual", Numeric),
)

pedidos_venda_parcelas = Table(
    "pedidos_venda_parcelas",
    metadata,
    Column("pedido_id", BigInteger, ForeignKey(pedidos_venda.c.id), primary_key=True, comment="de que pedido é"),
    Column("ordem", Integer, primary_key=True, comment="o lugar no pedido, de 1 em diante"),
    Column("id", BigInteger, index=True, comment="o id no Bling"),
    Column("data_vencimento", Date),
    Column("valor", Numeric),
    Column("forma_pagamento_id", BigInteger, index=True),
)

etl_controle = Table(
    "etl_controle",
    metadata,
    Column("id", Integer, primary_key=True),
    _ours("inicio"),
    _ours("fim"),
    Column("status", String(20), comment="running, success, partial ou error"),
    Column("data_referencia", Date, comment="o último dia coberto sem lacuna"),
    Column("nfes_processadas", Integer, server_default="0"),
    Column("contatos_novos", Integer, server_default="0"),
    Column("produtos_novos", Integer, server_default="0"),
    Column("erro_mensagem", Text),
    _ours("created_at", now=True),
    Column("tipo", Text, comment="run, run-full, retry, reconcile ou reprocess; nulo nas do primeiro coletor"),
    Column("data_inicio", Date, comment="o período coberto, com a releitura"),
    Column("data_fim", Date),
    Column("fase", Text),
    Column("feitos", Integer, nullable=False, server_default="0", comment="itens já feitos da fase"),
    Column("total", Integer, nullable=False, server_default="0", comment="itens da fase"),
    Column("requisicoes", Integer, nullable=False, server_default="0"),
    Column("limitadas", Integer, nullable=False, server_default="0", comment="respostas 429"),
    Column("cursor", BigInteger, comment="até que id um reprocessamento chegou"),
    Column("parar", Boolean, nullable=False, server_default=text("false"), comment="alguém pediu que ela pare"),
    Column(
        "leu_o_presente",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="se leu tudo o que o Bling tinha até o instante em que começou",
    ),
    Column(
        "salvos",
        JSONB,
        nullable=False,
        server_default=text("'{}'"),
        comment="recurso → quantos registros dele a execução gravou",
    ),
    Column("restam", Integer, comment="requisições que se calcula que ainda faça; nulo se não se sabe"),
    Column("espera", Text, comment="por que está parada, se o Bling não responde"),
)

execucao_log = Table(
    "execucao_log",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("run_id", Integer, nullable=False, index=True),
    _ours("quando", nullable=False),
    Column("nivel", Text, nullable=False, comment="info, aviso ou erro"),
    Column("mensagem", Text, nullable=False),
)

janelas_devidas = Table(
    "janelas_devidas",
    metadata,
    Column("recurso", Text, primary_key=True),
    Column("data_inicio", Date, primary_key=True),
    Column("data_fim", Date, nullable=False),
    _ours("desde", nullable=False, now=True),
    Column("erro", Text),
    CheckConstraint("data_inicio <= data_fim", name="em_ordem"),
)

pendencias = Table(
    "pendencias",
    metadata,
    Column("recurso", Text, primary_key=True),
    Column("recurso_id", Text, primary_key=True),
    Column("data_emissao", Date, comment="a data de referência não passa dela"),
    Column("resumo_lista", Text, comment="impressão da linha de listagem que a mostrou"),
    Column("erro", Text, nullable=False),
    Column("tentativas", Integer, nullable=False, server_default="1"),
    _ours("desde", nullable=False, now=True),
    _ours("tentada_em", nullable=False, now=True),
    Column("numero", Text, comment="o da nota, como a listagem a mostrou"),
    Column("contato_id", BigInteger, comment="de quem é a nota, como a listagem a mostrou"),
    Column("contato_nome", Text, comment="o nome de quem é a nota, como a listagem a mostrou"),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("recurso", Text, primary_key=True),
    _ours("posicao", nullable=False),
)

limites_bling = Table(
    "limites_bling",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column(
        "inicios",
        ARRAY(DateTime(timezone=True)),
        nullable=False,
        server_default=text("'{}'"),
        comment="as últimas vezes reservadas",
    ),
    Column("segurado_ate", DateTime(timezone=True), comment="nada começa antes: chegou um 429 por segundo"),
    Column("margem", Double, nullable=False, server_default=text("0.05"), comment="segundos a mais na janela"),
    Column("ritmo", Double, nullable=False, server_default=text("1"), comment="a fração do ritmo inteiro que vale"),
    Column("dia", Date, comment="o dia de Brasília que se conta"),
    Column("usadas", Integer, nullable=False, server_default="0", comment="requisições do coletor no dia"),
    Column("limite", Integer, comment="a cota diária da conta"),
    Column("reserva", Integer, comment="o que dela fica para os outros aplicativos"),
    Column("esgotada_em", Date, comment="o dia em que o Bling disse que a cota acabou"),
    Column("falhas", Integer, nullable=False, server_default="0", comment="falhas seguidas"),
    Column("erros", Integer, nullable=False, server_default="0", comment="respostas de erro desde erros_desde"),
    _ours("erros_desde"),
    Column("pausada_ate", DateTime(timezone=True), comment="o disjuntor está aberto até esta hora"),
    Column("pausas", Integer, nullable=False, server_default="0", comment="pausas seguidas"),
    Column("pausa_motivo", Text, comment="falhas, erros ou bloqueio"),
    Column("sonda_ate", DateTime(timezone=True), comment="até quando se espera a requisição de prova"),
    Column(
        "pedidos_de_token",
        ARRAY(DateTime(timezone=True)),
        nullable=False,
        server_default=text("'{}'"),
        comment="os do último minuto",
    ),
    CheckConstraint("id = 1", name="uma_linha"),
)

alarmes = Table(
    "alarmes",
    metadata,
    Column("nome", Text, primary_key=True),
    Column("estado", Text, nullable=False, server_default="normal", comment="normal, aviso ou erro"),
    _ours("desde", nullable=False, now=True),
    Column("mensagem", Text, nullable=False),
    Column(
        "avisados",
        JSONB,
        nullable=False,
        server_default=text("'{}'"),
        comment="a impressão de cada destino → o último estado que lhe foi dito",
    ),
)

dados_apagados = Table(
    "dados_apagados",
    metadata,
    Column("tabela", Text, primary_key=True, comment="contatos, ou nfe_cabecalho de uma nota sem contato no Bling"),
    Column("registro_id", BigInteger, primary_key=True, autoincrement=False),
    _ours("apagado_em", nullable=False, now=True),
)

conferencias = Table(
    "conferencias",
    metadata,
    Column("recurso", Text, primary_key=True, server_default="nfe", comment="o que se conferiu"),
    Column("mes", Date, primary_key=True, comment="o primeiro dia do mês"),
    Column("data_inicio", Date, nullable=False, comment="o primeiro dia conferido: o do mês, ou o do começo da coleta"),
    Column("data_fim", Date, nullable=False),
    _ours("conferida_em", nullable=False),
    Column("run_id", Integer),
    Column("no_bling", JSONB, nullable=False, comment="quantos registros o Bling lista, por situação"),
    Column("no_banco", JSONB, nullable=False, comment="quantos registros o banco tem, por situação, sem os excluídos"),
    Column("faltam", ARRAY(BigInteger), nullable=False, comment="ids que o Bling lista e o banco não tem"),
    Column("sobram", ARRAY(BigInteger), nullable=False, comment="ids que o banco tem e o Bling não lista"),
    Column(
        "diferem", ARRAY(BigInteger), nullable=False, comment="ids cuja linha no Bling mudou desde que o banco a leu"
    ),
    Column(
        "reparadas",
        Integer,
        nullable=False,
        server_default="0",
        comment="quantas divergências esta conferência encontrou e reparou",
    ),
)

historico = Table(
    "historico",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("tabela", Text, nullable=False),
    Column("registro_id", BigInteger, nullable=False, index=True),
    _ours("quando", nullable=False, now=True),
    Column("run_id", Integer),
    Column("mudancas", JSONB, nullable=False, comment="coluna → [valor de antes, valor de agora]"),
)
