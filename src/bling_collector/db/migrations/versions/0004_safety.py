"""A segurança: os limites da conta divididos entre processos e os alarmes."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_COMMENTS = {
    "limites_bling.inicios": "as últimas vezes reservadas",
    "limites_bling.segurado_ate": "nada começa antes: chegou um 429 por segundo",
    "limites_bling.margem": "segundos a mais na janela",
    "limites_bling.ritmo": "a fração do ritmo inteiro que vale",
    "limites_bling.dia": "o dia de Brasília que se conta",
    "limites_bling.usadas": "requisições do coletor no dia",
    "limites_bling.limite": "a cota diária da conta",
    "limites_bling.reserva": "o que dela fica para os outros aplicativos",
    "limites_bling.esgotada_em": "o dia em que o Bling disse que a cota acabou",
    "limites_bling.falhas": "falhas seguidas",
    "limites_bling.erros": "respostas de erro desde erros_desde",
    "limites_bling.pausada_ate": "o disjuntor está aberto até esta hora",
    "limites_bling.pausas": "pausas seguidas",
    "limites_bling.pausa_motivo": "falhas, erros ou bloqueio",
    "limites_bling.sonda_ate": "até quando se espera a requisição de prova",
    "limites_bling.pedidos_de_token": "os do último minuto",
    "alarmes.estado": "normal, aviso ou erro",
    "alarmes.avisados": "a impressão de cada destino → o último estado que lhe foi dito",
    "dados_apagados.tabela": "contatos, ou nfe_cabecalho de uma nota sem contato no Bling",
}


def upgrade() -> None:
    _add_limits()
    _add_alarms()
    _add_erasures()
    # Quem restaura uma cópia sem esta coluna já a fez, para não esquecer que o Bling recusou o par.
    op.execute("ALTER TABLE oauth_tokens ADD IF NOT EXISTS refused_at timestamptz")
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")


def _add_limits() -> None:
    op.execute("""
        CREATE TABLE limites_bling (
            id integer PRIMARY KEY CONSTRAINT limites_bling_uma_linha CHECK (id = 1),
            inicios timestamptz[] NOT NULL DEFAULT '{}', segurado_ate timestamptz,
            margem double precision NOT NULL DEFAULT 0.02, ritmo double precision NOT NULL DEFAULT 1,
            dia date, usadas integer NOT NULL DEFAULT 0, limite integer, reserva integer, esgotada_em date,
            falhas integer NOT NULL DEFAULT 0, erros integer NOT NULL DEFAULT 0, erros_desde timestamptz,
            pausada_ate timestamptz, pausas integer NOT NULL DEFAULT 0, pausa_motivo text, sonda_ate timestamptz,
            pedidos_de_token timestamptz[] NOT NULL DEFAULT '{}')""")
    op.execute("INSERT INTO limites_bling (id) VALUES (1)")


def _add_alarms() -> None:
    op.execute("""
        CREATE TABLE alarmes (
            nome text PRIMARY KEY, estado text NOT NULL DEFAULT 'normal', desde timestamptz NOT NULL DEFAULT now(),
            mensagem text NOT NULL, avisados jsonb NOT NULL DEFAULT '{}')""")


def _add_erasures() -> None:
    # Quem restaura uma cópia sem esta tabela já a fez, para não esquecer quem foi apagado.
    op.execute("""
        CREATE TABLE IF NOT EXISTS dados_apagados (
            tabela text, registro_id bigint, apagado_em timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tabela, registro_id))""")
