"""Quanto custa a carga histórica a este coletor e a outros dois, medidos lado a lado: `make bench`."""
