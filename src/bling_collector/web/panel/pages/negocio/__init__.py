"""As páginas que tratam do negócio: vendas, notas, estoque, dinheiro."""
