"""O que a fábrica vende: os produtos, as categorias e os saldos."""
