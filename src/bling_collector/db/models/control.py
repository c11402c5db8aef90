"""O estado da coleta: as execuções, o que se deve, o que se provou, os limites, os alarmes."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from bling_collector.db.models.base import metadata, ours


def _suspended() -> Column[bool]:
    said = "o recurso dela não se coleta: não se deve enquanto for assim"
    return Column("suspensa", Boolean, nullable=False, server_default=text("false"), comment=said)


etl_controle = Table(
    "etl_controle",
    metadata,
    Column("id", Integer, primary_key=True),
    ours("inicio"),
    ours("fim"),
    Column("status", String(20), comment="running, success, partial ou error"),
    Column("data_referencia", Date, comment="o último dia coberto sem lacuna"),
    Column("nfes_processadas", Integer, server_default="0"),
    Column("contatos_novos", Integer, server_default="0"),
    Column("produtos_novos", Integer, server_default="0"),
    Column("erro_mensagem", Text),
    ours("created_at", now=True),
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
    ours("quando", nullable=False),
    Column("nivel", Text, nullable=False, comment="info, aviso ou erro"),
    Column("mensagem", Text, nullable=False),
)

janelas_devidas = Table(
    "janelas_devidas",
    metadata,
    Column("recurso", Text, primary_key=True),
    Column("data_inicio", Date, primary_key=True),
    Column("data_fim", Date, nullable=False),
    ours("desde", nullable=False, now=True),
    Column("erro", Text),
    _suspended(),
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
    ours("desde", nullable=False, now=True),
    ours("tentada_em", nullable=False, now=True),
    Column("numero", Text, comment="o da nota, como a listagem a mostrou"),
    Column("contato_id", BigInteger, comment="de quem é a nota, como a listagem a mostrou"),
    Column("contato_nome", Text, comment="o nome de quem é a nota, como a listagem a mostrou"),
    _suspended(),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("recurso", Text, primary_key=True),
    ours("posicao", nullable=False),
)

recursos_ligados = Table(
    "recursos_ligados",
    metadata,
    Column("recurso", Text, primary_key=True),
    Column("ligado", Boolean, nullable=False, comment="se alguém o ligou, ou desligou"),
    ours("desde", nullable=False, now=True),
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
    ours("erros_desde"),
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
    Column("ip_livre_em", DateTime(timezone=True), comment="até quando estão dadas as requisições do IP"),
    Column("ip_erros_ate", DateTime(timezone=True), comment="cada erro a adianta um pouco, e o tempo alcança-a"),
    CheckConstraint("id = 1", name="uma_linha"),
)

alarmes = Table(
    "alarmes",
    metadata,
    Column("nome", Text, primary_key=True),
    Column("estado", Text, nullable=False, server_default="normal", comment="normal, aviso ou erro"),
    ours("desde", nullable=False, now=True),
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
    ours("apagado_em", nullable=False, now=True),
)

conferencias = Table(
    "conferencias",
    metadata,
    Column("recurso", Text, primary_key=True, server_default="nfe", comment="o que se conferiu"),
    Column("mes", Date, primary_key=True, comment="o primeiro dia do mês"),
    Column("data_inicio", Date, nullable=False, comment="o primeiro dia conferido: o do mês, ou o do começo da coleta"),
    Column("data_fim", Date, nullable=False),
    ours("conferida_em", nullable=False),
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
    ours("reparada_em"),
)

conferencias_inteiras = Table(
    "conferencias_inteiras",
    metadata,
    Column("recurso", Text, primary_key=True),
    ours("conferida_em", nullable=False),
    Column("run_id", Integer),
    Column("no_bling", JSONB, nullable=False, comment="quantos registros o Bling lista, por situação"),
    Column("no_banco", JSONB, nullable=False, comment="quantos registros o banco tem, por situação, sem os excluídos"),
    Column("faltam", ARRAY(Text), nullable=False, comment="ids que o Bling lista e o banco não tem"),
    Column("sobram", ARRAY(Text), nullable=False, comment="ids que o banco tem e o Bling não lista"),
    Column("diferem", ARRAY(Text), nullable=False, comment="ids que a listagem mostra de outro jeito que o banco"),
)

historico = Table(
    "historico",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("tabela", Text, nullable=False),
    Column("registro_id", BigInteger, index=True, comment="o id do registro, se é um inteiro"),
    Column("registro_texto", Text, comment="o id do registro, se é um texto"),
    ours("quando", nullable=False, now=True),
    Column("run_id", Integer),
    Column("mudancas", JSONB, nullable=False, comment="coluna → [valor de antes, valor de agora]"),
)

webhook_eventos = Table(
    "webhook_eventos",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("event_id", Text, nullable=False, unique=True, comment="o eventId, que se repete se o Bling repete o aviso"),
    ours("recebido_em", nullable=False),
    Column("enviado_em", DateTime(timezone=True), comment="a data que o aviso diz; nula se não se lê"),
    Column("evento", Text, nullable=False, comment="como o Bling o chama: invoice.updated, …"),
    Column("recurso", Text, comment="de que recurso é; nulo se o coletor não o conhece"),
    Column("registro_id", Text, comment="de que registro; nulo se o aviso não o diz"),
    Column("agendado_em", DateTime(timezone=True), comment="quando um worker começou a ler o registro por causa dele"),
    Column("lido_em", DateTime(timezone=True), comment="quando se leu o registro outra vez; nulo se ainda se deve"),
    Column(
        "resultado",
        Text,
        comment="criado, atualizado, igual, antigo, excluído, em dúvida, inexistente, pendente, recusado, sem leitura "
        "ou desconhecido",
    ),
)
Index(
    "ix_webhook_eventos_por_ler",
    webhook_eventos.c.recebido_em,
    postgresql_where=webhook_eventos.c.lido_em.is_(None),
)
Index("ix_webhook_eventos_recurso", webhook_eventos.c.recurso, webhook_eventos.c.recebido_em)

webhook_faltas = Table(
    "webhook_faltas",
    metadata,
    Column("recurso", Text, primary_key=True),
    Column("registro_id", Text, primary_key=True, comment="que registro se achou novo ou mudado"),
    Column("aviso", Text, nullable=False, comment="como o Bling chama o recurso nos avisos"),
    Column(
        "depois_de", DateTime(timezone=True), nullable=False, comment="a hora da olhada anterior, que ainda não o viu"
    ),
    ours("encontrado_em", nullable=False),
)

webhook_recusas = Table(
    "webhook_recusas",
    metadata,
    Column("motivo", Text, primary_key=True, comment="assinatura, empresa ou conteúdo"),
    Column("quantos", BigInteger, nullable=False, server_default="0", comment="avisos que se recusaram por isso"),
    ours("ultimo_em", nullable=False),
)
