"""O estoque, e o que falta ou está parado."""
