"""A conta: a autorização, e de quem são os dados."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Integer,
    String,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from bling_collector.db.models.base import metadata, ours

TOKENS_ROW = 1
"""O id da linha de `oauth_tokens` que vale."""

oauth_tokens = Table(
    "oauth_tokens",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("access_token", Text, nullable=False),
    Column("refresh_token", Text, nullable=False),
    Column("token_type", String(50), server_default="Bearer"),
    ours("expires_at", nullable=False),
    ours("updated_at"),
    Column("refresh_in_doubt", Boolean, nullable=False, server_default=text("false")),
    ours("refused_at"),
)

oauth_states = Table(
    "oauth_states",
    metadata,
    Column("state_hash", Text, primary_key=True),
    ours("expires_at", nullable=False),
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
    Column("detalhe", JSONB, comment="a empresa inteira, como GET /empresas/me/dados-basicos a deu"),
    Column(
        "desde",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.now(),
        comment="quando este banco passou a ser dela",
    ),
    CheckConstraint("id = 1", name="uma_linha"),
)

acesso = Table(
    "acesso",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("impressao", Text, nullable=False, comment="a impressão do token; ele mesmo não é guardado"),
    Column("desde", DateTime(timezone=True), nullable=False, comment="quando o token foi dado"),
    CheckConstraint("id = 1", name="uma_linha"),
)

respostas_da_conta = Table(
    "respostas_da_conta",
    metadata,
    Column("pergunta", Text, primary_key=True),
    Column("resposta", Text, nullable=False),
    Column("visto", Text, nullable=False),
    ours("respondida_em", nullable=False),
)
