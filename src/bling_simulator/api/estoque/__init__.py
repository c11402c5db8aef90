"""O estoque."""
