"""As notas: quem compra o quê, os itens, a numeração, e os casos feios."""
