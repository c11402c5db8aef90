"""O serviço HTTP: a porta, as rotas e o painel."""
