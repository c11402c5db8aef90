"""Como se entrega o que se vende."""
