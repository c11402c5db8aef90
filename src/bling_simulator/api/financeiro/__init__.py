"""O dinheiro: contas a receber e a pagar, borderôs, caixas."""
