"""O que uma execução vai custar, antes de se pedir."""
