"""O dinheiro: as contas a pagar e a receber, o que entrou e saiu, o resultado."""
