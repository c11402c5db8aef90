"""As logísticas, os serviços e as remessas delas, e o que se despachou."""

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, ForeignKey, Integer, Numeric, Table, Text

from bling_collector.db.models.base import BRASILIA_TIME, bling_id, kept, metadata

logisticas = Table(
    "logisticas",
    metadata,
    bling_id(),
    Column("descricao", Text),
    Column("tipo_integracao", Text, comment="Correios, MelhorEnvio, MercadoEnvios…"),
    Column("integracao_nativa", Boolean),
    Column("situacao", Text, comment="H habilitada, D desabilitada"),
    Column("integracao_id", BigInteger, comment="a integração do Bling de que é"),
    *kept("a linha de GET /logisticas"),
)

logisticas_servicos = Table(
    "logisticas_servicos",
    metadata,
    bling_id(),
    Column("logistica_id", BigInteger, index=True),
    Column("descricao", Text),
    Column("codigo", Text, comment="o código do serviço"),
    Column("codigo_servico", Text, comment="o idCodigoServico do Bling"),
    Column("ativo", Boolean),
    Column("frete_item", Numeric, comment="o frete que se calcula para cada item do pedido"),
    Column("estimativa_entrega", Integer, comment="em dias úteis"),
    Column("transportador_id", BigInteger, index=True, comment="o contato que transporta"),
    *kept("a linha de GET /logisticas/servicos"),
)

logisticas_objetos = Table(
    "logisticas_objetos",
    metadata,
    bling_id(),
    Column("pedido_venda_id", BigInteger, index=True),
    Column("nota_fiscal_id", BigInteger, index=True),
    Column("servico_id", BigInteger),
    Column("codigo_rastreamento", Text, index=True),
    Column(
        "situacao",
        Integer,
        comment="0 postado, 1 em andamento, 2 não entregue, 3 entregue, 4 aguardando retirada, 5 etiqueta comprada, "
        "6 vinculado, 7 atrasado, 8 não postado, 9 entrega suspensa",
    ),
    Column("ultima_alteracao", DateTime, comment=f"a do rastreamento; {BRASILIA_TIME}"),
    Column("data_saida", Date, index=True),
    Column("prazo_entrega_previsto", Integer, comment="em dias"),
    Column("frete_previsto", Numeric),
    Column("valor_declarado", Numeric),
    *kept("o objeto inteiro, como GET /logisticas/objetos/{id} o deu", listed=False),
)

logisticas_remessas = Table(
    "logisticas_remessas",
    metadata,
    bling_id(),
    Column("logistica_id", BigInteger, index=True),
    Column("numero_plp", Text, comment="o número da pré-lista de postagem"),
    Column("descricao", Text),
    Column(
        "situacao",
        Integer,
        comment="-3 a ser corrigida, -2 em processamento, -1 cancelada, 0 em aberto, 1 emitida, 2 e 4 pronta para "
        "envio, 3 despachada, 5 etiqueta comprada, 6 etiqueta comprada em parte",
    ),
    Column("data_criacao", Date, index=True),
    *kept("a remessa inteira, como GET /logisticas/remessas/{id} a deu"),
)

logisticas_remessas_objetos = Table(
    "logisticas_remessas_objetos",
    metadata,
    Column(
        "remessa_id", BigInteger, ForeignKey(logisticas_remessas.c.id), primary_key=True, comment="em que remessa foi"
    ),
    Column(
        "objeto_id",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        index=True,
        comment="o que foi nela, em logisticas_objetos",
    ),
)

transporte_volumes = Table(
    "transporte_volumes",
    metadata,
    Column("documento_tipo", Text, primary_key=True, comment="pedido ou nota"),
    Column(
        "documento_id",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="o pedido de venda ou a nota, como o tipo diz",
    ),
    Column("ordem", Integer, primary_key=True, autoincrement=False, comment="o lugar no documento, de 1 em diante"),
    Column("objeto_id", BigInteger, index=True, comment="o objeto que se despachou, em logisticas_objetos"),
    Column("servico", Text, comment="como o documento o diz"),
    Column("codigo_rastreamento", Text, comment="como o documento o diz"),
)
