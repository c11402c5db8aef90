"""Quem vende e o que se pediu: os vendedores da empresa e os pedidos de venda."""
