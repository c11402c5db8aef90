"""Os passos que só as notas têm; só quem coleta os carrega."""
