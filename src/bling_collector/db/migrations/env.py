"""O que o Alembic executa; a conexão vem pronta de `bling_collector.db.schema`, com a tranca na mão."""

from alembic import context

from bling_collector.db.models import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, compare_type=True, compare_server_default=True)
with context.begin_transaction():
    context.run_migrations()
