"""Os cadastros pequenos, que dizem o que são os ids das notas, dos pedidos e das contas."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Integer,
    Table,
    Text,
)

from bling_collector.db.models.base import BRASILIA_TIME, bling_id, kept, metadata

depositos = Table(
    "depositos",
    metadata,
    bling_id(),
    Column("descricao", Text),
    Column("situacao", Integer, comment="1 ativo, 0 inativo"),
    Column("padrao", Boolean, comment="é o padrão da conta"),
    Column("desconsiderar_saldo", Boolean, comment="o saldo dele não entra no virtual do produto"),
    *kept("a linha de GET /depositos"),
)

canais_venda = Table(
    "canais_venda",
    metadata,
    bling_id(),
    Column("descricao", Text),
    Column("tipo", Text, comment="a integração: Shopee, MercadoLivre…"),
    Column("situacao", Integer, comment="1 habilitado, 2 desabilitado"),
    *kept("o canal inteiro, como GET /canais-venda/{id} o deu"),
)

canais_venda_filiais = Table(
    "canais_venda_filiais",
    metadata,
    Column("canal_id", BigInteger, ForeignKey(canais_venda.c.id), primary_key=True, comment="de que canal é"),
    Column("ordem", Integer, primary_key=True, comment="o lugar na lista do Bling, de 1 em diante"),
    Column("cnpj", Text, comment="o da filial, sem pontuação"),
    Column("id_unidade_negocio", BigInteger),
    Column("unidade_negocio", Text, comment="o nome da unidade: o Bling só o diz aqui"),
    Column("deposito_id", BigInteger, comment="o depósito de onde ela despacha"),
    Column("padrao", Boolean, comment="é a padrão do canal"),
)

naturezas_operacao = Table(
    "naturezas_operacao",
    metadata,
    bling_id(),
    Column("descricao", Text),
    Column("situacao", Integer, comment="1 ativa, 0 inativa"),
    Column(
        "padrao", Integer, comment="0 nenhum, 1 venda, 2 compra, 3/4 venda e 5/6 compra PF/PJ, 7 cupom, 8/9 devolução"
    ),
    *kept("a linha de GET /naturezas-operacoes"),
)

tipos_contato = Table(
    "tipos_contato",
    metadata,
    bling_id(),
    Column("descricao", Text),
    *kept("a linha de GET /contatos/tipos"),
)

grupos_produto = Table(
    "grupos_produto",
    metadata,
    bling_id(),
    Column("nome", Text),
    Column("grupo_pai_id", BigInteger, comment="o grupo em que está; vazio se em nenhum"),
    *kept("a linha de GET /grupos-produtos"),
)

contas_financeiras = Table(
    "contas_financeiras",
    metadata,
    bling_id(),
    Column("descricao", Text),
    Column("tipo", Text, comment="banco, caixa, conta-bancaria ou integracao-pagamento"),
    Column("alias_integracao", Text, comment="a integração de pagamento, se é de uma"),
    Column("situacao", Integer, comment="1 ativa, 2 inativa, 3 pendente, 4 cancelada: a do filtro que a mostra"),
    *kept("a linha de GET /contas-contabeis, com a situação que o filtro diz"),
)

categorias_financeiras = Table(
    "categorias_financeiras",
    metadata,
    bling_id(),
    Column("categoria_pai_id", BigInteger, comment="a categoria em que está; vazia se em nenhuma"),
    Column("descricao", Text),
    Column("tipo", Integer, comment="1 despesa, 2 receita, 3 as duas"),
    Column("situacao", Integer, comment="1 ativa, 0 inativa: a do filtro que a mostra"),
    *kept("a linha de GET /categorias/receitas-despesas, com a situação que o filtro diz"),
)

situacoes_modulos = Table(
    "situacoes_modulos",
    metadata,
    bling_id(),
    Column("nome", Text),
    Column("descricao", Text),
    *kept("a linha de GET /situacoes/modulos"),
)

situacoes = Table(
    "situacoes",
    metadata,
    bling_id(),
    Column("modulo_id", BigInteger, index=True, comment="de que módulo é; vazio se nenhuma listagem a mostrou"),
    Column("nome", Text),
    Column("cor", Text, comment="em hexadecimal: #E9DC40"),
    Column("id_herdado", BigInteger, comment="a de fábrica de que a empresa a tirou; vazio se é de fábrica"),
    *kept("a linha de GET /situacoes/modulos/{id}, com o id do módulo"),
)

campos_customizados_modulos = Table(
    "campos_customizados_modulos",
    metadata,
    bling_id(),
    Column("nome", Text),
    Column("modulo", Text, comment="como o sistema o chama"),
    Column("agrupador", Text, comment="o que, no cadastro, separa os campos que um registro tem"),
    *kept("a linha de GET /campos-customizados/modulos"),
)

campos_customizados = Table(
    "campos_customizados",
    metadata,
    bling_id(),
    Column("modulo_id", BigInteger, index=True),
    Column("nome", Text),
    Column("situacao", Integer, comment="1 ativo, 0 inativo"),
    Column("tipo_campo_id", BigInteger, comment="o tipo, que o Bling diz em GET /campos-customizados/tipos"),
    Column("obrigatorio", Boolean),
    *kept("o campo inteiro, como GET /campos-customizados/{id} o deu"),
)

campos_customizados_opcoes = Table(
    "campos_customizados_opcoes",
    metadata,
    Column("campo_id", BigInteger, ForeignKey(campos_customizados.c.id), primary_key=True, comment="de que campo é"),
    Column("ordem", Integer, primary_key=True, autoincrement=False, comment="o lugar no campo, de 1 em diante"),
    Column("id", BigInteger, comment="o id no Bling, que é o que o cadastro guarda"),
    Column("nome", Text),
)

notificacoes = Table(
    "notificacoes",
    metadata,
    Column("id", Text, primary_key=True, comment="o id no Bling, que é um texto"),
    Column("titulo", Text),
    Column("descricao", Text),
    Column("modulo", Text, comment="FISCAL…"),
    Column("fonte", Text, comment="o órgão em que se baseia"),
    Column("acao", Text, comment="o que se fez dela"),
    Column("data_criacao", Date, index=True),
    Column("data_envio", DateTime, comment=f"quando se publicou; {BRASILIA_TIME}"),
    Column("data_vigencia", Date, comment="quando passa a valer o que ela diz"),
    Column("data_leitura", DateTime, comment=f"quando alguém a leu; {BRASILIA_TIME}"),
    *kept("a linha de GET /notificacoes"),
)

canais_da_empresa = Table(
    "canais_da_empresa",
    metadata,
    Column(
        "canal_id",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="o canal que se refez, ou que se deixou: o id que os pedidos dele ainda trazem",
    ),
    Column("vale_por", BigInteger, nullable=False, comment="o canal em que eles contam"),
    Column("motivo", Text),
    CheckConstraint("canal_id <> vale_por", name="outro_canal"),
)
