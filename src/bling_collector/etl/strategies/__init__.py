"""As maneiras de ler um recurso: cada módulo é uma, feita do que está em `etl`."""
