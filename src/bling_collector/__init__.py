"""O coletor: copia o que o Bling tem para o PostgreSQL, e prova que está tudo lá."""

__version__ = "1.0.0"
