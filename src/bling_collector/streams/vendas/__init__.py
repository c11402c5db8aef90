"""O que se vende."""
