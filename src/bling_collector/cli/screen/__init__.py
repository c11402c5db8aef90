"""O que aparece no terminal: a ajuda, o andamento e os resultados."""
