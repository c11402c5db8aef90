"""A empresa inventada: cadastros e notas, gerados por funções puras a partir de uma semente."""

from bling_simulator.company.generator import Company, generate_another, generate_company

__all__ = ["Company", "generate_another", "generate_company"]
