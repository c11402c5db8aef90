"""Os alarmes: o que soa, a quem se diz e o texto de cada um; e o resumo do dia."""
