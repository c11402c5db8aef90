"""Os testes do simulador."""
