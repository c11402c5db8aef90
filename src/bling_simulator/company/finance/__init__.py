"""O dinheiro da empresa: as contas a receber e a pagar, os borderôs que as quitam e os lançamentos de caixa."""
