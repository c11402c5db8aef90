"""O que está provado: a cobertura, a conferência guardada, a numeração."""
