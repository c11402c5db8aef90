"""Os passos que só os produtos têm; só quem coleta os carrega."""
