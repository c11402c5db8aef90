"""As rotas que respondem em JSON, e os avisos do Bling."""
