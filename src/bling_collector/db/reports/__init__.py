"""O SQL das páginas, sobre as views."""
