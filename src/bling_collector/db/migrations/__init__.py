"""As migrações, dentro do pacote: quem instala o coletor as tem."""

HEAD = "0010"
"""A revisão mais nova; um teste a compara com a do Alembic."""
