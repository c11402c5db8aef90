"""O que o Bling avisa: um aviso por linha, sem o conteúdo dele, e quantos se recusaram."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_COMMENTS = {
    "webhook_eventos.event_id": "o eventId, que se repete se o Bling repete o aviso",
    "webhook_eventos.enviado_em": "a data que o aviso diz; nula se não se lê",
    "webhook_eventos.evento": "como o Bling o chama: invoice.updated, …",
    "webhook_eventos.recurso": "de que recurso é; nulo se o coletor não o conhece",
    "webhook_eventos.registro_id": "de que registro; nulo se o aviso não o diz",
    "webhook_eventos.agendado_em": "quando um worker o pôs na fila",
    "webhook_eventos.lido_em": "quando se leu o registro outra vez; nulo se ainda se deve",
    "webhook_eventos.resultado": (
        "criado, atualizado, igual, antigo, excluído, em dúvida, inexistente, pendente, recusado, sem leitura "
        "ou desconhecido"
    ),
    "webhook_recusas.motivo": "assinatura, empresa ou conteúdo",
    "webhook_recusas.quantos": "avisos que se recusaram por isso",
}


def upgrade() -> None:
    op.execute("""
        CREATE TABLE webhook_eventos (
            id bigserial PRIMARY KEY,
            event_id text NOT NULL UNIQUE,
            recebido_em timestamptz NOT NULL,
            enviado_em timestamptz,
            evento text NOT NULL,
            recurso text,
            registro_id text,
            agendado_em timestamptz,
            lido_em timestamptz,
            resultado text)""")
    op.execute("CREATE INDEX ix_webhook_eventos_por_ler ON webhook_eventos (recebido_em) WHERE lido_em IS NULL")
    op.execute("CREATE INDEX ix_webhook_eventos_recurso ON webhook_eventos (recurso, recebido_em)")
    op.execute("""
        CREATE TABLE webhook_recusas (
            motivo text PRIMARY KEY,
            quantos bigint NOT NULL DEFAULT 0,
            ultimo_em timestamptz NOT NULL)""")
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")
