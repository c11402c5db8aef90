"""Quem vende e o que se pediu: os vendedores da empresa."""
