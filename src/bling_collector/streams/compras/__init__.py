"""O que se compra."""
