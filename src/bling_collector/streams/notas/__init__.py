"""As notas fiscais."""
