"""O que o Alembic executa; a conexão vem pronta de `bling_collector.db.schema`, com a tranca na mão."""

from alembic import context
from sqlalchemy import text

from bling_collector.db.models import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table_schema=connection.scalar(text("SELECT current_schema()")),
)
with context.begin_transaction():
    context.run_migrations()
