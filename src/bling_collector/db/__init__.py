"""O banco: tabelas, migrações, gravação em lote, a tranca, e o SQL do estado da coleta."""
