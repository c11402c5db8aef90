"""As vendas: o faturamento das notas, os pedidos, um produto, um cliente."""
